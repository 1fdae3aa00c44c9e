"""The charting libraries embedded in the page; see ``vega/README.md`` for their origin."""

from importlib.resources import files

VERSIONS = {"vega": "6.4.0", "vega-lite": "6.5.0", "vega-embed": "7.3.0"}
"""In the order in which a browser must load them."""


def library(name: str) -> str:
    """The source of one of ``VERSIONS``, without the source map URL, which a browser would request."""
    text = (files("cytocurve.report") / "vega" / f"{name}.min.js").read_text(encoding="utf-8")
    return text.partition("\n//# sourceMappingURL=")[0]
