"""The comparison at a glance: a row a case, the methods side by side."""

import pandas as pd

from benchmarks.contestants import EARLIER, JOBS, OURS
from benchmarks.settings import is_of_study, title
from benchmarks.tables import best

RATES = ["jobs", "usual_all_cores", "usual", "torch_func", "torch_func_compiled", "jax", "earlier", "ours"]
"""Columns with samples per second."""


def side_by_side(engine: pd.DataFrame) -> pd.DataFrame:
    """The comparison with a row for each case, device and precision of our engine.

    The others stand at the stack that suits each best, and in float32, in which people use them; ours at the stack that it
    chooses, which on a GPU is the largest.

    Args:
        engine: as ``tables.ENGINE``.

    Returns:
        ``name`` (in words), ``case``, ``precision``, ``device``, ``of_study``, ``RATES``, ``stack``; of ours ``share_of_peak``,
        the ratios, ``samples_per_network`` and ``networks_per_s``. The rate of a method that was not measured is missing.
    """
    rows = best(engine)
    ours = engine[(engine["method"] == OURS) & (engine["chosen"] | (engine["device"] == "cuda"))]
    ours = ours.loc[ours.groupby(["case", "precision", "device"], sort=False)["stack"].idxmax()]
    return pd.DataFrame([_row(row, rows) for _, row in ours.iterrows()])


def text(table: pd.DataFrame) -> str:
    """What :func:`side_by_side` returns for a terminal: thousands of samples per second, then what concerns our engine."""
    shown = pd.DataFrame(
        {
            "networks": table["name"],
            **{method: table[method] / 1000 for method in RATES if table[method].notna().any()},
            "stack": table["stack"],
            "of the peak": table["share_of_peak"],
            "x usual": table["ratio_to_usual"],
            "x torch.func": table["ratio_to_torch_func"],
        }
    )
    if table["ratio_to_earlier"].notna().any():
        shown["x earlier"] = table["ratio_to_earlier"]
    shown["networks/s"] = table["networks_per_s"]
    shown["of samples"] = table["samples_per_network"]
    return shown.to_string(index=False, float_format="{:.3g}".format, na_rep="-")


def _name(ours: pd.Series) -> str:
    words = [title(ours["case"])]
    words += [ours["precision"]] if ours["precision"] != "float32" else []
    words += ["GPU"] if ours["device"] == "cuda" else []
    return ", ".join(words)


def _row(ours: pd.Series, rows: pd.DataFrame) -> dict[str, object]:
    alike = (rows["case"] == ours["case"]) & (rows["device"] == ours["device"])
    others = rows[alike & (rows["precision"] == "float32")].sort_values("processes")

    def rate(methods: pd.Series, place: int = -1) -> float:
        rates = others.loc[methods, "samples_per_s"]
        return float(rates.iloc[place]) if len(rates) else float("nan")

    method = others["method"]
    return {
        "name": _name(ours),
        "case": ours["case"],
        "precision": ours["precision"],
        "device": ours["device"],
        "of_study": is_of_study(ours["case"]),
        "jobs": rate(method == JOBS),
        "usual_all_cores": rate(method == "usual", place=0),
        "usual": rate(method == "usual"),
        "torch_func": rate(method == "torch_func"),
        "torch_func_compiled": rate(method == "torch_func_compiled"),
        "jax": rate(method == "jax"),
        "earlier": rate(method.str.startswith(EARLIER)),
        "ours": ours["samples_per_s"],
        "stack": ours["stack"],
        "share_of_peak": ours["share_of_peak"],
        "ratio_to_usual": ours["ratio_to_usual"],
        "ratio_to_torch_func": ours["ratio_to_torch_func"],
        "ratio_to_earlier": ours["ratio_to_earlier"],
        "samples_per_network": ours["samples_per_network"],
        "networks_per_s": ours["networks_per_s"],
    }
