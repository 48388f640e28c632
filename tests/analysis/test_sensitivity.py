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
    assert (table.loc["0.1-dormant", ["C3", "C4"]] == claims.NOT_ENOUGH_DATA).all()


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20))
def test_fewer_examples_never_show_fewer_dead_units_and_all_show_the_truth(active: list[int]) -> None:
    share = pd.Series(np.array(active) / 1000)
    looks_dead = sensitivity.dead_by_number_of_examples(share, 1000)
    assert list(looks_dead.index) == list(sensitivity.EXAMPLES)
    assert (looks_dead.diff().dropna() <= 1e-12).all()
    assert abs(looks_dead[1000] - (share == 0).mean()) < 1e-12
