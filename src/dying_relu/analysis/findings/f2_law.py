"""F2: a law for the rate at which a quarter of the first layer dies."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.findings.law import SCALES, SETTING, log2, onsets, scales, shares
from dying_relu.analysis.inference.criteria import Above, Below
from dying_relu.analysis.inference.decisions import Cell, decide
from dying_relu.analysis.inference.seeds import median_interval
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.latex import listed, name
from dying_relu.analysis.thresholds import PAPER, Thresholds

FIT = ("law_fit", "law_fit_cifar10", "law_fit_adam", "law_fit_cifar10_adam")
HELD_OUT = (
    "law_held_out",
    "law_held_out_cifar10",
    "law_held_out_adam",
    "law_held_out_cifar10_adam",
)
RIVALS = {"second_moment": "SecondMoment", "mean": "MeanAlone", "spread": "SpreadOverSecondMoment"}
"""Scales beside that of the law under SGD: column -> detail of F2c."""
FEWEST = 3
"""A standard deviation of fewer settings is none."""
DETAILS = {
    "Error": "number",
    "RateAlone": "number",
    "Settings": "number",
    "WithOnset": "number",
    "Span": "number",
    "MedianRatio": "number",
    "Constant": "number",
    "FitError": "number",
}
_ONSET = (
    "Settings: data set, network and inputs; the onset of a seed is the rate at which the newly dead share of the first layer reaches "
    f"{PAPER.mass_death:.0%}, among the rates at which its network stays finite. Over the held-out settings with an onset inside the grid, "
    "or predicted there (without one, the end of the grid beyond which it lies counts), each seed: the standard deviation of "
    "log2(observed / predicted)"
)
_RULE = (
    f"{_ONSET}, over the largest one allowed: {PAPER.octaves:g} octaves, and a third of the standard deviation of log2 of the observed "
    f"onsets, that of one rate for all settings. Holds if below 1. A seed with fewer than {PAPER.observed_onsets:g} observed onsets, or "
    f"with onsets that span less than {PAPER.span:g} octaves, counts against the law: it predicts more."
)


class Law(NamedTuple):
    """Onsets under one optimiser.

    Attributes:
        networks: in all settings.
        held_out: newly dead shares of the held-out settings, as :func:`~dying_relu.analysis.findings.law.shares` gives them.
        scales: of each held-out setting, as :func:`~dying_relu.analysis.findings.law.scales` gives them.
        constant: the law predicts so many times its scale.
        fit_error: standard deviation of log2(observed / predicted) over the settings of the fit.
        exceptions: settings without enough of an offset that have an onset all the same.
    """

    networks: int
    held_out: pd.DataFrame
    scales: pd.DataFrame
    constant: float
    fit_error: float
    exceptions: list[str]


@finding(
    "F2a",
    "Under SGD one constant gives the rate at which a first layer dies",
    experiment="law_held_out, law_held_out_cifar10, law_fit, law_fit_cifar10",
    measure="standard deviation of log2(observed / predicted onset) over held-out settings, over the largest one allowed",
    unit="number",
    rule=f"Predicted onset: {PAPER.sgd_constant:g} sd(z) / squared norm of mean(x), both before the first step. {_RULE}",
    details=DETAILS,
)
def law_under_sgd(evidence: Evidence) -> Finding:
    """Judge F2a."""
    limits = evidence.thresholds
    law = _law(evidence, "sgd", limits.mass_death, 0.0)
    return _settled(evidence, law._replace(constant=limits.sgd_constant), "sgd", {})


@finding(
    "F2b",
    "Under Adam the rate goes as the inverse of the mean's 1-norm",
    experiment="law_held_out_adam, law_held_out_cifar10_adam, law_fit_adam, law_fit_cifar10_adam",
    measure="standard deviation of log2(observed / predicted onset) over held-out settings, over the largest one allowed",
    unit="number",
    rule="Predicted onset: c sd(z) / 1-norm of mean(x), both before the first step, c being the geometric mean of the ratios in the "
    f"settings of the fit; settings with an offset share below {PAPER.least_offset:g} are predicted to have no onset, and are counted "
    f"apart. {_RULE}",
    details=DETAILS | {"Exceptions": "number", "ExceptionNames": "words"},
)
def law_under_adam(evidence: Evidence) -> Finding:
    """Judge F2b."""
    limits = evidence.thresholds
    law = _law(evidence, "adam", limits.mass_death, limits.least_offset)
    named = listed(law.exceptions) if law.exceptions else "none"
    return _settled(evidence, law, "adam", {"Exceptions": len(law.exceptions), "ExceptionNames": named})


@finding(
    "F2c",
    "The law errs less than the scales that stability would suggest",
    experiment="law_held_out, law_held_out_cifar10",
    measure="standard deviation of log2(observed onset / scale) of the best rival minus that of the law, in octaves",
    unit="number",
    rule=f"SGD. {_ONSET}, of the law and of each rival, which has a constant of its own: 1 / mean squared norm of x (at such a rate a "
    "linear unit becomes unstable), 1 / squared norm of mean(x), and sd(z) / mean squared norm of x, which has the law's units. Each seed: "
    "that of the best rival minus that of the law. Holds if above 0.",
    details={"Law": "number"} | dict.fromkeys(RIVALS.values(), "number"),
)
def law_beats_its_rivals(evidence: Evidence) -> Finding:
    """Judge F2c."""
    limits = evidence.thresholds
    law = _law(evidence, "sgd", limits.mass_death, 0.0)._replace(constant=limits.sgd_constant)
    errors = _errors(law, "sgd", limits)
    margins = errors[list(RIVALS)].min(axis=1, skipna=False) - errors["sgd"]
    details: dict[str, Detail] = {"Law": _median(errors["sgd"])}
    details |= {shown: _median(errors[rival]) for rival, shown in RIVALS.items()}
    return Finding.of(
        decide([Cell("held-out settings", tuple(margins))], Above(0.0)), law.networks, details=details
    )


@measured
def _law(evidence: Evidence, optimiser: str, share: float, least_offset: float) -> Law:
    """The onsets under an optimiser, in settings with at least so large an offset share; the constant is that of the fit."""
    held_out, fit = (_of(evidence, names, optimiser) for names in (HELD_OUT, FIT))
    settings = scales(evidence, pd.concat([held_out, fit]))
    with_offset = settings["offset_share"] >= least_offset
    observed = {
        part: onsets(shares(evidence, runs), share) for part, runs in (("fit", fit), ("held", held_out))
    }
    ratio = log2(observed["fit"] / settings[optimiser].reindex(observed["fit"].index))
    ratio = ratio[with_offset.reindex(ratio.index)].dropna()
    everywhere = pd.concat(observed.values())
    exceptions = everywhere[~with_offset.reindex(everywhere.index)].dropna().index
    seeds = shares(evidence, held_out)
    tested = [setting for setting in observed["held"].index if with_offset[setting]]
    here = [column[: len(SETTING)] in tested for column in seeds.columns]
    return Law(
        len(held_out) + len(fit),
        seeds.loc[:, here],
        settings.reindex(pd.MultiIndex.from_tuples(tested, names=SETTING)),
        float(2 ** ratio.mean()),
        _spread(ratio),
        [", ".join(map(name, setting)) for setting in exceptions],
    )


def _of(evidence: Evidence, names: tuple[str, ...], optimiser: str) -> pd.DataFrame:
    runs = reported(evidence.relu(*names))
    runs = runs[(runs["optimiser"] == optimiser) & (runs["intervention"] == "none")]
    if runs.empty:
        raise NotEnoughData(f"the experiments {names[0]!r}... have no networks under {name(optimiser)}")
    return runs


def _settled(evidence: Evidence, law: Law, optimiser: str, more: dict[str, Detail]) -> Finding:
    limits = evidence.thresholds
    errors = _errors(law, optimiser, limits)
    allowed = (errors["rate"] * limits.rate_alone_part).clip(upper=limits.octaves)
    # A law that predicts onsets that do not come, or a spread that is not there, errs; a seed without finite networks says nothing.
    short = (errors["observed"] < limits.observed_onsets) | ~(errors["span"] >= limits.span)
    short &= law.held_out.notna().any(axis=1)
    cell = Cell("held-out settings", tuple((errors[optimiser] / allowed).mask(short, np.inf)))
    details: dict[str, Detail] = {
        "Error": _median(errors[optimiser]),
        "RateAlone": _median(errors["rate"]),
        "Settings": len(law.scales),
        "WithOnset": _median(errors["observed"]),
        "Span": _median(errors["span"]),
        "MedianRatio": _median(errors["ratio"]),
        "Constant": law.constant,
        "FitError": law.fit_error,
    }
    return Finding.of(decide([cell], Below(1.0)), law.networks, details=details | more)


def _errors(law: Law, optimiser: str, limits: Thresholds) -> pd.DataFrame:
    """Errors in octaves, a row a seed.

    Args:
        law: the onsets.
        optimiser: whose scale is the law's.
        limits: the thresholds.

    Returns:
        Standard deviations of log2(onset / scale), a column each scale, and ``rate`` without one; the number ``observed``; the ``span`` of
        the onsets; the median ``ratio`` to what is predicted. NaN where a seed has too few onsets for a standard deviation.
    """
    predicted = law.constant * law.scales[optimiser]
    rows = []
    for seed in law.held_out.index:
        one = law.held_out.loc[[seed]]
        observed = log2(onsets(one, limits.mass_death, predicted)).dropna()
        span = float(observed.max() - observed.min())
        known = {scale: observed - log2(law.scales[scale].reindex(observed.index)) for scale in SCALES}
        row = {scale: _spread(error) for scale, error in known.items()}
        row |= {"rate": _spread(observed), "span": span}
        row["ratio"] = float(2 ** known[optimiser].median()) / law.constant
        rows.append(row | {"observed": int(onsets(one, limits.mass_death).notna().sum())})
    return pd.DataFrame(rows, index=law.held_out.index)


def _spread(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.std(ddof=1)) if len(known) >= FEWEST else np.nan


def _median(values: pd.Series) -> Detail:
    """The median over seeds with its interval; NaN where no seed has a value."""
    return median_interval(values.to_numpy()) if values.notna().any() else np.nan
