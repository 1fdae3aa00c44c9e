"""Answers from a file, without the rest of the study."""

import json
from pathlib import Path
from typing import Any

from cytocurve.errors import InputError
from cytocurve.evaluation.answers import FORMAT


def load_answers(path: Path) -> Any:
    """The answers that a file holds; raises ``InputError`` if it is missing or of another format."""
    try:
        answers = json.loads(path.read_text(encoding="utf-8"))
        if answers["format"] != FORMAT:
            raise ValueError(f"format {answers['format']!r}, expected {FORMAT}")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}", next_step="dvc repro evaluate") from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{path}: not answers of this version: {error}", next_step="dvc repro evaluate") from error
    return answers
