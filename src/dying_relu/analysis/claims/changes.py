"""The change of the dead fraction from one end of a factor to the other."""

import pandas as pd


def change(runs: pd.DataFrame, extremes: pd.DataFrame, factor: str) -> pd.DataFrame:
    """Dead fraction at ``extremes.max`` minus that at ``extremes.min`` of ``factor``, paired by replicate.

    ``extremes`` has the columns stratum, min and max.
    """
    tested = runs.merge(extremes[extremes["min"] < extremes["max"]], on="stratum")
    ends = {
        end: tested[tested[factor] == tested[end]].groupby(["stratum", "replicate"])["dead_fraction"].mean()
        for end in ("min", "max")
    }
    return (ends["max"] - ends["min"]).rename("value").dropna().reset_index()
