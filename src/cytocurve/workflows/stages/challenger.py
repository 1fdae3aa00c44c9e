"""Stage ``challenger``: the alias ``challenger`` follows the results of the project, but not those of an experiment.

DVC considers the stages of an experiment up to date once it is applied, so nothing would move the alias. In an
experiment, this stage therefore marks ``reports/challenger.json``, an output of stage ``register``: that stage is stale
from then on, and the next ``dvc repro`` moves the alias to the model of the results present by then.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from cytocurve.config import ProjectPaths
from cytocurve.errors import InputError
from cytocurve.files import write_text
from cytocurve.workflows.alias import challenge

NEXT_STEP = "dvc repro register, or cytocurve register"


@dataclass(frozen=True)
class ChallengerOutcome:
    """The model of the present results, and its version if the alias is there; None in an experiment of DVC."""

    model: str
    version: int | None

    def to_json(self) -> dict[str, Any]:
        """The outcome as JSON."""
        return asdict(self)


def challenger(project: ProjectPaths) -> ChallengerOutcome:
    """Make sure that the alias is at the model of the present results, or leave it and mark it as pending.

    Raises ``InputError`` if nothing is registered, ``ServiceError`` if the registry cannot be reached.
    """
    state = _state(project)
    model, key = str(state["model"]), str(state["model_key"])
    if project.in_experiment:
        write_text(project.challenger, json.dumps({**state, "experiment": True}, indent=1) + "\n")
        return ChallengerOutcome(model, None)
    number = challenge(project, model, key)
    if number is None:
        raise InputError(f"The registry has no version of {model} from the present results", next_step=NEXT_STEP)
    return ChallengerOutcome(model, number)


def _state(project: ProjectPaths) -> dict[str, Any]:
    try:
        state = dict(json.loads(project.challenger.read_text(encoding="utf-8")))
        return {key: state[key] for key in ("model", "model_key")}
    except FileNotFoundError:
        raise InputError(f"{project.challenger}: no such file", next_step=NEXT_STEP) from None
    except (ValueError, TypeError, KeyError) as error:
        raise InputError(f"{project.challenger}: damaged", next_step=NEXT_STEP) from error
