"""A command that runs in a fork of the warm process is the command that runs by itself, for whoever started it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from invented_images import invented

import dying_relu
from dying_relu.commands.warm.address import THREADS, VARIABLE
from dying_relu.data.dataset import save
from dying_relu.plan import resources

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm process is for Linux")

COMMAND = str(Path(sys.executable).with_name("dying-relu"))
STUDY = """
study: warm
datasets: {mnist: {train: 200, test: 100}}
architectures: {mlp: {kind: mlp, widths: [12, 12]}, cnn: {kind: cnn, channels: [4, 4], widths: [8]}}
optimisers: {sgd: {kind: sgd}, adam: {kind: adam}}
training: {batch_size: 20, epochs: EPOCHS}
measuring: {train: 100, test: 100, checkpoints: 3}
experiments:
  causes:
    question: Is it the same?
    record_units: true
    grid:
      dataset: [mnist]
      architecture: [mlp, cnn]
      optimiser: [sgd, adam]
      activation: [relu, leaky_relu]
      learning_rate: [0.1]
"""
SHORT, ENDLESS = 2, 1_000_000

STARTER = """
import os, sys
from dying_relu.commands.warm import start
start.start()
print(os.environ[start.VARIABLE], start._started[0].pid, flush=True)
sys.stdin.read()
"""


class Warm:
    """A warm process, as a process that ends when it is told to has started it."""

    def __init__(self, folder: Path | None = None, **variables: str) -> None:
        self.starter = subprocess.Popen(
            [sys.executable, "-P", "-c", STARTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env=os.environ | variables,
        )
        assert self.starter.stdout is not None
        self.address, number = self.starter.stdout.readline().split()
        self.process = psutil.Process(int(number))

    def forks(self) -> list[psutil.Process]:
        return self.process.children()

    def end(self) -> None:
        self.starter.communicate()


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.end()
    wait(lambda: not process.process.is_running())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a data set, a short study and an endless one."""
    folder = tmp_path_factory.mktemp("warm")
    save("mnist", invented("mnist"), "invented", folder / "mnist.safetensors")
    for name, epochs in (("short", SHORT), ("endless", ENDLESS)):
        text = STUDY.replace("EPOCHS", str(epochs))
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder


def wait(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.02)


def variables(warm: Warm | None, threads: str = "1") -> dict[str, str]:
    asked = {} if warm is None else {VARIABLE: warm.address}
    return os.environ | dict.fromkeys(THREADS, threads) | asked


def train(folder: Path, out: Path, study: str = "short", shard: str = "mlp") -> list[str]:
    options = ["--data", "mnist.safetensors", "--config", f"{study}.yaml", "--out", str(out)]
    return [COMMAND, "train", f"causes-mnist-{shard}-00", *options]


def run(arguments: list[str], folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments, cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=300
    )


def start(folder: Path, out: Path, warm: Warm) -> tuple[subprocess.Popen[str], psutil.Process]:
    """Start an endless training; it and its fork."""
    command = subprocess.Popen(
        train(folder, out, "endless"), cwd=folder, env=variables(warm), stderr=subprocess.PIPE, text=True
    )
    wait(lambda: bool(warm.forks()))
    (fork,) = warm.forks()
    # It has begun to train, with the state in which Python runs a command.
    wait(lambda: out.with_name(f"{out.name}.lock").exists())
    return command, fork


@pytest.mark.parametrize("shard", ["mlp", "cnn"])
def test_a_fork_trains_the_same_networks_to_the_bit(
    warm: Warm, folder: Path, tmp_path: Path, shard: str
) -> None:
    alone, forked, again = (tmp_path / name for name in ("alone", "forked", "again"))
    assert run(train(folder, alone, shard=shard), folder, variables(None)).returncode == 0
    for out in (forked, again):
        done = run(train(folder, out, shard=shard), folder, variables(warm))
        assert (done.returncode, "runs in" in done.stderr) == (0, True)
    names = sorted(path.name for path in alone.iterdir())
    assert "runs.parquet" in names
    for name in names:
        assert (alone / name).read_bytes() == (forked / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "no-such-shard", "--data", "mnist.safetensors", "--config", "short.yaml", "--out", "out"],
        ["train", "--no-such-option"],
        ["figure", "no_such_figure", "--results", "nowhere", "--out", "figure.pdf"],
        ["claims", "--results", "nowhere", "--out", "claims.csv"],
        ["plan", "--config", "short.yaml", "--json"],
    ],
    ids=" ".join,
)
def test_it_says_the_same_and_ends_with_the_same_status(
    warm: Warm, folder: Path, arguments: list[str]
) -> None:
    alone = run([COMMAND, *arguments], folder, variables(None))
    forked = run([COMMAND, *arguments], folder, variables(warm))
    assert (alone.returncode, alone.stdout, alone.stderr) == (
        forked.returncode,
        forked.stdout,
        forked.stderr,
    )


def test_it_runs_in_the_folder_and_with_the_variables_of_who_asks(
    warm: Warm, folder: Path, tmp_path: Path
) -> None:
    command = [
        word.replace("mnist.safetensors", str(folder / "mnist.safetensors"))
        for word in train(folder, Path("out"))
    ]
    (tmp_path / "short.yaml").write_bytes((folder / "short.yaml").read_bytes())
    refused = run(command, tmp_path, variables(warm) | {"DYING_RELU_SAVE_EVERY": "often"})
    assert (refused.returncode, "as a number" in refused.stderr) == (2, True)
    assert run(command, tmp_path, variables(warm)).returncode == 0
    assert (tmp_path / "out" / "runs.parquet").is_file()


def test_the_job_writes_what_it_took(warm: Warm, folder: Path, tmp_path: Path) -> None:
    usage = tmp_path / "usage.tsv"
    command = [*train(folder, tmp_path / "out"), "--usage", str(usage)]
    assert run(command, folder, variables(warm)).returncode == 0
    seconds, mebibytes = resources.usage(usage)
    assert 0 < seconds < 300
    assert 50 < mebibytes < 10_000


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_reaches_the_fork_and_both_end_by_it(
    warm: Warm, folder: Path, tmp_path: Path, name: str
) -> None:
    number = signal.Signals[name]
    command, fork = start(folder, tmp_path / "out", warm)
    command.send_signal(number)
    command.communicate(timeout=60)
    assert command.returncode == -number
    wait(lambda: not fork.is_running())
    assert not (tmp_path / "out").exists()


def test_an_interruption_is_passed_on(warm: Warm, folder: Path, tmp_path: Path) -> None:
    command, fork = start(folder, tmp_path / "out", warm)
    command.send_signal(signal.SIGINT)
    command.communicate(timeout=60)
    assert command.returncode not in (0, None)
    wait(lambda: not fork.is_running())


def test_who_kills_the_command_kills_the_fork(warm: Warm, folder: Path, tmp_path: Path) -> None:
    command, fork = start(folder, tmp_path / "out", warm)
    command.kill()
    command.communicate(timeout=60)
    wait(lambda: not fork.is_running())
    assert run(train(folder, tmp_path / "short"), folder, variables(warm)).returncode == 0


def test_a_fork_that_is_killed_is_a_command_that_is_killed(warm: Warm, folder: Path, tmp_path: Path) -> None:
    command, fork = start(folder, tmp_path / "out", warm)
    fork.kill()
    command.communicate(timeout=60)
    assert command.returncode == -signal.SIGKILL


def test_another_environment_and_a_warm_process_that_has_ended_are_no_errors(
    warm: Warm, folder: Path, tmp_path: Path
) -> None:
    ended = Warm()
    ended.end()
    wait(lambda: not ended.process.is_running() and not Path(ended.address).parent.exists())
    for number, there in enumerate([variables(warm, threads="2"), variables(ended)]):
        out = tmp_path / str(number)
        assert run(train(folder, out), folder, there).returncode == 0
        assert (out / "runs.parquet").is_file()


def test_it_ends_with_its_starter_and_with_its_last_fork(folder: Path, tmp_path: Path) -> None:
    warm = Warm()
    command, fork = start(folder, tmp_path / "out", warm)
    warm.starter.kill()
    warm.starter.wait()
    # Nobody is taken in any more; who waits for a fork still has it.
    assert run(train(folder, tmp_path / "short"), folder, variables(warm)).returncode == 0
    assert warm.process.is_running()
    assert fork.is_running()
    command.terminate()
    command.communicate(timeout=60)
    assert command.returncode == -signal.SIGTERM
    wait(lambda: not warm.process.is_running())
    assert not Path(warm.address).parent.exists()


def test_that_the_warm_process_was_killed_is_said(folder: Path, tmp_path: Path) -> None:
    warm = Warm()
    command, fork = start(folder, tmp_path / "out", warm)
    warm.process.kill()
    _, said = command.communicate(timeout=60)
    assert command.returncode == 1
    assert "the process in which this command ran for Snakemake has ended" in said
    wait(lambda: not fork.is_running())
    warm.end()
    assert not Path(warm.address).parent.exists()


def test_a_figure_has_the_same_bytes(warm: Warm, small_study: Path, tmp_path: Path) -> None:
    for name, there in (("alone", variables(None)), ("forked", variables(warm))):
        command = [COMMAND, "figure", "when", "--results", str(small_study), "--out", f"{name}.pdf"]
        assert run(command, tmp_path, there).returncode == 0
    assert (tmp_path / "alone.pdf").read_bytes() == (tmp_path / "forked.pdf").read_bytes()


def test_commands_run_the_code_as_it_is(folder: Path, tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(Path(dying_relu.__file__).parent, code / "dying_relu")
    warm = Warm(PYTHONPATH=str(code))
    there = variables(warm) | {"PYTHONPATH": str(code)}
    assert run(train(folder, tmp_path / "before"), folder, there).returncode == 0
    with (code / "dying_relu/training/shard_job.py").open("a", encoding="utf-8") as file:
        file.write("print('edited')\n")
    done = run(train(folder, tmp_path / "after"), folder, there)
    assert (done.returncode, done.stdout) == (0, "edited\n")
    warm.end()


def test_what_goes_wrong_in_preparing_goes_wrong_in_one_command(folder: Path, tmp_path: Path) -> None:
    code = tmp_path / "code"
    shutil.copytree(Path(dying_relu.__file__).parent, code / "dying_relu")
    (code / "dying_relu/analysis/claims/__init__.py").write_text(
        "raise ValueError('broken')", encoding="utf-8"
    )
    warm = Warm(PYTHONPATH=str(code))
    there = variables(warm) | {"PYTHONPATH": str(code)}
    broken = run([COMMAND, "claims", "--results", "nowhere", "--out", "claims.csv"], folder, there)
    assert broken.returncode == 1
    assert "ValueError: broken" in broken.stderr
    assert warm.process.is_running()
    assert run(train(folder, tmp_path / "out"), folder, there).returncode == 0
    warm.end()


def test_no_file_of_the_folder_takes_the_place_of_a_module(folder: Path, tmp_path: Path) -> None:
    for name in ("short.yaml", "mnist.safetensors", "mnist.safetensors.sha256"):
        (tmp_path / name).symlink_to(folder / name)
    (tmp_path / "numpy.py").write_text("raise ValueError('not the library')", encoding="utf-8")
    warm = Warm(folder=tmp_path)
    done = run(train(tmp_path, tmp_path / "out"), tmp_path, variables(warm))
    assert done.returncode == 0, done.stderr
    warm.end()


STARTED = """
import os, sys
from dying_relu.commands.warm import start
start.start()
print(start.VARIABLE in os.environ, os.listdir(os.environ["TMPDIR"]))
"""


def test_without_a_place_for_a_socket_none_is_started(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100)
    long.mkdir()
    done = run([sys.executable, "-c", STARTED], tmp_path, os.environ | {"TMPDIR": str(long)})
    assert (done.returncode, done.stdout) == (0, "False []\n")


ELSEWHERE = """
import os, signal, sys
import rich.console, typer.main  # which would look for modules of that system
sys.platform = "win32"
del signal.SIGHUP, os.pidfd_open
os.environ["DYING_RELU_WARM"] = "nowhere"
from dying_relu import cli
from dying_relu.commands.warm import client, start
start.start()
print(client.run(["dying-relu", "train"]), os.environ["DYING_RELU_WARM"])
"""


def test_other_systems_have_none(tmp_path: Path) -> None:
    done = run([sys.executable, "-c", ELSEWHERE], tmp_path, dict(os.environ))
    assert (done.returncode, done.stdout) == (0, "None nowhere\n"), done.stderr
