"""The first screen: what was found, for readers who know no statistics and for those who do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytocurve.report import words

Answers = Mapping[str, Any]

_NEW_PATIENTS = "cells of one patient may stand in training and test"
"""What a note says of folds that are drawn by image."""


@dataclass(frozen=True)
class Fact:
    """A question, its answer in a few words, and a sentence that says how far the answer goes."""

    question: str
    answer: str
    note: str


@dataclass(frozen=True)
class Headline:
    """The page's first sentence, the paragraph below it, and the key facts."""

    title: str
    lead: Sequence[str]
    facts: Sequence[Fact]
    limits: Sequence[str]


def headline(answers: Answers, names: Mapping[str, str]) -> Headline:
    """What stands on top of the page; ``names`` are the arms' short names."""
    arm = answers["arms"][answers["chosen"]]
    point = arm["curves"][answers["metric"]][-1]
    return Headline(
        _title(answers, arm, point),
        _lead(answers, point),
        [
            _best(answers, names),
            _score(answers, point),
            _images(answers, arm["plan"]),
            _differences(answers, names),
        ],
        _limits(answers),
    )


def _limits(answers: Answers) -> list[str]:
    """What the audit found that limits the figures, the gravest kind of it, and whether new patients may differ."""
    findings = (answers["audit"] or {"findings": []})["findings"]
    by_kind = {kind: [f for f in findings if f["severity"] == kind] for kind in ("leakage", "warning")}
    found = [
        f"{kind.capitalize()}: {_sentence(rows[0], answers)}"
        + (f" And {words.more(len(rows) - 1, kind)}." if rows[1:] else "")
        for kind, rows in by_kind.items()
        if rows
    ][:1]
    patients = ["A score for new patients may be lower."] if any(_NEW_PATIENTS in n for n in answers["notes"]) else []
    return found + patients


def _sentence(finding: Mapping[str, Any], answers: Answers) -> str:
    """A finding's sentence; of the only label version its name is left out."""
    sentence = str(finding["sentence"])
    return (
        sentence.removeprefix(f"Label version {answers['versions'][0]}: ")
        if len(answers["versions"]) == 1
        else sentence
    )


def _metric(answers: Answers) -> str:
    return str(answers["metrics"][answers["metric"]])


def _title(answers: Answers, arm: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    plan, title, size = arm["plan"], _metric(answers), words.count(point["size"])
    once = len(answers["sizes"]) == 1
    if point["mean"] is None:
        return f"The chosen arm has no defined {title} at the largest training size."
    if once or plan["refusal"] is not None or not plan["targets"]:
        return f"With {size} labelled images, {title} is {words.score(point['mean'])}."
    found = plan["targets"][words.default_target(plan)]
    goal = f"{title} {words.target(found['target'])}"
    if found["verdict"] == "reached":
        since = words.observed(found, plan, "labelled images")
        return f"{since}, mean {title} was at least {words.target(found['target'])}."
    if found["verdict"] == "forecast" and found["size"] is not None:
        return f"About {words.count(words.rounded(found['size']))} labelled images are needed for {goal}."
    return f"{goal} is {'in doubt' if found['verdict'] == 'forecast' else 'not in reach'} on this evidence."


def _lead(answers: Answers, point: Mapping[str, Any]) -> list[str]:
    """The score in plain words, and whether more images still help."""
    found = []
    if point["mean"] is not None:
        told = words.meaning(answers["metric"], point["mean"], answers["classes"], answers["positive"])
        scale = f"{_metric(answers)} is 1 for a perfect network" + (
            " and 0.5 for one that guesses" if answers["metric"] == "roc_auc" else ""
        )
        found.append(f"{scale}; {words.score(point['mean'])} means: {told}." if told else f"{scale}.")
        if told and answers["positive"] == "positive":
            found.append(f"Positive is {words.positive_name(answers)}.")
    return [*found, saturation(answers, answers["chosen"])]


def saturation(answers: Answers, arm: str) -> str:
    """Whether larger training sets were still better, as far as was shown."""
    found = answers["arms"][arm]["saturation"]
    sure = f"{100 * found['confidence']:.0f} % confidence"
    if found["size"] is None:
        largest = words.count(answers["sizes"][-1])
        if len(answers["sizes"]) == 1:
            return f"Whether fewer or more than {largest} images do as well was not tried."
        return f"It is not shown that fewer than {largest} images do as well, to within {found['margin']}."
    return (
        f"From {words.count(found['size'])} images on, no larger training set of this study is better by more than "
        f"{found['margin']} ({sure})."
    )


def _best(answers: Answers, names: Mapping[str, str]) -> Fact:
    if len(answers["arms"]) == 1:
        return Fact("Which network?", names[answers["chosen"]], "The only arm of this study.")
    version = answers["versions"][-1]
    candidates = [arm for arm in answers["arms"].values() if arm["labels"] == version]
    if len(candidates) == 1:
        return Fact("Which network?", names[answers["chosen"]], f"The only arm that is judged by the labels {version}.")
    if answers["arms"][answers["chosen"]]["curves"][answers["metric"]][-1]["mean"] is None:
        return Fact("Which network?", names[answers["chosen"]], "Not known to be the best: its score is not defined.")
    judged = f" that are judged by the labels {version}," if len(answers["versions"]) > 1 else ""
    note = f"Best of the {len(candidates)} arms{judged} by validation images; test images had no part in the choice."
    return Fact("Which network was chosen?", names[answers["chosen"]], note)


def _score(answers: Answers, point: Mapping[str, Any]) -> Fact:
    question = f"How good is it with {words.count(point['size'])} images?"
    interval = words.interval(point["ci_low"], point["ci_high"])
    note = f"{_metric(answers)} on images it has not seen; 95 % interval {interval}."
    return Fact(question, words.score(point["mean"]), note)


def _images(answers: Answers, plan: Mapping[str, Any]) -> Fact:
    if plan["refusal"] is not None or not plan["targets"]:
        return Fact("How many images are needed?", "No forecast", plan["refusal"] or "There is no target to forecast.")
    found = plan["targets"][words.default_target(plan)]
    question = f"How many images for {words.target(found['target'])}?"
    if found["verdict"] == "reached":
        note = f"Observed means, {words.rule(found, plan)}; {words.size_interval(found)}."
        return Fact(question, words.count(found["size"]), note)
    if found["verdict"] == "forecast" and found["size"] is not None:
        note = f"Forecast; 90 % interval {words.span(found, plan['horizon'])}. The planner below takes other targets."
        return Fact(question, f"about {words.count(words.rounded(found['size']))}", note)
    answer = "In doubt" if found["verdict"] == "forecast" else "Not in reach"
    return Fact(question, answer, words.answer(found, plan, _metric(answers)))


def _differences(answers: Answers, names: Mapping[str, str]) -> Fact:
    """At the largest size, or where nothing is shown there, over all sizes: the one pair, or the chosen arm's pairs."""
    question = "Are the differences real?"
    by_place = [
        [row for row in answers["comparisons"] if row["metric"] == answers["metric"] and row["at"] == place]
        for place in (str(answers["sizes"][-1]), "area")
    ]
    rows = max(by_place, key=lambda rows: any(row["verdict"] != "no difference shown" for row in rows))
    if len(answers["arms"]) == 1:
        return Fact(question, "One arm only", "There is nothing to compare it with.")
    if not rows:
        return Fact(question, "Not comparable", "No two arms can be compared; the table below says why.")
    if len(rows) == 1:
        return _one_difference(question, rows[0], answers, names)
    return _some_differences(question, rows, answers)


def _place(row: Mapping[str, Any]) -> str:
    if row["at"] == "area":
        return "Averaged over all training sizes (area under the curve)"
    return f"With {words.count(int(row['at']))} images"


def _yes(row: Mapping[str, Any], answers: Answers) -> tuple[str, str]:
    """The answer to a difference that is shown here, and a sentence where it is not shown at the largest size."""
    if row["at"] != "area":
        return "Yes", ""
    return "On average, yes", f" With {words.count(answers['sizes'][-1])} images alone no difference is shown."


def _one_difference(question: str, row: Mapping[str, Any], answers: Answers, names: Mapping[str, str]) -> Fact:
    """The chosen arm is named first, whichever is better."""
    first, second, sign = (row["a"], row["b"], 1) if row["a"] == answers["chosen"] else (row["b"], row["a"], -1)
    told = f"{_place(row)}, {names[first]} against {names[second]}: {_difference(row, sign)}."
    if row["verdict"] != "no difference shown":
        standing = "better" if _standing(row, first) == 1 else "worse"
        answer, alone = _yes(row, answers)
        corrected = f"after correction for {len(answers['comparisons'])} comparisons"
        return Fact(question, answer, f"{told} It is {standing}, {corrected}.{alone}")
    if row["ci_low"] is not None and row["ci_low"] * row["ci_high"] > 0:
        return Fact(
            question, "Not shown", f"{told} Not enough after correction for {len(answers['comparisons'])} comparisons."
        )
    return Fact(question, "Not shown", f"{told} That does not show that they are equal.")


def _difference(row: Mapping[str, Any], sign: int) -> str:
    if row["difference"] is None or row["ci_low"] is None:
        return f"{words.signed(row['difference'])}, no interval"
    low, high = sorted((sign * row["ci_low"], sign * row["ci_high"]))
    return f"{words.signed(sign * row['difference'])} (95 % interval {words.signed(low)} to {words.signed(high)})"


def _some_differences(question: str, rows: Sequence[Mapping[str, Any]], answers: Answers) -> Fact:
    shown = [row for row in rows if row["verdict"] != "no difference shown"]
    chosen = answers["chosen"]
    better, worse, unclear = (sum(_standing(row, chosen) == way for row in rows) for way in (1, -1, 0))
    parts = [f"better than {better}" if better else "", f"worse than {worse}" if worse else ""]
    parts += [f"not shown to differ from {unclear}" if unclear else ""]
    told = ", ".join(part for part in parts if part)
    many = f"{len(shown)} of {len(rows)} pairs of arms are" if shown else f"none of the {len(rows)} pairs of arms is"
    note = f"{_place(rows[0])}, {many} shown to differ." + (f" The best arm is {told} of the others." if told else "")
    yes, alone = _yes(rows[0], answers)
    some = "Some" if rows[0]["at"] != "area" else "On average, some"
    return Fact(
        question, "Not shown" if not shown else yes if len(shown) == len(rows) else some, note + alone * bool(shown)
    )


def _standing(row: Mapping[str, Any], arm: str) -> int | None:
    """1 where the arm is better, -1 where it is worse, 0 where neither is shown, None where it has no part."""
    if arm not in (row["a"], row["b"]):
        return None
    if row["verdict"] == "no difference shown":
        return 0
    return 1 if row["verdict"] == ("a is better" if arm == row["a"] else "b is better") else -1
