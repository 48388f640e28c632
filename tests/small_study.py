"""Synthetic tables of a study with experiments of every kind: small, lawful, and with effects that are known.

Units die more at larger learning rates and at more negative biases; some deeper ones revive, first-layer ones never do; only ReLU
units can be dead; the largest rate overflows, and a network that learns next to nothing has collapsed. Made from unit to run, so that
the tables agree with one another.
"""

from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from dying_relu.plan import study
from dying_relu.results import schemas, store
from dying_relu.results.simulation_schemas import BORN_DEAD
from dying_relu.simulations import born_dead as birth
from dying_relu.simulations.checks import checks
from dying_relu.simulations.probabilities import Count
from dying_relu.simulations.validation import compared
from dying_relu.theory.born_dead import born_dead_probability_one_point

TRIALS = 10_000
"""Of each simulated probability."""
UNITS = 12
CHECKPOINTS = (0, 1, 4, 16, 64)
EVERY_STEP = tuple(range(13))
OVERFLOWS = 10.0
COLLAPSED = 0.2
"""A network with an accuracy up to this counts as collapsed."""
LEARNED = 0.05
"""How far PReLU's slope moves."""
RATES = (0.01, 0.1, 1.0, OVERFLOWS)
LEAKY = {f"leaky_relu {slope:g}": slope for slope in (1e-4, 1e-3, 1e-2, 0.1, 0.3, 1.0)}
OTHERS = ("prelu", "elu", "selu", "gelu", "silu", "tanh")
GRIDS: dict[str, dict[str, tuple]] = {
    "causes": {"activation": ("relu", "leaky_relu 0.01"), "initial_bias": (0.0, -1.0, -4.0)},
    "optimisers": {"optimiser": ("sgd", "momentum", "adam")},
    "slopes": {"activation": ("relu", *LEAKY, "prelu"), "initial_bias": (-4.0,), "learning_rate": (0.1,)},
    "remedies": {
        "activation": ("relu", "leaky_relu 0.01", *OTHERS),
        "initialisation": ("he", "default"),
        "initial_bias": (-4.0,),
        "learning_rate": (0.01, 1.0),
    },
    "remedies_training": {
        "optimiser": ("sgd_clipped",),
        "initial_bias": (-4.0,),
        "learning_rate": (0.01, 1.0),
    },
    "batch_norm_rate": {"dataset": ("cifar10",), "architecture": ("mlp_batch_norm", "cnn_batch_norm")},
    "long": {"architecture": ("mlp",)},
    "recovery": {"optimiser": ("sgd", "adam"), "initial_bias": (0.0, -1.0), "learning_rate": (0.1, 1.0)},
    "anatomy": {"dataset": ("mnist",), "architecture": ("mlp",), "learning_rate": (0.1, 1.0)},
    "anatomy_adam": {
        "dataset": ("mnist",),
        "architecture": ("mlp",),
        "optimiser": ("adam",),
        "learning_rate": (0.1, 1.0),
    },
}
DEFAULT_GRID: dict[str, tuple] = {
    "dataset": ("mnist", "cifar10"),
    "architecture": ("mlp", "cnn"),
    "optimiser": ("sgd",),
    "activation": ("relu",),
    "initialisation": ("he",),
    "initial_bias": (0.0,),
    "learning_rate": RATES,
}
RECORDED = ("recovery", "anatomy", "anatomy_adam")
CONFIGURATION = Path(__file__).parents[1] / "config" / "smoke.yaml"
ORIGIN = {"configuration": study.load(CONFIGURATION).fingerprint, "code": "none", "data": {}, "libraries": {}}


PRE_ACTIVATION = {"min": 6.0, "q05": 5.0, "q25": 4.0, "median": 3.0, "q75": 2.0, "q95": 1.0, "max": 0.0}
UNIT = ["run", "layer", "unit"]
TRANSITIONS = (
    "pre_activation_max_new_weights",
    "pre_activation_max_new_inputs",
    "woken_examples",
    "woken_minibatches",
)


def write_small_study(folder: Path, replicates: int = 3, experiments: tuple[str, ...] = tuple(GRIDS)) -> None:
    """Write the tables of a study into ``folder``, with ``replicates`` of each setting of ``experiments``."""
    for name, table in small_tables(replicates, experiments).items():
        store.write(name, table, folder / f"{name}.parquet", ORIGIN)
    for name, table in {"validation": _validation(), "born_dead": _born_dead()}.items():
        store.write(name, table, folder / f"{name}.parquet", ORIGIN)


def small_tables(replicates: int = 3, experiments: tuple[str, ...] = tuple(GRIDS)) -> dict[str, pd.DataFrame]:
    """The tables of training of such a study, by name, to be changed at will."""
    return {name: table.copy() for name, table in _tables_made_once(replicates, experiments).items()}


@cache
def _tables_made_once(replicates: int, experiments: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    networks = pd.DataFrame(_networks(experiments, replicates))
    units = _units(networks).merge(networks, on="run")
    layers, checkpoints = _layers(units), _checkpoints(units, networks)
    tables = {
        "runs": _runs(units, checkpoints, networks),
        "checkpoints": checkpoints.assign(largest_curvature=float("nan")),
        "layers": layers,
        "units": units[units["experiment"].isin(RECORDED)],
        "activity": pd.DataFrame(columns=list(schemas.ACTIVITY.columns)),
    }
    return {
        name: store.checked(name, tables[name][list(schema.columns)].reset_index(drop=True), Path(name))
        for name, schema in schemas.TABLES.items()
    }


def _validation() -> pd.DataFrame:
    """Every check with the value that it admits, but for the last, which fails."""
    rows = [compared(check, Count(round(check.low * TRIALS), TRIALS)) for check in checks()]
    failed = compared(checks()[-1], Count(TRIALS, TRIALS))
    return pd.DataFrame([*rows[:-1], failed])


def _born_dead() -> pd.DataFrame:
    """As many networks as are born dead on one input, whatever the inputs; with RAI half of them."""
    rows = [
        (scheme, inputs, width, layers, TRIALS, round(share * TRIALS / (2 if scheme == "rai" else 1)))
        for (scheme, inputs), width, layers in product(birth.CASES, birth.WIDTHS, range(2, 31))
        for share in [born_dead_probability_one_point(width, layers)]
    ]
    return pd.DataFrame(rows, columns=list(BORN_DEAD.columns))


def _networks(experiments: tuple[str, ...], replicates: int) -> Iterator[dict]:
    for experiment in experiments:
        grid = DEFAULT_GRID | GRIDS[experiment]
        for number, (replicate, *levels) in enumerate(product(range(replicates), *grid.values())):
            factors = dict(zip(grid, levels, strict=True))
            name, _, slope = factors["activation"].partition(" ")
            yield factors | {
                "run": f"{experiment}-{number:04d}",
                "experiment": experiment,
                "replicate": replicate,
                "activation": name,
                "slope": float(slope) if slope else {"relu": 0.0, "prelu": 0.25}.get(name, np.nan),
                "steps": EVERY_STEP[-1] if experiment.startswith("anatomy") else CHECKPOINTS[-1],
            }


def _steps(network: dict) -> tuple[int, ...]:
    steps = EVERY_STEP if network["experiment"].startswith("anatomy") else CHECKPOINTS
    return steps[:2] if network["learning_rate"] >= OVERFLOWS else steps


def _units(networks: pd.DataFrame) -> pd.DataFrame:
    """Every unit at every checkpoint of every network."""
    states = [state for network in networks.to_dict("records") for state in _states(network)]
    units = pd.DataFrame({name: np.concatenate([state[name] for state in states]) for name in states[0]})
    highest = units["highest"]
    return units.assign(
        dead_all=units["dead"].astype("boolean"),
        inactive=highest <= 0,
        saturated=units["dead"],
        dormant_0=units["dead"],
        mean_abs_activation=np.where(units["dead"], 0.0, np.abs(highest) / 6 + 0.01),
        active_share=(highest / 6).clip(0, 1),
        **{f"pre_activation_{name}": highest - drop for name, drop in PRE_ACTIVATION.items()},
    )


def _states(network: dict) -> Iterator[dict[str, np.ndarray]]:
    """The units at each checkpoint: a largest pre-activation that falls with the rate, and what follows from it."""
    random = np.random.default_rng(
        [network["replicate"], len(network["dataset"]), len(network["architecture"])]
    )
    depth = np.repeat([1, 2], UNITS)
    layers = ("linear1", "linear2") if network["architecture"].startswith("mlp") else ("conv1", "linear1")
    highest = 3 + random.normal(size=2 * UNITS) + network["initial_bias"]
    fate = random.uniform(size=2 * UNITS)
    bias = np.full(2 * UNITS, network["initial_bias"])
    weight_norm = 1 + random.uniform(size=2 * UNITS)
    speed = 2 + np.log10(min(network["learning_rate"], 1.0))
    unknown = np.full(2 * UNITS, np.nan)
    since = dict.fromkeys(TRANSITIONS, unknown)
    for step in _steps(network):
        dead = (highest <= 0) & (network["activation"] == "relu")
        yield {
            "run": np.repeat(network["run"], 2 * UNITS),
            "step": np.repeat(step, 2 * UNITS),
            "layer": np.repeat(layers, UNITS),
            "depth": depth,
            "unit": np.tile(np.arange(UNITS), 2),
            "dead": dead,
            "dead_test": dead & (fate > 0.05),
            "highest": highest,
            "bias": bias,
            "weight_norm": weight_norm,
            "negative_weights": 0.4 + 0.2 * fate,
            "mean_pre_activation": highest - 3,
            **since,
        }
        moves = ~dead if network["optimiser"] == "sgd" else True
        change = np.where(fate < 0.2 * speed, -1.5, 0.1) * moves
        change = np.where(dead & (depth > 1) & (fate < 0.2), 2.0, change)
        # A quarter of it by the bias; in the first layer the weights do the rest, above it they share it with the inputs; the weights
        # of dead units stay.
        by_bias = 0.25 * change * ~dead
        by_weights = (change - by_bias) * ~dead * np.where(depth == 1, 1.0, 0.5)
        by_inputs = change - by_bias - by_weights
        wakes = dead & (highest + change > 0)
        since = {
            "pre_activation_max_new_weights": highest + by_weights,
            "pre_activation_max_new_inputs": highest + by_inputs,
            "woken_examples": np.where(dead, 0.25 * wakes, 0.125),
            "woken_minibatches": np.where(dead, 0.5 * wakes, 0.25),
        }
        highest = highest + change
        bias = bias + by_bias
        weight_norm = weight_norm + 0.1 * np.abs(change) * ~dead


def _layers(units: pd.DataFrame) -> pd.DataFrame:
    before = units.groupby(UNIT, sort=False)["dead"].shift(1)
    changed = units.assign(died=before.eq(False) & units["dead"], revived=before.eq(True) & ~units["dead"])
    keys = ["run", "step", "layer", "depth"]
    grouped = changed.groupby(keys, sort=False)
    counts = grouped[["dead", "dead_test", "inactive", "saturated", "dormant_0", "died", "revived"]].sum()
    learned = grouped["activation"].first().eq("prelu") * LEARNED
    born = (
        changed[changed["step"] == 0].set_index(UNIT)["dead"].reindex(pd.MultiIndex.from_frame(changed[UNIT]))
    )
    new_dead = (changed["dead"] & ~born.to_numpy(dtype=bool)).groupby(
        [changed[name] for name in keys], sort=False
    )
    train = counts.assign(
        probe="train",
        units=UNITS,
        nearly_dead=0,
        dead_all=counts["dead"],
        new_dead_all=new_dead.sum(),
        offset_share=0.3,
        input_mean_norm=1.0,
        input_mean_norm_1=2.0,
        pre_activation_sd=1.0,
        effective_bias=grouped["mean_pre_activation"].mean(),
        dormant_0025=counts["dormant_0"],
        dormant_01=counts["dormant_0"],
        active_share=grouped["active_share"].mean(),
        slope=grouped["slope"].first() + learned,
    ).reset_index()
    at_the_end = train["step"] == train["run"].map(units.groupby("run")["steps"].first())
    test = train[at_the_end].assign(
        probe="test", dead=train["dead_test"], died=0, revived=0, dead_all=pd.NA, new_dead_all=pd.NA
    )
    return pd.concat([train, test], ignore_index=True)


def _checkpoints(units: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    """Accuracy falls with the units that are stuck; a leaky slope frees them from about 0.01 on."""
    all_steps = networks["experiment"].str.startswith("anatomy").map({True: EVERY_STEP, False: CHECKPOINTS})
    rows = networks.assign(step=all_steps).explode("step").astype({"step": int})
    inactive = units.groupby(["run", "step"], as_index=False)["inactive"].mean()
    rows = rows.merge(inactive, on=["run", "step"], how="left")
    stuck = rows["inactive"] * (rows["activation"].isin(["relu", "leaky_relu"]) & (rows["slope"] < 0.005))
    accuracy = 0.1 + 0.8 * (1 - stuck) * (rows["step"] / (rows["step"] + 5)) + 0.001 * rows["replicate"]
    loss = 2.4 * (1 - accuracy)
    at_the_end = rows["step"] == rows["steps"]
    return rows.assign(
        train_loss=loss,
        train_accuracy=accuracy,
        test_loss=loss.where(at_the_end),
        test_accuracy=accuracy.where(at_the_end),
        overflowed=rows["inactive"].isna(),
    )


def _runs(units: pd.DataFrame, checkpoints: pd.DataFrame, networks: pd.DataFrame) -> pd.DataFrame:
    end = units[units["step"] == units["steps"]].set_index(UNIT)
    born = units[units["step"] == 0].set_index(UNIT)["dead"].reindex(end.index)
    ever = units.groupby(UNIT)["dead"].any().reindex(end.index)
    dead = end["dead"]
    flags = pd.DataFrame(
        {
            "dead_fraction": dead,
            "dead_fraction_probe": dead,
            "new_dead_fraction": ~born & dead,
            "nearly_dead_fraction": dead * 0,
            "dead_fraction_test": end["dead_test"],
            "dead_on_both_fraction": dead.astype(bool) & end["dead_test"].astype(bool),
            "inactive_fraction": end["inactive"],
            **{f"{name}_fraction": dead for name in ("saturated", "dormant_0", "dormant_0025", "dormant_01")},
            "born_dead_fraction": born,
            "died_fraction": ~born & dead,
            "revived_fraction": ever & ~dead,
            "effective_rank": ~dead,
            "pruned_difference": dead * 1e-7,
            "pruned_answers": dead & ~end["dead_test"].astype(bool),
        }
    )
    overflow = checkpoints[checkpoints["overflowed"]].groupby("run")["step"].min()
    final = checkpoints[checkpoints["step"] == checkpoints["steps"]].set_index("run")
    metrics = ["train_loss", "train_accuracy", "test_loss", "test_accuracy"]
    runs = networks.join(flags.groupby("run").mean(), on="run").join(final[metrics], on="run")
    place = runs[["experiment", "dataset", "architecture", "optimiser"]].agg("-".join, axis=1)
    learned = runs["slope"] + runs["activation"].eq("prelu") * LEARNED
    overflowed = runs["run"].isin(overflow.index)
    learned_something = runs["test_accuracy"] > COLLAPSED
    return runs.assign(
        outcome=np.select([overflowed, learned_something], ["diverged", "trained"], "collapsed"),
        shard=place + "-r" + runs["replicate"].astype(str) + "-00",
        inputs="standardised",
        intervention="none",
        loss_function="cross_entropy",
        batch_size=8,
        train_examples=128,
        test_examples=100,
        precision="float32",
        stack_size=4,
        hidden_units=2 * UNITS,
        parameters=1000,
        overflow_step=runs["run"].map(overflow).astype("Int64"),
        overflowed=overflowed,
        initial_loss=2.4,
        peak_loss=np.where(overflowed, np.inf, 2.5),
        constant=False,
        mean_slope=learned.where(~overflowed),
    )
