"""Means over the seeds of every setting, and paired differences between settings, for figures and tables; verdicts use neither."""

from collections.abc import Sequence

import pandas as pd

from dying_relu.analysis.inference.intervals import Interval
from dying_relu.analysis.inference.means import mean_interval
from dying_relu.analysis.outcomes import trained, untrained


def summarise(runs: pd.DataFrame, by: Sequence[str], value: str) -> pd.DataFrame:
    """The mean of ``value`` over the seeds of every setting, with its t interval, and how many runs did not train.

    Args:
        runs: a row a run, with the column outcome; runs that diverged or collapsed are counted and not averaged.
        by: the columns that make a setting.
        value: the column to average.

    Returns:
        A row a setting: the columns of ``by``, then estimate, low, high (NaN where there is no such interval), n (runs averaged)
        and untrained (runs that diverged or collapsed).
    """
    rows = [
        (*setting, *mean_interval(group.loc[trained(group), value].to_numpy()), int(untrained(group).sum()))
        for setting, group in runs.groupby(list(by), sort=True, dropna=False, observed=True)
    ]
    return pd.DataFrame(rows, columns=[*by, *Interval._fields, "untrained"])


def pairs(runs: pd.DataFrame, by: Sequence[str], factor: str, baseline: object, value: str) -> pd.DataFrame:
    """Pair every run with its twin: the run of its setting and seed at the ``baseline`` of ``factor``.

    Twins share initial weights and minibatches, so that their difference varies less than its two ends.

    Args:
        runs: a row a run, with the columns replicate and outcome.
        by: the columns that make a setting; together with ``factor`` and the replicate they name a run.
        factor: the column to compare the levels of.
        baseline: the level to compare with.
        value: the column to subtract.

    Returns:
        The runs at other levels that have a twin, with the columns difference (of ``value``, theirs minus the twin's) and
        outcome (trained if both did, else that of the one that did not).

    Raises:
        ValueError: ``by`` leaves out a factor, so that a seed has several runs in a setting.
    """
    pair = [*by, "replicate"]
    reference = runs[runs[factor] == baseline]
    others = runs[runs[factor] != baseline]
    if reference.duplicated(pair).any() or others.duplicated([*pair, factor]).any():
        raise ValueError(f"{', '.join(pair)} and {factor} do not name a single run")
    both = others.merge(reference[[*pair, value, "outcome"]], on=pair, suffixes=("", "_baseline"))
    outcome = both["outcome_baseline"].where(trained(both), both["outcome"])
    return both.assign(outcome=outcome, difference=both[value] - both[f"{value}_baseline"])


def differences(
    runs: pd.DataFrame, by: Sequence[str], factor: str, baseline: object, value: str
) -> pd.DataFrame:
    """The mean difference of twins between every other level of a factor and its baseline, with its t interval.

    Args:
        runs: a row a run, with the columns replicate and outcome.
        by: the columns that make a setting; together with ``factor`` and the replicate they name a run.
        factor: the column to compare the levels of.
        baseline: the level to compare with.
        value: the column to subtract.

    Returns:
        A row a setting and level: the columns of ``by``, ``factor``, then estimate, low, high, n (pairs averaged) and untrained
        (pairs of which a run did not train, which are not averaged).

    Raises:
        ValueError: ``by`` leaves out a factor, so that a seed has several runs in a setting.
    """
    return summarise(pairs(runs, by, factor, baseline, value), [*by, factor], "difference")
