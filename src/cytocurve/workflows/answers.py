"""Read the answers of a study from a file, without the rest of the study."""

import json
from pathlib import Path

from cytocurve.core.answers import Answers
from cytocurve.errors import InputError


def load_answers(path: Path) -> Answers:
    """Read answers from a file; raises ``InputError`` if it is missing or has another format."""
    try:
        return Answers.from_json(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", next_step="dvc repro evaluate") from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{path}: not an answers file of this version: {error}", next_step="dvc repro evaluate"
        ) from error
