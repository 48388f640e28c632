"""The default study of an earlier source tree from data to PDF, with that tree and with this one, in turns.

With fewer replicates, so that it takes minutes, and without the experiments whose keys are no longer known. Each tree runs its own workflow
with this Python and its packages; this one also counts units on all training examples and draws more.
"""

import json
import logging
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import machine
from benchmarks.earlier import Tree
from benchmarks.jobs import ROOT
from dying_relu.configuration import parse
from dying_relu.configuration.yaml import document
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.plan.study import plan

log = logging.getLogger(__name__)

NAME, WARM_UP = "comparison", "comparison_warm_up"
COMPILED_FOR = ("causes", "recovery")
"""Experiments that call all compiled code, which is compiled on the first call of all."""


def run(out: Path, against: Path, replicates: int = 1, rounds: int = 1) -> pd.DataFrame:
    """Time both trees, each first in every other round, and write ``data_to_pdf.csv`` to the folder ``out``.

    Args:
        out: folder to write to.
        against: root of the earlier tree. Both need the data sets in their ``data``, and lose what the comparison makes.
        replicates: of every setting.
        rounds: how often each is timed.

    Returns:
        A row a round and tree: ``round``, ``tree``, ``networks``, ``seconds``.
    """
    earlier, present = Tree(against), Tree(ROOT)
    file = earlier.folder / "config/config.yaml"
    content = document(file.read_text(encoding="utf-8"), str(file))
    study = part(content, replicates)
    rows = []
    for tree in (earlier, present):
        _seconds(tree, warm_up(study), "train")
    for number in range(rounds):
        for tree in (earlier, present)[:: -1 if number % 2 else 1]:
            seconds = _seconds(tree, study)
            log.info("%s: %.0f s", tree.method, seconds)
            rows.append(
                {"round": number, "tree": tree.method, "networks": _networks(study), "seconds": seconds}
            )
    table = pd.DataFrame(rows)
    with atomic_path(out / "data_to_pdf.csv") as beside:
        table.to_csv(beside, index=False)
    return table


def summary(table: pd.DataFrame) -> str:
    """The result in a sentence: the seconds of both trees, medians over the rounds, and their ratio.

    >>> summary(pd.DataFrame({"tree": ["a", "b"], "networks": 9, "seconds": [30.0, 20.0]}))
    '9 networks from data to PDF: a 30 s, b 20 s, 1.50 times as fast.'
    """
    seconds = table.groupby("tree", sort=False)["seconds"].median()
    (earlier, before), (present, now) = seconds.items()
    networks = table["networks"].iloc[0]
    return (
        f"{networks:,} networks from data to PDF: {earlier} {before:.0f} s, {present} {now:.0f} s, "
        f"{before / now:.2f} times as fast."
    )


def part(content: Mapping[str, Any], replicates: int) -> dict[str, Any]:
    """The experiments of a study that this tree can read, with fewer replicates.

    Args:
        content: of the study's file.
        replicates: of every setting.
    """
    study = {**content, "study": NAME}
    experiments = {
        name: {**experiment, "replicates": replicates}
        for name, experiment in content["experiments"].items()
        if _readable(study, name, experiment)
    }
    return {**study, "experiments": experiments}


def _readable(study: Mapping[str, Any], name: str, experiment: Mapping[str, Any]) -> bool:
    try:
        parse(_text({**study, "experiments": {name: experiment}}))
    except DyingReluError as error:
        log.warning("left out: %s", error)
        return False
    return True


def warm_up(study: Mapping[str, Any]) -> dict[str, Any]:
    """Two steps of the experiments ``COMPILED_FOR``.

    Args:
        study: of :func:`part`.
    """
    experiments = {
        name: {key: value for key, value in study["experiments"][name].items() if key != "epochs"}
        | {"steps": 2}
        for name in COMPILED_FOR
    }
    return {**study, "study": WARM_UP, "experiments": experiments}


def _networks(study: Mapping[str, Any]) -> int:
    return len(plan(parse(_text(study))).runs)


def _text(study: Mapping[str, Any]) -> str:
    # JSON is YAML.
    return json.dumps(study, indent=2)


def _seconds(tree: Tree, study: Mapping[str, Any], *targets: str) -> float:
    """Time the workflow of ``tree`` for a study, from the images to its PDF or to ``targets``, and delete what it made."""
    name = study["study"]
    file = tree.folder / "config" / f"{name}.yaml"
    made = [tree.folder / "results" / name, tree.folder / "paper/generated" / name]
    _delete(made)
    file.write_text(_text(study), encoding="utf-8")
    try:
        started = time.perf_counter()
        subprocess.run(
            [
                sys.executable, "-m", "snakemake", *targets, "--cores", str(machine.cores()),
                "--configfile", f"config/{name}.yaml",
            ],
            cwd=tree.folder, env=_environment(tree.folder), check=True,
        )  # fmt: skip
        return time.perf_counter() - started
    except subprocess.CalledProcessError as error:
        raise DyingReluError(
            f"the study cannot be run with {tree.folder}",
            found=f"exit status {error.returncode}",
            remedy="what Snakemake said stands above",
        ) from error
    finally:
        file.unlink()
        _delete(made)


def _environment(folder: Path) -> dict[str, str]:
    code = os.pathsep.join(str(folder / part) for part in ("src", "workflow/logger"))
    commands = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"PYTHONPATH": code, "PATH": commands}


def _delete(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)
