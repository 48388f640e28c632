"""Columns that name things in the tables: a setting, the factors of a run, a unit."""

SETTING = ["dataset", "architecture", "optimiser"]
"""Data set, architecture and optimiser: a stratum, over which effects are pooled."""
FACTORS = [
    *SETTING,
    "activation",
    "slope",
    "initialisation",
    "initial_bias",
    "learning_rate",
    "replicate",
    "batch_size",
]
"""Everything in which two runs of an experiment can differ."""
UNIT = ["run", "layer", "unit"]
"""A unit of a network; with the step, a row of the table of units."""
