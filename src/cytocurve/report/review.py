"""The page of suspect labels: pictures, given and suggested labels, scores and neighbors, in one file."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from cytocurve.report.environment import environment

SIDE = 132
"""Maximum width and height in pixels of a picture on the page."""


@dataclass(frozen=True)
class Neighbor:
    """A similar image and its label."""

    image: str
    label: str


@dataclass(frozen=True)
class Suspect:
    """An image with a questionable label: its class in the task, the class that networks suggest, and similar images.

    ``given`` is the class that the label belongs to, ``suggested`` the class with the highest of ``probabilities``.
    """

    rank: int
    image: str
    label: str
    given: str
    suggested: str
    score: float
    probabilities: Mapping[str, float]
    neighbours: Sequence[Neighbor]


def picture(image: Image.Image) -> str:
    """An image as a thumbnail in a data URL."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    small.save(data, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"


def render(title: str, suspects: Sequence[Suspect], images: int, table: str, pictures: Mapping[str, str]) -> str:
    """The page; ``images`` is the number of ranked images, ``table`` the CSV file, ``pictures`` maps images to URLs."""
    template = environment().get_template("review.html")
    return template.render(title=title, suspects=suspects, images=images, table=table, pictures=pictures)
