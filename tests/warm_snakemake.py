"""Snakemake in a process that has imported it already: a dry run then takes as long as its planning, not a second more."""

import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
# Nothing of the project: each run imports that of its own folder.
CONTEXT.set_forkserver_preload(["snakemake.cli", "snakemake.workflow", "pandas", "pydantic", "rich.console"])


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
