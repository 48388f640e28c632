"""A training that was killed goes on where it was, and ends with the very same files."""

import logging
import multiprocessing
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_shard import shard_of

from dying_relu.data import Dataset
from dying_relu.plan import study
from dying_relu.results import schemas
from dying_relu.results.origin import of_shard
from dying_relu.training.resume import State, StateFile, conditions
from dying_relu.training.shard_job import train

IN_PARTS = {"learning_rate": [0.05, 1e25, 0.1], "initial_bias": [0.0, -3.0], "activation": ["relu", "prelu"]}
"""Two stacks, in which networks diverge, units die and slopes are learned."""
ALONE = {"learning_rate": [0.05, 0.1]}
"""Convolutional networks, which are slower, each in a stack of its own."""
CASES = {
    "sgd": IN_PARTS,
    "momentum": {"optimiser": ["momentum"], "architecture": ["cnn"]} | ALONE,
    "adam": {"optimiser": ["adam"], "architecture": ["mlp_batch_norm"]} | IN_PARTS,
    "intervened": {
        "optimiser": ["momentum"],
        "inputs": ["raw", "offset"],
        "intervention": ["renewal", "several"],
        "learning_rate": [0.1],
    },
    "centred": {"architecture": ["mlp_centred"]} | IN_PARTS,
    "recycled": {"optimiser": ["adam_recycled"], "initialisation": ["he", "default"]} | IN_PARTS,
    "clipped": {"optimiser": ["sgd_clipped"], "architecture": ["cnn_layer_norm"]} | ALONE,
}


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / f"{name}.parquet").read_bytes() for name in schemas.TABLES}


Undisturbed = Callable[[study.Shard], dict[str, bytes]]


@pytest.fixture(scope="module")
def undisturbed(data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The files of a shard that nothing interrupted, trained by the first test that asks for them."""

    made: dict[str, dict[str, bytes]] = {}

    def of(shard: study.Shard) -> dict[str, bytes]:
        if repr(shard) not in made:
            folder = tmp_path_factory.mktemp("undisturbed") / "shard"
            train(shard, data, folder)
            made[repr(shard)] = files(folder)
        return made[repr(shard)]

    return of


def state_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.state")


def flat(state: State, prefix: str = "") -> Iterator[tuple[str, object]]:
    """The names within names of a state, joined by dots."""
    for name, value in state.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


KILLS = 6


class Killed(Exception):
    """Stands for a kill between two steps."""


def train_until(kill: Callable[[StateFile], bool], shard: study.Shard, data: Dataset, folder: Path) -> None:
    """Train and save before every step, until ``kill`` says so after a save."""
    saving = StateFile.save

    def save(file: StateFile, state: State) -> None:
        saving(file, state)
        if kill(file):
            raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StateFile, "save", save)
        train(shard, data, folder, save_every=0)


def kill_after(saves: int) -> Callable[[StateFile], bool]:
    left = iter(range(saves))
    return lambda _: next(left, None) is None


@pytest.mark.parametrize("case", CASES)
def test_a_training_killed_again_and_again_ends_with_the_same_bits(
    case: str, data, undisturbed: Undisturbed, tmp_path: Path
) -> None:
    shard = shard_of(**CASES[case])
    # First, so that those which are killed do not begin with what a process needs once.
    expected = undisturbed(shard)
    trial, kills, chance = tmp_path / "killed", 0, random.Random(case)
    context = multiprocessing.get_context("fork")
    while True:
        process = context.Process(target=train, args=(shard, data, trial, 0.01))
        process.start()
        # The last is left alone, should none of the others get to the end.
        process.join(timeout=chance.uniform(0.05, 0.4) if kills < KILLS else None)
        process.kill()
        process.join()
        kills += process.exitcode == -9
        assert process.exitcode in (0, -9)
        # Not when the folder is there: a kill may come before what was saved is deleted.
        if process.exitcode == 0:
            break
    assert kills
    assert files(trial) == expected
    assert {path.name for path in tmp_path.iterdir()} == {"killed"}


@pytest.mark.parametrize("saves", [0, 2, 40, 41, 60])
def test_every_step_is_a_place_to_go_on_from(
    saves: int, data, undisturbed: Undisturbed, tmp_path: Path, caplog
) -> None:
    """The first, one between checkpoints, the last of a stack, the first of the next and one within that."""
    shard = shard_of(**CASES["recycled"])
    with pytest.raises(Killed):
        train_until(kill_after(saves), shard, data, tmp_path / "killed")
    assert not (tmp_path / "killed").exists()
    with caplog.at_level(logging.INFO):
        train(shard, data, tmp_path / "killed")
    assert f"going on from step {saves % (shard.steps + 1)} of {shard.steps}" in caplog.text
    assert files(tmp_path / "killed") == undisturbed(shard)


def test_a_short_training_saves_nothing(data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dying_relu.training.resume.atomic_path", None)
    train(shard_of(), data, tmp_path / "shard")
    assert {path.name for path in tmp_path.iterdir()} == {"shard"}


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def foreign(path: Path) -> None:
    path.write_bytes(b"\x80\x04" + bytes(1000))


@pytest.mark.parametrize("damage", [truncated, emptied, flipped, foreign])
def test_a_damaged_state_is_refused_and_training_starts_again(
    damage: Callable[[Path], None], data, undisturbed: Undisturbed, tmp_path: Path, caplog
) -> None:
    shard = shard_of()
    with pytest.raises(Killed):
        train_until(kill_after(20), shard, data, tmp_path / "killed")
    damage(state_of(tmp_path / "killed"))
    train(shard, data, tmp_path / "killed")
    assert "killed.state is not used, training starts from the beginning: it is truncated or" in caplog.text
    assert "going on" not in caplog.text
    assert files(tmp_path / "killed") == undisturbed(shard)
    assert not state_of(tmp_path / "killed").exists()


def test_a_state_of_another_configuration_data_or_code_is_refused(
    data, tmp_path: Path, caplog, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard = shard_of()
    with pytest.raises(Killed):
        train_until(kill_after(20), shard, data, tmp_path / "killed")
    state = state_of(tmp_path / "killed").read_bytes()
    other_data = replace(data, train_images=data.train_images + 1e-6, checksum="another")
    for differs, other, seen in (
        ("configuration", shard_of(learning_rate=[0.1]), data),
        ("data", shard, other_data),
        ("code", shard, data),
    ):
        if differs == "code":
            monkeypatch.setattr("dying_relu.results.origin.code_digest", lambda module: "edited")
        state_of(tmp_path / "killed").write_bytes(state)
        caplog.clear()
        train(other, seen, tmp_path / "killed")
        train(other, seen, tmp_path / "undisturbed")
        assert f"it is of something else: {differs} differ" in caplog.text
        assert files(tmp_path / "killed") == files(tmp_path / "undisturbed")


def test_a_job_that_cannot_save_trains_on(data, tmp_path: Path, caplog) -> None:
    shard = shard_of()
    file = StateFile(
        Path("/proc/nowhere/state"),
        conditions(shard, of_shard(shard, data), torch.device("cpu"), {"sgd": 1}),
        0,
    )
    file.save({"steps": torch.tensor(1)})
    assert "training goes on without a saved state: cannot write /proc/nowhere/state" in caplog.text


def test_what_is_saved_is_tensors_and_nothing_that_could_run(data, tmp_path: Path) -> None:
    with pytest.raises(Killed):
        train_until(kill_after(5), shard_of(), data, tmp_path / "killed")
    saved = torch.load(state_of(tmp_path / "killed"), weights_only=True)
    assert saved["conditions"]["shard"] == shard_of().name
    tensors = dict(flat(saved["state"]))
    assert all(isinstance(tensor, torch.Tensor) for tensor in tensors.values())
    assert {"stack", "running.trainer.steps", "running.recorder.rows.layers"} <= set(tensors)
    assert int(tensors["running.trainer.steps"]) == 5


class Malice:
    """Runs a function when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str]]:
        return Path.touch, (Path("pwned"),)


def test_a_state_that_would_run_code_is_refused(
    data, tmp_path: Path, caplog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shard = shard_of()
    torch.save({"conditions": {}, "state": Malice()}, state_of(tmp_path / "killed"))
    train(shard, data, tmp_path / "killed")
    assert (
        "killed.state is not used, training starts from the beginning: it is not a saved state" in caplog.text
    )
    assert not (tmp_path / "pwned").exists()


def test_a_second_job_of_a_shard_waits_for_the_first(data, undisturbed: Undisturbed, tmp_path: Path) -> None:
    shard = shard_of()
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=train, args=(shard, data, tmp_path / "shard", 0)) for _ in range(2)]
    started = time.monotonic()
    for process in both:
        process.start()
    for process in both:
        process.join()
    assert time.monotonic() - started < 60
    assert [process.exitcode for process in both] == [0, 0]
    assert files(tmp_path / "shard") == undisturbed(shard)
    assert {path.name for path in tmp_path.iterdir()} == {"shard"}
