"""The maximum image size."""

PIXEL_LIMIT = 50_000_000
"""Larger images are refused before decoding; images of single cells are far smaller."""


def too_large(width: int, height: int) -> str:
    """Why an image of this width and height is refused; empty if it is accepted."""
    if width * height > PIXEL_LIMIT:
        return f"{width}x{height} pixels are more than the limit of {PIXEL_LIMIT:,}"
    return ""
