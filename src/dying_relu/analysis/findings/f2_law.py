"""F2: a law for the rate at which a quarter of the first layer dies."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, measured
from dying_relu.analysis.claims.verdict import Detail, Finding, finding
from dying_relu.analysis.findings.law import SETTING, log2, onsets, scales, shares
from dying_relu.analysis.inference.decisions import DOES_NOT_HOLD, FAILS, HOLDS, NOT_SETTLED, OPEN
from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.means import jackknife
from dying_relu.analysis.inference.selection import reported
from dying_relu.analysis.latex import listed, name
from dying_relu.analysis.thresholds import PAPER

FIT = ("law_fit", "law_fit_cifar10", "law_fit_adam", "law_fit_cifar10_adam")
HELD_OUT = (
    "law_held_out",
    "law_held_out_cifar10",
    "law_held_out_adam",
    "law_held_out_cifar10_adam",
)
FEWEST = 3
"""A standard deviation of fewer settings is none."""
DETAILS = {
    "Settings": "number",
    "WithOnset": "number",
    "AtTheEdge": "number",
    "Span": "number",
    "RateAlone": "number",
    "PartOfRateAlone": "number",
    "MedianRatio": "number",
    "Constant": "number",
    "FitError": "number",
}
_RULE = (
    "Settings: data set, network and inputs; the onset is the rate at which the median over seeds of the newly dead share of the first "
    f"layer reaches {PAPER.mass_death:.0%}, of finite networks, at rates at which at least half of the seeds are finite. Over the held-out "
    "settings with an onset inside the grid, or predicted there (without one, the end of the grid beyond which it lies counts): the "
    f"standard deviation of log2(observed / predicted) is below {PAPER.octaves:g} octaves, and below a third of that of the rate alone; "
    f"the onsets span at least {PAPER.span:g} octaves; fewer than {PAPER.observed_onsets:g} observed ones settle nothing. "
    "Intervals: jackknife over seeds. Holds if both intervals lie below and the onsets span as much; does not hold if one lies above."
)


class Law(NamedTuple):
    """Onsets under one optimiser.

    Attributes:
        networks: in all settings.
        held_out: newly dead shares of the held-out settings, as :func:`~dying_relu.analysis.findings.law.shares` gives them.
        scale: of each held-out setting; the law predicts a multiple of it.
        constant: that the law multiplies the scale by.
        fit_error: standard deviation of log2(observed / predicted) over the settings of the fit.
        exceptions: settings without enough of an offset that have an onset all the same.
    """

    networks: int
    held_out: pd.DataFrame
    scale: pd.Series
    constant: float
    fit_error: float
    exceptions: list[str]


@finding(
    "F2a",
    "Under SGD one constant gives the rate at which a first layer dies",
    experiment="law_held_out, law_held_out_cifar10, law_fit, law_fit_cifar10",
    measure="standard deviation of log2(observed / predicted onset) over held-out settings, in octaves",
    unit="number",
    rule=f"Predicted onset: {PAPER.sgd_constant:g} sd(z) / squared norm of mean(x), both before the first step. {_RULE}",
    details=DETAILS,
)
def law_under_sgd(evidence: Evidence) -> Finding:
    """Judge F2a."""
    limits = evidence.thresholds
    law = _law(evidence, "sgd", limits.mass_death, 0.0)
    return _settled(evidence, law._replace(constant=limits.sgd_constant), {})


@finding(
    "F2b",
    "Under Adam the rate goes as the inverse of the mean's 1-norm",
    experiment="law_held_out_adam, law_held_out_cifar10_adam, law_fit_adam, law_fit_cifar10_adam",
    measure="standard deviation of log2(observed / predicted onset) over held-out settings, in octaves",
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
    return _settled(evidence, law, {"Exceptions": len(law.exceptions), "ExceptionNames": named})


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
        settings[optimiser].reindex(pd.MultiIndex.from_tuples(tested, names=SETTING)),
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


def _settled(evidence: Evidence, law: Law, more: dict[str, Detail]) -> Finding:
    limits = evidence.thresholds
    share = limits.mass_death
    predicted = law.constant * law.scale
    inside = int(onsets(law.held_out, share).notna().sum())
    if inside < limits.observed_onsets:
        raise NotEnoughData(
            f"only {inside} of {len(law.scale)} held-out settings have an onset inside the grid"
        )
    observed = log2(onsets(law.held_out, share, predicted))
    error = (observed - log2(predicted)).dropna()

    def spread(seeds: pd.DataFrame) -> float:
        known = onsets(seeds, share, predicted)
        return _spread(log2(known / predicted.reindex(known.index)))

    def part(seeds: pd.DataFrame) -> float:
        return spread(seeds) / _spread(log2(onsets(seeds, share, predicted)))

    of_law, of_rate = jackknife(law.held_out, spread), jackknife(law.held_out, part)
    span = float(observed.max() - observed.min())
    states = [_state(of_law, limits.octaves), _state(of_rate, limits.rate_alone_part)]
    settled = HOLDS if set(states) == {HOLDS} and span >= limits.span else NOT_SETTLED
    verdict = DOES_NOT_HOLD if FAILS in states else settled
    details: dict[str, Detail] = {
        "Settings": len(law.scale),
        "WithOnset": inside,
        "AtTheEdge": len(error) - inside,
        "Span": span,
        "RateAlone": _spread(observed),
        "PartOfRateAlone": of_rate,
        "MedianRatio": float(2 ** error.median()),
        "Constant": law.constant,
        "FitError": law.fit_error,
    }
    note = _open(of_law, of_rate, span, limits.span) if verdict == NOT_SETTLED else ""
    return Finding(verdict, of_law, law.networks, note=note, details=details | more)


def _spread(values: pd.Series) -> float:
    known = values.dropna()
    return float(known.std(ddof=1)) if len(known) >= FEWEST else np.nan


def _state(interval: Interval, threshold: float) -> str:
    if interval.high < threshold:
        return HOLDS
    return FAILS if interval.low > threshold else OPEN


def _open(of_law: Interval, of_rate: Interval, span: float, least: float) -> str:
    parts = [
        f"{words} {interval.estimate:.2f} ({interval.low:.2f} to {interval.high:.2f})"
        for words, interval in (("error in octaves", of_law), ("part of the rate's alone", of_rate))
    ]
    if span < least:
        parts.append(f"the onsets span {span:.1f} octaves only")
    return ", ".join(parts)
