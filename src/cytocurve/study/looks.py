"""The record of the looks at a holdout: every score of its images, with date and reason.

A holdout is worth as much as it was looked at seldom: whoever looks, changes something and looks again, chooses by it.
The file has one JSON object per line and only ever grows.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

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


@contextmanager
def recorded_look(project: ProjectPaths, look: Look) -> Iterator[list[Look]]:
    """Append a look to the record, and give the earlier ones; the body writes what shows its scores.

    If the body does not end, as after a kill, nothing was shown, and the same look completes the recorded one, whatever
    its date and commit. Of two at the same time, one waits for the other.
    """
    with exclusive(project.looks_lock):
        looks = read_looks(project)
        if not _completes(project, looks, look):
            write_text(project.unfinished_look, f"{len(looks) + 1}\n{look.model_dump_json()}\n")
            before = project.looks.read_text(encoding="utf-8").rstrip("\n") + "\n" if looks else ""
            write_text(project.looks, f"{before}{look.model_dump_json()}\n")
            looks = [*looks, look]
        yield looks[:-1]
        project.unfinished_look.unlink(missing_ok=True)


def _completes(project: ProjectPaths, looks: Sequence[Look], look: Look) -> bool:
    """Whether this is the last recorded look, of which nothing was shown."""
    try:
        number, line = project.unfinished_look.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        unfinished = Look.model_validate_json(line)
    except (OSError, ValueError):
        return False
    same = look.model_copy(update={"date": unfinished.date, "commit": unfinished.commit}) == unfinished
    return same and number == str(len(looks)) and looks[-1:] == [unfinished]


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
