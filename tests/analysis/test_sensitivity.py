"""Other definitions of death, and fewer examples."""

from pathlib import Path

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.analysis import claims, sensitivity


def test_the_first_row_is_the_papers_and_every_cell_a_verdict(small_study: Path) -> None:
    table = sensitivity.verdicts(small_study)
    settled = claims.settle(small_study).set_index("claim")["verdict"]
    assert table.iloc[0].to_dict() == settled[list(sensitivity.CLAIMS)].to_dict()
    assert set(table.to_numpy().flat) <= set(claims.VERDICTS)
    assert (table.loc["0.1-dormant", ["C2", "C3", "C4"]] == claims.NOT_ENOUGH_DATA).all()
    assert (table.loc["inactive"] == table.iloc[0]).all()
    assert table.loc["0.1-dormant", "C5"] == settled["C5"]


def test_thresholds_move_verdicts_and_come_back(small_study: Path) -> None:
    """In the synthetic study's worst settings, a share of the units dies that lies between an eighth and all of them."""
    papers = {
        (threshold.module, threshold.name): getattr(threshold.module, threshold.name)
        for threshold in sensitivity.THRESHOLDS
    }
    table = sensitivity.other_thresholds(small_study)
    assert len(table) == 2 * sum(len(threshold.claims) for threshold in sensitivity.THRESHOLDS)
    assert set(table["verdict"]) <= set(claims.VERDICTS)
    assert 0 < table["changed"].sum() < len(table)
    assert all(getattr(*place) == value for place, value in papers.items())
    for threshold in sensitivity.THRESHOLDS:
        low, high = threshold.instead
        assert low < papers[threshold.module, threshold.name] < high


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
