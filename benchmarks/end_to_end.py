"""A whole study through the project's workflow, beside one job per network measured on a sample of jobs.

Only our side measures dead units at its checkpoints, aggregates and has Snakemake's own time counted; a job of one network only
trains. So the ratio errs on the side of the usual way.
"""

import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import machine, studies
from benchmarks.cases import CASES
from benchmarks.jobs import Jobs
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.plan import study
from dying_relu.results import store

log = logging.getLogger(__name__)

RATES, BIASES, ACTIVATIONS = 10, 5, ("relu", "leaky_relu")
POINTS = RATES * BIASES * len(ACTIVATIONS)
EPOCHS = 3


def run(
    out: Path,
    networks: int = 200,
    sample: int = 8,
    case: str = "mlp-sgd-relu",
    samples_per_network: int = 30_000,
) -> pd.DataFrame:
    """Train ``networks`` networks both ways, and write ``end_to_end.csv`` to the folder ``out``.

    Args:
        out: folder to write to.
        networks: in the study, a multiple of 100.
        sample: jobs of one network that are really run.
        case: name of a case with plain SGD and ReLU; in the study, half of the networks are leaky.
        samples_per_network: training samples of each network.
    """
    replicates, rest = divmod(networks, POINTS)
    if rest or not replicates:
        raise DyingReluError(
            "wrong number of networks", found=str(networks), expected=f"a multiple of {POINTS}"
        )
    cores = machine.cores()
    setting = CASES[case].setting
    with tempfile.TemporaryDirectory(prefix="end-to-end-") as folder:
        studies.make_images(setting.dataset, Path(folder))
        architectures: dict[str, Any] = {
            setting.architecture.kind: setting.architecture.model_dump(mode="json")
        }
        datasets = {setting.dataset: samples_per_network // EPOCHS}
        configuration = studies.grid(
            "end_to_end", architectures, datasets, (RATES, BIASES), replicates, ACTIVATIONS
        )
        path = studies.write(configuration, Path(folder))
        started = time.perf_counter()
        studies.train(path, cores)
        stacked_seconds = time.perf_counter() - started
        trained = len(store.read("runs", Path(folder) / "results/end_to_end/runs.parquet"))
        assert trained == networks == len(study.load(path).runs)
    log.info("%d networks through the workflow: %.1f s", networks, stacked_seconds)
    with Jobs(samples_per_network) as jobs:
        seconds_per_job = jobs.run(CASES[case], sample, cores).seconds_per_job
    log.info("a job of one network: %.1f s, mean of %d", seconds_per_job, sample)
    jobs_seconds = seconds_per_job * networks / cores
    row = {
        "case": case,
        "networks": networks,
        "samples_per_network": samples_per_network,
        "cores": cores,
        "workflow_seconds": stacked_seconds,
        "sample_of_jobs": sample,
        "seconds_per_job": seconds_per_job,
        "jobs_seconds_extrapolated": jobs_seconds,
        "ratio": jobs_seconds / stacked_seconds,
    }
    table = pd.DataFrame([row])
    with atomic_path(out / "end_to_end.csv") as beside:
        table.to_csv(beside, index=False)
    return table


def summary(table: pd.DataFrame) -> str:
    """The result in a sentence."""
    row = table.iloc[0]
    return (
        f"{row['networks']:,} networks, start to end: {row['workflow_seconds']:.0f} s; with a job for each "
        f"{row['jobs_seconds_extrapolated']:.0f} s: {row['ratio']:.1f} times as long."
    )
