"""Any bytes as the saved state of a training are an empty state."""

import zipfile
from pathlib import Path

import torch
from any_input import quick, structures
from hypothesis import given
from hypothesis import strategies as st

from dying_relu.training.resume import StateFile


@given(st.binary(max_size=300))
@quick
def test_any_bytes_as_a_saved_state(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "shard.state"
    path.write_bytes(content)
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}
    # In an archive of the right kind, so that the rest is read.
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}


@given(structures)
@quick
def test_anything_that_was_saved_as_a_state(tmp_path: Path, saved: object) -> None:
    path = tmp_path / "shard.state"
    torch.save(saved, path)
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}
    torch.save({"conditions": saved, "state": saved}, path)
    assert StateFile(path, {"shard": "mine"}, 60).load() == {}
