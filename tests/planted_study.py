"""A made-up study of 24 seeds whose effects are planted, claim by claim, and one without any.

Seeds differ, and share a part of their deviation over all cells, as those of a real study do. Each effect is a number, or a function of
the network's settings.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from small_evidence import SmallResults

from dying_relu.analysis.claims.evidence import DEAD, Definition, Evidence
from dying_relu.analysis.claims.settle import settled_by
from dying_relu.results import schemas, store

Effect = float | Callable[[dict[str, Any]], float]
SEEDS = 24
NOISE = 0.004
"""Standard deviation over seeds of every share and accuracy."""
UNITS = 40
STEPS = (0, 10, 20)
EVERY_STEP = (0, 1, 2, 3)


@dataclass(frozen=True)
class Effects:
    """The effects of a study; without arguments those that make every claim hold.

    Attributes:
        elsewhere: share of the units dead on the training examples that are dead on the test examples (C2).
        wakes: share of dead units that are alive at the next checkpoint (C3, C4).
        dead: newly dead share at the high rate (C5, C13).
        rise: the part of it that the low rate spares (C6, C13).
        born: share born dead at bias -4 (C7).
        bias_part: part of the bias in a fall (C7, literally).
        turn: change of the share of negative weights over a death (C9).
        leaky_gap: accuracy of leaky ReLU minus that of the best other remedy (C10).
        tiny_gain: part of the best slope's gain that slope 0.0001 makes (C11).
        slope_moves: distance of the learned slope from where it began (C12).
        prelu_gain: accuracy of PReLU minus that of slope 0.25 (C12, literally).
        pruned: largest change of a logit when dead units are removed (C4).
    """

    elsewhere: Effect = 0.99
    wakes: Effect = 0.0
    dead: Effect = 0.4
    rise: Effect = 0.2
    born: Effect = 0.3
    bias_part: Effect = 0.8
    turn: Effect = 0.05
    leaky_gap: Effect = 0.02
    tiny_gain: Effect = 0.8
    slope_moves: Effect = 0.05
    prelu_gain: Effect = 0.05
    pruned: Effect = 1e-7

    def of(self, name: str, network: dict[str, Any]) -> float:
        """An effect in a network."""
        effect = getattr(self, name)
        return float(effect(network) if callable(effect) else effect)


PLANTED = Effects()
NOTHING = Effects(
    elsewhere=0.5,
    wakes=0.6,
    dead=0.06,
    rise=0.0,
    born=0.0,
    bias_part=0.1,
    turn=0.0,
    leaky_gap=-0.05,
    tiny_gain=0.1,
    slope_moves=0.002,
    prelu_gain=-0.05,
)
"""No claim holds that can fail."""

_PLACES = {"dataset": ("mnist", "cifar10"), "architecture": ("mlp", "cnn")}
_GRIDS: dict[str, list[dict[str, tuple]]] = {
    "causes": [{**_PLACES, "initial_bias": (0.0, -2.0, -4.0), "learning_rate": (0.03, 0.3)}],
    "optimisers": [
        {**_PLACES, "optimiser": (optimiser,), "initial_bias": (0.0, -2.0), "learning_rate": rates}
        for optimiser, rates in {"momentum": (0.01, 0.1), "adam": (0.003, 0.03)}.items()
    ],
    "slopes": [
        {
            **_PLACES,
            "activation": ("relu", "leaky_relu 0.0001", "leaky_relu 0.1", "leaky_relu 0.25", "prelu"),
            "initial_bias": (-4.0,),
            "learning_rate": (0.03, 0.1),
        }
    ],
    "remedies": [
        {
            **_PLACES,
            "optimiser": ("adam",),
            "activation": ("relu", "leaky_relu 0.01", "elu"),
            "initial_bias": (0.0, -2.0),
            "learning_rate": (0.001, 0.01),
        }
    ],
    "recovery": [{"optimiser": ("sgd", "adam"), "inputs": ("standardised", "raw"), "learning_rate": (0.3,)}],
    "anatomy": [{"inputs": ("standardised", "raw"), "learning_rate": (0.1,)}],
}
_DEFAULTS: dict[str, tuple] = {
    "dataset": ("mnist",),
    "architecture": ("mlp",),
    "optimiser": ("sgd",),
    "activation": ("relu",),
    "initial_bias": (0.0,),
    "learning_rate": (0.1,),
    "inputs": ("standardised",),
}
HIGH = {"sgd": 0.3, "momentum": 0.1, "adam": 0.03}
_SLOPES = {"relu": 0.0, "prelu": 0.25}


def settled(claim: str, effects: Effects = PLANTED, **changed: Any) -> pd.Series:
    """The row of the verdict on a claim in a study, with cells and details as JSON has them; arguments as of :func:`evidence`."""
    row = settled_by(evidence(effects, **changed), [claim]).iloc[0].copy()
    row["details"], row["cells"] = json.loads(row["details"]), json.loads(row["cells"])
    return row


def in_cnns(here: float, elsewhere: float) -> Effect:
    """An effect of which CNNs have another size."""
    return lambda network: here if network["architecture"] == "cnn" else elsewhere


def evidence(
    effects: Effects = PLANTED,
    definition: Definition = DEAD,
    *,
    runs: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    units: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    **changed: Effect,
) -> Evidence:
    """The evidence of a study with ``effects``, some of them ``changed``, and with changes of its ``runs`` or ``units``."""
    tables = dict(tables_of(replace(effects, **changed)))
    for name, change in {"runs": runs, "units": units}.items():
        if change is not None:
            tables[name] = store.checked(name, change(tables[name].copy()).reset_index(drop=True), Path(name))
    return Evidence(SmallResults(tables), definition)


def tables_of(effects: Effects) -> dict[str, pd.DataFrame]:
    """The tables of a study with such effects."""
    rest = {name: _empty(name) for name in ("checkpoints", "activity")}
    of_units = replace(PLANTED, wakes=effects.wakes, bias_part=effects.bias_part, turn=effects.turn)
    of_layers = replace(PLANTED, slope_moves=effects.slope_moves)
    return {
        "runs": _runs(effects),
        "layers": _layers(of_layers),
        "units": _all_units(of_units),
        **rest,
    }


def _empty(name: str) -> pd.DataFrame:
    return pd.DataFrame(columns=list(schemas.TABLES[name].columns))


def _checked(name: str, table: pd.DataFrame) -> pd.DataFrame:
    columns = list(schemas.TABLES[name].columns)
    return store.checked(name, table[columns].reset_index(drop=True), Path(name))


@cache
def _runs(effects: Effects) -> pd.DataFrame:
    return _checked("runs", pd.DataFrame([_run(network, effects) for network in _networks()]))


@cache
def _layers(effects: Effects) -> pd.DataFrame:
    prelu = [network for network in _networks() if network["activation"] == "prelu"]
    return _checked("layers", pd.DataFrame([_layer(network, effects) for network in prelu]))


@cache
def _all_units(effects: Effects) -> pd.DataFrame:
    recorded = [network for network in _networks() if network["experiment"] in ("recovery", "anatomy")]
    return _checked("units", pd.concat([_units(network, effects) for network in recorded]))


@cache
def _networks() -> list[dict[str, Any]]:
    return list(_every_network())


def _every_network() -> Iterator[dict[str, Any]]:
    for experiment, grids in _GRIDS.items():
        for part, grid in enumerate(grids):
            levels = _DEFAULTS | grid
            for number, (replicate, *values) in enumerate(product(range(SEEDS), *levels.values())):
                network = dict(zip(levels, values, strict=True))
                activation, _, slope = network["activation"].partition(" ")
                yield network | {
                    "run": f"{experiment}{part}-{number:04d}",
                    "experiment": experiment,
                    "replicate": replicate,
                    "activation": activation,
                    "slope": float(slope) if slope else _SLOPES.get(activation, np.nan),
                    "steps": EVERY_STEP[-1] if experiment == "anatomy" else STEPS[-1],
                }


def _noise(network: dict[str, Any], of: str) -> float:
    """The deviation of a seed: half of its variance is shared by all cells."""
    cell = [network["dataset"], network["architecture"], network["optimiser"], network["activation"], of]
    own, shared = _normal(network["replicate"], "".join(cell)), _normal(network["replicate"], of)
    return NOISE * (own + shared) / np.sqrt(2)


@cache
def _normal(seed: int, name: str) -> float:
    return float(np.random.default_rng([seed, *name.encode()]).normal())


def _run(network: dict[str, Any], effects: Effects) -> dict[str, Any]:
    accuracy, outcome = _accuracy(network, effects), "trained"
    if network["experiment"] == "slopes" and network["activation"] == "relu":
        outcome = "collapsed"
    high = network["learning_rate"] == HIGH[network["optimiser"]]
    new = effects.of("dead", network) - (0 if high else effects.of("rise", network))
    new = float(np.clip(new + _noise(network, "dead"), 0.0, 1.0))
    born = effects.of("born", network) if network["initial_bias"] == -4 else 0.0
    dead = min(new + born, 1.0)
    on_both = dead * float(np.clip(effects.of("elsewhere", network) + _noise(network, "elsewhere"), 0, 1))
    shares = dict.fromkeys(
        ("saturated", "dormant_0", "dormant_0025", "dormant_01", "inactive", "died", "revived"), dead
    )
    learned = effects.of("slope_moves", network) if network["activation"] == "prelu" else 0.0
    return (
        network
        | {f"{name}_fraction": value for name, value in shares.items()}
        | {
            "shard": network["experiment"],
            "initialisation": "he",
            "intervention": "none",
            "loss_function": "cross_entropy",
            "batch_size": 50,
            "train_examples": 2000,
            "test_examples": 10000,
            "precision": "float32",
            "stack_size": 4,
            "hidden_units": 10000,
            "parameters": 1000,
            "outcome": outcome,
            "overflowed": False,
            "overflow_step": pd.NA,
            "initial_loss": 2.4,
            "peak_loss": 2.5,
            "train_loss": 0.5,
            "train_accuracy": accuracy,
            "test_loss": 0.5,
            "test_accuracy": accuracy,
            "constant": False,
            "dead_fraction": dead,
            "dead_fraction_probe": dead,
            "dead_fraction_test": on_both,
            "dead_on_both_fraction": on_both,
            "new_dead_fraction": new,
            "nearly_dead_fraction": 0.0,
            "born_dead_fraction": born,
            "effective_rank": 10.0,
            "pruned_difference": effects.of("pruned", network),
            "pruned_answers": 0.0,
            "mean_slope": network["slope"] + learned,
        }
    )


def _accuracy(network: dict[str, Any], effects: Effects) -> float:
    """Accuracies of the remedies and of the slopes; 0.9 elsewhere."""
    noise = _noise(network, "accuracy")
    if network["experiment"] == "remedies":
        best = {"relu": 0.7, "leaky_relu": 0.9 + effects.of("leaky_gap", network), "elu": 0.9}
        return best[network["activation"]] + noise - 0.2 * (network["learning_rate"] == 0.001)
    if network["experiment"] != "slopes":
        return 0.9 + noise
    by_slope = {0.0: 0.1, 1e-4: 0.1 + 0.7 * effects.of("tiny_gain", network), 0.1: 0.8, 0.25: 0.7}
    learned = effects.of("prelu_gain", network) if network["activation"] == "prelu" else 0.0
    worse = 0.02 * (network["learning_rate"] == 0.1)
    return by_slope[network["slope"]] + learned + noise - worse * (network["activation"] != "relu")


def _layer(network: dict[str, Any], effects: Effects) -> dict[str, Any]:
    zero = [name for name in schemas.LAYERS.columns if name not in ("run", "layer", "probe", "slope")]
    return dict.fromkeys(zero, 0) | {
        "run": network["run"],
        "step": network["steps"],
        "layer": "linear1",
        "depth": 1,
        "probe": "train",
        "units": UNITS,
        "slope": 0.25 + effects.of("slope_moves", network) * (1 + _noise(network, "slope")),
    }


def _units(network: dict[str, Any], effects: Effects) -> pd.DataFrame:
    """Units of two layers: half of them die at the second checkpoint, and some of these wake at the next ones."""
    random = np.random.default_rng([network["replicate"], len(network["inputs"]), len(network["optimiser"])])
    steps = EVERY_STEP if network["experiment"] == "anatomy" else STEPS
    states = []
    for depth in (1, 2):
        dies = np.arange(UNITS) % 2 == 0
        wakes = dies & (random.uniform(size=UNITS) < effects.of("wakes", network))
        negative = 0.5 + 0.02 * random.normal(size=UNITS)
        for place, step in enumerate(steps):
            dead = dies & (place > 0) & ~(wakes & (place > 1))
            drop = dead * 1.0
            turned = negative + dead * effects.of("turn", network)
            states.append(
                pd.DataFrame(
                    {
                        "run": network["run"],
                        "step": step,
                        "layer": f"linear{depth}",
                        "depth": depth,
                        "unit": np.arange(UNITS),
                        "dead": dead,
                        "dead_all": pd.array(dead, dtype="boolean"),
                        "inactive": dead,
                        "saturated": dead,
                        "dormant_0": dead,
                        "pre_activation_min": -9.0,
                        "pre_activation_max": np.where(dead, -0.5, 0.5),
                        "mean_pre_activation": -drop,
                        "mean_abs_activation": np.where(dead, 0.0, 0.1),
                        "active_share": np.where(dead, 0.0, 0.3),
                        "bias": -drop * effects.of("bias_part", network) - 0.1,
                        "weight_norm": 1.0,
                        "negative_weights": turned.clip(0, 1),
                        "woken_examples": np.nan if place == 0 else np.where(wakes & (place > 1), 0.3, 0.02),
                        "woken_minibatches": np.nan if place == 0 else 0.4,
                        "pre_activation_max_new_weights": 0.0,
                        "pre_activation_max_new_inputs": 0.0,
                        **{f"pre_activation_{name}": 0.0 for name in ("q05", "q25", "median", "q75", "q95")},
                    }
                )
            )
    return pd.concat(states)
