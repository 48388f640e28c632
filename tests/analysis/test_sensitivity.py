"""Other definitions of death, and fewer examples."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_study import evidence
from small_evidence import SmallEvidence

from dying_relu.analysis import claims, sensitivity
from dying_relu.analysis.claims.evidence import Evidence, measured
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.analysis.thresholds import PAPER, declared


def test_the_first_row_is_the_plans_and_every_cell_a_verdict() -> None:
    study = evidence().study
    table = sensitivity.verdicts(study)
    settled = settled_by(evidence()).set_index("claim")["verdict"]
    assert table.iloc[0].to_dict() == settled[list(sensitivity.CLAIMS)].to_dict()
    assert set(table.to_numpy().flat) <= {*claims.VERDICTS, sensitivity.NOT_COMPUTED}
    assert (table.loc["0.1-dormant", ["C2", "C3", "C4", "C9"]] == sensitivity.NOT_COMPUTED).all()
    assert (table.loc["inactive", ["C3", "C4", "C6", "C9"]] == claims.HOLDS).all()


def test_networks_that_collapsed_count_if_every_finite_one_does() -> None:
    """All collapsed: by the plan there is nothing to judge, by the first study's definition everything is as it was."""
    study = evidence(runs=lambda runs: runs.assign(outcome="collapsed")).study
    table = sensitivity.verdicts(study)
    assert table.loc["dead, all training examples", "C3"] == sensitivity.NOT_COMPUTED
    assert table.loc["the same, every finite network", "C3"] == claims.HOLDS


def test_thresholds_move_verdicts() -> None:
    """Of the worst setting 40 % of the units die: more than an eighth and a quarter, less than a half."""
    moved = sensitivity.moved()
    table = sensitivity.other_thresholds(evidence().study)
    assert len(table) == 2 * sum(len(threshold.claims) for threshold in moved.values())
    assert set(table["verdict"]) <= set(claims.VERDICTS)
    assert 0 < table["changed"].sum() < len(table)


def test_a_verdict_by_another_threshold_does_not_depend_on_what_was_measured_before() -> None:
    """What the rules share is measured once; by itself, each gives the same."""
    table = sensitivity.other_thresholds(evidence().study)
    rules = {rule.id: rule for rule in [*claims.ordered(), *claims.ordered_findings()]}
    names = {threshold.words: name for name, threshold in sensitivity.moved().items()}
    for row in table.to_dict("records"):
        thresholds = PAPER.replace(**{names[row["threshold"]]: row["value"]})
        alone = rules[row["claim"]].finding(evidence().judged_by(thresholds))
        assert alone.verdict == row["verdict"]


def test_thresholds_are_moved_to_either_side_and_none_is_left_out() -> None:
    assert set(sensitivity.moved()) == set(declared())
    known = {rule.id for rule in [*claims.ordered(), *claims.ordered_findings()]}
    for name, (_, (low, high), ids) in sensitivity.moved().items():
        assert low < getattr(PAPER, name) < high
        assert set(declared()[name].claims) & set(ids) or name == "sgd_constant"
        assert set(ids) <= known


def test_what_is_measured_for_all_thresholds_may_not_ask_for_one() -> None:
    @measured
    def careless(evidence: Evidence) -> float:
        return evidence.thresholds.matters

    with pytest.raises(LookupError, match="must not depend on one"):
        careless(SmallEvidence())


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=10),
    st.integers(0, 2**32 - 1),
)
def test_revivals_on_fewer_examples_are_those_of_random_subsets(
    counts: list[tuple[int, int]], seed: int
) -> None:
    """Against counting: on all examples the units that are dead revive if any example woke them."""
    active = np.array([a for a, _ in counts])
    woken = np.minimum(np.array([k for _, k in counts]), 40 - active)
    asleep = 40 - active
    since = pd.DataFrame(
        {
            "active_share": active / 40,
            "woken_examples_next": np.where(asleep > 0, woken / np.maximum(asleep, 1), np.nan),
        }
    )
    found = sensitivity.revived_by_number_of_examples(since, 40)
    assert list(found.index) == [10, 30]
    random = np.random.default_rng(seed)
    dead = revived = 0
    for _ in range(300):
        shown = random.permutation(40)[:10]
        dead_now = (shown[:, None] >= active).all(0)
        awake_next = ((shown[:, None] >= active) & (shown[:, None] < active + woken)).any(0)
        dead, revived = dead + dead_now.sum(), revived + (dead_now & awake_next).sum()
    if dead > 200:
        assert abs(found[10] - revived / dead) < 0.2
    assert found.dropna().between(-1e-9, 1 + 1e-9).all()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_fewer_examples_never_show_fewer_dead_units_and_all_show_the_truth(active: list[int]) -> None:
    share = pd.Series(np.array(active) / 1000)
    looks_dead = sensitivity.dead_by_number_of_examples(share, 1000)
    assert list(looks_dead.index) == list(sensitivity.EXAMPLES)
    assert (looks_dead.diff().dropna() <= 1e-12).all()
    assert abs(looks_dead[1000] - (share == 0).mean()) < 1e-12
