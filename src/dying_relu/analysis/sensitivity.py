"""How much depends on what counts as dead (the definition, the probe set, the number of examples), and on the rules' thresholds."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from dying_relu.analysis.claims import causes, mechanism, nature, remedies
from dying_relu.analysis.claims.evidence import DEAD, Definition, Evidence
from dying_relu.analysis.claims.settle import ordered

DEFINITIONS = {
    "dead, training probe set": DEAD,
    "dead, held-out probe set": Definition(
        "dead_fraction_test", None, ("test", "dead"), "dead_on_both_fraction"
    ),
    # Of ReLU units, which C2 is about, the same as dead.
    "inactive": Definition("inactive_fraction", "inactive", ("train", "inactive"), "dead_on_both_fraction"),
    "saturated": Definition("saturated_fraction", "saturated", ("train", "saturated"), None),
    "0.025-dormant": Definition("dormant_0025_fraction", None, ("train", "dormant_0025"), None),
    "0.1-dormant": Definition("dormant_01_fraction", None, ("train", "dormant_01"), None),
}
"""Name -> what counts as dead; the first is the paper's. See :mod:`dying_relu.units.definitions`."""

CLAIMS = ("C2", "C3", "C4", "C5", "C6", "C7", "C10", "C13")
"""Those whose rule looks at which units are dead."""


class Threshold(NamedTuple):
    """A number in the rules: where it stands, in words, and smaller and larger ones to try in its place."""

    module: ModuleType
    name: str
    words: str
    instead: tuple[float, float]
    claims: tuple[str, ...]


THRESHOLDS = (
    Threshold(nature, "NEARLY_ALL", "nearly all units", (0.9, 0.975), ("C2",)),
    Threshold(nature, "UNLIKELY", "unlikely", (0.25, 0.75), ("C3",)),
    Threshold(nature, "FOREVER", "for ever", (0.005, 0.02), ("C4",)),
    Threshold(nature, "LARGE_PART", "a large part", (0.125, 0.5), ("C5",)),
    Threshold(causes, "MATTERS", "what matters of a dead fraction", (0.025, 0.1), ("C6", "C7", "C13")),
    Threshold(causes, "MAJOR_PART", "the major part", (0.25, 0.75), ("C7",)),
    Threshold(mechanism, "MOSTLY", "most cases", (0.25, 0.75), ("C8", "C9")),
    Threshold(remedies, "DOOMED", "a doomed share", (0.125, 0.5), ("C10",)),
    Threshold(
        remedies, "ACCURACY_MATTERS", "what matters of an accuracy", (0.005, 0.02), ("C10", "C11", "C12")
    ),
    Threshold(remedies, "HALF", "enough of the gain", (0.25, 0.75), ("C11",)),
    Threshold(remedies, "SLOPE_MOVES", "a slope that moved", (0.005, 0.02), ("C12",)),
    Threshold(causes, "OFTEN", "often", (0.25, 0.75), ("C13",)),
)
"""Each is halved and doubled, or moved half of the way to none and to all."""

EXAMPLES = (10, 30, 100, 300, 1000)


def verdicts(results_folder: Path) -> pd.DataFrame:
    """The verdict on each claim by each definition of death, all by the same rules.

    Returns:
        Rows ``DEFINITIONS``, columns ``CLAIMS``.
    """
    rules = [claim for claim in ordered() if claim.id in CLAIMS]
    rows = {}
    for name, definition in DEFINITIONS.items():
        evidence = Evidence(results_folder, definition)
        rows[name] = {claim.id: claim.finding(evidence).verdict for claim in rules}
    return pd.DataFrame.from_dict(rows, orient="index")


def other_thresholds(results_folder: Path) -> pd.DataFrame:
    """The verdict on each claim with each of ``THRESHOLDS`` moved, one at a time.

    Returns:
        A row a threshold, value and claim: ``threshold`` (in words), ``value``, ``claim``, ``verdict`` and ``changed``, whether that is
        another one than by the paper's rule.
    """
    evidence = Evidence(results_folder)
    rules = {claim.id: claim for claim in ordered()}
    papers = {
        claim: rules[claim].finding(evidence).verdict
        for claim in dict.fromkeys(claim for threshold in THRESHOLDS for claim in threshold.claims)
    }
    rows = []
    for threshold in THRESHOLDS:
        for value in threshold.instead:
            with _holding(threshold, value):
                verdicts = {claim: rules[claim].finding(evidence).verdict for claim in threshold.claims}
            rows += [
                (threshold.words, value, claim, verdict, verdict != papers[claim])
                for claim, verdict in verdicts.items()
            ]
    return pd.DataFrame(rows, columns=["threshold", "value", "claim", "verdict", "changed"])


@contextmanager
def _holding(threshold: Threshold, value: float) -> Iterator[None]:
    """Inside, the rules of the threshold's module go by ``value``."""
    papers = getattr(threshold.module, threshold.name)
    setattr(threshold.module, threshold.name, value)
    try:
        yield
    finally:
        setattr(threshold.module, threshold.name, papers)


def revived_by_number_of_examples(since: pd.DataFrame, probe_set: int) -> pd.Series:
    """Of the units expected to be dead on n random examples, the share alive on the same n at the next checkpoint, for each n.

    Of the N examples a unit was active on a, and k of the others woke it. It is dead on n examples if none of them is one of the a,
    and stays so if none is one of the a + k.

    Args:
        since: the units of linear layers, as :func:`~dying_relu.analysis.inference.attribution.attributed` has them.
        probe_set: N, its examples.

    Returns:
        n -> share, for the n that are not larger than N; NaN where no unit is dead.
    """
    asleep = 1 - since["active_share"]
    dead = dead_by_number_of_examples(since["active_share"], probe_set)
    woken = (asleep * since["woken_examples_next"].fillna(0)).clip(upper=asleep)
    stay = dead_by_number_of_examples(since["active_share"] + woken, probe_set)
    return 1 - stay / dead.where(dead > 0)


def dead_by_number_of_examples(active_share: pd.Series, probe_set: int) -> pd.Series:
    """The share of units expected to be dead on n random examples of a probe set, for each n of ``EXAMPLES``.

    A unit of a linear layer that is active on a of N examples is inactive on n of them, drawn without replacement, with the
    hypergeometric probability of drawing none of the a.

    Args:
        active_share: (units,) share of the probe set on which each unit is active.
        probe_set: N, its examples.

    Returns:
        n -> share, for the n that are not larger than N.

    >>> dead_by_number_of_examples(pd.Series([0.0, 0.5]), 100).round(3).to_dict()
    {10: 0.5, 30: 0.5, 100: 0.5}
    """
    active = np.rint(active_share * probe_set).to_numpy()
    sizes = [n for n in EXAMPLES if n <= probe_set]
    return pd.Series({n: float(hypergeom.pmf(0, probe_set, active, n).mean()) for n in sizes})
