"""A made-up study of 24 seeds whose findings are planted, F1a to F7a, one with the opposite effects, and one without any.

It has the experiments, factors and levels that the rules ask for and no others. A seed's deviation is small, and another in every network.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from small_evidence import SmallResults

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.results import schemas, store

UNITS = 1000
SEEDS, SELECTION = 20, 4
NOISE = 0.004
SD = 1.0
"""Spread of the pre-activations of a first layer at the start, in most inputs."""


@dataclass(frozen=True)
class Effects:
    """What is planted; without arguments what makes every finding hold.

    Attributes:
        without_mean: newly dead share of the first layer without a mean (F1a).
        offset: the same with an offset of share 0.6 (F1a's control, F1b).
        trained: newly dead share with trained biases (F1c).
        frozen: newly dead share with frozen biases minus that with trained ones (F1c).
        hidden: newly dead share of the second layer without centred activations (F1d).
        second: newly dead share of the second layer elsewhere (F1a).
        bias_part_error: error of the predicted part of the bias (F1e).
        octaves: standard deviation of the settings' deviations from the law (F2).
        spread: power of the pre-activations' spread in the law; at 0 the mean alone decides (F2c).
        line: multiple of the law's rate at which layers die in the phase diagram (F7a).
        mass: newly dead share at high rates (F3a, F3c).
        forbidden: share of networks that overflow if death is forbidden (F3a).
        renewed_again: the same with the placebo that renews more (F3a).
        flat: newly dead share of ReLU minus the newly silent one of its leaky twin (F3b).
        rescued: accuracy of networks that died in mass (F3c).
        ten, two: loss of accuracy with so many living units (F4a).
        damage: loss of accuracy to a high rate (F4b, F4c, F4d).
        strictly, nearly: part of the damage that they make (F4b, F4c).
        random: part of the damage that as many random units as dead or nearly dead ones make (F4c).
        renewed: loss of accuracy that is left with dead units renewed (F4d).
        renewal: accuracy with dead units renewed minus that with living ones (F4d).
        soon: part of the deaths within 20 steps, by optimiser (F5).
        wake: number of units that further examples wake over the expected one (F6a, F6b).
        asleep: units silent on all examples (F6c).
    """

    without_mean: float = 0.0
    offset: float = 0.8
    trained: float = 0.6
    frozen: float = 0.02
    hidden: float = 0.4
    second: float = 0.02
    bias_part_error: float = 0.01
    octaves: float = 0.3
    spread: float = 1.0
    line: float = 1.0
    mass: float = 0.7
    forbidden: float = 0.97
    renewed_again: float = 0.0
    flat: float = 0.005
    rescued: float = 0.3
    ten: float = 0.05
    two: float = 0.4
    damage: float = 0.3
    strictly: float = 0.05
    nearly: float = 0.9
    random: float = 0.2
    renewed: float = 0.1
    renewal: float = 0.01
    soon: tuple[float, float, float] = (0.9, 0.8, 0.2)
    wake: float = 1.0
    asleep: int = 10


PLANTED = Effects()
OPPOSITE = Effects(
    without_mean=0.1,
    offset=0.8,
    frozen=-0.5,
    hidden=0.0,
    bias_part_error=0.5,
    octaves=1.5,
    spread=0.0,
    line=0.01,
    forbidden=0.0,
    flat=0.2,
    rescued=0.88,
    ten=0.3,
    two=0.05,
    strictly=0.9,
    nearly=0.1,
    renewal=0.3,
    soon=(0.1, 0.1, 0.9),
    wake=3.0,
    asleep=1000,
)
"""No finding holds, but for F1b, without whose effect there would be no control of F1a."""
NOTHING = replace(
    OPPOSITE, without_mean=0.0, offset=0.01, trained=0.0, frozen=0.0, mass=0.1, damage=0.0, renewal=0.0
)
"""Nothing dies, and nothing is lost: no finding holds."""

_DEFAULTS: dict[str, tuple] = {
    "dataset": ("mnist",),
    "architecture": ("mlp",),
    "optimiser": ("sgd",),
    "activation": ("relu",),
    "inputs": ("standardised",),
    "intervention": ("none",),
    "learning_rate": (0.1,),
}
_HELD_OUT_INPUTS = ("random_45", "components_80", "inverted_double")
_HELD_OUT_NETWORKS = ("held_out_one", "held_out_two", "held_out_three")
_LAW_RATES = tuple(0.00001 * 2**octave for octave in range(23))
_PLACEBOS = ("placebo_of_renewal", "placebo_of_renewal_again")
_FUSE_ARMS = ("none", "forbid_by_renewal", "forbid_by_undoing", "forbid_by_bias", *_PLACEBOS)
_GRIDS: dict[str, list[dict[str, tuple]]] = {
    "mean_inputs": [
        {
            "dataset": ("mnist", "cifar10"),
            "optimiser": ("sgd", "momentum", "adam"),
            "inputs": ("centred", "random_60"),
            "learning_rate": (0.01, 0.1),
        }
    ],
    "mean_dose": [
        {
            "optimiser": (optimiser,),
            "inputs": ("mean_0", "mean_60", "random_60", "constant_60"),
            "learning_rate": (rate,),
        }
        for optimiser, rate in {"sgd": 0.2, "momentum": 0.1, "adam": 0.02}.items()
    ],
    "mean_biases": [
        {
            "optimiser": (optimiser,),
            "inputs": ("components_1", "components_3", "components_100", "standardised"),
            "intervention": ("none", "frozen_biases"),
            "learning_rate": (rate,),
        }
        for optimiser, rate in {"sgd": 0.4, "momentum": 0.2, "adam": 0.02}.items()
    ],
    "mean_hidden": [
        {
            "optimiser": ("adam",),
            "architecture": ("mlp", "centred"),
            "inputs": ("centred",),
            "learning_rate": (0.02, 0.04),
        }
    ],
    "law_fit": [{"inputs": ("standardised", "raw", "third"), "learning_rate": _LAW_RATES}],
    "law_fit_adam": [
        {"optimiser": ("adam",), "inputs": ("standardised", "raw", "third"), "learning_rate": _LAW_RATES}
    ],
    "law_held_out": [
        {
            "architecture": _HELD_OUT_NETWORKS,
            "inputs": _HELD_OUT_INPUTS,
            "learning_rate": _LAW_RATES,
        }
    ],
    "law_held_out_cifar10": [
        {
            "dataset": ("cifar10",),
            "architecture": _HELD_OUT_NETWORKS,
            "inputs": ("constant_30",),
            "learning_rate": _LAW_RATES,
        }
    ],
    "law_held_out_cifar10_adam": [
        {
            "dataset": ("cifar10",),
            "architecture": _HELD_OUT_NETWORKS,
            "optimiser": ("adam",),
            "inputs": ("constant_30",),
            "learning_rate": _LAW_RATES,
        }
    ],
    "law_held_out_adam": [
        {
            "architecture": _HELD_OUT_NETWORKS,
            "optimiser": ("adam",),
            "inputs": _HELD_OUT_INPUTS,
            "learning_rate": _LAW_RATES,
        }
    ],
    "fuse": [
        {
            "optimiser": ("sgd", "momentum"),
            "inputs": ("standardised", "raw"),
            "intervention": (*_FUSE_ARMS, "placebo_of_undoing", "leaky_at_100"),
            "learning_rate": (0.1, 0.44, 0.88),
        }
    ],
    "fuse_leaky": [
        {
            "optimiser": ("sgd", "momentum"),
            "inputs": ("standardised", "raw"),
            "activation": ("leaky_relu",),
            "intervention": ("none", "relu_at_spike"),
            "learning_rate": (0.1, 0.44, 0.88),
        }
    ],
    "fuse_cnn": [
        {
            "dataset": ("cifar10",),
            "architecture": ("cnn",),
            "inputs": ("raw",),
            "intervention": ("none", "forbid_by_renewal", *_PLACEBOS),
            "learning_rate": (0.1, 0.88),
        }
    ],
    "living_30": [{"architecture": ("narrow",), "intervention": ("none", "kill_20", "kill_28")}],
    "living_100": [{"intervention": ("none", "kill_90", "kill_98")}],
    "living_300": [{"architecture": ("wide",), "intervention": ("none", "kill_290", "kill_298")}],
    "damage_sgd": [
        {
            "intervention": (
                "none",
                *(
                    f"lack_{what}_{rate}"
                    for what in ("dead", "nearly", "random", "random_nearly")
                    for rate in (44, 48)
                ),
            )
        }
    ],
    "damage_adam": [
        {
            "optimiser": ("adam",),
            "intervention": ("none", "lack_dead_3", "lack_nearly_3", "lack_random_3", "lack_random_nearly_3"),
            "learning_rate": (0.001,),
        }
    ],
    "renewal_sgd": [
        {
            "intervention": tuple(
                f"high_{rate}{after}" for rate in (44, 48) for after in ("", "_renewed", "_placebo")
            )
        }
    ],
    "renewal_adam": [
        {
            "optimiser": ("adam",),
            "intervention": ("high_3", "high_3_renewed", "high_3_placebo"),
            "learning_rate": (0.001,),
        }
    ],
    "when": [
        {
            "optimiser": (optimiser,),
            "intervention": ("none", "low_until_20", "low_until_100", "low_until_300"),
            "learning_rate": rates,
        }
        for optimiser, rates in {"sgd": (0.31, 0.44), "momentum": (0.1, 0.13), "adam": (0.02, 0.04)}.items()
    ],
    "activity": [
        {"dataset": ("mnist", "cifar10"), "learning_rate": (0.01, 0.1)},
    ],
    "activity_adam": [
        {"dataset": ("mnist", "cifar10"), "optimiser": ("adam",), "learning_rate": (0.01, 0.1)},
    ],
    "activity_cnn": [{"architecture": ("large",), "optimiser": ("adam",), "learning_rate": (0.03,)}],
    "phase_diagram": [
        {
            "dataset": ("mnist", "cifar10"),
            "inputs": ("random_0", "random_15", "random_45", "random_75"),
            "learning_rate": (0.01, 0.1, 1.0, 10.0),
        }
    ],
}
CHOOSING = ("fuse", "fuse_leaky", "fuse_cnn")
_WHEN = (0, 20, 40, 100, 120, 300, 320, 700)
_SWITCH = {"none": 0, "low_until_20": 20, "low_until_100": 100, "low_until_300": 300}
_MEANS = {"standardised": 3.0, "raw": 9.0, "third": 1.0, "components_80": 2.0, "inverted_double": 20.0}
_MEANS |= {"constant_30": 4.0}
_MEANS |= {"components_1": 0.7, "components_3": 1.2, "components_100": 6.0}
_MEANS |= {"random_0": 0.0, "random_15": 3.0, "random_45": 6.0, "random_75": 12.0}
"""Euclidean norm of the inputs' mean; the square of it is a fifth of its 1-norm, but for ``_ONES``."""
_SDS = {"components_80": 2 * SD, "inverted_double": SD / 4}
_OFFSETS = {"inverted_double": 0.9, "constant_30": 0.15}
_ONES = {"constant_30": 15.0}
"""1-norm of the mean over the square of its Euclidean norm, where it is not 5."""
ADAM_CONSTANT = 1.3


def settled(finding: str, effects: Effects = PLANTED, **changed: Any) -> pd.Series:
    """The row of the verdict on a finding, with cells and details as JSON has them; arguments as of :func:`evidence`."""
    row = settled_by(evidence(effects, **changed), [finding]).iloc[0].copy()
    row["details"], row["cells"] = json.loads(row["details"]), json.loads(row["cells"])
    return row


def evidence(
    effects: Effects = PLANTED, *, runs: Callable[[pd.DataFrame], pd.DataFrame] | None = None, **changed: Any
) -> Evidence:
    """The evidence of a study with ``effects``, some of them ``changed``, and with a change of its ``runs``."""
    tables = dict(tables_of(replace(effects, **changed)))
    if runs is not None:
        tables["runs"] = store.checked(
            "runs", runs(tables["runs"].copy()).reset_index(drop=True), Path("runs")
        )
    return Evidence(SmallResults(tables))


@cache
def tables_of(effects: Effects) -> dict[str, pd.DataFrame]:
    """The tables of a study with such effects."""
    networks = _networks()
    shares = _shares(networks, effects)
    tables = {
        "runs": _runs(networks, shares, effects),
        "layers": _layers(networks, shares, effects),
        "units": _units(networks, effects),
        "activity": _activity(networks, effects),
        "checkpoints": pd.DataFrame(columns=list(schemas.CHECKPOINTS.columns)),
    }
    return {
        name: store.checked(
            name, table[list(schemas.TABLES[name].columns)].reset_index(drop=True), Path(name)
        )
        for name, table in tables.items()
    }


@cache
def _networks() -> pd.DataFrame:
    rows = []
    for experiment, grids in _GRIDS.items():
        seeds = range(SEEDS + SELECTION if experiment in CHOOSING else SEEDS)
        for grid in grids:
            levels = _DEFAULTS | grid
            rows += [
                {"experiment": experiment, "replicate": seed} | dict(zip(levels, values, strict=True))
                for seed, *values in product(seeds, *levels.values())
            ]
    table = pd.DataFrame(rows)
    noise = np.random.default_rng(5).normal(size=len(table))
    steps = table["experiment"].map({"when": _WHEN[-1]}).fillna(200).astype(int)
    return table.assign(run=[f"{place:012d}" for place in range(len(table))], noise=noise, steps=steps)


def _law_mean(networks: pd.DataFrame) -> np.ndarray:
    """The norm of the mean of the first layer's inputs."""
    return networks["inputs"].map(_MEANS).fillna(2.0).to_numpy()


def _share(networks: pd.DataFrame) -> np.ndarray:
    """The offset share of the first layer's inputs."""
    return networks["inputs"].map(_OFFSETS).fillna(0.3).to_numpy()


def _sd(networks: pd.DataFrame) -> np.ndarray:
    """The spread of the first layer's pre-activations."""
    return networks["inputs"].map(_SDS).fillna(SD).to_numpy()


def _norm_1(networks: pd.DataFrame) -> np.ndarray:
    """The 1-norm of the mean of the first layer's inputs."""
    return networks["inputs"].map(_ONES).fillna(5.0).to_numpy() * _law_mean(networks) ** 2


def _onset(networks: pd.DataFrame, effects: Effects) -> np.ndarray:
    """The rate at which a quarter of the first layer dies, by the law and a deviation of the setting."""
    settings = networks[["dataset", "architecture", "inputs", "optimiser"]].agg("/".join, axis=1)
    deviation = {
        setting: effects.octaves * (1 if place % 2 else -1) * (1 + place % 3) / 2
        for place, setting in enumerate(dict.fromkeys(settings))
    }
    norms = np.maximum(_law_mean(networks), 1e-9)
    adam = ADAM_CONSTANT / np.maximum(_norm_1(networks), 1e-9)
    law = _sd(networks) ** effects.spread * np.where(networks["optimiser"] == "adam", adam, 56 / norms**2)
    law = np.where(
        networks["experiment"] == "phase_diagram", law * effects.line, law * 2 ** settings.map(deviation)
    )
    return law * 2 ** (0.1 * networks["noise"])


def _shares(networks: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    """The newly dead shares of the two layers of every network."""
    experiment, inputs, noise = networks["experiment"], networks["inputs"], NOISE * networks["noise"]
    first = pd.Series(0.1, networks.index)
    centred = (experiment == "mean_inputs") & (inputs == "centred")
    first = first.mask(centred, effects.without_mean)
    first = first.mask(inputs.isin(("random_60", "mean_60", "constant_60")), effects.offset)
    first = first.mask(inputs == "mean_0", 0.01)
    first = first.mask(experiment == "mean_biases", effects.trained)
    first = first.mask(networks["intervention"] == "frozen_biases", effects.trained + effects.frozen)
    of_law = experiment.str.startswith("law") | (experiment == "phase_diagram")
    octaves = np.log2(networks["learning_rate"] / _onset(networks, effects))
    first = first.mask(of_law, (0.25 + 0.25 * octaves).clip(0, 1))
    dies = experiment.isin(CHOOSING) & (networks["learning_rate"] > 0.2)
    first = first.mask(experiment.isin(CHOOSING), np.where(dies, effects.mass, 0.06))
    second = pd.Series(effects.second, networks.index)
    second = second.mask(
        (experiment == "mean_hidden") & (networks["architecture"] == "mlp"), 0.02 + effects.hidden
    )
    shares = pd.DataFrame({1: first, 2: second})
    noisy = shares.add(noise.abs().mask(centred, 0.0), axis=0).clip(0, 1)
    return (noisy * UNITS).round() / UNITS


def _accuracy(networks: pd.DataFrame, effects: Effects) -> pd.Series:
    arm, experiment = networks["intervention"], networks["experiment"]
    left = arm.str.extract(r"^kill_(\d+)$")[0].astype(float)
    width = experiment.str.extract(r"^living_(\d+)$")[0].astype(float)
    loss = (width - left).map({10: effects.ten, 2: effects.two}).fillna(0.0)
    damage = effects.damage
    loss = loss.mask(arm.str.fullmatch(r"high_\d+"), damage)
    loss = loss.mask(arm.str.startswith("lack_dead"), damage * effects.strictly)
    loss = loss.mask(arm.str.startswith("lack_nearly"), damage * effects.nearly)
    loss = loss.mask(arm.str.startswith("lack_random_nearly"), damage * effects.random)
    loss = loss.mask(arm.str.endswith("_renewed"), effects.renewed)
    loss = loss.mask(arm.str.fullmatch(r"high_\d+_placebo"), effects.renewed + effects.renewal)
    dies = experiment.isin(CHOOSING) & (networks["learning_rate"] > 0.2)
    return 0.9 - loss.mask(dies, 0.9 - effects.rescued) + NOISE * networks["noise"]


def _overflowed(networks: pd.DataFrame, effects: Effects) -> pd.Series:
    dies = networks["experiment"].isin(CHOOSING) & (networks["learning_rate"] > 0.2)
    rank = np.random.default_rng(7).uniform(size=len(networks))
    forbidden = networks["intervention"].str.startswith("forbid") | (networks["activation"] == "leaky_relu")
    again = networks["intervention"] == "placebo_of_renewal_again"
    return dies & ((forbidden & (rank < effects.forbidden)) | (again & (rank < effects.renewed_again)))


def _runs(networks: pd.DataFrame, shares: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    new = shares.mean(axis=1)
    overflowed = _overflowed(networks, effects)
    accuracy = _accuracy(networks, effects)
    final = [
        name for name in schemas.RUNS.columns if name.endswith(("_fraction", "_probe", "_fraction_test"))
    ]
    table = networks.assign(**dict.fromkeys(final, new)).assign(
        shard=networks["experiment"],
        slope=np.where(networks["activation"] == "relu", 0.0, 0.01),
        initialisation="he",
        initial_bias=0.0,
        loss_function="cross_entropy",
        batch_size=50,
        train_examples=2000,
        test_examples=10000,
        precision="float32",
        stack_size=4,
        hidden_units=2 * UNITS,
        parameters=1000,
        outcome=np.where(overflowed, "diverged", "trained"),
        overflowed=overflowed,
        overflow_step=pd.array(np.where(overflowed, 50, -1), dtype="Int64"),
        initial_loss=2.4,
        peak_loss=np.where(overflowed, np.inf, np.where(networks["learning_rate"] > 0.2, 20.0, 2.5)),
        train_loss=0.5,
        train_accuracy=accuracy,
        test_loss=0.5,
        test_accuracy=accuracy,
        constant=False,
        nearly_dead_fraction=0.0,
        born_dead_fraction=0.0,
        revived_fraction=0.0,
        effective_rank=10.0,
        pruned_difference=0.0,
        pruned_answers=0.0,
        mean_slope=0.0,
    )
    lost = [*final, "train_loss", "train_accuracy", "test_loss", "test_accuracy", "effective_rank"]
    lost += ["pruned_difference", "pruned_answers", "mean_slope"]
    table[lost] = table[lost].mask(overflowed)
    table["overflow_step"] = table["overflow_step"].mask(~overflowed)
    return table


def _layers(networks: pd.DataFrame, shares: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    norms = _law_mean(networks)
    overflowed = _overflowed(networks, effects)
    leaky = networks["activation"] == "leaky_relu"
    zero = [name for name in schemas.LAYERS.columns if name not in ("run", "layer", "probe", "slope")]
    parts = []
    for depth in (1, 2):
        final = (shares[depth] * UNITS).round()
        final = final.mask(leaky, (final - UNITS * effects.flat).clip(0, UNITS)).round()
        for step in sorted({0, 200, *_WHEN}):
            when = networks["experiment"] == "when"
            here = (when & (step in _WHEN)) | (~when & (step in (0, 200)))
            if step:
                here &= ~overflowed
            dead = final * _progress(networks, step, effects)
            parts.append(
                pd.DataFrame(dict.fromkeys(zero, 0), index=networks.index).assign(
                    run=networks["run"],
                    step=step,
                    layer=f"linear{depth}",
                    depth=depth,
                    probe="train",
                    units=UNITS,
                    slope=0.0,
                    offset_share=_share(networks),
                    input_mean_norm=norms,
                    input_mean_norm_1=_norm_1(networks),
                    pre_activation_sd=_sd(networks),
                    inactive=dead.round(),
                    **{name: dead.mask(leaky, 0).round() for name in ("dead", "dead_all", "new_dead_all")},
                    **dict.fromkeys(("saturated", "dormant_0", "dormant_0025", "dormant_01"), dead.round()),
                )[here]
            )
    return pd.concat(parts)


def _progress(networks: pd.DataFrame, step: int, effects: Effects) -> pd.Series:
    """The part of the final deaths that a network has at a step."""
    switch = networks["intervention"].map(_SWITCH).fillna(0)
    soon = networks["optimiser"].map(dict(zip(("sgd", "adam", "momentum"), effects.soon, strict=True)))
    done = soon.where(step < networks["steps"], 1.0).where(networks["experiment"] == "when", 1.0)
    return done.where(step > switch, 0.0) if step else 0.0 * done


def _units(networks: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    """Ten units of the first layer of the networks whose biases are followed; eight of them die."""
    here = networks[(networks["experiment"] == "mean_biases") & (networks["intervention"] == "none")]
    norms = pd.Series(_law_mean(networks), networks.index)[here.index]
    part = (1 / (1 + norms**2) + effects.bias_part_error).to_numpy()
    names = [name for name, column in schemas.UNITS.columns.items() if "float" in str(column.dtype)]
    rows = []
    for step in (0, 200):
        for unit in range(10):
            dead = np.full(len(here), bool(step) and unit < 8)
            fall = 1.0 + 0.1 * unit
            rows.append(
                pd.DataFrame(dict.fromkeys(names, 0.0), index=here.index).assign(
                    run=here["run"],
                    step=step,
                    layer="linear1",
                    depth=1,
                    unit=unit,
                    dead=dead,
                    dead_all=pd.array(dead, dtype="boolean"),
                    inactive=dead,
                    saturated=dead,
                    dormant_0=dead,
                    mean_pre_activation=-fall * dead,
                    bias=-fall * dead * (part + NOISE * (unit - 4)),
                )
            )
    return pd.concat(rows)


def _activity(networks: pd.DataFrame, effects: Effects) -> pd.DataFrame:
    """Units whose first active example follows the log-series: f1 units active once, and as many woken as it says, or others."""
    rows = []
    here = networks[networks["experiment"].str.startswith("activity")]
    for run, noise in zip(here["run"], here["noise"], strict=True):
        once = 30 + int(np.clip(round(2 * noise), -6, 6))
        woken = [round(effects.wake * once * np.log(1 + times)) for times in (1, 10)]
        later = round(effects.wake * once * np.log(120))
        starts = [
            *[500] * once,
            *[1000] * woken[0],
            *[5500] * (woken[1] - woken[0]),
            *[60000] * (later - woken[1]),
        ]
        starts += [10**9] * effects.asleep
        rows += [
            {"run": run, "unit": unit, "examples": examples, "active": int(start <= examples)}
            for examples in (500, 1000, 5500, 60000)
            for unit, start in enumerate(starts)
        ]
    return pd.DataFrame(rows).assign(layer="linear1", depth=1, born_dead=False)
