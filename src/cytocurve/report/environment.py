"""How pages are made of templates: everything escaped, a missing value an error, numbers in one form."""

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from cytocurve.report import words


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
    made.filters |= {"score": words.score, "signed": words.signed}
    return made
