"""The record of the looks at a holdout: every score of its images, with date and reason.

A holdout is worth as much as it was looked at seldom: whoever looks, changes something and looks again, chooses by it.
The file has one JSON object per line and only ever grows.
"""

from collections.abc import Collection, Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from cytocurve.config import ProjectPaths
from cytocurve.core.answers import Number
from cytocurve.errors import InputError
from cytocurve.files import exclusive, write_text

SHORT = 16
"""The hex digits of an image's identity in the record."""


class Look(BaseModel):
    """A look at a holdout: when and why, at which model, with which score.

    ``commit`` is that of the code and settings, ``data`` the SHA-256 over the images' pixels and classes, ``seen`` are
    the first digits of the images' identities.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    date: str
    reason: str
    model: str
    version: int
    commit: str | None
    labels: str
    data: str
    metric: str
    score: Number
    seen: tuple[str, ...]


def shortened(identities: Collection[str]) -> tuple[str, ...]:
    """The identities of images (SHA-256 of the pixels, hex) as a look records them, sorted."""
    return tuple(sorted(identity[:SHORT] for identity in identities))


def read_looks(project: ProjectPaths) -> list[Look]:
    """All recorded looks, oldest first; raises ``InputError`` naming the line that is damaged."""
    try:
        text = project.looks.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(project, f"cannot be read: {error}") from error
    looks = []
    for number, line in enumerate(text.removesuffix("\n").split("\n") if text else [], start=1):
        try:
            looks.append(Look.model_validate_json(line))
        except ValidationError as error:
            raise _damaged(project, f"line {number} is not a recorded look") from error
    return looks


def record_look(project: ProjectPaths, look: Look) -> list[Look]:
    """Append a look to the record; returns the earlier ones. Of two at the same time, one waits for the other."""
    with exclusive(project.looks_lock):
        earlier = read_looks(project)
        before = project.looks.read_text(encoding="utf-8").rstrip("\n") + "\n" if earlier else ""
        write_text(project.looks, f"{before}{look.model_dump_json()}\n")
    return earlier


def looks_at(looks: Sequence[Look], seen: Collection[str]) -> tuple[int, int, int]:
    """How many looks had all of these images, how many others had some, and how many images the latter had."""
    wanted = set(seen)
    others = [look for look in looks if wanted & set(look.seen) and not wanted <= set(look.seen)]
    here = sum(wanted <= set(look.seen) for look in looks)
    return here, len(others), len(wanted & {image for look in others for image in look.seen})


def _damaged(project: ProjectPaths, problem: str) -> InputError:
    return InputError(
        f"{project.looks}: {problem}",
        hint="The record of the looks at the holdout is append-only.",
        next_step=f"restore it with git checkout {project.looks.name}",
    )
