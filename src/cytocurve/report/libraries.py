"""The drawing libraries that the page carries in itself; ``vega/README.md`` tells where they come from."""

from importlib.resources import files

VERSIONS = {"vega": "6.4.0", "vega-lite": "6.5.0", "vega-embed": "7.3.0"}
"""In the order in which a browser must read them."""


def library(name: str) -> str:
    """The text of one of ``VERSIONS``, without the address of its source map, for which a browser would ask."""
    text = (files("cytocurve.report") / "vega" / f"{name}.min.js").read_text(encoding="utf-8")
    return text.partition("\n//# sourceMappingURL=")[0]
