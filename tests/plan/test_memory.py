"""How many networks fit a stack, and that a job keeps to the memory it announces."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_shard import shard_of

from dying_relu.configuration import CNN, MLP, SGD, Adam
from dying_relu.plan import memory
from dying_relu.training import activity, full_count, measurement

MEGABYTE = 2**20


def shard_with(*widths: int, **changes):
    return replace(shard_of(), architecture=MLP(kind="mlp", widths=list(widths)), **changes)


@given(width=st.integers(1, 3000), cache=st.integers(2**17, 2**26), limit=st.integers(550, 8000))
def test_a_stack_fits_the_limit_and_smaller_networks_make_larger_stacks(
    width: int, cache: int, limit: int
) -> None:
    shard = shard_with(width, memory_limit=limit * MEGABYTE)
    size = memory.stack_size(shard, "sgd", on_gpu=False, cache=cache)
    assert 1 <= size <= memory.LARGEST_STACK
    assert size <= memory.stack_size(
        shard_with(max(1, width // 2), memory_limit=limit * MEGABYTE), "sgd", False, cache
    )
    assert size <= memory.stack_size(shard, "sgd", on_gpu=False, cache=2 * cache)
    assert size == 1 or memory.of_job(replace(shard, runs=shard.runs * size)) <= limit * MEGABYTE


def test_moments_take_room_in_the_cache() -> None:
    plain = shard_with(100, 100)
    with_moments = replace(plain, optimisers={"sgd": Adam(kind="adam")})
    assert memory.stack_size(with_moments, "sgd", False, 2 * MEGABYTE) < memory.stack_size(
        plain, "sgd", False, 2 * MEGABYTE
    )


def test_normalising_and_clipping_take_memory() -> None:
    plain = shard_with(100, 100)
    normalised = replace(plain, architecture=MLP(kind="mlp", widths=[100, 100], normalisation="batch"))
    clipped = replace(plain, optimisers={"sgd": SGD(kind="sgd", clip_norm=1.0)})
    assert memory.of_job(normalised) > memory.of_job(plain)
    assert memory.of_job(clipped) > memory.of_job(plain)


def test_larger_convolutions_make_smaller_stacks_on_a_cpu() -> None:
    sizes = []
    for channels in (4, 8, 16, 1000):
        shard = replace(shard_of(), architecture=CNN(kind="cnn", channels=[channels], widths=[16]))
        sizes.append(memory.stack_size(shard, "sgd", on_gpu=False, cache=2 * MEGABYTE))
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == 4
    assert sizes[-1] == 1


def test_stacks_fill_a_gpu_but_convolutional_ones_only_as_far_as_they_gain() -> None:
    shard = shard_with(100, 100)
    larger = replace(shard, memory_limit=2 * shard.memory_limit)
    assert 64 < memory.stack_size(shard, "sgd", True, 0) < memory.stack_size(larger, "sgd", True, 0)
    convolutional = replace(larger, architecture=CNN(kind="cnn", channels=[8], widths=[16]))
    assert memory.stack_size(convolutional, "sgd", True, 0) == 64


def test_this_machine_says_how_large_its_cache_is() -> None:
    assert 2**16 <= memory.second_level_cache() <= 2**28


def test_a_larger_cache_makes_no_larger_stack_than_memory_was_planned_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CACHE_SIZE_IN_LINUX", tmp_path / "size")
    (tmp_path / "size").write_text("16384K\n", encoding="ascii")
    assert memory.second_level_cache() == 2 * MEGABYTE
    (tmp_path / "size").write_text("512K\n", encoding="ascii")
    assert memory.second_level_cache() == MEGABYTE // 2


def test_a_gpu_is_filled_and_its_job_is_given_room_for_it() -> None:
    shard = many_networks("cnn")
    assert memory.of_job(replace(shard, device="cuda")) > memory.of_job(replace(shard, device="cpu"))


def test_planning_knows_how_many_examples_are_counted_at_once() -> None:
    batches = full_count.BATCHES_AT_ONCE
    assert batches * measurement.VECTORS_AT_ONCE == memory.VECTORS_COUNTED_AT_ONCE
    assert batches * measurement.IMAGES_AT_ONCE == memory.IMAGES_COUNTED_AT_ONCE
    assert len(activity.EXAMPLES) + 1 == memory.NUMBERS_OF_EXAMPLES_COUNTED


PROGRAM = """
import re, sys
from pathlib import Path
import torch
from dying_relu.stack import allocator
from dying_relu.training.shard_job import train
from test_memory import many_networks
from small_shard import blurred_prototypes
torch.set_num_threads(1)
allocator.keep_freed_memory()
train(many_networks(sys.argv[1]), blurred_prototypes(), Path(sys.argv[2]))
# Not getrusage: its peak begins with that of the process which started this one.
(kilobytes,) = re.findall(r"VmHWM:\\s*([0-9]+) kB", Path("/proc/self/status").read_text())
print(kilobytes)
"""


def many_networks(architecture: str):
    return shard_of(architecture=[architecture], learning_rate=[0.001 * place for place in range(1, 21)])


@pytest.mark.skipif(sys.platform != "linux", reason="no /proc")
@pytest.mark.parametrize("architecture", ["mlp", "cnn"])
def test_a_job_stays_within_what_it_announces(architecture: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROGRAM, architecture, str(tmp_path / "shard")]
    path = f"{Path(__file__).parent}:{Path(__file__).parents[1]}:{Path(memory.__file__).parents[2]}"
    job = subprocess.run(
        command, env={"PYTHONPATH": path, "PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, check=True
    )
    assert int(job.stdout) * 2**10 <= memory.of_job(many_networks(architecture))
