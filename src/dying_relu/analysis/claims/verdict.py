"""Verdicts, claims and findings, and the rules that lead from numbers to a verdict."""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import Evidence, NotEnoughData, by_replicate
from dying_relu.analysis.inference.intervals import LEVEL, Interval, interval, simultaneous
from dying_relu.analysis.latex import listed
from dying_relu.errors import DyingReluError
from dying_relu.extensions import Registry

SUPPORTED = "supported"
LIMITED = "supported with a limit"
REFUTED = "refuted"
NOT_ENOUGH_DATA = "not enough data"
VERDICTS = (SUPPORTED, LIMITED, REFUTED, NOT_ENOUGH_DATA)

MIN_REPLICATES = 3
"""Fewer replicates than this settle nothing: an interval over two says only where the two were."""

MAX_LISTED = 3
"""A note lists at most this many data sets, architectures and optimisers by name."""

Detail = float | str | Interval


@dataclass(frozen=True)
class Finding:
    """The outcome of a claim's rule on a study.

    Attributes:
        verdict: one of ``VERDICTS``.
        effect: the estimate with its interval over replicates; None where there is none.
        runs: number of networks it rests on.
        note: the limit, or why there are not enough data; a clause without a full stop.
        details: further numbers, with or without an interval, and words that the paper quotes, by name.
    """

    verdict: str
    effect: Interval | None
    runs: int
    note: str = ""
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True)
class Claim:
    """A claim of the source post and how it is settled.

    Attributes:
        id: C1 ... C13.
        statement: the claim, in short.
        experiment: the experiment (or experiments) it rests on; dots stand for all whose names begin so.
        measure: what the effect is, in words.
        unit: how the effect is printed: "percent" (a share), "points" (a difference of shares) or "number".
        rule: the verdict rule in words; what was changed after data had been looked at is named in it.
        details: the further numbers that ``settle`` gives, by name: how each is printed ("percent", "points", "number" or
            "words").
        settle: evidence -> finding; raises :class:`NotEnoughData`.
    """

    id: str
    statement: str
    experiment: str
    measure: str
    unit: str
    rule: str
    details: Mapping[str, str]
    settle: Callable[[Evidence], Finding]

    def finding(self, evidence: Evidence) -> Finding:
        """The finding of this claim; where data are missing, a finding that says so."""
        try:
            return self.settle(evidence)
        except NotEnoughData as reason:
            return Finding(NOT_ENOUGH_DATA, None, 0, note=str(reason))


MOST_CLAIMS = 20
"""The highest number of a claim: macros spell it, and know the words up to this one."""

CLAIMS = Registry[Claim]("claim")
"""Every claim by its id; filled by the modules of this package, and by extensions (:mod:`dying_relu.extensions`)."""


def claim(
    claim_id: str,
    statement: str,
    *,
    experiment: str,
    measure: str,
    rule: str,
    unit: str = "percent",
    details: Mapping[str, str] | None = None,
) -> Callable[[Callable[[Evidence], Finding]], Callable[[Evidence], Finding]]:
    """Register the decorated function as the rule of a claim.

    Args:
        claim_id: C and a number from 1 to ``MOST_CLAIMS``.
        statement: the claim, in short.
        experiment: the experiments that it rests on.
        measure: the effect, in words.
        rule: in words.
        unit: of the effect: "percent", "points" or "number".
        details: further numbers by name, and the format of each; see :class:`Claim`.

    Raises:
        DyingReluError: the id is not C and a number from 1 to ``MOST_CLAIMS``, or is that of another claim.
    """

    def register(settle: Callable[[Evidence], Finding]) -> Callable[[Evidence], Finding]:
        if claim_id not in {f"C{number}" for number in range(1, MOST_CLAIMS + 1)}:
            raise DyingReluError(
                f"a claim in the module {settle.__module__} has a wrong id",
                found=repr(claim_id),
                expected=f"C and a number from 1 to {MOST_CLAIMS}, such as 'C14'",
                remedy="correct the first argument of @claim",
            )
        CLAIMS.add(
            claim_id,
            Claim(
                claim_id,
                statement,
                experiment,
                measure,
                unit,
                rule,
                dict(details or {}),
                settle,
            ),
        )
        return settle

    return register


def pooled(values: pd.DataFrame, level: float = LEVEL) -> Interval:
    """The mean of ``values`` over strata, with an interval over replicates within strata.

    Args:
        values: columns ``stratum``, ``replicate``, ``value``; one row for each replicate of a stratum. Strata with fewer
            than ``MIN_REPLICATES`` rows are left out.
        level: of the interval.

    Raises:
        NotEnoughData: if no stratum is left.
    """
    enough = _replicated(values)
    return interval(enough["value"].to_numpy(), enough["stratum"].to_numpy(), level)


def if_any(values: pd.DataFrame) -> Interval | float:
    """The interval of :func:`pooled`, for a detail of a finding; NaN where there are not enough data."""
    try:
        return pooled(values)
    except NotEnoughData:
        return math.nan


def each(values: pd.DataFrame, level: float = LEVEL) -> dict[str, Interval]:
    """Estimate every stratum by itself.

    Args:
        values: columns ``stratum``, ``replicate``, ``value``; see :func:`pooled`.
        level: of each interval.

    Returns:
        Stratum -> interval, in the strata's order.
    """
    enough = _replicated(values)
    strata, names = pd.factorize(enough["stratum"])
    numbers = enough["value"].to_numpy()
    return {
        str(name): interval(numbers[strata == position], level=level) for position, name in enumerate(names)
    }


def by_group(
    table: pd.DataFrame, column: str, statistic: Callable[[pd.DataFrame], float], level: float = LEVEL
) -> dict[str, Interval]:
    """Pool a statistic over strata, for each group that has enough replicates.

    Args:
        table: columns ``stratum``, ``replicate``, the one named ``column``, and those that the statistic needs.
        column: whose values make the groups.
        statistic: of the rows of one group, stratum and replicate.
        level: of each interval.

    Returns:
        Group -> interval.
    """
    groups: dict[str, Interval] = {}
    for name, group in table.groupby(column, sort=False):
        with suppress(NotEnoughData):
            groups[str(name)] = pooled(by_replicate(group, statistic), level)
    return groups


def _replicated(values: pd.DataFrame) -> pd.DataFrame:
    if values.empty:
        raise NotEnoughData("the study has no case to compare")
    strata = pd.factorize(values["stratum"])[0]
    counts = np.bincount(strata, weights=values["value"].notna()).astype(int)[strata]
    if counts.max() < MIN_REPLICATES:
        raise NotEnoughData(f"{MIN_REPLICATES} replicates are needed and there are {counts.max()}")
    return values[counts >= MIN_REPLICATES]


def exceeds(values: pd.DataFrame, threshold: float) -> tuple[str, str]:
    """Decide if a value lies above a threshold in every stratum, in some or in none.

    Args:
        values: columns ``stratum``, ``replicate``, ``value``; see :func:`pooled`.
        threshold: to exceed.

    Returns:
        The verdict and a note. Supported: the whole interval of every stratum lies above the threshold. Supported
        with a limit: that of some strata does, at a level that allows for looking at all of them
        (:func:`~dying_relu.analysis.inference.intervals.simultaneous`). Refuted: that of no stratum does and the pooled interval lies
        below. Otherwise there are not enough data.
    """
    strata = each(values)
    if all(effect.low > threshold for effect in strata.values()):
        return SUPPORTED, ""
    stricter = each(values, simultaneous(len(strata)))
    above = [name for name, effect in stricter.items() if effect.low > threshold]
    if above:
        rest = [name for name in strata if name not in above]
        return LIMITED, f"holds in {_summed_up(above, strata)}; not shown in {_summed_up(rest, strata)}"
    if pooled(values).high < threshold:
        return REFUTED, ""
    return NOT_ENOUGH_DATA, "the interval includes both an effect that matters and none"


def _summed_up(names: Sequence[str], everything: Collection[str]) -> str:
    return listed(names) if len(names) <= MAX_LISTED else f"{len(names)} of {len(everything)} cases"


def trend(effect: Interval) -> str:
    """A verb for a change: is it surely up, surely down or neither?"""
    if effect.low > 0:
        return "rises"
    return "falls" if effect.high < 0 else "does not clearly change"
