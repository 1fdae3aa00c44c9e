"""The content of the report page, read as text; ``browser/`` opens it in a browser."""

import base64
import csv
import gzip
import io
import json
import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest

from cytocurve.core.audit import balance
from cytocurve.core.comparison.settling import Settling
from cytocurve.core.statistics.predictive_values import PREVALENCES, predictive_values
from cytocurve.report import formatting, wording
from cytocurve.report.arm_names import distinction, in_words, short_names
from cytocurve.report.context import LookedAt
from cytocurve.report.first_screen import composition, losses_shown, sentence
from cytocurve.report.headline import Headline, headline
from cytocurve.report.libraries import VERSIONS, library
from cytocurve.report.page import render
from cytocurve.report.tables import tables
from tests.core.audit.test_balance import split_of
from tests.report.answers_makers import CLASSES, SMALL, Simulation, answers_of, context_of, refused, typed

ENDS = ("mean", "low", "high")


@pytest.fixture(scope="module")
def answers() -> dict[str, Any]:
    return answers_of(SMALL)


@pytest.fixture(scope="module")
def page(answers: dict[str, Any]) -> str:
    return page_of(answers)


@pytest.fixture(scope="module")
def page_of_classes() -> str:
    return page_of(answers_of(CLASSES))


def embedded(page: str) -> Any:
    """The data that the scripts of a page read."""
    result = re.search(r'const PACKED = "([A-Za-z0-9+/=]+)"', page)
    assert result
    return json.loads(gzip.decompress(base64.b64decode(result[1])))


def text_of(page: str) -> str:
    """The visible text of the page, without scripts, styles and charts."""
    bare = re.sub(r"(?s)<(script|style|svg)\b.*?</\1>", "", page)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", bare)).split())


def page_of(answers: dict[str, Any], static: dict[str, str] | None = None) -> str:
    return render(typed(answers), context_of(typed(answers)), static)


def headline_of(answers: dict[str, Any]) -> Headline:
    study = typed(answers)
    return headline(study, short_names(study.arms))


def facts(answers: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """The key facts of the first screen, by question."""
    return {fact.question: (fact.answer, fact.note) for fact in headline_of(answers).facts}


def verdict(answers: dict[str, Any], at: str, verdict: str, difference: float, half: float = 0.01) -> dict[str, Any]:
    """These answers with a different outcome of the comparisons at a size."""
    changed = deepcopy(answers)
    for row in changed["comparisons"]:
        if row["at"] == at:
            row |= {"verdict": verdict, "difference": difference}
            row |= {"ci_low": difference - half, "ci_high": difference + half}
    return changed


def finding(severity: str, sentence: str, offenders: Sequence[dict[str, str]] = ()) -> dict[str, Any]:
    counts = {"numbers": {}, "offenders_in_all": len(offenders), "offenders": list(offenders)}
    return {"id": "check", "labels": None, "severity": severity, "sentence": sentence} | counts


def audit(findings: Sequence[dict[str, Any]]) -> dict[str, Any]:
    study = {"dataset": "toy", "task": "blast", "labels": ["expert"], "images": 260, "offenders_at_most": 1000}
    tables: dict[str, Any] = {"passed": [], "shortcuts": {}, "sizes": {}}
    return study | {"counts": {"leakage": 1}, "findings": findings} | tables


def test_equal_answers_give_equal_bytes(answers: dict[str, Any], page: str) -> None:
    assert page_of(deepcopy(answers)) == page


def test_page_contains_all_answers(answers: dict[str, Any], page: str) -> None:
    assert embedded(page)["answers"] == json.loads(json.dumps(answers))


def test_page_blocks_all_requests_and_all_scripts_but_its_own(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy
    assert "default-src 'none'" in unescape(policy[1])
    assert "unsafe-eval" not in policy[1]
    assert len(re.findall(r"'sha256-", unescape(policy[1]))) == page.count("<script>") == len(VERSIONS) + 1


def test_page_contains_no_urls_except_links_to_mlflow(page: str) -> None:
    bare = re.sub(r"(?s)<script>.*?</script>", "", page)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", re.sub(r'xmlns(:\w+)?="[^"]*"', "", bare)))
    assert {address.partition("/#/")[0] for address in addresses} == {"http://127.0.0.1:5000"}
    assert not re.findall(r"@import|<link(?! rel=\"icon\" href=\"data:)|<script src", bare)


@pytest.mark.parametrize("name", VERSIONS)
def test_bundled_library_has_the_stated_version(name: str) -> None:
    text = library(name)
    assert f'"{VERSIONS[name]}"' in text
    assert "sourceMappingURL" not in text
    assert "</script" not in text


def test_ids_are_unique(page: str) -> None:
    ids = re.findall(r'\bid="([^"]+)"', re.sub(r"(?s)<script>.*?</script>", "", page))
    assert len(ids) == len(set(ids))


def only_target(verdict: str, size: int | None, low: int | None, high: int | None) -> dict[str, Any]:
    """A target of 0.95 with these sizes, a chance of 4 % at every size, and labels of 90 % certainty."""
    labels = {"training": 130, "validation": 40, "total": 170, "classes": {"a": 80, "b": 90}, "patients": 9}
    ends = {"size": size, "low": low, "high": high}
    return {"target": 0.95, "verdict": verdict, **ends, "chances": [0.04] * 60, "labels": high and labels}


def test_first_screen_says_how_many_images_reached_the_target(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    plan = changed["arms"][changed["chosen"]]["plan"]
    plan["targets"] = [only_target("reached", 100, 60, 130)]
    assert (
        headline_of(changed).title
        == "About 130 labeled images to train and 40 to validate reach ROC-AUC 0.95 with a chance of 90 %."
    )
    answer, note = facts(changed)["How many training images for 0.95?"]
    assert answer == "about 130"
    assert "For a chance of 90 %, within the trained sizes; 80 % range 60 to 130." in note
    assert "In all 170 labeled images: 130 to train and 40 to validate (80 a, 90 b, from about 9 patients)." in note


def test_first_screen_says_how_many_images_are_forecast(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    plan = changed["arms"][changed["chosen"]]["plan"]
    plan["targets"] = [only_target("forecast", 1320, 210, None)]
    assert (
        headline_of(changed).title
        == "About 1,300 labeled images to train and 40 to validate reach ROC-AUC 0.95 with an even chance."
    )
    answer, note = facts(changed)["How many training images for 0.95?"]
    assert answer == "about 1,300"
    assert "80 % range 210 to more than 2,000. 40 more to validate." in note


def test_first_screen_says_when_a_target_is_not_reachable(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    plan = changed["arms"][changed["chosen"]]["plan"]
    plan["targets"] = [only_target("beyond", None, None, None)]
    assert headline_of(changed).title == "ROC-AUC 0.95 is out of reach on this evidence."
    answer, note = facts(changed)["How many training images for 0.95?"]
    assert answer == "Out of reach"
    assert "the chance that 2,000 training images reach it is 4 %" in note


def test_planner_says_which_of_its_probabilities_were_checked(page: str) -> None:
    text = text_of(page)
    assert "Probabilities beyond the trained sizes were checked" in text
    assert "within 4 points on real learning curves" in text
    assert "within 7 on simulated ones" in text
    assert "Those within the trained sizes were not." in text
    assert "similar images with similar labels, up to 2,000 images." in text
    assert "horizon" not in text


def test_planner_says_why_it_starts_with_its_target_and_what_makes_it_doubtful(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    plan = changed["arms"][changed["chosen"]]["plan"]
    plan["targets"] = [
        only_target("reached", 100, 60, 130),
        only_target("open", None, 300, None) | {"target": 0.97},
        only_target("open", None, 900, None) | {"target": 0.98},
        only_target("beyond", None, None, None) | {"target": 0.99},
    ]
    plan["start"] = {"target": 0.95, "reason": "the most telling one"}
    plan["cautions"] = [{"kind": "dip", "sentence": "The curve dips somewhere.", "widens": 1.5}]
    text = text_of(page_of(changed))
    assert (
        "0.95 is the most telling one; 0.97 to 0.98 are undecided; 0.99 and above are out of reach up to 2,000 images."
    ) in text
    assert "In all, a chance of 90 % takes 170 labeled images: 130 to train and 40 to validate (80 a, 90 b," in text
    assert "The curve dips somewhere." in text


def test_refused_plan_leads_with_the_score_and_gives_its_reason(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    arm = changed["arms"][changed["chosen"]]
    arm["plan"] = refused(arm["plan"], "Three sizes are too few.")
    assert "Three sizes are too few." in facts(changed)["How many images are needed?"][1]
    assert headline_of(changed).title == "This study does not show how many labeled images are enough."
    assert sentence(typed(changed)).startswith("With 240 labeled images (200 to train, 40 to validate), ")
    assert "No forecast: Three sizes are too few." in text_of(page_of(changed))


def test_interval_that_includes_zero_does_not_show_equality(answers: dict[str, Any]) -> None:
    changed = verdict(verdict(answers, "area", "not_shown", 0.004), "200", "not_shown", 0.004)
    answer, note = facts(changed)["Are the differences real?"]
    assert answer == "Not shown"
    assert "This does not show that they are equal. To show it would take about 620 images instead of 250" in note


def test_difference_shown_only_over_all_sizes_is_reported_as_such(answers: dict[str, Any]) -> None:
    changed = verdict(verdict(answers, "area", "b_better", 0.04), "200", "not_shown", 0.02)
    answer, note = facts(changed)["Are the differences real?"]
    assert answer == "On average, yes"
    assert note.startswith("Averaged over all training sizes (area under the curve), ")
    assert note.endswith("With 200 images alone, no difference is shown.")


def test_difference_lost_by_correction_is_reported_as_such(answers: dict[str, Any]) -> None:
    changed = verdict(verdict(answers, "area", "not_shown", 0.004), "200", "not_shown", 0.04)
    answer, note = facts(changed)["Are the differences real?"]
    assert answer == "Not shown"
    assert "Not significant after correction for 7 comparisons." in note


@pytest.mark.parametrize("chosen", ["sequential-none-expert", "sequential-flip_rotate-expert"])
@pytest.mark.parametrize(
    ("result", "difference", "better"), [("a_better", -0.05, "No augmentation"), ("b_better", 0.05, "Flip + rotate")]
)
def test_difference_has_the_sign_that_tables_and_charts_give_it(
    answers: dict[str, Any], result: str, difference: float, better: str, chosen: str
) -> None:
    changed = verdict(answers, "200", result, difference) | {"chosen": chosen}
    answer, note = facts(changed)["Are the differences real?"]
    sign = "−" if difference < 0 else "+"
    assert answer == "Yes"
    assert f"flip + rotate − no augmentation: {sign}0.050 (95 % interval {sign}0." in note
    assert f"{better} is better, after correction for 7 comparisons." in note
    row = page_of(changed).split('<tr data-at="200">')[1].split("</tr>")[0]
    assert f"flip + rotate − no augmentation 200 {sign}0.050" in text_of(row)


def test_page_says_that_verdicts_but_not_intervals_are_corrected_for_the_number_of_comparisons(page: str) -> None:
    assert "Intervals are not corrected for the number of comparisons; verdicts are." in text_of(page)


def test_several_arms_are_counted(answers: dict[str, Any]) -> None:
    three = answers_of(Simulation([("a", "none", "e"), ("b", "none", "e"), ("c", "none", "e")], [10, 20, 40], folds=3))
    for row in three["comparisons"]:
        row["verdict"] = "b_better" if row["b"] == "c-none-e" else "not_shown"
    answer, note = facts(three)["Are the differences real?"]
    assert answer == "Some"
    assert (
        note
        == "With 40 images, 2 of 3 pairs of networks are shown to differ. The chosen network is better than 2 of the "
        "others."
    )


def test_predictive_values_are_given_at_stated_prevalences(page: str, page_of_classes: str) -> None:
    assert "What a result means at other shares of blast" in text_of(page)
    assert "Precision holds for the study's mix of classes only" in text_of(page)
    assert "What a result means" not in text_of(page_of_classes)


def test_predictive_values_are_in_the_tables_with_the_ends_of_both_intervals(answers: dict[str, Any]) -> None:
    study = typed(answers)
    rows = list(csv.DictReader(io.StringIO(tables(study)["predictive_values"])))
    assert len(rows) == len(study.arms) * len(study.sizes) * len(PREVALENCES)
    assert "predictive_values" not in tables(typed(answers_of(CLASSES)))
    last = rows[-1]
    curves = study.arms[last["arm"]].curves
    for end, name in (("mean", ""), ("ci_low", "_low"), ("ci_high", "_high")):
        sensitivity, specificity = (getattr(curves[metric][-1], end) for metric in ("sensitivity", "specificity"))
        expected = predictive_values(sensitivity, specificity, float(last["prevalence"]))
        assert [float(last[f"positive{name}"]), float(last[f"negative{name}"])] == pytest.approx(expected, abs=1e-6)


def test_share_is_shown_as_1_only_if_it_is_1() -> None:
    assert [formatting.share(value) for value in (1.0, 0.9996, 0.999, 0.0004, 0.0, None)] == [
        "1.000", "> 0.999", "0.999", "< 0.001", "0.000", "–",
    ]  # fmt: skip


def corrected(mean: float | None) -> dict[str, Any]:
    """These answers with a score of choosing and training that is below the chosen arm's own."""
    result = answers_of(SMALL)
    point = {
        name: value
        for name, value in result["arms"][result["chosen"]]["curves"]["roc_auc"][-1].items()
        if name != "size"
    }
    folds = dict.fromkeys(result["arms"], 5)
    return result | {"choice": {"score": point | {"mean": mean}, "optimism": 0.02, "folds": folds, "without": 0}}


def test_score_of_the_first_screen_is_corrected_for_the_choice() -> None:
    answer, note = facts(corrected(0.875))["How good is it with 200 images?"]
    assert answer == "0.875"
    assert "Corrected for the choice of the network, whose own score is" in note
    assert "do not correct for the choice of the network (+0.020)" in " ".join(headline_of(corrected(0.875)).limits)
    assert "10 folds have no such images" not in text_of(page_of(corrected(0.875)))


def test_uncorrectable_score_is_described_as_optimistic() -> None:
    assert "so its scores are too good" in facts(corrected(None))["Which network was chosen?"][1]
    assert "so its scores are too good" not in facts(corrected(0.875))["Which network was chosen?"][1]


def test_chosen_arm_is_the_best_of_those_scored_on_the_last_labels() -> None:
    result = answers_of(CLASSES)
    result["versions"] = ["diagnosis", "expert"]
    assert (
        "Best on validation images among 2 networks scored on the labels expert."
        in facts(result)["Which network was chosen?"][1]
    )
    result["versions"] = ["expert", "diagnosis"]
    assert facts(result)["Which network?"][1] == "The only network scored on the labels diagnosis."


def test_first_screen_states_audit_findings_and_limits_for_new_patients(answers: dict[str, Any]) -> None:
    kinds = ("leakage", "warning", "warning")
    findings = [finding(kind, f"A {kind}.") for kind in kinds]
    new = "A score for new patients may be lower."
    assert headline_of(answers | {"audit": audit(findings)}).limits == ["Leakage: A leakage.", new]
    warned = headline_of(answers | {"audit": audit(findings[1:])}).limits
    assert warned == ["Warning: A warning. The audit reports 1 more warning.", new]
    assert headline_of(answers | {"limits": answers["limits"] | {"split": "patient"}}).limits == []


def test_binary_calibration_refers_to_the_positive_class(answers: dict[str, Any], page_of_classes: str) -> None:
    pair = answers | {"task": "lymphocyte-vs-erythroblast+monocyte"}
    assert embedded(page_of(pair, static={}))["axes"] == [
        "stated probability of lymphocyte",
        "share that is lymphocyte",
    ]
    assert embedded(page_of_classes)["axes"][1] == "share that is correct"


def test_single_arm_has_no_comparison() -> None:
    one = answers_of(Simulation([("a", "none", "e")], [10, 20, 40], folds=3))
    assert facts(one)["Are the differences real?"][0] == "Only one network"
    assert "nothing to compare it with" in text_of(render(typed(one), context_of(typed(one), tracking=False)))


def test_undefined_score_is_counted_and_shown_as_a_dash(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    for arm in changed["arms"].values():
        blank = dict.fromkeys(key for key in arm["curves"]["roc_auc"][-1] if key not in ("size", "outliers"))
        arm["curves"]["roc_auc"][-1] |= blank | {"n": 0, "undefined": 10, "outliers": []}
        arm["plan"] = refused(arm["plan"], "No score is defined at the largest size.")
    text = text_of(page_of(changed))
    assert "the ROC-AUC of a small convolutional network with flips and rotations is not defined." in text
    assert headline_of(changed).title == "This study does not show how many labeled images are enough."
    assert "– 10 undefined" in text
    assert not re.search(r"\b(nan|None|null)\b", text)


def test_data_are_never_interpreted_as_markup(answers: dict[str, Any]) -> None:
    changed = deepcopy(answers)
    changed["dataset"] = "</script><img src=x onerror=alert(1)>"
    changed["limits"]["title"] = "<b>bold</b> & </style>"
    page = page_of(changed)
    assert "<img src=x" not in page
    assert "<b>bold</b>" not in page
    assert "<b>bold</b> & </style>" in unescape(page)


def test_page_shows_seeds_patients_questions_and_pairs_that_are_not_comparable(page_of_classes: str) -> None:
    text = text_of(page_of_classes)
    assert "Yes-or-no questions from the same networks" in text
    assert "Not comparable" in text
    assert "They are scored by different label versions" in text
    assert "Patients rather than images" in text
    assert "Over seeds" in text


def test_page_shows_the_audit_and_the_gain_from_relabeling(answers: dict[str, Any]) -> None:
    point = answers["arms"][answers["chosen"]]["curves"]["roc_auc"][-1]
    leak = finding("leakage", "Two <folds> share a patient.", offenders=[{"patient": f"P{n}"} for n in range(5)])
    row = {"arm": "x-none-b", "other": "x-none-a", "judge": "b", "metric": "roc_auc", "images": 250, "changed": 12}
    differences = {"200": point | {"mean": 0.031, "ci_low": 0.012, "ci_high": 0.05}}
    changed = answers | {
        "audit": audit([leak | {"numbers": {"images": 1241}}]) | {"passed": [{"id": "other", "labels": None}]},
        "relabellings": [row | {"differences": differences}],
    }
    text = text_of(page_of(changed))
    assert "Two <folds> share a patient. patient: P0 patient: P1 patient: P2 and 2 more" in text
    assert "1,241" in text
    assert "Checks without findings: other." in text
    assert "12 of 250 images have a different class" in text
    assert "the relabeled arm is better (+0.031)" in text


def test_page_states_its_provenance(answers: dict[str, Any], page: str) -> None:
    text = text_of(page)
    for expected in ("0123456789abcdef0123456789abcdef.dir", "abc1234def", "numpy 2.4.0", "120, in 10 folds"):
        assert expected in text
    for arm in answers["arms"]:
        assert arm in text
    assert "http://127.0.0.1:5000/#/experiments/1/runs/" in page


def test_study_without_git_or_tracking_is_reported_as_such(answers: dict[str, Any]) -> None:
    text = render(typed(answers), replace(context_of(typed(answers), tracking=False), commit=None), {})
    assert "not in git" in text
    assert "MLflow" not in text_of(text)


@pytest.mark.slow
def test_page_of_a_very_large_study_stays_below_six_megabytes_and_states_what_is_omitted(
    answers: dict[str, Any],
) -> None:
    """With curves of noise for 150 classes at six sizes, only those at the largest size are kept."""
    random = np.random.default_rng(0)
    changed = deepcopy(answers)
    for arm in changed["arms"].values():
        for kind in ("roc", "precision_recall"):
            rows = arm[kind]["positive"]
            arm[kind] = {
                f"c{n}": [row | {end: random.random(101).round(6).tolist() for end in ENDS} for row in rows]
                for n in range(150)
            }
    page = render(typed(changed), context_of(typed(changed)), static={})
    assert len(page.encode()) < 6_000_000
    assert "This study is large" in page
    assert {len(rows) for rows in embedded(page)["answers"]["arms"][changed["chosen"]]["roc"].values()} == {1}


def test_the_page_names_the_sizes_that_cannot_be_balanced_beside_curves_and_forecasts() -> None:
    found = balance.finding(balance.unbalanced_sizes(split_of(154, 6), [4, 8, 48]), "expert")
    audited = audit_with([found.as_json])
    page = text_of(page_of(answers_of(SMALL, audit=audited)))
    sentence = (
        "Label version expert: 2 training sizes cannot be balanced, because a class has too few images: "
        "8 (2 dark + 6 light), 48 (2 dark + 46 light). Such a set is larger mostly by images of the "
        "other classes, so its gain is not that of more images of each class."
    )
    assert page.count(sentence) == 3  # curves, planner, and the audit itself
    assert "cannot be balanced" not in text_of(page_of(answers_of(SMALL, audit=audit_with([]))))


def audit_with(findings: list[dict[str, Any]]) -> dict[str, Any]:
    """An audit of the study with these findings."""
    return {
        "dataset": "toy", "task": "blast", "labels": ["expert"], "images": 160, "counts": {"warning": len(findings)},
        "offenders_at_most": 1000, "findings": findings, "passed": [], "shortcuts": {}, "sizes": {},
    }  # fmt: skip


def test_the_page_says_that_the_registered_model_has_no_score_of_its_own(page: str) -> None:
    assert "only other images can give the model's own" in text_of(page)
    assert "It has not been validated yet" in text_of(page)


def test_the_page_shows_validations_and_looks_at_the_holdout(answers: dict[str, Any]) -> None:
    from tests.evaluation.test_validation import fresh

    study = typed(answers)
    context = replace(
        context_of(study), validations=(fresh(1),), looks=(LookedAt("2026-01-02", 3, 0.5, "final <score>"),)
    )
    shown = text_of(render(study, context))
    assert "the holdout, labels expert" in shown
    assert "2026-01-02 3 0.500 final <score>" in shown
    assert "reports/validation/holdout-expert-v3.html" in shown
    assert "not been validated" not in shown


def test_first_screen_has_the_result_in_one_sentence_with_interval_and_labels_in_all(answers: dict[str, Any]) -> None:
    point = answers["arms"][answers["chosen"]]["curves"]["roc_auc"][-1]
    expected = (
        "With 240 labeled images (200 to train, 40 to validate), a small convolutional network with flips and "
        f"rotations reaches ROC-AUC {point['mean']:.3f} on unseen images "
        f"(95 % interval over folds {point['ci_low']:.3f} to {point['ci_high']:.3f})."
    )
    assert sentence(typed(answers)) == expected
    assert expected in text_of(page_of(answers)).replace("\u00a0", " ")


def leaking(share: float) -> dict[str, Any]:
    """A study of known patients, with folds by image; this share of the test images is of patients trained on."""
    leak = finding("leakage", "Patients are on more than one side of a fold.") | {"id": "patient-leak"}
    found = [leak | {"labels": "expert", "numbers": {"test_share": share}}] if share else []
    patients = Simulation([("sequential", "none", "expert")], [10, 20, 40], folds=3, patients=True)
    return answers_of(patients, audit=audit(found))


@pytest.mark.parametrize(
    ("share", "where"),
    [
        (1.0, "on images outside the training set, of the same patients ("),
        (0.3, "on images outside the training set, partly of the same patients ("),
        (0.0, "on unseen images ("),
    ],
)
def test_lead_says_that_test_images_are_of_patients_in_training(share: float, where: str) -> None:
    assert where in sentence(typed(leaking(share)))
    assert where.removesuffix(" (") in facts(leaking(share))["How good is it with 40 images?"][1]


def test_lead_does_not_speak_of_the_same_patients_where_folds_are_by_patient() -> None:
    by_patient = leaking(0.0)
    by_patient["limits"] = by_patient["limits"] | {"split": "patient"}
    assert "on unseen images (95 % interval over folds " in sentence(typed(by_patient))


def test_first_screen_and_tables_call_the_classes_by_the_same_names(answers: dict[str, Any], page: str) -> None:
    changed = deepcopy(answers)
    changed["arms"][changed["chosen"]]["plan"]["targets"] = [only_target("reached", 100, 60, 130)]
    needed = changed["arms"][changed["chosen"]]["plan"]["targets"][0]["labels"]
    needed["classes"] = {"negative": 80, "positive": 90}
    assert "(80 not blast, 90 blast, from about 9 patients)" in facts(changed)["How many training images for 0.95?"][1]
    assert "for an image of class blast and one of class not blast, it ranks the former" in " ".join(
        headline_of(changed).lead
    )
    assert embedded(page)["classNames"] == {"negative": "not blast", "positive": "blast"}
    assert "label blast" in text_of(page)
    assert "label positive" not in text_of(page)


def test_first_screen_speaks_of_networks_and_links_each_card_to_its_evidence(page: str) -> None:
    first = page.split('<header class="first">')[1].split("</header>")[0]
    assert not re.search(r"\barms?\b", text_of(first))
    cards = first.split('<dl class="facts">')[1].split("</dl>")[0]
    targets = re.findall(r'<dt><a href="#([^"]+)">', cards)
    assert targets == ["curves", "scores", "planner", "comparison"]
    assert all(f'id="{target}"' in page for target in targets)


def test_what_nothing_alone_would_show_is_told_with_what_both_would_show(answers: dict[str, Any]) -> None:
    row = typed(answers).comparisons[0]
    needed = Settling(None, 250, True, None, None, 1240, 49)
    one = replace(row, settling=needed, seeds=1)
    assert wording.settling(one) == (
        "about 1,200 patients in 49 folds instead of 250 in 10; not by up to 100 times the patients or by more "
        "folds alone"
    )
    assert not wording.settles(one)
    two = replace(row, settling=replace(needed, images_together=None, folds_together=None), seeds=2)
    assert wording.settling(two) == (
        "not by up to 100 times the patients and folds, nor by up to 100 seeds: trainings differ too much"
    )
    assert wording.unknown_seeds([two, one]).startswith("One seed does not tell what more seeds would add")
    assert wording.unknown_seeds([two]) == ""


def test_first_screen_sentence_has_the_score_that_is_corrected_for_the_choice() -> None:
    assert "reaches ROC-AUC 0.875 on" in sentence(typed(corrected(0.875)))


def official(**largest: Any) -> dict[str, Any]:
    """A study with three official folds, of which ``warsaw`` has no positive test image."""
    changed = answers_of(replace(SMALL, folds=3))
    where = {"fold": "warsaw", "images": "test", "without": ["positive"]}
    named = {"id": "folds-without-class", "labels": "expert", "offenders_in_all": 1, "offenders": [where]}
    lacking = finding("warning", "One fold lacks a class.") | named
    for arm in changed["arms"].values():
        arm["curves"]["roc_auc"][-1] |= {"n": 2, "undefined": 1} | largest
    return changed | {"audit": audit_with([lacking])}


AGREEING = dict.fromkeys(("mean", "min", "max"), 1.0) | dict.fromkeys(("ci_low", "ci_high"))


def test_first_screen_says_of_how_many_folds_a_score_is_and_that_agreement_gives_no_interval() -> None:
    answers = official(**AGREEING)
    expected = (
        "reaches ROC-AUC 1.000 on unseen images (mean of 2 of 3 folds, since the test images of warsaw lack a class; "
        "no interval: all folds agree)."
    )
    assert expected in sentence(typed(answers))
    _, note = facts(answers)["How good is it with 200 images?"]
    assert "no interval: all folds agree. The registered model" in note
    assert note.endswith("It is the mean of 2 of 3 folds, since the test images of warsaw lack a class.")
    shown = text_of(page_of(answers))
    assert "1.000 all folds agree" in shown
    assert "1.000 to 1.000" not in shown


def test_first_screen_counts_runs_if_there_are_several_seeds_and_gives_no_reason_that_is_not_known() -> None:
    answers = answers_of(replace(SMALL, seeds=(0, 1)))
    for arm in answers["arms"].values():
        arm["curves"]["roc_auc"][-1] |= {"n": 19, "undefined": 1}
    assert "(mean of 19 of 20 runs; 95 % interval over folds 0." in sentence(typed(answers))


def test_patients_of_folds_drawn_by_image_are_not_called_new() -> None:
    said = "Folds are drawn by image: these are not new patients."
    simulation = replace(SMALL, patients=True)
    assert said in text_of(page_of(answers_of(simulation)))
    limits = {"split": "patient", "validation_images": 40.0, "title": None}
    assert said not in text_of(page_of(answers_of(simulation, limits=limits)))


def test_first_screen_counts_images_patients_classes_and_folds(answers: dict[str, Any]) -> None:
    assert composition(typed(answers)) == ["400 images", "patients unknown", "2 classes", "10 folds"]
    several = answers_of(CLASSES)
    images = sum(several["arms"][several["chosen"]]["confusion"][-1]["images"])
    assert composition(typed(several)) == [
        f"{images} images",
        "at least 8 patients",
        "4 classes",
        "5 folds",
        "3 seeds",
    ]


def test_first_screen_shows_one_picture_of_each_class(page_of_classes: str) -> None:
    shown = page_of_classes.split('<ul class="classes')[1].split("</ul>")[0]
    assert shown.count("<img ") == shown.count("<li>") == 4
    assert "lymphoblast" in shown


def test_arms_are_named_in_words_where_the_words_are_known() -> None:
    found = typed(
        answers_of(Simulation([("resnext", "mixup", "e"), ("sequential", "none", "e")], [10, 20, 40], folds=3))
    )
    assert [in_words(arm) for arm in found.arms.values()] == [
        "the architecture resnext with the augmentation mixup",
        "a small convolutional network without augmentation",
    ]
    assert distinction(found.arms, "sequential-none-e") == "A small convolutional network without augmentation"


def test_partial_page_says_how_many_runs_have_finished(answers: dict[str, Any]) -> None:
    part = {"finished": 25, "planned": 50, "left_out": {"a-flip_rotate-e": 3}}
    text = text_of(page_of(answers | {"partial": part}))
    assert "Partial: 25 of 50 runs have finished." in text
    assert "Not shown until they have runs of every size: a-flip_rotate-e (3 runs so far)." in text
    assert "Partial:" not in text_of(page_of(answers))


def test_losses_are_shown_for_the_chosen_arm_and_left_out_where_there_are_none(answers: dict[str, Any]) -> None:
    page = page_of(answers)
    assert "Is it overfitting?" in page
    row = answers["arms"][answers["chosen"]]["losses"][-1]
    assert f"with 200 images, the loss is {row['training_kept']['mean']:.3f} in training and" in text_of(page)
    assert page.count('aria-label="Losses by epoch with ') == 6
    assert "ROC-AUC on training and test images" in text_of(page)
    changed = deepcopy(answers)
    for row in changed["arms"][changed["chosen"]]["losses"]:
        row["training_score"] = None
    assert "on training and test images" not in text_of(page_of(changed))
    changed["arms"][changed["chosen"]]["losses"] = []
    assert "overfitting" not in page_of(changed)


def test_losses_of_at_most_six_sizes_are_drawn() -> None:
    many = typed(answers_of(Simulation([("a", "none", "e")], [5, 8, 10, 15, 20, 30, 50, 80, 100], folds=3)))
    assert [row.size for row in losses_shown(many.best.losses)] == [5, 10, 15, 30, 50, 100]


def test_unbalanced_sizes_are_marked_on_curves_and_in_tables(answers: dict[str, Any]) -> None:
    row = finding("warning", "2 training sizes cannot be balanced.") | {"id": "unbalanced-sizes", "labels": "expert"}
    offenders = [{"size": size, "folds": 10, "classes": ["a 1", "b 9"]} for size in (100, 200)]
    page = page_of(answers | {"audit": audit([row | {"offenders": offenders, "offenders_in_all": 2}])})
    assert page.split('class="small-curve"')[1].split("</figure>")[0].count('class="hollow"') == 2
    assert "Hollow: a class has too few images." in page
    assert set(map(tuple, embedded(page)["unbalanced"].values())) == {(100, 200)}
    assert '<th scope="row">200*</th>' in page
    assert '<th scope="row">50</th>' in page
    assert 'class="hollow"' not in page_of(answers)


def test_official_folds_that_lack_a_class_are_told_beside_the_curves(answers: dict[str, Any]) -> None:
    told = finding("warning", "1 official fold without a class.") | {"id": "folds-without-class", "labels": "expert"}
    page = page_of(answers | {"audit": audit([told]), "fold_names": ["berlin", "london"]})
    assert "1 official fold without a class." in text_of(page.split('id="curves"')[1].split("</section>")[0])
    assert "(berlin, london)" in text_of(page)
