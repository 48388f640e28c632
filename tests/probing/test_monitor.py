"""A Monitor counts what happens to the units in a training that runs as if it were not there."""

import copy
import random
from collections.abc import Callable, Iterable
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.optimizer import _global_optimizer_post_hooks
from torch.utils.data import DataLoader, TensorDataset, default_collate

from dying_relu import Monitor, probe
from dying_relu.errors import DyingReluError
from dying_relu.probing.scalars import scalars

INPUTS = torch.randn(48, 6, generator=torch.Generator().manual_seed(3))
LABELS = torch.arange(48) % 3


def mlp(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3)),
        *(nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)),
    )


def augmented(examples: list[tuple[Tensor, Tensor]]) -> list[Tensor]:
    inputs, labels = default_collate(examples)
    return [inputs * np.random.rand() + random.random(), labels]  # noqa: NPY002


def train(
    model: nn.Module, batches: Iterable, rate: float = 0.1, each: Callable[[], None] = lambda: None
) -> None:
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    for inputs, labels in batches:
        optimizer.zero_grad()
        functional.cross_entropy(model(inputs), labels).backward()
        optimizer.step()
        each()


@pytest.mark.parametrize("generator", [None, 7], ids=["global generator", "its own generator"])
def test_training_is_the_same_to_the_bit_even_on_one_loader(generator: int | None) -> None:
    def run(monitored: bool) -> tuple[dict[str, Tensor], list[Tensor], list[float], Tensor]:
        model = mlp()
        seeded = None if generator is None else torch.Generator().manual_seed(generator)
        data = TensorDataset(INPUTS, LABELS)
        loader = DataLoader(data, batch_size=8, shuffle=True, generator=seeded, collate_fn=augmented)
        model[5].eval()
        np.random.seed(4)  # noqa: NPY002
        random.seed(4)
        if monitored:
            with Monitor(model, loader, every=2) as monitor:
                train(model, (batch for _ in range(2) for batch in loader))
            assert monitor.history["step"].unique().tolist() == [0, 2, 4, 6, 8, 10, 12]
        else:
            train(model, (batch for _ in range(2) for batch in loader))
        assert model.training
        assert not model[5].training
        gradients = [parameter.grad for parameter in model.parameters()]
        return model.state_dict(), gradients, [np.random.rand(), float(torch.rand(1))], torch.get_rng_state()  # noqa: NPY002

    (state, gradients, drawn, generator_state), other = run(monitored=True), run(monitored=False)
    assert all(value.equal(other[0][name]) for name, value in state.items())
    assert all(map(torch.equal, gradients, other[1]))
    assert drawn == other[2]
    assert generator_state.equal(other[3])


def test_births_deaths_and_revivals_are_those_that_a_recount_finds() -> None:
    model, snapshots = mlp(5), []
    with torch.no_grad():
        model[4].bias[[0, 1]] = torch.tensor([-2.0, -1e4])
    snapshots.append(copy.deepcopy(model))
    batches = [(INPUTS, LABELS)] * 40
    with Monitor(model, [INPUTS[:16], INPUTS[16:]], every=4) as monitor:
        train(model, batches, rate=1.5, each=lambda: snapshots.append(copy.deepcopy(model)))
    history = monitor.history
    for layer in ("2", "5"):
        dead = [probe(snapshot, [INPUTS]).units(layer)["dead"].to_numpy() for snapshot in snapshots[::4]]
        rows = history[history["layer"] == layer]
        assert rows["step"].tolist() == list(range(0, 41, 4))
        assert rows["dead"].tolist() == [int(now.sum()) for now in dead]
        pairs = list(pairwise(dead))
        assert rows["died"].tolist() == [0, *(int((now & ~before).sum()) for before, now in pairs)]
        assert rows["revived"].tolist() == [0, *(int((before & ~now).sum()) for before, now in pairs)]
        always = np.logical_and.accumulate(dead)
        assert rows["born_dead"].tolist() == always.sum(1).tolist()
    # All three things did happen.
    assert (history[["born_dead", "died", "revived"]].sum() > 0).all()


def test_steps_are_those_of_the_optimizers_of_this_model() -> None:
    model, other = mlp(), mlp()
    halves = list(model.parameters())
    optimizers = [torch.optim.SGD(half, lr=0.01) for half in (halves[:3], halves[3:])]
    with Monitor(model, [INPUTS], every=2) as monitor:
        for _ in range(3):
            train(other, [(INPUTS, LABELS)])
            functional.cross_entropy(model(INPUTS), LABELS).backward()
            for optimizer in optimizers:
                optimizer.step()
    assert monitor.steps == 3
    assert monitor.history["step"].unique().tolist() == [0, 2, 3]


def test_an_error_in_the_training_passes_and_the_hook_is_gone() -> None:
    hooks, model = len(_global_optimizer_post_hooks), mlp()
    monitor, counted = Monitor(model, [INPUTS], every=1), []

    def fail() -> None:
        counted.append(len(_global_optimizer_post_hooks))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), monitor:
        train(model, [(INPUTS, LABELS)] * 2, each=fail)
    assert [*counted, len(_global_optimizer_post_hooks)] == [hooks + 1, hooks]
    assert monitor.history["step"].unique().tolist() == [0, 1]
    train(model, [(INPUTS, LABELS)])
    assert monitor.steps == 1


def test_an_error_in_a_measurement_is_the_trainings_and_the_hook_is_gone() -> None:
    hooks, model, batches = len(_global_optimizer_post_hooks), mlp(), [INPUTS]
    with pytest.raises(DyingReluError, match="the loader is empty"), Monitor(model, batches, every=2):
        train(model, [(INPUTS, LABELS)] * 2, each=batches.clear)
    assert len(_global_optimizer_post_hooks) == hooks


def test_by_hand_where_no_optimizer_steps() -> None:
    model, seen = mlp(), []
    monitor = Monitor(model, [INPUTS], every=3, listeners=[seen.append])
    monitor.measure()
    for _ in range(6):
        with torch.no_grad():
            model[1].bias -= 5.0
        monitor.step()
    assert monitor.history["step"].unique().tolist() == [0, 3, 6]
    assert monitor.history.groupby("step")["dead"].sum().is_monotonic_increasing
    assert monitor.history["died"].sum() >= 16
    assert [len(rows) for rows in seen] == [2, 2, 2]
    assert monitor.report.units("2")["dead"].all()
    axes = monitor.plot()
    assert [line.get_label() for line in axes.lines] == ["2", "5"]
    shares = monitor.history.query("layer == '2'")["dead"] / 16
    assert axes.lines[0].get_xydata().tolist() == [
        [step, share] for step, share in zip((0, 3, 6), shares, strict=True)
    ]
    plt.close(axes.figure)


def test_a_heat_map_shows_the_activity_of_every_unit() -> None:
    model = mlp()
    with torch.no_grad():
        model[1].bias[:4] = torch.tensor([-1e4, 50.0, -1e4, 0.0])
    with Monitor(model, [INPUTS], every=2) as monitor:
        train(model, [(INPUTS, LABELS)] * 5, rate=0.01)
    axes = monitor.plot()
    heat_map = axes.figure.axes[1]
    (mesh,) = heat_map.collections
    shares = mesh.get_array()
    assert shares.shape == (24, 4)  # units of both layers, steps 0, 2, 4 and 5
    assert mesh.get_coordinates()[0, :, 0].tolist() == [0, 2, 4, 5, 6]
    assert [label.get_text() for label in heat_map.get_yticklabels()] == ["2", "5"]
    last = monitor.report.units("2")["active_share"].sort_values(ascending=False).to_numpy()
    assert shares[:16, -1].filled(0.0) == pytest.approx(last, abs=1 / 255)
    # Never active is black, and hardly ever is not.
    assert shares.mask[:16].sum(0).tolist() == [2, 2, 2, 2]
    plt.close(axes.figure)
    one = plt.subplots()[1]
    assert monitor.plot(one) is one
    assert len(one.figure.axes) == 1
    plt.close(one.figure)


def test_of_a_large_layer_some_units_are_drawn() -> None:
    model = nn.Sequential(nn.Linear(6, 1000), nn.ReLU(), nn.Linear(1000, 3))
    monitor = Monitor(model, [INPUTS])
    monitor.measure()
    axes = monitor.plot()
    assert axes.figure.axes[1].collections[0].get_array().shape == (200, 1)
    plt.close(axes.figure)


def test_a_function_listens_as_it_is_and_gets_what_a_logger_takes() -> None:
    """As ``wandb.log`` is called, or any other."""
    logged: list[tuple[dict[str, float], int]] = []
    model = mlp()

    def log(rows: pd.DataFrame) -> None:
        logged.append((scalars(rows), int(rows["step"].iloc[0])))

    with Monitor(model, [INPUTS], every=2, listeners=log):
        train(model, [(INPUTS, LABELS)] * 3)
    assert [step for _, step in logged] == [0, 2, 3]
    assert all(set(values) == {"dead/2", "dead/5", "dead_fraction"} for values, _ in logged)


def test_options_of_the_probe_are_passed_on() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    monitor = Monitor(model, [torch.randn(5, 3, 6)], unit_axis=1)
    assert monitor.measure()["units"].tolist() == [3]


def test_how_a_model_is_probed_is_the_same_in_a_monitor() -> None:
    model = nn.ModuleDict(
        {"a": nn.Linear(6, 4), "act": nn.ReLU(), "b": nn.Linear(4, 2), "out": nn.Identity()}
    )
    batch = {"x": torch.randn(5, 3, 6), "mask": torch.ones(5, 3, dtype=torch.bool)}
    batch["mask"][:, 1:] = False

    def call(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
        return torch.sigmoid(model["out"](model["b"](model["act"](model["a"](batch["x"])))))

    options = {"call": call, "batches": 2, "mask": "mask", "ignore": "out", "activations": "out"}
    monitor = Monitor(model, [batch] * 3, layers=["act", "out"], **options)
    assert monitor.measure()["layer"].tolist() == ["act"]
    assert monitor.report is not None
    assert monitor.report.layers["act"].statistics.count == 2 * 5


@pytest.mark.parametrize(
    ("loader", "every", "message"),
    [
        (iter([INPUTS]), 1, "gives its batches only once"),
        ([], 1, "the loader is empty"),
        ([INPUTS], 0, "every: found 0"),
        (
            DataLoader(TensorDataset(INPUTS), num_workers=1, persistent_workers=True),
            1,
            "keeps its workers.*persistent_workers=False",
        ),
    ],
)
def test_what_cannot_be_monitored_is_an_error_in_words(loader: Iterable, every: int, message: str) -> None:
    with pytest.raises(DyingReluError, match=message), Monitor(mlp(), loader, every=every):
        pass


def test_there_is_no_plot_before_a_measurement() -> None:
    with pytest.raises(DyingReluError, match="has not measured yet"):
        Monitor(mlp(), [INPUTS]).plot()
