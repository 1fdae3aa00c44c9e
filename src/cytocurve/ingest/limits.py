"""Which pictures can be photographs of a single cell."""

PIXEL_LIMIT = 50_000_000
"""Larger images are refused before they are decoded: no photograph of a single cell comes near it."""


def too_large(width: int, height: int) -> str:
    """Why a picture of so many pixels is refused; empty if it is not."""
    if width * height > PIXEL_LIMIT:
        return f"{width}x{height} pixels are more than the limit of {PIXEL_LIMIT:,}"
    return ""
