"""cytocurve: learning-curve studies on images of single blood cells."""

__version__ = "0.1.0"
