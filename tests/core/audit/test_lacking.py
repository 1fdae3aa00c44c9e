"""Official folds that lack a class are found in each subset, under their official names."""

import pandas as pd

from cytocurve.core.audit.lacking import finding, lacking
from cytocurve.core.data.assignment import OFFICIAL


def split_of(**folds: str) -> pd.DataFrame:
    """A split whose official folds have these classes, a letter each, rotating through test, validation and train."""
    names = sorted(folds)
    rows = []
    for number, name in enumerate(names):
        following = names[(number + 1) % len(names)]
        for other in names:
            subset = "test" if other == name else "validation" if other == following else "train"
            rows += [{"fold": number, OFFICIAL: name, "subset": subset, "label": label} for label in folds[other]]
    return pd.DataFrame(rows)


def test_lacking_folds_are_found_by_subset_under_their_official_names() -> None:
    found = lacking(split_of(berlin="dl", london="l", paris="l"))
    assert [(fold.subset, fold.fold, fold.classes) for fold in found] == [
        ("test", "london", ("d",)),
        ("test", "paris", ("d",)),
        ("validation", "berlin", ("d",)),
        ("validation", "london", ("d",)),
        ("train", "berlin", ("d",)),
        ("train", "paris", ("d",)),
    ]


def test_lacking_folds_are_official_ones_only() -> None:
    assert lacking(split_of(a="dl", b="dl", c="dl")) == []
    assert lacking(split_of(a="dl", b="l", c="l").drop(columns=OFFICIAL)) == []


def test_finding_says_what_becomes_of_scores_stopping_and_training() -> None:
    told = finding(lacking(split_of(a="dl", b="l", c="l")), 3, binary=True, labels="expert")
    assert told.severity == "warning"
    assert "2 official folds of 3 without test images of a class (b: no d, c: no d): there, ROC-AUC" in told.sentence
    assert "undefined, left out of the means, and counted" in told.sentence
    assert "without validation images of a class (a: no d, b: no d): there, early stopping" in told.sentence
    assert "without training images of a class (a: no d, c: no d): their networks cannot learn it" in told.sentence
    assert len(told.offenders) == 6


def test_finding_of_several_classes_does_not_call_scores_undefined() -> None:
    told = finding(lacking(split_of(a="dlm", b="lm", c="dlm")), 3, binary=False, labels="expert")
    assert "averages over classes cover the other classes only" in told.sentence
    assert "undefined" not in told.sentence
