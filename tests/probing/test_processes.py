"""Replicas of one model, each with its own data, stay the same: two processes on the CPU, by gloo."""

import os
import socket
import warnings
from typing import Any

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from dying_relu import probe, prune_dead, revive
from dying_relu.errors import DyingReluError

NEVER = -1e4


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def network() -> nn.Sequential:
    """Units 0 to 3 are dead everywhere, unit 4 for negative inputs alone."""
    model = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 2))
    with torch.no_grad():
        model[1].bias.fill_(5.0)
        model[1].bias[:4] = NEVER
        model[0].weight[4], model[0].bias[4], model[1].bias[4] = 1.0, 0.0, 0.0
    return model


def work(rank: int, port: int, results: Any) -> None:
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.manual_seed(rank)
    model = network()
    parallel = DistributedDataParallel(model)
    optimizer = torch.optim.Adam(parallel.parameters())
    batch = torch.rand(16, 4) * (1 if rank else -1)
    report = probe(parallel, [batch])
    answers: dict[str, Any] = {"dead": report.units("2")["dead"].to_numpy().nonzero()[0].tolist()}
    answers["pruned"] = prune_dead(parallel, report)[0].out_features
    answers["revived"] = revive(parallel, report, optimizer)["revived"].tolist()
    for _ in range(3):
        optimizer.zero_grad()
        parallel(batch).square().mean().backward()
        optimizer.step()
    weights = nn.utils.parameters_to_vector(model.parameters()).detach()
    answers["weights"] = weights.tolist()
    # A unit that lives again in one process alone.
    with torch.no_grad():
        model[1].bias[0] = NEVER
    dead = probe(parallel, [batch])
    with torch.no_grad():
        model[1].bias[0] = 9.0 if rank else NEVER
    before = nn.utils.parameters_to_vector(model.parameters()).detach().clone()
    try:
        revive(parallel, dead)
        answers["refused"] = ""
    except DyingReluError as error:
        answers["refused"] = str(error)
    answers["untouched"] = bool(nn.utils.parameters_to_vector(model.parameters()).equal(before))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        revive(model, probe(model, [batch]))
    answers["warned"] = any("give that one" in str(one.message) for one in caught)
    results.put((rank, answers))
    dist.destroy_process_group()


@pytest.fixture(scope="module")
def answers() -> list[dict[str, Any]]:
    """Of both processes."""
    context = mp.get_context("spawn")
    results = context.Queue()
    mp.spawn(work, args=(free_port(), results), nprocs=2)
    return [one for _, one in sorted([results.get(), results.get()], key=lambda pair: pair[0])]


def test_units_dead_in_every_process_are_revived_in_the_same_way(answers: list[dict[str, Any]]) -> None:
    assert [4 in one["dead"] for one in answers] == [True, False]
    assert [one["revived"] for one in answers] == [[4], [4]]
    weights = [torch.tensor(one["weights"]) for one in answers]
    assert weights[0].equal(weights[1])


def test_pruned_replicas_are_of_one_size(answers: list[dict[str, Any]]) -> None:
    assert [one["pruned"] for one in answers] == [12, 12]


def test_what_one_process_refuses_none_does(answers: list[dict[str, Any]]) -> None:
    assert all("outputs differ on batch 1" in one["refused"] for one in answers)
    assert all(one["untouched"] for one in answers)


def test_a_model_out_of_its_wrapper_is_warned_of(answers: list[dict[str, Any]]) -> None:
    assert all(one["warned"] for one in answers)


def test_sharded_parameters_are_refused() -> None:
    class DTensor(nn.Parameter):
        """Named as those of PyTorch."""

    model = network()
    report = probe(model, [torch.rand(8, 4)])
    model[0].weight = DTensor(model[0].weight.detach())
    for act in (prune_dead, revive):
        with pytest.raises(DyingReluError, match="sharded over several processes: found DTensor"):
            act(model, report)
