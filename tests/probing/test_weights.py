"""Files of weights are loaded as people save them, and what is none is said in one line."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from dying_relu.errors import DyingReluError
from dying_relu.probing.weights import load_weights, read_weights


def network() -> nn.Sequential:
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))


torch.manual_seed(1)
TRAINED = network()
STATE = TRAINED.state_dict()


def prefixed(prefix: str, state: Mapping[str, Tensor] = STATE) -> dict[str, Tensor]:
    return {f"{prefix}{name}": tensor for name, tensor in state.items()}


class Settings(dict):
    """A class that a reader may not know."""


OPTIMIZER = torch.optim.Adam(TRAINED.parameters()).state_dict()
FILES: dict[str, Any] = {
    "plain": dict(STATE),
    "a general checkpoint": {
        "epoch": 3,
        "model_state_dict": STATE,
        "optimizer_state_dict": OPTIMIZER,
        "loss": 0.1,
    },
    "model": {"model": STATE, "optimizer": OPTIMIZER, "args": None},
    "net": {"net": STATE, "acc": 93.1},
    "another name, the only one": {"epoch": 1, "classifier": STATE},
    "in parallel": prefixed("module."),
    "compiled": prefixed("_orig_mod."),
    "compiled in parallel": {"state_dict": prefixed("module._orig_mod.")},
    "parallel compiled": {"model": prefixed("_orig_mod.module.")},
    "of a Lightning module, with a metric": {
        "state_dict": prefixed("net.") | {"loss.weight": torch.ones(2)},
        "hyper_parameters": Settings(rate=0.1),
        "pytorch-lightning_version": "2.0",
    },
    "of a Lightning module, compiled": {"state_dict": prefixed("model._orig_mod.")},
    "nested": {"state": {"model": prefixed("module.")}},
    "with numbers of NumPy": {"model_state_dict": STATE, "loss": np.float64(0.3), "losses": np.ones(3)},
    "with settings": {"state_dict": STATE, "args": argparse.Namespace(lr=0.1), "path": Path("x")},
}


def loaded(path: Path, **options: str) -> bool:
    model = network()
    load_weights(model, path, **options)
    return all(tensor.equal(STATE[name]) for name, tensor in model.state_dict().items())


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
@pytest.mark.parametrize("zipped", [True, False])
def test_files_are_loaded_as_people_save_them(content: Any, zipped: bool, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pt", _use_new_zipfile_serialization=zipped)
    assert loaded(tmp_path / "weights.pt")


@pytest.mark.parametrize("prefix", ["", "module.", "model."])
def test_safetensors(prefix: str, tmp_path: Path) -> None:
    save_file(prefixed(prefix), tmp_path / "weights.safetensors")
    assert loaded(tmp_path / "weights.safetensors")


def test_a_model_that_is_wrapped_gets_the_weights_of_one_that_is_not(tmp_path: Path) -> None:
    torch.save(STATE, tmp_path / "weights.pt")
    model = nn.DataParallel(network())
    load_weights(model, tmp_path / "weights.pt")
    assert model.module[0].weight.equal(STATE["0.weight"])


def test_a_key_and_a_prefix_decide_where_there_are_several(tmp_path: Path) -> None:
    path = tmp_path / "gan.pt"
    others = {name: network().state_dict() for name in ("one", "two")}
    torch.save({**others, "b": {"weights": prefixed("inner.body.")}}, path)
    with pytest.raises(
        DyingReluError, match="no state_dict under a usual key: found the keys one, two, b; expected"
    ):
        read_weights(path, prefix="x")
    assert loaded(path, key="b.weights", prefix="inner.body")
    with pytest.raises(
        DyingReluError, match=r"gan.pt has no key c: found the keys one, two, b; expected one"
    ):
        load_weights(network(), path, key="c")
    with pytest.raises(DyingReluError, match=r"begins with outer\.: found inner.body.0.weight, "):
        load_weights(network(), path, key="b.weights", prefix="outer")


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    torch.save({"state_dict": STATE, "more": Evil(tmp_path / "evil")}, tmp_path / "weights.pt")
    assert loaded(tmp_path / "weights.pt")
    torch.save(Evil(tmp_path / "evil"), tmp_path / "weights.pt")
    with pytest.raises(DyingReluError, match="not a file of weights alone"):
        read_weights(tmp_path / "weights.pt")
    assert not (tmp_path / "evil").exists()


BROKEN: dict[str, tuple[bytes, str]] = {
    "a pointer of Git LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid",
        "a pointer of Git LFS; `git lfs pull`",
    ),
    "a page": (b"<!DOCTYPE html><html>Not found</html>", "a web page; download the file itself"),
    "an empty file": (b"", "is empty"),
    "text": (b"hello", "not a file of weights alone, or is damaged"),
    "zeros": (bytes(300), "not a file of weights alone, or is damaged"),
}


@pytest.mark.parametrize("name", ["weights.pt", "weights.safetensors"])
@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_what_holds_no_weights_is_said(content: bytes, message: str, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DyingReluError, match=message):
        read_weights(tmp_path / name)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("suffix", ["pt", "safetensors"])
def test_a_file_that_is_cut_off_is_said(share: float, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"weights.{suffix}"
    save_file(dict(STATE), path) if suffix == "safetensors" else torch.save(STATE, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DyingReluError, match="not a file of weights alone, or is damaged"):
        read_weights(path)


OTHERS: dict[str, tuple[Any, str]] = {
    "more": ({**STATE, "head.weight": torch.ones(2)}, "found it has head.weight besides; expected the names"),
    "less": ({name: one for name, one in STATE.items() if name != "3.bias"}, "found it lacks 3.bias"),
    "another shape": ({**STATE, "3.bias": torch.ones(5)}, r"3.bias is \(5,\) and not \(2,\)"),
    "only an optimizer": ({"optimizer_state_dict": OPTIMIZER}, "found the keys optimizer_state_dict"),
    "numbers": ({"epoch": 3}, "found the keys epoch"),
    "a whole model": (TRAINED, "not a file of weights alone"),
    "a list": ([1, 2], "found list"),
}


@pytest.mark.parametrize(("content", "message"), OTHERS.values(), ids=OTHERS)
def test_weights_of_another_model_are_said(content: Any, message: str, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(DyingReluError, match=message):
        load_weights(network(), tmp_path / "weights.pt")
