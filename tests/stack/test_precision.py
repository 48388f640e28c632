"""Products in bfloat16: where the processor has them, and a clear refusal where it has not."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_shard import shard_of

from dying_relu.errors import DyingReluError
from dying_relu.stack.precision import is_possible, products_in, require
from dying_relu.training.shard_job import train
from dying_relu.training.stack_training import StackTraining

CPU = torch.device("cpu")
needs_bf16 = pytest.mark.skipif(not is_possible("bf16", CPU), reason="no bfloat16 products in hardware")


def switches() -> list[str]:
    return [torch.backends.mkldnn.matmul.fp32_precision, torch.backends.mkldnn.conv.fp32_precision]


@pytest.mark.parametrize("precision", ["float32", "bf16"])
def test_the_switch_is_turned_back_even_after_an_error(precision: str) -> None:
    before = switches()

    def fail() -> None:
        with products_in(precision):
            assert switches() == (before if precision == "float32" else ["bf16", "bf16"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert switches() == before


def test_float32_is_always_possible() -> None:
    require("float32", CPU)


def test_a_gpu_is_refused() -> None:
    with pytest.raises(DyingReluError, match="precision: bf16 is not possible"):
        require("bf16", torch.device("cuda"))


@pytest.mark.skipif(is_possible("bf16", CPU), reason="this processor has bfloat16 products")
def test_a_processor_without_it_is_refused_and_nothing_is_written(data, tmp_path: Path) -> None:
    shard = replace(shard_of(), precision="bf16")
    with pytest.raises(DyingReluError, match="set `precision: float32`"):
        train(shard, data, tmp_path / "shard")
    assert not list(tmp_path.iterdir())


@needs_bf16
@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_weights_stay_float32_and_the_first_losses_agree(architecture: str, data) -> None:
    shard = shard_of(architecture=[architecture])
    exact, rounded = (
        StackTraining(replace(shard, precision=precision), shard.runs, data).finish()
        for precision in ("float32", "bf16")
    )
    assert all(parameter.value.dtype == torch.float32 for parameter in rounded.stack.network.parameters())
    one, other = (recorder.tables()["checkpoints"]["train_loss"] for recorder in (exact, rounded))
    assert one[0] == other[0], "measured in float32"
    assert one.iloc[-1] != other.iloc[-1]
    assert other.iloc[-1] == pytest.approx(one.iloc[-1], rel=0.05)
