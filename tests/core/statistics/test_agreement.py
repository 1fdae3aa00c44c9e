"""Agreement of label versions: properties, published values, and the numbers of Matek et al. 2019."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, precision_score, recall_score

from cytocurve.core.statistics import agreement
from cytocurve.core.statistics.agreement import VOTES, Estimate, consensus
from cytocurve.datasets import aml_cytomorphology
from tests.projects import ROOT

REAL = ROOT.parent / "shared" / "data" / "aml-cytomorphology-lmu"
PERCENT = 100

names = st.sampled_from(["blast", "monocyte", "neutrophil", ""])
versions = st.lists(st.tuples(names, names), min_size=1, max_size=60)


def kappa(first: Sequence[str], second: Sequence[str]) -> Estimate:
    return agreement.cohen_kappa(agreement.confusion(first, second)[1])


def labelled(pairs: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    both = [pair for pair in pairs if all(pair)]
    return [a for a, _ in both], [b for _, b in both]


@given(versions)
def test_kappa_matches_scikit_learn_on_images_labeled_in_both(pairs: list[tuple[str, str]]) -> None:
    """Unlabeled images are excluded; an undefined kappa is None."""
    result = kappa([a for a, _ in pairs], [b for _, b in pairs])
    first, second = labelled(pairs)
    if len({*first, *second}) < 2:
        assert result == Estimate(None, None, None)
    else:
        assert result.value == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


@given(versions)
def test_interval_contains_its_value_and_kappa_is_symmetric(pairs: list[tuple[str, str]]) -> None:
    """The interval is within -1 to 1 and contains the value; the order of versions does not matter."""
    first, second = labelled(pairs)
    result, swapped = kappa(first, second), kappa(second, first)
    if result.value is not None:
        assert result.low is not None
        assert result.high is not None
        assert -1 <= result.low <= result.value + 1e-9
        assert result.value - 1e-9 <= result.high <= 1
        assert vars(swapped) == pytest.approx(vars(result), abs=1e-9)


@pytest.mark.parametrize(
    ("counts", "value", "low", "high"),
    [
        ([[0, 4, 1], [0, 8, 0], [0, 1, 5]], 0.4842, 0.2137, 0.7547),
        ([[0, 0, 0], [5, 16, 3], [8, 12, 28]], 0.3333, 0.1738, 0.4929),
    ],
)
def test_interval_matches_sas(counts: list[list[int]], value: float, low: float, high: float) -> None:
    """Two tables with published kappa and asymptotic limits from the FREQ procedure of SAS."""
    result = agreement.cohen_kappa(np.array(counts))
    assert vars(result) == pytest.approx({"value": value, "low": low, "high": high}, abs=5e-5)


def test_full_agreement_is_one_and_chance_is_zero() -> None:
    """Kappa is 1 for a version with itself and 0 for independent versions."""
    assert kappa(["a", "b", "b"], ["a", "b", "b"]) == Estimate(1.0, 1.0, 1.0)
    assert kappa(["a", "a", "b", "b"], ["a", "b", "a", "b"]).value == pytest.approx(0)


def test_interval_covers_the_true_kappa() -> None:
    """For about 95 % of 1,000 samples of 300 images, the interval contains the true kappa."""
    table = np.array([[0.40, 0.05, 0.01], [0.06, 0.25, 0.03], [0.02, 0.03, 0.15]])
    truth = agreement.cohen_kappa((table * 100).astype(int)).value
    assert truth is not None
    samples = np.random.default_rng(0).multinomial(300, table.ravel(), size=1000).reshape(-1, 3, 3)
    result = [agreement.cohen_kappa(sample) for sample in samples]
    covered = np.mean([f.low is not None and f.high is not None and f.low <= truth <= f.high for f in result])
    assert 0.93 <= covered <= 0.97


@given(versions)
def test_scores_per_class_match_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    """Precision and sensitivity of every label, undefined if the denominator is zero."""
    first, second = labelled(pairs)
    labels, counts = agreement.confusion(first, second)
    scores = agreement.by_class(labels, counts)
    assert sorted(scores) == sorted({*first, *second})
    if not labels:
        return
    precisions = precision_score(first, second, labels=labels, average=None, zero_division=np.nan)
    recalls = recall_score(first, second, labels=labels, average=None, zero_division=np.nan)
    for label, precision, recall in zip(labels, precisions, recalls, strict=True):
        for score, expected in zip(scores[label], (precision, recall), strict=True):
            value = score.estimate.value
            assert (value is None and math.isnan(expected)) or value == pytest.approx(expected)


@given(versions, st.sets(names))
def test_sensitivity_and_specificity_count_every_image_once(pairs: list[tuple[str, str]], positive: set[str]) -> None:
    """Their totals are the images labeled in both versions, positive or negative by the first."""
    first, second = labelled(pairs)
    sensitivity, specificity = agreement.binary(*agreement.confusion(first, second), positive)
    assert sensitivity.total == sum(label in positive for label in first)
    assert sensitivity.total + specificity.total == len(first)
    agreeing = sum((a in positive) == (b in positive) for a, b in zip(first, second, strict=True))
    assert sensitivity.hits + specificity.hits == agreeing


def test_proportion_has_a_wilson_interval() -> None:
    """The 95 % interval of 9 of 10 is [0.596, 0.982]; 0 of 0 is undefined."""
    z, n, p = 1.959963984540054, 10, 0.9
    centre, half = p + z**2 / (2 * n), z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    result = agreement.share(9, 10).estimate
    assert result.low == pytest.approx((centre - half) / (1 + z**2 / n))
    assert result.high == pytest.approx((centre + half) / (1 + z**2 / n))
    assert agreement.share(0, 0).estimate == Estimate(None, None, None)


def test_binary_tasks_need_labels_of_the_taxonomy() -> None:
    """``blast`` and ``atypical`` are scored only if every label is in the taxonomy."""
    assert agreement.binary_tasks(["myeloblast", "myelocyte", "monocyte"]) == {
        "blast": frozenset({"myeloblast"}),
        "atypical": frozenset({"myeloblast", "myelocyte"}),
    }
    assert agreement.binary_tasks(["myeloblast", "dark"]) == {}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (("a", "a", "a"), ("a", "unanimous")),
        (("a", "a", ""), ("a", "unanimous")),
        (("b", "a", "a"), ("a", "majority")),
        (("b", "a", "c"), ("b", "tie")),
        (("c", "b", "a", "a", "b"), ("b", "tie")),
        (("", "b", "a"), ("b", "tie")),
        (("", "", "a"), ("a", "single")),
        (("", "", ""), ("", "unlabelled")),
    ],
)
def test_consensus_is_the_majority_vote_of_the_versions(given: tuple[str, ...], expected: tuple[str, str]) -> None:
    """The majority wins, ties go to the version named first, and unlabeled images do not vote."""
    assert consensus({str(number): [label] for number, label in enumerate(given)}) == [expected]


@given(st.lists(st.tuples(names, names, names), min_size=1, max_size=30))
def test_consensus_is_a_label_that_no_other_outvotes(rows: list[tuple[str, str, str]]) -> None:
    """The label has the most votes, and each image has exactly one kind of vote."""
    merged = consensus(dict(zip("abc", zip(*rows, strict=True), strict=True)))
    for row, (label, how) in zip(rows, merged, strict=True):
        votes = [vote for vote in row if vote]
        assert how in VOTES
        assert votes.count(label) == max([votes.count(vote) for vote in votes], default=0)


@pytest.mark.skipif(not REAL.is_dir(), reason="the real labels are not at ../shared/data/aml-cytomorphology-lmu")
@pytest.mark.parametrize(
    ("version", "kappa_printed", "blast", "atypical"),
    [("first", "0.84", ("95.7", "91.1"), ("95.9", "91.0")), ("second", "0.87", ("90.7", "95.2"), ("91.7", "95.3"))],
)
def test_published_agreement_is_reproduced_to_every_printed_digit(
    version: str, kappa_printed: str, blast: tuple[str, str], atypical: tuple[str, str]
) -> None:
    """Kappa, and sensitivity and specificity for blasts and atypical cells, of Matek et al. 2019."""
    tables = aml_cytomorphology.tables_of(REAL)
    labels, counts = agreement.confusion(tables["gold"]["label"].tolist(), tables[version]["label"].tolist())
    assert f"{agreement.cohen_kappa(counts).value:.2f}" == kappa_printed
    printed = {
        task: tuple(f"{PERCENT * score.hits / score.total:.1f}" for score in agreement.binary(labels, counts, positive))
        for task, positive in agreement.binary_tasks(labels).items()
    }
    assert printed == {"blast": blast, "atypical": atypical}
