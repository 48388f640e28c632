"""The table of the comparison: its columns, and how it follows from the measurements."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pandera.pandas as pa

from benchmarks.contestants import EARLIER, GEMM, JOBS, Contestant
from benchmarks.methods import METHODS
from benchmarks.methods.base import PRECISIONS
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

CONTESTANT = ["case", "method", "stack", "precision", "processes", "threads", "device"]
"""The columns that say who was measured."""

TOGETHER = ["round", "block", "device"]
"""The columns that say what was measured side by side."""


def _ratio() -> pa.Column:
    return pa.Column(float, pa.Check.gt(0), nullable=True)


def _count() -> pa.Column:
    return pa.Column("int64", pa.Check.ge(1))


def _rate() -> pa.Column:
    return pa.Column(float, pa.Check.gt(0))


def _is_method(names: pd.Series) -> pd.Series:
    return names.isin([GEMM, JOBS, *METHODS]) | names.str.startswith(EARLIER)


ENGINE = pa.DataFrameSchema(
    {
        "case": pa.Column(str),
        "method": pa.Column(str, pa.Check(_is_method, error="a method")),
        "stack": _count(),
        "precision": pa.Column(str, pa.Check.isin(PRECISIONS)),
        "processes": _count(),
        "threads": _count(),
        "samples_per_s": _rate(),
        "gflops": _rate(),
        "share_of_peak": _ratio(),
        "ratio_to_usual": _ratio(),
        "ratio_to_torch_func": _ratio(),
        "ratio_to_earlier": _ratio(),
        "samples_per_network": pa.Column("Int64", pa.Check.ge(1), nullable=True),
        "networks_per_s": _ratio(),
        "device": pa.Column(str, pa.Check.isin(["cpu", "cuda"])),
        "chosen": pa.Column(bool),
        "rounds": _count(),
        "slowest_samples_per_s": _rate(),
        "fastest_samples_per_s": _rate(),
    },
    unique=CONTESTANT,
    strict=True,
    coerce=True,
    ordered=True,
    # Tables up to commit 164eb25 lack the last ratio and what concerns whole networks; these are missing values then.
    add_missing_columns=True,
    name="engine",
)

NOT_RUN = pa.DataFrameSchema(
    {
        "case": pa.Column(str),
        "method": pa.Column(str),
        "stack": _count(),
        "precision": pa.Column(str),
        "device": pa.Column(str),
        "reason": pa.Column(str),
    },
    strict=True,
    coerce=True,
    ordered=True,
    name="engine_not_run",
)


def row(number: int, block: str, contestant: Contestant, samples_per_s: float) -> dict[str, object]:
    """One measurement: of ``contestant``, in round ``number``, together with the others of ``block``."""
    return {
        "round": number,
        "block": block,
        "case": contestant.case.name,
        "method": contestant.method,
        "stack": contestant.stack,
        "precision": contestant.precision,
        "processes": contestant.layout.processes,
        "threads": contestant.layout.threads,
        "device": contestant.device,
        "chosen": contestant.chosen,
        "samples_per_s": samples_per_s,
        "samples_per_network": contestant.case.samples_per_network,
        "gflops": samples_per_s * contestant.case.flops_per_sample / 1e9,
    }


def summary(measured: pd.DataFrame) -> pd.DataFrame:
    """The table ``ENGINE`` of measurements (rows as of :func:`row`): medians over the rounds.

    A share of the peak is relative to the fastest product of matrices of the same precision. Ratios are relative to the
    usual way in float32 with one process per core, to torch.func in float32 at the stack that suits it best, and to our
    engine as another source tree has it, if that was measured.
    """
    trains = measured["method"] != GEMM
    peak = measured[~trains].groupby([*TOGETHER, "precision"])["gflops"].max()
    usual = measured[(measured["method"] == "usual") & (measured["precision"] == "float32")]
    usual = usual[usual["processes"] == usual.groupby(TOGETHER)["processes"].transform("max")]
    torch_func = measured[(measured["method"] == "torch_func") & (measured["precision"] == "float32")]
    torch_func = torch_func[torch_func["stack"] == _best_stack(torch_func)]
    earlier = measured[measured["method"].str.startswith(EARLIER)]
    compared = measured.assign(
        share_of_peak=measured["gflops"] / _beside(measured, peak),
        ratio_to_usual=_relative_to(usual, measured).where(trains),
        ratio_to_torch_func=_relative_to(torch_func, measured).where(trains),
        ratio_to_earlier=_relative_to(earlier, measured).where(trains),
        networks_per_s=measured["samples_per_s"] / measured["samples_per_network"].astype(float),
    )
    table = compared.groupby(CONTESTANT, sort=False).agg(
        samples_per_s=("samples_per_s", "median"),
        gflops=("gflops", "median"),
        share_of_peak=("share_of_peak", "median"),
        ratio_to_usual=("ratio_to_usual", "median"),
        ratio_to_torch_func=("ratio_to_torch_func", "median"),
        ratio_to_earlier=("ratio_to_earlier", "median"),
        samples_per_network=("samples_per_network", "first"),
        networks_per_s=("networks_per_s", "median"),
        chosen=("chosen", "first"),
        rounds=("round", "nunique"),
        slowest_samples_per_s=("samples_per_s", "min"),
        fastest_samples_per_s=("samples_per_s", "max"),
    )
    return ENGINE.validate(table.reset_index()[list(ENGINE.columns)])


def write(table: pd.DataFrame, path: Path) -> None:
    """Check the table and write it as CSV, atomically."""
    with atomic_path(path) as beside:
        ENGINE.validate(table).to_csv(beside, index=False)


def read(path: Path) -> pd.DataFrame:
    """The table stored at ``path``, checked."""
    if not path.is_file():
        raise DyingReluError(f"no table at {path}", remedy="`python -m benchmarks engine` makes it")
    return ENGINE.validate(pd.read_csv(path))


def not_run(reasons: Mapping[Contestant, str]) -> pd.DataFrame:
    """The table ``NOT_RUN``: a row for each contestant that this machine could not run, with the reason."""
    rows = [
        (one.case.name, one.method, one.stack, one.precision, one.device, reason)
        for one, reason in reasons.items()
    ]
    return NOT_RUN.validate(pd.DataFrame(rows, columns=list(NOT_RUN.columns)))


def write_not_run(table: pd.DataFrame, path: Path) -> None:
    """Check the table and write it as CSV, atomically; it is written when it is empty, too."""
    with atomic_path(path) as beside:
        NOT_RUN.validate(table).to_csv(beside, index=False)


def best(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of the stack size that suits each method best; the other columns of ``CONTESTANT`` stay apart."""
    apart = [column for column in CONTESTANT if column != "stack"]
    return table.loc[table.groupby(apart, sort=False)["samples_per_s"].idxmax()]


def _best_stack(measured: pd.DataFrame) -> pd.Series:
    """For each row the stack of the same block and device with the highest median rate over the rounds."""
    by_stack = measured.groupby(["block", "device", "stack"])["samples_per_s"].median()
    chosen = by_stack.groupby(["block", "device"]).idxmax().str[-1].rename("best")
    return measured.join(chosen, on=["block", "device"])["best"]


def _relative_to(reference: pd.DataFrame, measured: pd.DataFrame) -> pd.Series:
    return measured["samples_per_s"] / _beside(measured, reference.set_index(TOGETHER)["samples_per_s"])


def _beside(measured: pd.DataFrame, values: pd.Series) -> pd.Series:
    """For each row the value of ``values`` that was measured together with it."""
    keys = [str(key) for key in values.index.names]
    return measured.join(values.rename("value"), on=keys)["value"]
