"""Interventions do to a stack what a plain loop does to one network at a time, survive a kill, and do not depend on the stack."""

from collections.abc import Callable
from dataclasses import replace

import plain
import plain_interventions
import pytest
import torch
from stack.test_equality import ARCHITECTURES, CLASSES, IMAGE, OPTIMISERS, runs

from dying_relu.configuration import interventions as settings_of
from dying_relu.configuration.interventions import INTERVENTIONS, Intervention
from dying_relu.data import Dataset
from dying_relu.plan.shard import Run
from dying_relu.stack.convolution import Convolution
from dying_relu.stack.layers import Linear
from dying_relu.training.interventions import ACTS
from dying_relu.training.interventions.counting import active_shares
from dying_relu.training.trainer import Trainer

STEPS, BATCH = 12, 16
RATES = {"sgd": 0.12, "momentum": 0.03, "adam": 0.02}
CLIPPED = {f"{name}_clipped": each.model_copy(update={"clip_norm": 0.5}) for name, each in OPTIMISERS.items()}
CASES: dict[str, list[Intervention]] = {
    "switch": [settings_of.Switch(kind="switch", step=5, rate=0.001)],
    "burst": [settings_of.Burst(kind="burst", start=3, steps=4, factor=0.1)],
    "ramp": [settings_of.Ramp(kind="ramp", steps=6)],
    "cosine": [settings_of.Cosine(kind="cosine")],
    "ramp and cosine": [
        settings_of.Ramp(kind="ramp", steps=4),
        settings_of.Cosine(kind="cosine", factor=0.1),
    ],
    "layer_rates": [settings_of.LayerRates(kind="layer_rates", layers=[1], factor=0.3)],
    "bias rates": [settings_of.LayerRates(kind="layer_rates", parameters="biases", factor=0.0)],
    "freeze": [settings_of.Freeze(kind="freeze", layers=[2], start=2, until=7)],
    "kill": [settings_of.Kill(kind="kill", step=4, number=3)],
    "never born": [settings_of.Kill(kind="kill", step=0, share=0.5, layers=[1])],
    "kill at a spike": [settings_of.Kill(kind="kill", spike=1.1, number=2)],
    "damage": [settings_of.Damage(kind="damage", steps=6, factor=5.0)],
    "damage, nearly dead": [
        settings_of.Damage(kind="damage", steps=6, factor=5.0, remove="nearly_dead", below=0.2)
    ],
    "damage, placebo": [settings_of.Damage(kind="damage", steps=6, factor=5.0, placebo=True)],
    "renew": [settings_of.Renew(kind="renew", step=6)],
    "renew, placebo": [settings_of.Renew(kind="renew", step=6, share=0.5, placebo=True)],
    "renewal": [settings_of.ForbidByRenewal(kind="forbid_by_renewal")],
    "renewal, placebo": [settings_of.ForbidByRenewal(kind="forbid_by_renewal", placebo=True)],
    "renewal, placebo again": [
        settings_of.ForbidByRenewal(kind="forbid_by_renewal", placebo=True, again=True)
    ],
    "undoing": [settings_of.ForbidByUndoing(kind="forbid_by_undoing")],
    "undoing, placebo": [settings_of.ForbidByUndoing(kind="forbid_by_undoing", placebo=True, layers=[1])],
    "bias": [settings_of.ForbidByBias(kind="forbid_by_bias")],
    "bias, placebo": [settings_of.ForbidByBias(kind="forbid_by_bias", placebo=True)],
    "leaky": [settings_of.SlopeAtStep(kind="slope_at_step", step=4, until=9, slope=0.1)],
    "leaky at a spike": [settings_of.SlopeAtSpike(kind="slope_at_spike", spike=1.1, slope=0.1)],
    "relabel": [settings_of.Relabel(kind="relabel", step=5)],
}


def examples(dtype: torch.dtype = torch.float32) -> Dataset:
    """Images with a mean, which a linear teacher has labelled: units die of it."""
    generator = torch.Generator().manual_seed(1)
    teacher = torch.randn(IMAGE.numel(), CLASSES, generator=generator)
    images = torch.randn(120, *IMAGE, generator=generator)
    labels = (images.flatten(1) @ teacher).argmax(-1)
    images = (images + 0.7).to(dtype)
    moments = torch.zeros(3), torch.ones(3)
    return Dataset("mnist", images, labels, images[:20], labels[:20], *moments, CLASSES, "invented")


def networks(optimiser: str, activation: str = "relu") -> list[Run]:
    rate = RATES[optimiser.partition("_")[0]]
    return [
        replace(run, learning_rate=rate * (1, 0.5, 2, 1)[place], initial_bias=(0.0, -0.3)[place % 2])
        for place, run in enumerate(runs(activation, optimiser))
    ]


def trainer_of(
    architecture: str, optimiser: str, chosen: list[Run], acts: list[Intervention], dtype=torch.float32
) -> Trainer:
    trainer = Trainer(
        ARCHITECTURES[architecture], (OPTIMISERS | CLIPPED)[optimiser], chosen, examples(), BATCH,
        interventions=acts, total_steps=STEPS,
    )  # fmt: skip
    if dtype == torch.float64:
        for parameter in trainer.network.parameters():
            parameter.value = parameter.value.double()
        for hidden in trainer.network.hidden:
            hidden.activation.slope.value = hidden.activation.slope.value.double()
        trainer.examples = trainer.examples.double()
    return trainer


def parameters(trainer: Trainer) -> list[torch.Tensor]:
    return [parameter.value.clone() for parameter in trainer.network.parameters()]


def test_every_kind_has_its_act_and_a_case() -> None:
    kinds = set(INTERVENTIONS) - {"several"}
    assert kinds == set(ACTS)
    assert kinds == {settings.kind for case in CASES.values() for settings in case}


@pytest.mark.parametrize(
    ("architecture", "optimiser"),
    [("mlp", "sgd"), ("mlp", "adam_clipped"), ("cnn", "momentum"), ("cnn", "sgd_clipped")],
)
@pytest.mark.parametrize("case", CASES)
def test_equals_a_plain_loop(case: str, architecture: str, optimiser: str) -> None:
    chosen = networks(optimiser)
    trainer = trainer_of(architecture, optimiser, chosen, CASES[case], torch.float64)
    initial = trainer_of(architecture, optimiser, chosen, [], torch.float64).network
    losses = torch.stack([trainer.step() for _ in range(STEPS)])
    data = examples(torch.float64)
    for k in (0, 1):
        net = plain.network(ARCHITECTURES[architecture], chosen[k], IMAGE, CLASSES).double()
        plain.copy_parameters(initial, k, net)
        expected = plain_interventions.train(
            net,
            (OPTIMISERS | CLIPPED)[optimiser],
            chosen[k],
            data.train_images,
            data.train_labels,
            BATCH,
            STEPS,
            CASES[case],
        )
        torch.testing.assert_close(
            losses[:, k], torch.tensor(expected, dtype=torch.float64), rtol=1e-4, atol=1e-5
        )
        affine = [layer for layer in trainer.network.layers if isinstance(layer, Linear | Convolution)]
        modules = [module for module in net if isinstance(module, torch.nn.Linear | torch.nn.Conv2d)]
        for layer, module in zip(affine, modules, strict=True):
            torch.testing.assert_close(layer.weight.value[k], module.weight.detach(), rtol=1e-4, atol=1e-5)
            torch.testing.assert_close(layer.bias.value[k], module.bias.detach(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("optimiser", ["sgd", "momentum", "adam_clipped"])
@pytest.mark.parametrize("case", CASES)
def test_a_killed_training_goes_on_to_the_bit(case: str, optimiser: str) -> None:
    chosen = networks(optimiser)
    whole = trainer_of("mlp", optimiser, chosen, CASES[case])
    for _ in range(STEPS):
        whole.step()
    for kill in (0, 3, 8):
        first = trainer_of("mlp", optimiser, chosen, CASES[case])
        first.begin()
        for _ in range(kill):
            first.step()
        state = {name: tensor.clone() for name, tensor in first.state().items()}
        second = trainer_of("mlp", optimiser, chosen, CASES[case])
        second.restore(state)
        for _ in range(STEPS - kill):
            second.step()
        for one, other in zip(parameters(whole), parameters(second), strict=True):
            assert torch.equal(one, other)
        slopes = (
            [hidden.activation.slope.value for hidden in each.network.hidden] for each in (whole, second)
        )
        assert all(map(torch.equal, *slopes))


@pytest.mark.parametrize("case", CASES)
def test_every_case_makes_a_difference(case: str) -> None:
    """Rates are such that units die and losses spike."""
    with_it = trainer_of("mlp", "sgd", networks("sgd"), CASES[case])
    without = trainer_of("mlp", "sgd", networks("sgd"), [])
    for _ in range(STEPS):
        with_it.step()
        without.step()
    assert not all(map(torch.equal, parameters(with_it), parameters(without)))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("case", CASES)
def test_a_network_does_not_depend_on_its_stack(case: str, architecture: str) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        chosen = networks("momentum")
        together = trainer_of(architecture, "momentum", chosen, CASES[case])
        alone = trainer_of(architecture, "momentum", chosen[2:3], CASES[case])
        for trainer in (together, alone):
            for _ in range(STEPS):
                trainer.step()
    finally:
        torch.set_num_threads(threads)
    for stacked, single in zip(parameters(together), parameters(alone), strict=True):
        assert torch.equal(stacked[2:3], single)


def dead_units(trainer: Trainer) -> list[torch.Tensor]:
    """(K,) in each hidden layer, by brute force."""
    return [
        (hidden.by_unit(z)[0].movedim(hidden.by_unit(z)[1], -1) <= 0).all(-1).sum(1)
        for hidden, z in trainer.network.trace(trainer.examples)
        if hidden is not None
    ]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_where_death_is_forbidden_no_unit_is_dead(architecture: str) -> None:
    free = trainer_of(architecture, "sgd", networks("sgd"), [])
    without_death = trainer_of(architecture, "sgd", networks("sgd"), CASES["bias"])
    placebo = trainer_of(architecture, "sgd", networks("sgd"), CASES["bias, placebo"])
    for trainer in (free, without_death, placebo):
        for _ in range(STEPS):
            trainer.step()
    assert sum(int(layer.sum()) for layer in dead_units(free)) > 0
    assert sum(int(layer.sum()) for layer in dead_units(without_death)) == 0
    assert sum(int(layer.sum()) for layer in dead_units(placebo)) > 0


@pytest.mark.parametrize("case", ["kill", "never born", "damage", "damage, placebo"])
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_removed_units_stay_removed(optimiser: str, case: str) -> None:
    trainer = trainer_of("cnn", optimiser, networks(optimiser), CASES[case])
    for _ in range(STEPS):
        trainer.step()
    removed = trainer.acts[0].removed
    assert sum(int(units.sum()) for units in removed.values()) > 0
    for place, units in removed.items():
        hidden = trainer.network.hidden[place]
        assert (hidden.affine.weight.value[units] == 0).all()
        assert (hidden.affine.bias.value[units] == 0).all()
    for place, hidden in enumerate(trainer.network.hidden):
        for other, z in trainer.network.trace(trainer.examples):
            if other is hidden and place in removed:
                by_unit, axis = hidden.by_unit(z)
                assert (by_unit.movedim(axis, -1)[removed[place]] == 0).all()


def test_damage_and_its_placebo_remove_as_many_units_of_each_layer() -> None:
    counts = []
    for case in ("damage", "damage, placebo"):
        trainer = trainer_of("mlp", "sgd", networks("sgd"), CASES[case])
        trainer.begin()
        counts.append({place: units.sum(1).tolist() for place, units in trainer.acts[0].removed.items()})
    assert counts[0] == counts[1]
    assert any(map(any, counts[0].values()))


def test_units_that_were_nearly_dead_before_are_not_lost_to_a_damage_that_does_nothing() -> None:
    act = settings_of.Damage(kind="damage", steps=1, rate=1e-9, remove="nearly_dead", below=0.45)
    trainer = trainer_of("mlp", "sgd", networks("sgd"), [act])
    shares = active_shares(trainer.network, trainer.examples)
    assert any(((share > 0) & (share < act.below)).any() for share in shares)
    trainer.begin()
    assert not any(units.any() for units in trainer.acts[0].removed.values())


TWINS: list[Callable[[], Trainer]] = [
    lambda: trainer_of("mlp", "sgd", networks("sgd"), []),
    lambda: trainer_of("mlp", "adam", networks("adam", "leaky_relu"), CASES["switch"]),
    lambda: trainer_of("mlp", "momentum", networks("momentum", "tanh"), CASES["layer_rates"]),
]


@pytest.mark.parametrize("twin", TWINS)
def test_twins_share_initial_weights_and_minibatches(twin: Callable[[], Trainer]) -> None:
    one, other = TWINS[0](), twin()
    one.begin()
    other.begin()
    layers = [
        [layer.weight.value for layer in each.network.layers if isinstance(layer, Linear)]
        for each in (one, other)
    ]
    assert all(map(torch.equal, *layers))
    assert all(torch.equal(next(one.minibatches), next(other.minibatches)) for _ in range(20))
