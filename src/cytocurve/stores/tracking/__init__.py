"""All uses of MLflow.

``connection``: clients of a server or the local store. ``experiments``: publishes an arm's runs and curves, through
``drafts`` or, into the local store, through ``bulk``. ``published``: reads an arm back. ``registry``: model versions.
``links``: URLs of MLflow's pages. Exceptions of MLflow and SQLAlchemy do not leave this package.
"""
