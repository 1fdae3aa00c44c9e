"""Read the answers of a study from a file, without the rest of the study."""

from pathlib import Path

from cytocurve.core.answers import Answers
from cytocurve.errors import InputError
from cytocurve.stores.documents import read_json

NEXT_STEP = "dvc repro evaluate"


def load_answers(path: Path) -> Answers:
    """Read answers from a file; raises ``InputError`` if it is missing or damaged, or has another format."""
    value = read_json(path, NEXT_STEP, unchecked=True)  # the page saves answers without a checksum
    try:
        return Answers.from_json(value)
    except ValueError as error:
        raise InputError(f"{path}: not an answers file of this version: {error}", next_step=NEXT_STEP) from error
