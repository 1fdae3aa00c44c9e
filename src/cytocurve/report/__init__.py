"""Figures and the report page, drawn from numbers computed in ``core``."""
