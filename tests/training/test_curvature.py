"""The largest curvature against the whole Hessian of the same network in plain PyTorch, and training that does not notice it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import plain
import pytest
import torch
from small_shard import shard_of, tables
from stack.test_equality import CLASSES, IMAGE, OPTIMISERS, batches, new_stack, runs, train_stack
from torch import Tensor, nn
from torch.nn import functional
from training.test_resume import Killed, kill_after, train_until

from dying_relu.configuration import CNN, MLP, Architecture
from dying_relu.data import Dataset
from dying_relu.plan import cost
from dying_relu.stack.network import Network
from dying_relu.stack.selection import selected
from dying_relu.training import curvature
from dying_relu.training.curvature import largest_curvatures
from dying_relu.training.measurement import ProbeSet
from dying_relu.training.models import as_inputs
from dying_relu.training.stack_training import StackTraining

ARCHITECTURES = {
    "mlp": MLP(kind="mlp", widths=[6, 5]),
    "mlp_batch": MLP(kind="mlp", widths=[6, 5], normalisation="batch"),
    "mlp_layer": MLP(kind="mlp", widths=[6, 5], normalisation="layer"),
    "cnn": CNN(kind="cnn", channels=[3, 3], widths=[4]),
    "cnn_batch": CNN(kind="cnn", channels=[3, 3], widths=[4], normalisation="batch"),
    "cnn_layer": CNN(kind="cnn", channels=[3, 3], widths=[4], normalisation="layer"),
}
CASES = [
    *((name, "relu", "cross_entropy") for name in ARCHITECTURES),
    *(("mlp", activation, "cross_entropy") for activation in ("leaky_relu", "prelu", "tanh", "gelu")),
    ("mlp", "relu", "squared_error"),
]
PLAIN_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "cross_entropy": functional.cross_entropy,
    "squared_error": lambda logits, y: functional.mse_loss(logits, functional.one_hot(y, CLASSES).double()),
}
TOLERANCE = 1e-4
"""Relative; measured: below 1e-6."""


def trained(architecture: Architecture, activation: str) -> Network:
    """Four networks after forty updates."""
    stack, _ = train_stack(architecture, OPTIMISERS["sgd"], runs(activation, "sgd"), batches(40))
    return stack


def examples() -> tuple[Tensor, Tensor]:
    ((x, y),) = batches(1)
    return x, y


def measured(
    stack: Network, architecture: Architecture, loss: str = "cross_entropy", chosen: list[bool] | None = None
) -> Tensor:
    x, y = examples()
    every = torch.ones(len(stack.output.bias.value), dtype=torch.bool)
    return largest_curvatures(
        stack,
        ProbeSet(as_inputs(architecture, x), y),
        every if chosen is None else torch.tensor(chosen),
        loss=loss,
        seed=0,
    )


def as_plain(stack: Network, k: int, architecture: Architecture, activation: str) -> nn.Sequential:
    """The network ``k`` of a stack with all its parameters, in float64."""
    net = plain.network(architecture, runs(activation, "sgd")[k], IMAGE, CLASSES).double()
    plain.copy_parameters(stack, k, net)
    normalised = [
        module
        for module in net
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.LayerNorm | nn.GroupNorm)
    ]
    bent = [module for module in net if isinstance(module, nn.PReLU)]
    with torch.no_grad():
        normalisations = [hidden.normalisation for hidden in stack.hidden if hidden.normalisation]
        for layer, module in zip(normalisations, normalised, strict=True):
            module.weight.copy_(layer.scale.value[k])
            module.bias.copy_(layer.shift.value[k])
        for slope, prelu in zip([hidden.activation.slope for hidden in stack.hidden], bent, strict=False):
            prelu.weight.fill_(slope.value[k])
    return net


def eigenvalue_of_hessian(net: nn.Sequential, loss: str) -> float:
    """The largest of the whole Hessian, by autograd."""
    x, y = examples()
    parameters = list(net.parameters())

    def flat(tensors: tuple[Tensor, ...]) -> Tensor:
        return torch.cat([tensor.flatten() for tensor in tensors])

    gradient = flat(
        torch.autograd.grad(PLAIN_LOSSES[loss](net(x.double()), y), parameters, create_graph=True)
    )
    if any(isinstance(module, nn.GroupNorm) for module in net):
        # PyTorch cannot differentiate it in batches.
        each = [flat(torch.autograd.grad(entry, parameters, retain_graph=True)) for entry in gradient]
        return torch.linalg.eigvalsh(torch.stack(each))[-1].item()
    every = torch.eye(len(gradient)).double()
    rows = torch.autograd.grad(gradient, parameters, every, is_grads_batched=True)
    return torch.linalg.eigvalsh(torch.cat([row.flatten(1) for row in rows], 1))[-1].item()


@pytest.mark.parametrize(("kind", "activation", "loss"), CASES)
def test_it_is_the_largest_eigenvalue_of_the_hessian(kind: str, activation: str, loss: str) -> None:
    architecture = ARCHITECTURES[kind]
    stack = trained(architecture, activation)
    curvatures = measured(stack, architecture, loss, [False, True, False, False])
    assert curvatures.isnan().tolist() == [True, False, True, True]
    exact = eigenvalue_of_hessian(as_plain(stack, 1, architecture, activation), loss)
    assert curvatures[1].item() == pytest.approx(exact, rel=TOLERANCE)


@pytest.mark.parametrize("kind", ["mlp", "cnn_batch"])
def test_it_does_not_depend_on_the_stack_and_leaves_it_alone(kind: str) -> None:
    architecture = ARCHITECTURES[kind]
    stack = trained(architecture, "relu")
    before = [tensor.clone() for tensor in stack.state()]
    curvatures = measured(stack, architecture)
    assert all(torch.equal(*pair) for pair in zip(before, stack.state(), strict=True))
    reordered = selected(stack, torch.tensor([2, 0]))
    torch.testing.assert_close(
        measured(reordered, architecture), curvatures[[2, 0]], rtol=0, atol=0, equal_nan=True
    )


def test_networks_that_are_equal_have_the_same() -> None:
    architecture = ARCHITECTURES["mlp"]
    twins = selected(trained(architecture, "relu"), torch.tensor([1, 3, 1]))
    curvatures = measured(twins, architecture)
    assert curvatures[0] == curvatures[2] != curvatures[1]
    assert not curvatures.isnan().any()


def test_it_is_missing_where_the_gradient_jumps() -> None:
    """Examples that switch the first layer off leave every unit above it at zero, where ReLU has no derivative."""
    architecture = ARCHITECTURES["mlp"]
    stack = new_stack(architecture, runs("relu", "sgd"))
    first, second = (hidden.affine for hidden in stack.hidden)
    first.bias.value.fill_(-100.0)
    second.bias.value.zero_()
    assert measured(stack, architecture, chosen=[True, False, False, False]).isnan().all()


def test_it_is_missing_with_surrogate_gradients() -> None:
    architecture = ARCHITECTURES["mlp"]
    assert measured(new_stack(architecture, runs("relu_nelu", "sgd")), architecture).isnan().all()


FOLLOWED: dict[str, dict[str, list[Any]]] = {
    "mlp": {"learning_rate": [0.05, 1e25]},
    "mlp_batch_norm": {"optimiser": ["adam"]},
    "mlp_centred": {"optimiser": ["momentum"]},
}


@pytest.mark.parametrize("kind", FOLLOWED)
def test_training_does_not_notice_it(kind: str, data: Dataset) -> None:
    shard = shard_of(architecture=[kind], **FOLLOWED[kind])
    asking = replace(shard, curvature_steps=shard.checkpoints[:3])
    before, after = StackTraining(shard, shard.runs, data), StackTraining(asking, shard.runs, data)
    for training in (before, after):
        training.finish()
    states = [training.trainer.state() for training in (before, after)]
    torch.testing.assert_close(states[1], states[0], rtol=0, atol=0, equal_nan=True)
    for name, table in before.recorder.tables().items():
        columns = table.columns.drop("largest_curvature", errors="ignore")
        pd.testing.assert_frame_equal(after.recorder.tables()[name][columns], table[columns])
    assert before.recorder.tables()["checkpoints"]["largest_curvature"].isna().all()
    rows = after.recorder.tables()["checkpoints"]
    known = ~rows["overflowed"] & rows["step"].isin(asking.curvature_steps)
    assert (rows["largest_curvature"].notna() == known).all()
    assert (rows.loc[known, "largest_curvature"] > 0).all()


def test_a_training_that_goes_on_keeps_it(data: Dataset, tmp_path: Path) -> None:
    shard = replace(shard_of(), curvature_steps=(0, 2))
    shard = replace(shard, checkpoints=tuple(sorted({*shard.checkpoints, 2})))
    undisturbed = tables(shard, data, tmp_path / "undisturbed")["checkpoints"]
    with pytest.raises(Killed):
        train_until(kill_after(10), shard, data, tmp_path / shard.name)
    resumed = tables(shard, data, tmp_path)["checkpoints"]
    pd.testing.assert_frame_equal(resumed, undisturbed, check_exact=True)
    assert resumed.loc[resumed["largest_curvature"].notna(), "step"].tolist() == [0, 2]


def test_its_cost_is_planned() -> None:
    assert cost.EXAMPLES_OF_A_CURVATURE == curvature.EXAMPLES
    assert cost.GRADIENTS_OF_A_CURVATURE == 2 * curvature.PRODUCTS + 1
