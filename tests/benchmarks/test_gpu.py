"""The script that tries everything on a GPU works on a CPU, and one part that fails stops no other."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import torch

from benchmarks.gpu import libraries, parts
from benchmarks.gpu.__main__ import main

SCRIPT = parts.ROOT / "benchmarks" / "gpu.sh"


def test_a_part_that_takes_too_long_stops_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parts, "LIMITS", dict.fromkeys(parts.LIMITS, 0.01))
    assert parts.run_all(parts.Options("cpu", short=True, out=tmp_path)) == 1
    summary = (tmp_path / "summary.txt").read_text(encoding="utf-8")
    assert summary.count("FAILED: took longer than 0.01 s") == len(parts.LIMITS)
    assert "NOT all parts passed" in summary
    assert summary in capsys.readouterr().out


def test_all_parts_together_take_at_most_eight_minutes() -> None:
    at_once = max(parts.LIMITS[part] for part in parts.SIDE_BY_SIDE)
    alone = sum(limit for part, limit in parts.LIMITS.items() if part not in parts.SIDE_BY_SIDE)
    assert at_once + alone <= 8 * 60


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
@pytest.mark.parametrize("part", parts.LIMITS)
def test_without_a_gpu_a_part_says_that_it_was_not_run(
    part: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--part", part, "--out", str(tmp_path)]) == parts.NOT_RUN
    assert "not run: PyTorch finds no CUDA device" in capsys.readouterr().out


def test_a_missing_package_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def lacks(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name}", name="pandera")

    monkeypatch.setattr("benchmarks.gpu.__main__.import_module", lacks)
    assert main(["--part", "smoke", "--device", "cpu", "--out", str(tmp_path)]) == parts.NOT_RUN
    assert "not run: needs the package pandera" in capsys.readouterr().out


@pytest.mark.parametrize("decorate", [libraries._njit, libraries._njit(cache=True)])
def test_without_numba_a_compiled_loop_refuses_to_run(decorate: Callable[..., Callable[[], None]]) -> None:
    def loop() -> None: ...

    with pytest.raises(RuntimeError, match="loop runs on a CPU only, and needs numba"):
        decorate(loop)()


@pytest.mark.slow
def test_the_script_passes_on_a_cpu(tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPT, "--device", "cpu", "--short", "--out", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "all parts passed" in done.stdout
    measured = pd.read_csv(tmp_path / "gpu.csv")
    assert set(measured["method"]) == {"usual", "torch_func", "stacked"}
    assert (measured["card"] == "CPU").all()
    assert (measured["samples_per_s"] > 0).all()
