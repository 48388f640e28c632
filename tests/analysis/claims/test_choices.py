"""Choices on selection seeds."""

import pandas as pd

from dying_relu.analysis.claims.choices import best


def test_the_best_is_the_best_on_average_in_each_setting() -> None:
    runs = pd.DataFrame(
        {
            "place": ["x"] * 4 + ["y"] * 4,
            "rate": [0.1, 0.1, 0.3, 0.3] * 2,
            "score": [0.9, 0.1, 0.6, 0.6, 0.7, 0.7, 0.6, None],
        }
    )
    assert best(runs, ["place"], ["rate"]).set_index("place")["rate"].to_dict() == {"x": 0.3, "y": 0.1}
