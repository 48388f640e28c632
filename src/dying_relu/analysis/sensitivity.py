"""How much depends on what counts as dead: on the definition, on the probe set, and on the number of examples."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import hypergeom

from dying_relu.analysis.claims.evidence import DEAD, Definition, Evidence
from dying_relu.analysis.claims.settling import ordered

DEFINITIONS = {
    "dead on the training probe set": DEAD,
    "dead on the held-out probe set": Definition("dead_fraction_test", None),
    "inactive": Definition("inactive_fraction", "inactive"),
    "saturated": Definition("saturated_fraction", "saturated"),
    "0.025-dormant": Definition("dormant_0025_fraction", None),
    "0.1-dormant": Definition("dormant_01_fraction", None),
}
"""Name -> what counts as dead; the first is the paper's. See :mod:`dying_relu.units`."""

CLAIMS = ("C3", "C4", "C6", "C7", "C10", "C13")
"""Those whose rule looks at which units are dead at one time."""

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
