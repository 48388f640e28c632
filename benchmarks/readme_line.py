"""The README's sentence on speed, made of the tables."""

import json
from pathlib import Path

import pandas as pd

from benchmarks.side_by_side import side_by_side
from benchmarks.tables import read
from dying_relu.analysis import latex
from dying_relu.errors import DyingReluError

CASES = {"mlp-sgd-relu": "small MLPs", "cnn-sgd-relu": "CNNs"}


def readme_line(folder: Path) -> str:
    """How fast our engine is, in a sentence, from the files that the benchmarks wrote to ``folder``.

    Raises:
        DyingReluError: the tables lack a case that the sentence names.
    """
    table = side_by_side(read(folder / "engine.csv"))
    table = table[(table["precision"] == "float32") & (table["device"] == "cpu")]
    machine = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    rows = table.set_index("case")
    if missing := set(CASES) - set(rows.index):
        raise DyingReluError(
            f"{folder / 'engine.csv'} lacks cases",
            found=", ".join(rows.index),
            expected=", ".join(sorted(missing)),
            remedy="run `python -m benchmarks engine` without --quick",
        )
    parts = [_of_case(words, rows.loc[[case]].iloc[0]) for case, words in CASES.items()]
    sentence = (
        f"On {latex.word(machine['cores'])} cores ({machine['cpu']}) it trains {' and '.join(parts)} "
        "as fast as the usual loop in one process per core"
    )
    if table["of_study"].any():
        sentence += f", the default study's own {_of_study(table[table['of_study']])}"
    if rows.loc[list(CASES), "jax"].notna().all():
        sentence += f"; JAX trains {' and '.join(_of_jax(words, rows.loc[[case]].iloc[0]) for case, words in CASES.items())} as fast as it"
    ends = folder / "end_to_end.csv"
    if ends.is_file():
        whole = pd.read_csv(ends).iloc[0]
        sentence += (
            f"; a study of {whole['networks']:,} networks, start to end, {whole['ratio']:.0f} times as fast as with a "
            "Snakemake job for each"
        )
    return sentence.replace("%", " %")


def _of_case(words: str, ours: pd.Series) -> str:
    return f"{words} {ours['ratio_to_usual']:.1f} times ({ours['share_of_peak']:.0%} of the rate of PyTorch's large products)"


def _of_jax(words: str, row: pd.Series) -> str:
    return f"{words} {row['jax'] / row['ours']:.1f} times"


def _of_study(rows: pd.DataFrame) -> str:
    """Ranges over the study's MLPs and CNNs."""
    parts = []
    for kind, alike in rows.groupby(rows["case"].str.partition("_")[0], sort=False):
        ratios, shares, speeds = alike["ratio_to_usual"], alike["share_of_peak"], alike["networks_per_s"]
        samples = _range(alike["samples_per_network"], ",")
        parts.append(
            f"{latex.name(str(kind))}s {_range(ratios, '.1f')} times ({_range(shares, '.0%')} of that rate, "
            f"{_range(speeds, ',.0f')} networks of {samples} samples per second)"
        )
    return " and ".join(parts)


def _range(values: pd.Series, form: str) -> str:
    ends = list(dict.fromkeys(format(value, form) for value in (values.min(), values.max())))
    return " to ".join(ends)
