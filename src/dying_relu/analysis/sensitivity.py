"""The dependence of the verdicts on the definitions of death and of a network that trained, and on the thresholds."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from dying_relu.analysis.claims.evidence import DEAD, Definition, Evidence
from dying_relu.analysis.claims.settle import ordered, ordered_findings
from dying_relu.analysis.claims.verdict import Finding
from dying_relu.analysis.inference.decisions import NOT_SETTLED
from dying_relu.analysis.study_results import StudyResults
from dying_relu.analysis.thresholds import PAPER, Alternatives, alternatives, declared


class Alternative(NamedTuple):
    """Another way to count.

    Attributes:
        definition: of death.
        finite_is_trained: count every network that did not overflow as trained.
    """

    definition: Definition = DEAD
    finite_is_trained: bool = False


DEFINITIONS = {
    "dead, all training examples": Alternative(),
    "the same, every finite network": Alternative(finite_is_trained=True),
    "dead, training probe set": Alternative(Definition("dead_fraction_probe", "dead", "dead")),
    "inactive": Alternative(Definition("inactive_fraction", "inactive", "inactive")),
    "saturated": Alternative(Definition("saturated_fraction", "saturated", "saturated")),
    "0.025-dormant": Alternative(Definition("dormant_0025_fraction", None, "dormant_0025")),
    "0.1-dormant": Alternative(Definition("dormant_01_fraction", None, "dormant_01")),
}
"""Name -> way to count; the first is the plan's, those below the third are on the training probe set. See
:mod:`dying_relu.units.definitions`."""

CLAIMS = ("C2", "C3", "C4", "C5", "C6", "C7", "C9", "C13")
"""Those whose rule looks at which units are dead."""

NOT_COMPUTED = "not computed"
"""In a verdict's place where no cell has a value by a definition, or units are not recorded one by one as a claim needs it."""

OF_FINDINGS = {
    "few_seeds": (0.18, 0.4),
    "offset_kills": (0.125, 0.5),
    "bias_spares": (0.05, 0.2),
    "centring_spares": (0.05, 0.2),
    "bias_part_error": (0.05, 0.2),
    "sgd_constant": (28.0, 112.0),
    "octaves": (0.5, 1.0),
    "rate_alone_part": (1 / 4, 1 / 2),
    "span": (4.0, 6.0),
    "least_offset": (0.05, 0.2),
    "observed_onsets": (8, 11),
    "overflow_more": (0.25, 0.75),
    "twins_differ": (0.125, 0.5),
    "near_the_best": (0.025, 0.1),
    "rescued": (0.125, 0.5),
    "living_loss": (0.05, 0.2),
    "damaged": (0.01, 0.04),
    "more_than_random": (0.05, 0.2),
    "renewal_gains": (0.01, 0.04),
    "strictly_dead_part": (0.125, 0.5),
    "nearly_dead_part": (0.25, 0.75),
    "renewal_differs": (0.025, 0.1),
    "some_deaths": (0.025, 0.1),
    "fast": (0.25, 0.75),
    "estimate_low": (0.65, 0.9),
    "estimate_high": (1.1, 1.5),
    "woken_units": (1000, 4000),
    "estimate_covers": (0.8, 0.9),
    "misled": (0.25, 0.75),
    "line_separates": (0.8, 0.9),
    "mass_death": (0.125, 0.5),
}
"""The values that are tried in place of the findings' thresholds, by name; the plan names none. Twenty seeds without a death show that a
share is below 0.17 and no less."""

RULES = {
    "mass_death": ("F1a", "F1c", "F2a", "F2b", "F2c", "F3a", "F3c", "F7a"),
    "sgd_constant": ("F7a",),
    **dict.fromkeys(("octaves", "rate_alone_part", "span", "observed_onsets"), ("F2a", "F2b")),
    "damaged": ("F4b", "F4c", "F4d"),
    "some_deaths": ("F3b", "F5a", "F5b"),
}
"""The findings whose verdict a threshold has a part in, where that is not only the one that it is declared for."""

EXAMPLES = (10, 30, 100, 300, 1000)


def verdicts(study: StudyResults) -> pd.DataFrame:
    """The verdict on each claim by each definition of death and of a network that trained, all by the same rules.

    Returns:
        Rows ``DEFINITIONS``, columns ``CLAIMS``; ``NOT_COMPUTED`` where there is nothing to settle a claim by.
    """
    rules = [claim for claim in ordered() if claim.id in CLAIMS]
    rows = {}
    for name, (definition, finite_is_trained) in DEFINITIONS.items():
        # A definition's units are a gigabyte or two, and nothing else asks for them.
        evidence = Evidence(study.apart(), definition, finite_is_trained=finite_is_trained)
        rows[name] = {claim.id: _computed(claim.finding(evidence)) for claim in rules}
    return pd.DataFrame.from_dict(rows, orient="index")


def _computed(finding: Finding) -> str:
    """The verdict, or that there is nothing that it could be computed from."""
    empty = not any(judged.interval.n for judged in finding.cells)
    return NOT_COMPUTED if empty and finding.verdict == NOT_SETTLED else finding.verdict


def moved() -> dict[str, Alternatives]:
    """The alternatives of every threshold of a claim or a finding that is tried, by its name."""
    thresholds = declared()
    return alternatives() | {
        name: thresholds[name]._replace(values=values, claims=RULES.get(name, thresholds[name].claims))
        for name, values in OF_FINDINGS.items()
    }


def other_thresholds(study: StudyResults) -> pd.DataFrame:
    """The verdict on each claim and finding with each of its thresholds moved, one at a time.

    Returns:
        A row a threshold, value and claim: ``threshold`` (in words), ``paper`` and ``value``, the paper's value and the one instead of
        it, ``claim``, ``by_paper`` and ``verdict``, the verdicts by either, and ``changed``, whether they differ.
    """
    evidence = Evidence(study)
    rules = {rule.id: rule for rule in [*ordered(), *ordered_findings()]}
    papers = {
        claim: rules[claim].finding(evidence).verdict
        for claim in dict.fromkeys(claim for threshold in moved().values() for claim in threshold.claims)
    }
    rows = []
    for name, (words, values, claims) in moved().items():
        for value in values:
            judged = evidence.judged_by(evidence.thresholds.replace(**{name: value}))
            verdicts = {claim: rules[claim].finding(judged).verdict for claim in claims}
            rows += [
                (words, getattr(PAPER, name), value, claim, papers[claim], verdict, verdict != papers[claim])
                for claim, verdict in verdicts.items()
            ]
    return pd.DataFrame(
        rows, columns=["threshold", "paper", "value", "claim", "by_paper", "verdict", "changed"]
    )


def revived_by_number_of_examples(since: pd.DataFrame, probe_set: int) -> pd.Series:
    """The share alive at the next checkpoint, for each n, of the units expected to be dead on n random examples.

    Of the N examples a unit was active on a, and k of the others woke it. It is dead on n examples if none of them is one of the a,
    and stays so if none is one of the a + k.

    Args:
        since: a row a unit of a linear layer and interval between checkpoints, with the columns active_share and woken_examples_next
            of :func:`~dying_relu.analysis.inference.attribution.attributed`.
        probe_set: N, its examples.

    Returns:
        Index n, values shares in [0, 1], a row each n that is not larger than N; NaN where no unit is dead.
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
        Index n, values shares in [0, 1], a row each n that is not larger than N.

    >>> dead_by_number_of_examples(pd.Series([0.0, 0.5]), 100).round(3).to_dict()
    {10: 0.5, 30: 0.5, 100: 0.5}
    """
    active = np.rint(active_share * probe_set).to_numpy()
    sizes = [n for n in EXAMPLES if n <= probe_set]
    # There are far fewer counts than units.
    counts, places = np.unique(active, return_inverse=True)
    drawn = np.arange(max(sizes, default=0))
    # Of the examples that are left at each draw, the share on which the unit is not active.
    left = (probe_set - counts[:, None] - drawn).clip(min=0) / (probe_set - drawn)
    inactive = np.cumprod(left, axis=1)
    return pd.Series({n: float(inactive[places, n - 1].mean()) for n in sizes})
