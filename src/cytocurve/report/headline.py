"""The first screen: what was found, for readers who know no statistics and for those who do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cytocurve.report import words

Answers = Mapping[str, Any]


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
    )


def _metric(answers: Answers) -> str:
    return str(answers["metrics"][answers["metric"]])


def _title(answers: Answers, arm: Mapping[str, Any], point: Mapping[str, Any]) -> str:
    plan, title, size = arm["plan"], _metric(answers), words.count(point["size"])
    if point["mean"] is None:
        return f"The chosen arm has no defined {title} at the largest training size."
    if plan["refusal"] is not None or not plan["targets"]:
        return f"With {size} labelled images, {title} is {words.score(point['mean'])}."
    found = plan["targets"][words.default_target(plan)]
    goal = f"{title} {words.target(found['target'])}"
    if found["verdict"] == "reached":
        return f"{words.count(found['size'])} labelled images were enough for {goal}."
    if found["verdict"] == "forecast" and found["size"] is not None:
        return f"About {words.count(found['size'])} labelled images are needed for {goal}."
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
    return [*found, saturation(answers, answers["chosen"])]


def saturation(answers: Answers, arm: str) -> str:
    """Whether larger training sets were still better, as far as was shown."""
    found = answers["arms"][arm]["saturation"]
    sure = f"{100 * found['confidence']:.0f} % confidence"
    if found["size"] is None:
        return (
            "It is not shown that a smaller training set does as well: larger ones may still gain more than "
            f"{found['margin']}."
        )
    return (
        f"From {words.count(found['size'])} images on, no larger training set of this study is better by more than "
        f"{found['margin']} ({sure})."
    )


def _best(answers: Answers, names: Mapping[str, str]) -> Fact:
    if len(answers["arms"]) == 1:
        return Fact("Which network?", names[answers["chosen"]], "The only arm of this study.")
    note = f"Best of {len(names)} arms by validation images; test images had no part in the choice."
    return Fact("Which network is best?", names[answers["chosen"]], note)


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
        note = "Reached in this study, no forecast. The planner below takes other targets."
        return Fact(question, words.count(found["size"]), note)
    if found["verdict"] == "forecast" and found["size"] is not None:
        note = f"Forecast; 90 % interval {words.span(found, plan['horizon'])}. The planner below takes other targets."
        return Fact(question, f"about {words.count(found['size'])}", note)
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
    return "Over all training sizes" if row["at"] == "area" else f"With {words.count(int(row['at']))} images"


def _one_difference(question: str, row: Mapping[str, Any], answers: Answers, names: Mapping[str, str]) -> Fact:
    """The chosen arm is named first, whichever is better."""
    first, second, sign = (row["a"], row["b"], 1) if row["a"] == answers["chosen"] else (row["b"], row["a"], -1)
    told = f"{_place(row)}, {names[first]} against {names[second]}: {_difference(row, sign)}."
    if row["verdict"] != "no difference shown":
        standing = "better" if _standing(row, first) == 1 else "worse"
        return Fact(
            question, "Yes", f"{told} It is {standing}, after correction for {len(answers['comparisons'])} comparisons."
        )
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
    return Fact(question, "Not shown" if not shown else "Yes" if len(shown) == len(rows) else "Some", note)


def _standing(row: Mapping[str, Any], arm: str) -> int | None:
    """1 where the arm is better, -1 where it is worse, 0 where neither is shown, None where it has no part."""
    if arm not in (row["a"], row["b"]):
        return None
    if row["verdict"] == "no difference shown":
        return 0
    return 1 if row["verdict"] == ("a is better" if arm == row["a"] else "b is better") else -1
