"""What the first screen shows beside the headline: the result in one sentence, the data, and a small learning curve."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from cytocurve.core.answers import Answers, ArmAnswers, CurvePoint, LossCurve, OverRuns
from cytocurve.report import inline_charts, wording
from cytocurve.report.arm_names import in_words
from cytocurve.report.formatting import count, score
from cytocurve.text import counted

LOSSES_SHOWN = 6
"""The largest number of training sizes whose losses are drawn."""


@dataclass(frozen=True)
class PicturedClass:
    """A class with its number of images, and a picture of one of them if there is one."""

    name: str
    images: int
    picture: str | None


@dataclass(frozen=True)
class FirstScreen:
    """The parts of the first screen."""

    partial: str
    sentence: str
    composition: Sequence[str]
    classes: Sequence[PicturedClass]
    curve: Markup
    caption: str


def first_screen(answers: Answers, pictures: Mapping[str, str]) -> FirstScreen:
    """The first screen of these answers; ``pictures`` maps images to data URLs."""
    unbalanced = wording.unbalanced_sizes(answers.audit).get(answers.best.labels, ())
    words = in_words(answers.best)
    curve = inline_charts.learning_curve(answers.best.curves[answers.metric], answers.title, words, unbalanced)
    caption = f"{answers.title} by training images, {words}. Band: 95 % interval over folds."
    if unbalanced:
        caption += " Hollow: a class has too few images."
    return FirstScreen(
        partial=wording.partial(answers),
        sentence=sentence(answers),
        composition=composition(answers),
        classes=_classes(answers, pictures),
        curve=Markup(curve),  # noqa: S704 - drawn by inline_charts, which escapes what it writes
        caption=caption,
    )


def sentence(answers: Answers) -> str:
    """The main result: the labels it takes in all, the network in words, and its score with an interval."""
    corrected = answers.choice.score if answers.choice else None
    point = answers.best.curves[answers.metric][-1]
    result = corrected if corrected is not None and corrected.mean is not None else point
    train, beside = point.size, round(answers.limits.validation_images or 0)
    labels = f"{count(train)} labeled images"
    if beside:
        labels = f"{count(train + beside)} labeled images ({count(train)} to train, {count(beside)} to validate)"
    network = in_words(answers.best)
    if result.mean is None:
        return f"With {labels}, the {answers.title} of {network} is not defined."
    found = [wording.scored(answers, result), wording.interval_over_folds(result)]
    within = "; ".join(part for part in found if part)
    reached = f"{answers.title} {score(result.mean)} {wording.tested_on(answers)}"
    return f"With {labels}, {network} reaches {reached} ({within})."


def composition(answers: Answers) -> list[str]:
    """How many images, patients, classes and folds the study has."""
    images, subjects = sum(answers.best.confusion[-1].images), answers.best.subjects
    parts = [counted(images, "image")]
    if subjects:
        patients = counted(subjects[-1].subjects, "patient")
        parts.append(f"at least {patients}" if subjects[-1].unknown else patients)
    else:
        parts.append("patients unknown")
    parts += [counted(len(answers.classes), "class", "classes"), counted(answers.folds, "fold")]
    return [*parts, counted(len(answers.seeds), "seed")] if len(answers.seeds) > 1 else parts


def _classes(answers: Answers, pictures: Mapping[str, str]) -> list[PicturedClass]:
    images, names = answers.best.confusion[-1].images, wording.class_names(answers)
    return [
        PicturedClass(names[name].replace("_", " "), number, pictures.get(answers.pictured.get(name, "")))
        for name, number in zip(answers.best.classes, images, strict=True)
    ]


def losses_shown(losses: Sequence[LossCurve]) -> list[LossCurve]:
    """At most ``LOSSES_SHOWN`` of the training sizes, the smallest and the largest among them."""
    last = len(losses) - 1
    if last < LOSSES_SHOWN:
        return list(losses)
    return [losses[round(k * last / (LOSSES_SHOWN - 1))] for k in range(LOSSES_SHOWN)]


@dataclass(frozen=True)
class TrainingScore:
    """The scores of the networks of one training size on the images they were trained on and on test images."""

    size: int
    training: OverRuns
    test: CurvePoint


def training_scores(arm: ArmAnswers, metric: str) -> list[TrainingScore]:
    """The scores by training size, where both are known."""
    tests = {point.size: point for point in arm.curves[metric] if point.mean is not None}
    return [
        TrainingScore(row.size, row.training_score, tests[row.size])
        for row in arm.losses
        if row.training_score is not None and row.training_score.mean is not None and row.size in tests
    ]


def loss_charts(losses: Sequence[LossCurve]) -> list[tuple[int, Markup]]:
    """Training sizes with their losses by epoch, all on the same scale."""
    shown = losses_shown(losses)
    if not shown:
        return []
    first = [course.q3[0] for curve in shown for course in (curve.training, curve.validation)]
    rest = [value for curve in shown for course in (curve.training, curve.validation) for value in course.median]
    highest = 1.05 * max((value for value in (*first, *rest) if value is not None), default=1.0)
    drawn = ((curve, inline_charts.loss_curves(curve, highest)) for curve in shown)
    return [(curve.size, Markup(svg)) for curve, svg in drawn]  # noqa: S704 - drawn by inline_charts, which escapes
