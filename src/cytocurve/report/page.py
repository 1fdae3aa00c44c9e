"""The report: one HTML page, with everything that it needs in itself, that asks no address for anything."""

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from cytocurve.core.audit.finding import describe
from cytocurve.report import figures, words
from cytocurve.report.environment import environment
from cytocurve.report.headline import headline, saturation
from cytocurve.report.libraries import VERSIONS, library
from cytocurve.report.names import short_names

OFFENDERS_SHOWN = 3
"""Of each finding of the audit; ``reports/audit.json`` has the others."""

EMBEDDED_AT_MOST = 3_500_000
"""Bytes of the answers in the page; where they are more, of the ROC and precision-recall curves the last size stays."""

SCRIPTS = ("data", "chart", "tables", "legend", "curves", "planner", "comparison", "details", "main")
STYLES = ("page", "print")


def render(answers: Mapping[str, Any], facts: Mapping[str, Any], static: Mapping[str, str] | None = None) -> str:
    """The page of these answers (``reports/answers.json``).

    ``facts`` are what only this computation knows: commit, seconds, links to MLflow, pictures, names of the tables.
    ``static`` is ``figures.drawings(answers)``, where the caller has it already.
    """
    names = short_names(answers["arms"])
    drawn = figures.drawings(answers) if static is None else static
    embedded, thinned = _embedded(answers, names)
    scripts = [*map(library, VERSIONS), _script(embedded)]
    pages = environment()
    pages.filters |= {
        "told": describe,
        "count": words.count,
        "p": words.p_value,
        "target": words.target,
        "percent": words.percent,
    }
    return pages.get_template("report/page.html").render(
        answers=answers,
        facts=facts,
        names=names,
        headline=headline(answers, names),
        largest=answers["sizes"][-1],
        title=answers["metrics"][answers["metric"]],
        saturation={arm: saturation(answers, arm) for arm in names},
        first={arm: _sentence(answers, found["plan"]) for arm, found in answers["arms"].items()},
        static={name: _inline(svg, name) for name, svg in drawn.items()},
        offenders_shown=OFFENDERS_SHOWN,
        positive=words.positive_name(answers),
        thinned=thinned,
        policy=_policy(scripts),
        styles=Markup("".join(_asset(f"{name}.css") for name in STYLES)),  # noqa: S704 - our own files
        scripts=[Markup(script) for script in scripts],  # noqa: S704 - our own files, and base64
    )


def _embedded(answers: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, bool]:
    """What the scripts read: the answers, the arms' names, and the planner's sentences, packed."""
    data = {
        "answers": answers,
        "names": names,
        "plans": {arm: _plan(answers, arm) for arm in names},
        "axes": words.calibration_axes(answers),
    }
    packed = _packed(data)
    if len(packed) <= EMBEDDED_AT_MOST:
        return packed, False
    return _packed(data | {"answers": _thinned(answers)}), True


def _packed(data: Mapping[str, Any]) -> str:
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


def _thinned(answers: Mapping[str, Any]) -> dict[str, Any]:
    arms = {
        arm: found
        | {kind: {name: rows[-1:] for name, rows in found[kind].items()} for kind in ("roc", "precision_recall")}
        for arm, found in answers["arms"].items()
    }
    return {**answers, "arms": arms}


def _plan(answers: Mapping[str, Any], arm: str) -> dict[str, Any]:
    plan, title = answers["arms"][arm]["plan"], answers["metrics"][answers["metric"]]
    return {
        "start": words.default_target(plan),
        "sentences": [words.answer(found, plan, title) for found in plan["targets"]],
    }


def _sentence(answers: Mapping[str, Any], plan: Mapping[str, Any]) -> str:
    if plan["refusal"] is not None or not plan["targets"]:
        return plan["refusal"] or "There is no target to forecast."
    return words.answer(plan["targets"][words.default_target(plan)], plan, answers["metrics"][answers["metric"]])


def _script(embedded: str) -> str:
    """Our scripts as one, so that their names stay among themselves."""
    code = "".join(_asset(f"{name}.js") for name in SCRIPTS)
    return f'"use strict";\n(() => {{\nconst PACKED = "{embedded}";\n{code}}})();\n'


def _policy(scripts: list[str]) -> str:
    """No address may be asked for anything, and no script runs but these."""
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts)
    allowed = " ".join(f"'sha256-{digest}'" for digest in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _asset(name: str) -> str:
    return (files("cytocurve.report") / "assets" / name).read_text(encoding="utf-8")


def _inline(svg: str, name: str) -> Markup:
    """A figure as an element of the page, its ids its own, its neutral colours left to the page's style."""
    return Markup(figures.inline(svg, name))  # noqa: S704 - drawn by figures, which escapes what it writes
