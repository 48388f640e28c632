"""Columns that name things in the tables: a setting, the factors of a run, a unit."""

SETTING = ["dataset", "architecture", "optimiser"]
"""Data set, architecture and optimiser."""
CELL = ["dataset", "architecture"]
"""A cell of most claims: a setting that is judged by itself."""
FACTORS = [
    *SETTING,
    "activation",
    "slope",
    "initialisation",
    "initial_bias",
    "learning_rate",
    "replicate",
    "inputs",
    "intervention",
    "loss_function",
    "batch_size",
]
"""Everything in which two runs of an experiment can differ."""
UNIT = ["run", "layer", "unit"]
"""A unit of a network; with the step, a row of the table of units."""
