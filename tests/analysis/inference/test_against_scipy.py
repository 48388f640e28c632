"""What is computed here for speed, against scipy."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dying_relu.analysis.inference.correlation import rank_correlation
from dying_relu.analysis.inference.survival import still_dead

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS), min_size=3, max_size=20).filter(
        lambda pairs: all(len(set(side)) > 1 for side in zip(*pairs, strict=True))
    )
)
def test_a_rank_correlation_is_spearmans(pairs: list[tuple[float, float]]) -> None:
    one, other = (pd.Series(side) for side in zip(*pairs, strict=True))
    assert rank_correlation(one, other) == stats.spearmanr(one, other).statistic


@given(st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=30))
def test_the_share_that_lasts_is_kaplan_and_meiers(spells: list[tuple[int, bool]]) -> None:
    table = pd.DataFrame(spells, columns=["duration", "revived"]).astype({"duration": float})
    ended, lasting = (table.loc[table["revived"] == revived, "duration"] for revived in (True, False))
    steps = np.arange(0, 22)
    curve = stats.ecdf(stats.CensoredData(uncensored=ended.to_numpy(), right=lasting.to_numpy())).sf
    assert still_dead(table, steps).tolist() == pytest.approx(np.asarray(curve.evaluate(steps)), abs=1e-15)
