"""Everything that uses MLflow.

``connection``: a client of a server or of the local store. ``experiments``: publishes an arm's runs and curves, each
run written as one of ``drafts``, or by ``bulk`` into the local store. ``published``: reads an arm back. ``registry``:
model versions. ``links``: addresses of MLflow's pages. MLflow's and SQLAlchemy's exceptions do not leave this package.
"""
