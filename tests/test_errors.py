"""A full disk, a read-only folder, no memory, a damaged file: one message that names it and says what to do, and no result."""

import subprocess
import sys
from pathlib import Path

import pytest
import warm_python
from invented_images import invented
from small_study import CONFIGURATION, write_small_study

from dying_relu.data import dataset
from dying_relu.plan import study as plan

SMOKE = Path(__file__).parents[1] / "config" / "smoke.yaml"
COMMANDS = """
import resource, sys
from pathlib import Path
import torch, matplotlib.pyplot
from dying_relu import cli
from dying_relu.stack import allocator
from dying_relu.training import shard_job
from dying_relu.analysis import claims, figures, numbers, tables
{before}
for words in {commands!r}:
    sys.argv = ["dying-relu", *words]
    try:
        cli.main()
    except SystemExit as stop:
        print("status", stop.code, *words[:2])
"""


def run(
    commands: list[list[str]], before: str = "", within: tuple[str, ...] = ()
) -> tuple[list[str], list[str]]:
    """Run our commands in one other process; what each ended with, and the errors."""
    script = COMMANDS.format(commands=commands, before=before)
    if within:
        command = [*within, sys.executable, "-c", script]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    else:
        done = warm_python.run(script)
    assert "Traceback" not in done.stderr, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("status")]
    return said, [line for line in done.stderr.splitlines() if line.startswith("error: ")]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of a study of few experiments."""
    folder = tmp_path_factory.mktemp("few")
    write_small_study(folder, experiments=("causes", "remedies"))
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "mnist.safetensors"
    dataset.save("mnist", invented("mnist"), "imagination", path)
    return path


def writing(images: Path, study: Path, out: Path) -> list[list[str]]:
    """Commands that write files of every kind into ``out``."""
    given = ["--results", str(study)]
    return [
        ["train", "recovery-mnist-mlp-00", "--config", str(SMOKE), "--data", str(images), "--out", f"{out}/shard"],
        ["claims", *given, "--out", f"{out}/claims.csv"],
        ["figure", "remedies", *given, "--out", f"{out}/figures/remedies.pdf"],
        ["record", *given, "--config", str(CONFIGURATION), "--out", f"{out}/provenance.json"],
    ]  # fmt: skip


def mounted(command: str, folder: Path) -> tuple[str, ...]:
    """What runs a program where ``command`` has mounted something on ``folder``, which nobody else sees."""
    namespace = ("unshare", "--map-root-user", "--mount", "sh", "-c")
    try:
        subprocess.run([*namespace, command, "sh", str(folder), "true"], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"nothing can be mounted here: {error}")
    return (*namespace, command, "sh", str(folder))


FULL = 'mount -t tmpfs -o size=64k tmpfs "$1" && head -c 64k /dev/zero > "$1/filling"; shift; exec "$@"'
READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1"; shift; exec "$@"'


@pytest.mark.parametrize(
    ("mount", "reason"),
    [(FULL, "No space left on device"), (READ_ONLY, "Read-only file system")],
    ids=["full", "read-only"],
)
def test_a_folder_that_cannot_be_written_is_named(
    mount: str, reason: str, images: Path, study: Path, tmp_path: Path
) -> None:
    out = tmp_path / "results"
    out.mkdir()
    commands = writing(images, study, out)
    statuses, errors = run(commands, within=mounted(mount, out))
    assert [status.split()[:2] for status in statuses] == [["status", "1"]] * len(commands)
    for error in errors:
        assert error.startswith(f"error: cannot write {out}")
        assert reason.lower() in error.lower()
        assert error.endswith("free some space or make the folder writable, then run again")
    assert len(errors) == len(commands)


def test_files_that_grow_too_large_leave_nothing(images: Path, study: Path, tmp_path: Path) -> None:
    out = tmp_path / "results"
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    commands = writing(images, study, out)[:3]
    statuses, errors = run(commands, limit)
    assert len(statuses) == len(errors) == 3
    assert all("File too large; free some space" in error for error in errors)
    assert not [path for path in out.rglob("*") if path.is_file()]


def test_too_little_memory_is_said_in_words(images: Path, tmp_path: Path) -> None:
    in_use = "int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()"
    limit = f"limit = {in_use} + 20 * 2**20; resource.setrlimit(resource.RLIMIT_AS, (limit, limit))"
    config = tmp_path / "whole.yaml"
    text = SMOKE.read_text(encoding="utf-8").replace("{train: 1000, test: 500}", "{train: 60000}", 1)
    config.write_text(text.replace("train_examples: 500", "train_examples: 60000", 1), encoding="utf-8")
    shard = next(s for s in plan.load(config).shards if s.experiment == "recovery").name
    command = ["train", shard, "--config", str(config), "--data", str(images), "--out", str(tmp_path / "out")]
    statuses, errors = run([command], limit)
    assert statuses == [f"status 1 train {shard}"]
    assert errors[0].startswith("error: out of memory: found ")
    assert "run fewer jobs at once (snakemake --cores), or lower memory_limit" in errors[0]
    assert not (tmp_path / "out").exists()


def test_a_defect_is_not_taken_for_the_machines(tmp_path: Path) -> None:
    from dying_relu.errors import explained

    assert explained(FileNotFoundError(2, "No such file or directory", "x")) is None
    assert explained(RuntimeError("shape mismatch")) is None
