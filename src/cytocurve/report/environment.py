"""How pages are rendered from templates: everything escaped, missing values an error."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from cytocurve.report import formatting


@cache
def environment() -> Environment:
    """The templates of ``cytocurve.report``, with the filters ``score`` and ``signed``."""
    made = Environment(
        loader=PackageLoader("cytocurve.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters |= {"score": formatting.score, "signed": formatting.signed}
    return made
