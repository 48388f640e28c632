"""What measuring costs is counted stack by stack, and nothing of the timing is left behind."""

from pathlib import Path

import pytest
from small_study import CONFIGURATION

from benchmarks import measuring, studies
from dying_relu.training.recorder import Recorder
from dying_relu.training.trainer import Trainer


@pytest.mark.slow
def test_every_shard_of_a_study_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for dataset in ("mnist", "cifar10"):
        studies.make_images(dataset, tmp_path)
    monkeypatch.chdir(tmp_path)
    before = Trainer.step, Recorder.checkpoint
    table = measuring.run(tmp_path, CONFIGURATION)
    assert (Trainer.step, Recorder.checkpoint) == before
    assert set(table["records_units"]) == {True, False}
    assert (tmp_path / "measuring.csv").is_file()
    assert 0 < measuring.of_study(table) < table["ratio"].max()
