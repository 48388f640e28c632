"""Inputs of the first layers of the made-up study, and the shares of units that die, by the law or as they are planted."""

import numpy as np
import pandas as pd
from planted_effects import Effects
from planted_networks import CHOOSING

UNITS = 1000
NOISE = 0.004
SD = 1.0
"""Spread of the pre-activations of a first layer at the start, in most inputs."""
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


def input_mean_norm(networks: pd.DataFrame) -> np.ndarray:
    """The norm of the mean of the first layer's inputs."""
    return networks["inputs"].map(_MEANS).fillna(2.0).to_numpy()


def offset_share(networks: pd.DataFrame) -> np.ndarray:
    """The offset share of the first layer's inputs."""
    return networks["inputs"].map(_OFFSETS).fillna(0.3).to_numpy()


def pre_activation_sd(networks: pd.DataFrame) -> np.ndarray:
    """The spread of the first layer's pre-activations."""
    return networks["inputs"].map(_SDS).fillna(SD).to_numpy()


def input_mean_norm_1(networks: pd.DataFrame) -> np.ndarray:
    """The 1-norm of the mean of the first layer's inputs."""
    return networks["inputs"].map(_ONES).fillna(5.0).to_numpy() * input_mean_norm(networks) ** 2


def _onset(networks: pd.DataFrame, effects: Effects) -> np.ndarray:
    """The rate at which a quarter of the first layer dies, by the law and a deviation of the setting."""
    settings = networks[["dataset", "architecture", "inputs", "optimiser"]].agg("/".join, axis=1)
    deviation = {
        setting: effects.octaves * (1 if place % 2 else -1) * (1 + place % 3) / 2
        for place, setting in enumerate(dict.fromkeys(settings))
    }
    norms = np.maximum(input_mean_norm(networks), 1e-9)
    adam = ADAM_CONSTANT / np.maximum(input_mean_norm_1(networks), 1e-9)
    law = pre_activation_sd(networks) ** effects.spread * np.where(
        networks["optimiser"] == "adam", adam, 56 / norms**2
    )
    law = np.where(
        networks["experiment"] == "phase_diagram", law * effects.line, law * 2 ** settings.map(deviation)
    )
    return law * 2 ** (0.1 * networks["noise"])


def dead_shares(networks: pd.DataFrame, effects: Effects) -> pd.DataFrame:
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
