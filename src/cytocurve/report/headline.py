"""The first screen: the main results, for readers who know no statistics and for those who do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cytocurve.core.answers import Answers, ArmPlan, CurvePoint, Finding, PairComparison, Summary
from cytocurve.report import wording
from cytocurve.report.arm_names import distinction
from cytocurve.report.formatting import count, score, signed, target
from cytocurve.text import rounded

NOTABLE = 0.0005
"""The smallest optimism that changes a score as it is shown."""


@dataclass(frozen=True)
class KeyFact:
    """A question, its answer in a few words, a sentence that qualifies the answer, and the section of its evidence."""

    question: str
    answer: str
    note: str
    section: str


@dataclass(frozen=True)
class Headline:
    """The page's title, the paragraph below it, the key facts, and their limitations."""

    title: str
    lead: Sequence[str]
    facts: Sequence[KeyFact]
    limits: Sequence[str]


def headline(answers: Answers, names: Mapping[str, str]) -> Headline:
    """The top of the page; ``names`` are the arms' short names."""
    largest = answers.best.curves[answers.metric][-1]
    result = answers.choice.score if _corrected(answers) and answers.choice else largest
    facts = [_best(answers), _score(answers, result, largest), _images(answers), _differences(answers, names)]
    return Headline(_title(answers), _lead(answers, result), facts, _limits(answers))


def _corrected(answers: Answers) -> bool:
    """Whether the score of the chosen arm is known without the images that chose it."""
    return answers.choice is not None and answers.choice.score.mean is not None


def _limits(answers: Answers) -> list[str]:
    """The most severe audit finding that limits the scores, and whether scores for new patients may differ."""
    findings = answers.audit.findings if answers.audit else ()
    by_kind = {kind: [row for row in findings if row.severity == kind] for kind in ("leakage", "warning")}
    limits = [
        f"{kind.capitalize()}: {_sentence(rows[0], answers)}"
        + (f" The audit reports {wording.more(len(rows) - 1, kind)}." if rows[1:] else "")
        for kind, rows in by_kind.items()
        if rows
    ][:1]
    if answers.limits.split == "stratified":
        limits.append("A score for new patients may be lower.")
    if answers.choice and (answers.choice.optimism or 0) >= NOTABLE:
        limits.append(
            f"Curves and forecasts do not correct for the choice of the network ({signed(answers.choice.optimism)})."
        )
    return limits


def _sentence(finding: Finding, answers: Answers) -> str:
    """The sentence of a finding, without the label version if the study has only one."""
    if len(answers.versions) > 1:
        return finding.sentence
    return finding.sentence.removeprefix(f"Label version {answers.versions[0]}: ")


def _title(answers: Answers) -> str:
    """How many images are needed; the score, which the sentence below gives, would be no answer."""
    plan, title = answers.best.plan, answers.title
    largest = answers.best.curves[answers.metric][-1]
    if largest.mean is None or len(answers.sizes) == 1 or wording.no_forecast(plan):
        return "This study does not show how many labeled images are enough."
    needed = plan.targets[wording.default_target(plan)]
    goal = f"{title} {target(needed.target)}"
    if needed.size is not None:
        size, chance = _taken(needed.size, needed.high)
        return f"About {_labels(rounded(size), answers)} reach {goal} with {chance}."
    return f"{goal} is {'out of reach' if needed.verdict == 'beyond' else 'undecided'} on this evidence."


def _taken(size: int, high: int | None) -> tuple[int, str]:
    """The size that answers how many images are needed, and its chance: 90 % if that is reached, else even."""
    return (size, "an even chance") if high is None else (high, "a chance of 90 %")


def _labels(size: int, answers: Answers) -> str:
    """The labeled images of a run: validation images need labels too."""
    beside = answers.limits.validation_images
    return f"{count(size)} labeled images to train" + (f" and {beside:.0f} to validate" if beside else "")


def _lead(answers: Answers, result: Summary) -> list[str]:
    """The score in plain words, and whether more images still help."""
    lead = []
    if result.mean is not None:
        names = wording.class_names(answers)
        positive = wording.positive_name(answers) if answers.positive else None
        meaning = wording.meaning(answers.metric, result.mean, [*names.values()], positive)
        scale = f"{answers.title} is 1 for a perfect network" + (
            " and 0.5 for one that guesses" if answers.metric == "roc_auc" else ""
        )
        lead.append(f"{scale}; {score(result.mean)} means that {meaning}." if meaning else f"{scale}.")
    return [*lead, wording.saturation(answers, answers.chosen)]


def _best(answers: Answers) -> KeyFact:
    name, version = distinction(answers.arms, answers.chosen), answers.versions[-1]
    candidates = [arm for arm in answers.arms.values() if arm.labels == version]
    if len(answers.arms) == 1:
        waiting = answers.partial is not None and answers.partial.left_out
        note = "The only network with runs of every size so far." if waiting else "The only network in this study."
        return KeyFact("Which network?", name, note, "curves")
    if len(candidates) == 1:
        return KeyFact("Which network?", name, f"The only network scored on the labels {version}.", "curves")
    if answers.best.curves[answers.metric][-1].mean is None:
        return KeyFact("Which network?", name, "Not known to be the best, since its score is not defined.", "curves")
    judged = f" scored on the labels {version}" if len(answers.versions) > 1 else ""
    note = f"Best on validation images among {len(candidates)} networks{judged}."
    if not _corrected(answers):
        note += " Validation images of one fold are test images of another, so its scores are too good."
    return KeyFact("Which network was chosen?", name, note, "curves")


def _score(answers: Answers, result: Summary, largest: CurvePoint) -> KeyFact:
    question = f"How good is it with {count(largest.size)} images?"
    note = (
        f"{answers.title} of single networks {wording.tested_on(answers)}; {wording.interval_over_folds(result)}. "
        "The registered model averages them and has no score here."
    )
    if part := wording.scored(answers, result):
        note += f" It is the {part}."
    if result is not largest:
        note += f" Corrected for the choice of the network, whose own score is {score(largest.mean)}."
    return KeyFact(question, score(result.mean), note, "scores")


def _images(answers: Answers) -> KeyFact:
    plan: ArmPlan = answers.best.plan
    if reason := wording.no_forecast(plan):
        return KeyFact("How many images are needed?", "No forecast", reason, "planner")
    needed = plan.targets[wording.default_target(plan)]
    question = f"How many training images for {target(needed.target)}?"
    if needed.size is not None:
        size, chance = _taken(needed.size, needed.high)
        kind = "within the trained sizes" if size <= plan.largest else "a forecast"
        names = wording.class_names(answers)
        taken = f"In all {wording.labels_in_all(needed.labels, names)}." if needed.labels else _beside(answers).strip()
        note = f"For {chance}, {kind}; 80 % range {wording.span(needed, plan)}. {taken}".strip()
        return KeyFact(question, f"about {count(rounded(size))}", note, "planner")
    answer = "Out of reach" if needed.verdict == "beyond" else "Undecided"
    return KeyFact(question, answer, wording.answer(needed, plan, answers.title), "planner")


def _beside(answers: Answers) -> str:
    number = answers.limits.validation_images
    return f" {number:.0f} more to validate." if number else ""


def _differences(answers: Answers, names: Mapping[str, str]) -> KeyFact:
    """Whether the networks differ: at the largest size or, if no difference is shown there, over all sizes."""
    question = "Are the differences real?"
    by_place = [
        [row for row in answers.comparisons if row.metric == answers.metric and row.at == place]
        for place in (str(answers.sizes[-1]), "area")
    ]
    rows = max(by_place, key=lambda rows: any(row.verdict != "not_shown" for row in rows))
    if len(answers.arms) == 1:
        waiting = answers.partial is not None and answers.partial.left_out
        alone = f"There is nothing to compare it with{' yet' if waiting else ''}."
        return KeyFact(question, "Only one network", alone, "comparison")
    if not rows:
        reasons = "No two networks can be compared; see the reasons below."
        return KeyFact(question, "Not comparable", reasons, "comparison")
    answer, note = _one_difference(rows[0], answers, names) if len(rows) == 1 else _some_differences(rows, answers)
    return KeyFact(question, answer, note, "comparison")


def _place(row: PairComparison) -> str:
    if row.at == "area":
        return "Averaged over all training sizes (area under the curve)"
    return f"With {count(int(row.at))} images"


def _yes(row: PairComparison, answers: Answers) -> tuple[str, str]:
    """The answer if a difference is shown, and a caveat if it is not shown at the largest size."""
    if row.at != "area":
        return "Yes", ""
    return "On average, yes", f" With {count(answers.sizes[-1])} images alone, no difference is shown."


def _one_difference(row: PairComparison, answers: Answers, names: Mapping[str, str]) -> tuple[str, str]:
    """Answer and note; the difference is the second arm minus the first, as everywhere."""
    difference = f"{_place(row)}, {names[row.b]} − {names[row.a]}: {_difference(row)}."
    if row.verdict != "not_shown":
        answer, alone = _yes(row, answers)
        better = wording.comparison_verdict(row, names)
        better = f"{better[0].upper()}{better[1:]}"
        return answer, f"{difference} {better}, after correction for {len(answers.comparisons)} comparisons.{alone}"
    if row.ci_low is not None and row.ci_high is not None and row.ci_low * row.ci_high > 0:
        return "Not shown", f"{difference} Not significant after correction for {len(answers.comparisons)} comparisons."
    more = f" To show it would take {wording.settling(row)} (estimate)." if wording.settles(row) else ""
    return "Not shown", f"{difference} This does not show that they are equal.{more}"


def _difference(row: PairComparison) -> str:
    if row.difference is None or row.ci_low is None or row.ci_high is None:
        return f"{signed(row.difference)}, no interval"
    return f"{signed(row.difference)} (95 % interval {signed(row.ci_low)} to {signed(row.ci_high)})"


def _some_differences(rows: Sequence[PairComparison], answers: Answers) -> tuple[str, str]:
    shown = [row for row in rows if row.verdict != "not_shown"]
    ranks = [_rank(row, answers.chosen) for row in rows]
    counts = {"better than": ranks.count(1), "worse than": ranks.count(-1), "not shown to differ from": ranks.count(0)}
    against = ", ".join(f"{relation} {number}" for relation, number in counts.items() if number)
    pairs = f"{len(shown)} of {len(rows)} pairs of networks are"
    if not shown:
        pairs = f"none of the {len(rows)} pairs of networks is"
    note = f"{_place(rows[0])}, {pairs} shown to differ."
    note += f" The chosen network is {against} of the others." if against else ""
    if not shown:
        return "Not shown", note
    yes, alone = _yes(rows[0], answers)
    some = "Some" if rows[0].at != "area" else "On average, some"
    return yes if len(shown) == len(rows) else some, note + alone


def _rank(row: PairComparison, arm: str) -> int | None:
    """1 if the arm is better, -1 if it is worse, 0 if no difference is shown, None if it is not in the pair."""
    if arm not in (row.a, row.b):
        return None
    if row.verdict == "not_shown":
        return 0
    return 1 if row.verdict == ("a_better" if arm == row.a else "b_better") else -1
