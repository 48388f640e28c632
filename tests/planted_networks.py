"""The networks of the made-up study of the findings: the experiments, factors and levels that the rules ask for, and no others."""

from functools import cache
from itertools import product

import numpy as np
import pandas as pd

SEEDS, SELECTION = 20, 4
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
WHEN = (0, 20, 40, 100, 120, 300, 320, 700)
SWITCH = {"none": 0, "low_until_20": 20, "low_until_100": 100, "low_until_300": 300}


@cache
def networks() -> pd.DataFrame:
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
    steps = table["experiment"].map({"when": WHEN[-1]}).fillna(200).astype(int)
    return table.assign(run=[f"{place:012d}" for place in range(len(table))], noise=noise, steps=steps)
