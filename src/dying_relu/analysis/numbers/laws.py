"""A law of the literature about training, against the study's networks: how death under batch normalisation goes with the rate."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from dying_relu.analysis import latex
from dying_relu.analysis.factors import SETTING
from dying_relu.analysis.inference.doses import DOSES_FOR_A_LAW, exponents
from dying_relu.analysis.numbers.macro import Macro
from dying_relu.analysis.study_results import StudyResults

EXPERIMENT = "batch_norm_rate"
PUBLISHED = 2
"""Zhou et al. (2020): filters collapse with a probability that goes as the learning rate squared."""


def numbers(study: StudyResults) -> dict[str, Macro]:
    """Macros from the table of runs."""
    runs = study.table("runs")
    return {
        "BatchNormExponentPublished": Macro(PUBLISHED, latex.number(PUBLISHED)),
        "BatchNormExponents": batch_norm_exponents(runs[runs["experiment"] == EXPERIMENT]),
    }


def batch_norm_exponents(runs: pd.DataFrame) -> Macro:
    """The exponent in every setting, as the predicate of a sentence whose subject is the exponent.

    Args:
        runs: a row a run, with the columns ``SETTING``, replicate, outcome, learning_rate and dead_fraction.
    """
    if runs.empty:
        return Macro(None, "was not measured, because this study has no such experiment")
    fits = exponents(runs, SETTING, "learning_rate", "dead_fraction")
    varied = [factor for factor in SETTING if len(runs[factor].unique()) > 1]
    rows = fits.assign(place=[_place(row, varied) for row in fits.to_dict("records")])
    fitted = rows.dropna(subset="estimate")
    missing = rows.loc[rows["estimate"].isna(), "place"]
    clauses = []
    if len(fitted):
        clauses.append(f"is {latex.listed(_fit(row) for row in fitted.to_dict('records'))}")
    if len(missing):
        clauses.append(
            f"could not be measured {latex.listed(missing)}, for want of "
            f"{latex.word(DOSES_FOR_A_LAW)} such rates"
        )
    values = dict(zip(fitted["place"], fitted["estimate"], strict=True))
    return Macro(json.dumps(values), "; it ".join(clauses))


def _place(row: Mapping[Any, Any], varied: list[str]) -> str:
    """The setting in which an exponent was measured: "in the MLP under SGD"; the architecture without the normalisation they all have."""
    dataset = f" on {latex.name(row['dataset'])}" if "dataset" in varied else ""
    optimiser = f" under {latex.name(row['optimiser'])}" if "optimiser" in varied else ""
    return f"in the {latex.name(row['architecture'].partition('_')[0])}{dataset}{optimiser}"


def _fit(row: Mapping[Any, Any]) -> str:
    estimate, low, high = (latex.number(row[end]) for end in ("estimate", "low", "high"))
    interval = "" if low == high or latex.NOT_MEASURED in (low, high) else f" ({low} to {high})"
    return f"{estimate}{interval} {row['place']} (over {latex.word(row['n'])} rates)"
