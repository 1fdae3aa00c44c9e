"""Patients, official folds and classes whose names differ only in spelling."""

from collections.abc import Sequence

import pandas as pd

from cytocurve.core.audit.finding import Finding, Offender
from cytocurve.core.data.spelling import spellings
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
