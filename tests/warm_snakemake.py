"""Snakemake in a process that has imported it already: what it refuses or plans then takes as long as that, not seconds more."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
# Nothing of the project: each run imports that of its own folder. Plugins and what these and the project's rules import are here, too.
CONTEXT.set_forkserver_preload(
    [
        *("snakemake.cli", "snakemake.workflow", "snakemake.report.html_reporter"),
        *("snakemake_executor_plugin_slurm", "snakemake_storage_plugin_s3", "boto3", "smart_open"),
        *(
            "pandas",
            "pydantic",
            "rich.console",
            "rich.progress",
            "ruamel.yaml",
            "docutils.core",
            "jinja2",
            "yte",
        ),
    ]
)


def run(
    arguments: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run ``snakemake`` with arguments in a folder and an environment, as its command does."""
    with tempfile.TemporaryDirectory() as scratch:
        process = CONTEXT.Process(target=_main, args=(arguments, folder, dict(environment), scratch))
        process.start()
        process.join()
        streams = [(Path(scratch) / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
    return subprocess.CompletedProcess(["snakemake", *arguments], process.exitcode or 0, *streams)


def _main(arguments: list[str], folder: Path, environment: dict[str, str], scratch: str) -> None:
    for stream in (sys.stdout, sys.stderr):
        name = Path(scratch) / ("stdout" if stream is sys.stdout else "stderr")
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT), stream.fileno())
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = environment["PYTHONPATH"].split(os.pathsep)
    sys.argv = ["snakemake", *arguments]
    from snakemake.cli import main

    main()
