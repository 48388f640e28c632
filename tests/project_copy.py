"""A copy of the project in a folder of its own, and Snakemake run in it."""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import warm_snakemake

ENVIRONMENT = Path(sys.executable).parent
ROOT = Path(__file__).parents[1]
COPIED = (
    "CITATION.cff",
    "LICENSE",
    "Snakefile",
    "benchmarks",
    "codemeta.json",
    "config",
    "paper",
    "profiles",
    "results/published/performance",
    "src",
    "workflow",
)

PRETENCE = """#!/bin/sh
# Makes those of the workflow's outputs that stand directly in the folder, or are the file, after --out.
while [ $# -gt 0 ]; do
    if [ "$1" = --out ]; then
        while read -r output; do
            case "$output" in
                "$2"/*/*) ;;
                "$2" | "$2"/* | "${2%.*}".*) mkdir -p "$(dirname "$output")" && touch "$output" ;;
            esac
        done < outputs
    fi
    shift
done
"""


class Job(NamedTuple):
    """A job that Snakemake would run."""

    rule: str
    shard: str = ""


class Project:
    """A copy of what the workflow is made of; ``data`` is shared with the original."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for name in COPIED:
            source = ROOT / name
            ignored = shutil.ignore_patterns("generated", "__pycache__", "*.egg-info")
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=ignored)
            else:
                shutil.copy2(source, folder / name)

    def link_data(self, datasets: str = "*") -> None:
        """Give the copy the data sets that the original has already, so that they are not fetched again."""
        (self.folder / "data").mkdir()
        for path in (ROOT / "data").glob(f"{datasets}.safetensors*"):
            os.link(path.resolve(), self.folder / "data" / path.name)

    def edit(self, name: str, found: str, instead: str) -> None:
        """Replace the first ``found`` in a file."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert found in text, f"{found!r} is not in {name}"
        path.write_text(text.replace(found, instead, 1), encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Add ``text`` at the end of a file."""
        with (self.folder / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def run(self, *command: str, programs: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of this environment in the copy, with the copy's code; ``programs`` go first."""
        return subprocess.run(
            [str(ENVIRONMENT / command[0]), *command[1:]],
            cwd=self.folder,
            env=self._environment(programs),
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *command: str, **variables: str) -> subprocess.Popen[str]:
        """Start a command as :meth:`run` does, in a process group of its own, with more environment variables."""
        return subprocess.Popen(
            [str(ENVIRONMENT / command[0]), *command[1:]],
            cwd=self.folder,
            env=self._environment() | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _environment(self, programs: Path | None = None) -> dict[str, str]:
        path = [str(folder) for folder in (programs, ENVIRONMENT) if folder]
        return os.environ | {
            "PYTHONPATH": os.pathsep.join(str(self.folder / code) for code in ("src", "workflow/logger")),
            "PATH": os.pathsep.join([*path, os.environ["PATH"]]),
        }

    def snakemake(
        self, *arguments: str, study: str = "config/smoke.yaml", programs: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake for a study."""
        return self.run("snakemake", *arguments, "--cores", "2", "--configfile", study, programs=programs)

    def warm_snakemake(
        self, *arguments: str, study: str = "config/smoke.yaml", programs: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake for a study as :meth:`snakemake` does, but in a process that has imported it: to plan, to refuse, to pretend."""
        arguments = (*arguments, "--cores", "2", "--configfile", study)
        return warm_snakemake.run(list(arguments), self.folder, self._environment(programs))

    def would_run(self, *targets: str, study: str = "config/smoke.yaml") -> Counter[Job]:
        """The jobs of a dry run, without the target rules."""
        done = self.warm_snakemake(*targets, "--dry-run", study=study)
        assert done.returncode == 0, done.stderr
        jobs = Counter(_jobs(done.stdout + done.stderr))
        assert jobs or "Nothing to be done" in done.stdout + done.stderr
        return jobs

    def run_in_pretence(self, study: str = "config/smoke.yaml") -> None:
        """Run the whole workflow with a command `dying-relu` that makes empty files."""
        planned = self.warm_snakemake("--dry-run", study=study)
        assert planned.returncode == 0, planned.stderr
        outputs = re.findall(r"^    output: (.+)$", planned.stdout + planned.stderr, re.MULTILINE)
        (self.folder / "outputs").write_text(
            "\n".join(", ".join(outputs).split(", ")) + "\n", encoding="utf-8"
        )
        programs = self.folder / "pretence"
        programs.mkdir()
        stub = programs / "dying-relu"
        stub.write_text(PRETENCE, encoding="utf-8")
        stub.chmod(0o755)
        done = self.warm_snakemake(study=study, programs=programs)
        assert done.returncode == 0, done.stderr


def _jobs(said: str) -> list[Job]:
    jobs = []
    for block in re.findall(r"^(?:local)?rule (\w+):\n((?:    .+\n)+)", said, re.MULTILINE):
        rule, details = block
        shard = re.search(r"^    wildcards: .*shard=([^,\s]+)", details, re.MULTILINE)
        if "    output: " in details:
            jobs.append(Job(rule, shard[1] if shard else ""))
    return jobs
