"""The template environment: everything is escaped, and missing values are errors."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from cytocurve.report import formatting


@cache
def environment() -> Environment:
    """The templates of ``cytocurve.report``, with the filters ``score`` and ``signed``."""
    templates = Environment(
        loader=PackageLoader("cytocurve.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters |= {"score": formatting.score, "signed": formatting.signed}
    return templates
