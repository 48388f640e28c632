"""The same study gives the same numbers: now, later, elsewhere, and with other threads.

On one machine the bits are the same (tests/training/test_shard_job.py, tests/workflow/). Another processor or number of threads
sums in another order, which changes the seventh digit of a float32; training makes that grow. How far is measured here, in the
same way as if another machine had done it: every initial weight is changed in its last digits.
"""

from pathlib import Path

import pandas as pd
import pytest
import torch
from small_shard import blurred_prototypes, shard_of, tables

from dying_relu.training import trainer
from dying_relu.training.models import build

STORED = Path(__file__).with_name("small_study.csv")
"""Made with ``PYTHONPATH=tests python tests/workflow/test_repeats.py``; to be made anew only when numbers are meant to change."""
STUDY = {
    "sgd": {"learning_rate": [0.02, 0.1], "initial_bias": [0.0, -1.0], "activation": ["relu", "prelu"]},
    "dying": {"learning_rate": [0.1, 0.3], "initial_bias": [-2.0, -4.0, -6.0]},
    "convolutions": {"architecture": ["cnn"], "optimiser": ["momentum"], "learning_rate": [0.01]},
    "batch_norm": {
        "architecture": ["mlp_batch_norm"],
        "optimiser": ["sgd_clipped"],
        "initialisation": ["default"],
    },
    "recycled": {"optimiser": ["adam_recycled"], "learning_rate": [0.003], "initial_bias": [-2.0]},
}
RELATIVE = 1e-3
"""Of losses and ranks, which are means over many examples: ten times what changed last digits do to them in 40 steps."""
ONE_UNIT = 1 / 28 + 1e-9
"""Of shares of units: a pre-activation within rounding of zero may fall on either side of it."""
ONE_EXAMPLE = 1 / 270 + 1e-9
"""Of accuracies."""
ABSOLUTE = {"accuracy": ONE_EXAMPLE, "answers": ONE_EXAMPLE, "fraction": ONE_UNIT}


def trained(data, folder: Path) -> pd.DataFrame:
    """The final numbers of every run of the study."""
    found = [tables(shard_of(**changes), data, folder / name)["runs"] for name, changes in STUDY.items()]
    return pd.concat(found, ignore_index=True).drop(columns=["stack_size"])


def assert_as_good_as_equal(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Labels and settings are equal, measurements within the tolerances above."""
    assert list(found["run"]) == list(expected["run"])
    for column in expected:
        if not pd.api.types.is_float_dtype(expected[column]):
            assert found[column].astype(str).equals(expected[column].astype(str)), column
            continue
        absolute = ABSOLUTE.get(column.removesuffix("_test").rsplit("_", 1)[-1], 1e-5)
        torch.testing.assert_close(
            torch.tensor(found[column].to_numpy(float)),
            torch.tensor(expected[column].to_numpy(float)),
            rtol=RELATIVE,
            atol=absolute,
            equal_nan=True,
            msg=lambda said, column=column: f"{column}: {said}",
        )


@pytest.fixture(scope="module")
def runs(data, tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    return trained(data, tmp_path_factory.mktemp("runs"))


def test_a_small_study_has_the_numbers_that_were_stored(runs: pd.DataFrame) -> None:
    expected = pd.read_csv(STORED).astype({"overflow_step": "Int64"})
    assert expected["dead_fraction"].between(0.01, 0.99).sum() >= 4
    assert_as_good_as_equal(runs, expected)


def test_another_number_of_threads_changes_next_to_nothing(runs: pd.DataFrame, data, tmp_path: Path) -> None:
    torch.set_num_threads(2)
    try:
        assert_as_good_as_equal(trained(data, tmp_path), runs)
    finally:
        torch.set_num_threads(1)


def test_other_last_digits_change_next_to_nothing(
    runs: pd.DataFrame, data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def built(*settings: object):
        network, noise = build(*settings), torch.Generator().manual_seed(1)
        for parameter in network.parameters():
            parameter.value.mul_(1 + 1e-7 * torch.randn(parameter.value.shape, generator=noise))
        return network

    monkeypatch.setattr(trainer, "build", built)
    changed = trained(data, tmp_path)
    assert not changed["train_loss"].equals(runs["train_loss"])
    assert_as_good_as_equal(changed, runs)


def test_a_change_that_matters_is_noticed(runs: pd.DataFrame) -> None:
    for column, change in {"train_loss": 0.003, "dead_fraction": 0.08, "test_accuracy": 0.01}.items():
        with pytest.raises(AssertionError, match=column):
            assert_as_good_as_equal(runs.assign(**{column: runs[column] + change}), runs)


if __name__ == "__main__":
    import tempfile

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        trained(blurred_prototypes(), Path(scratch)).to_csv(STORED, index=False)
