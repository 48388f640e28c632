"""The change of the dead fraction from one end of a factor to the other."""

import pandas as pd


def change(runs: pd.DataFrame, extremes: pd.DataFrame, factor: str) -> pd.DataFrame:
    """The change of the dead fraction from the smallest to the largest level of a factor, paired by replicate.

    Args:
        runs: a row a run, with the columns stratum, replicate, dead_fraction and ``factor``.
        extremes: a row a stratum, with the columns stratum, min and max: the levels to compare. Strata of a single level are left out.
        factor: the column whose levels are compared.

    Returns:
        A row a stratum and replicate, with the columns stratum, replicate and value: the mean dead fraction at max minus that at min.
    """
    tested = runs.merge(extremes[extremes["min"] < extremes["max"]], on="stratum")
    ends = {
        end: tested[tested[factor] == tested[end]].groupby(["stratum", "replicate"])["dead_fraction"].mean()
        for end in ("min", "max")
    }
    return (ends["max"] - ends["min"]).rename("value").dropna().reset_index()
