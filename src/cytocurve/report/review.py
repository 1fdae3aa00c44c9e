"""The page of suspect labels: pictures, given and suggested label, score and neighbours, in one file."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from cytocurve.report.environment import environment

SIDE = 132
"""Pixels a side of a picture on the page."""


@dataclass(frozen=True)
class Neighbour:
    """An image that looks alike, and its label."""

    image: str
    label: str


@dataclass(frozen=True)
class Suspect:
    """An image whose label is in doubt: its class in the task, the networks' class, and what looks like it.

    ``given`` is the class that the label belongs to, ``suggested`` the one of the largest of the ``probabilities``.
    """

    rank: int
    image: str
    label: str
    given: str
    suggested: str
    score: float
    probabilities: Mapping[str, float]
    neighbours: Sequence[Neighbour]


def picture(image: Image.Image) -> str:
    """An image as a small picture that stands in the page itself."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def render(title: str, suspects: Sequence[Suspect], images: int, table: str, pictures: Mapping[str, str]) -> str:
    """The page: ``images`` is how many were ranked, ``table`` the name of the CSV file, ``pictures`` one an image."""
    template = environment().get_template("review.html")
    return template.render(title=title, suspects=suspects, images=images, table=table, pictures=pictures)
