"""Patients, official folds, classes and images whose names differ only in spelling."""

from collections.abc import Sequence

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender
from cytocurve.core.data.spelling import spellings, without_zeros
from cytocurve.text import counted


def spelling(images: pd.DataFrame, versions: Sequence[str]) -> Finding:
    """Groups of names that count as different but differ only in spelling; classes over all label versions."""
    classes = pd.concat([images[version].dropna() for version in versions])
    values = {"patient": images["patient"].dropna(), "fold": images["fold"].dropna(), "class": classes}
    offenders: list[Offender] = [
        {"what": what, "spellings": list(group), "images": int(names.isin(group).sum())}
        for what, names in values.items()
        for group in spellings(names.unique())
    ]
    sentence = (
        f"{counted(len(offenders), 'name')} of patients, official folds or classes "
        f"{'occurs' if len(offenders) == 1 else 'occur'} in several spellings, which count as different: a patient may "
        "be in both training and test sets unnoticed. Use one spelling of each in the label tables."
    )
    return Finding("spelling", "warning", sentence, {"names": len(offenders)}, offenders)


def image_names(images: pd.DataFrame) -> Finding:
    """Groups of images whose names differ only in leading zeros: they may be different, or one image twice."""
    groups = spellings(images["image"], without_zeros)
    offenders: list[Offender] = [{"images": list(group)} for group in groups]
    number = sum(map(len, groups))
    sentence = (
        f"{counted(number, 'image')} in {counted(len(groups), 'group')} have names that differ only in leading zeros. "
        "They count as different images. If a list names one of them without its zeros, as spreadsheets write numbers, "
        "it means another one: compare the images of each group."
    )
    return Finding("image-names", "warning", sentence, {"images": number, "groups": len(groups)}, offenders)
