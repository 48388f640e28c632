"""Seeds that choose and seeds that are reported."""

import pandas as pd
import pytest

from dying_relu.analysis.inference.selection import reported, split


@pytest.mark.parametrize(
    ("seeds", "choosing"), [(24, [20, 21, 22, 23]), (21, [20]), (12, [10, 11]), (6, [5]), (2, [1])]
)
def test_the_last_seeds_choose(seeds: int, choosing: list[int]) -> None:
    runs = pd.DataFrame({"replicate": [*range(seeds)] * 2})
    found = split(runs)
    assert sorted(found.selection["replicate"].unique()) == choosing
    assert len(found.selection) + len(found.reporting) == len(runs)
    assert not set(found.selection["replicate"]) & set(found.reporting["replicate"])


def test_where_nothing_is_chosen_only_further_seeds_are_left_out() -> None:
    assert sorted(reported(pd.DataFrame({"replicate": range(24)}))["replicate"]) == list(range(20))
    assert len(reported(pd.DataFrame({"replicate": range(6)}))) == 6
