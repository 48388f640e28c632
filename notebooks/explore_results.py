# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Explore the results of a study
#
# Which study? The one named by the environment variable `DYING_RELU_RESULTS` (a folder with `runs.parquet`), or else the one that was
# run last. Nothing is trained here.

# %%
import os
from pathlib import Path

project = next(
    (folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "Snakefile").exists()), Path()
)
newest = sorted(project.glob("results/*/runs.parquet"), key=lambda table: table.stat().st_mtime)[-1:]
named = os.environ.get("DYING_RELU_RESULTS")
if named and not Path(named, "runs.parquet").exists():
    raise SystemExit(
        f"DYING_RELU_RESULTS names {named}, which has no runs.parquet. Name a folder like results/smoke."
    )
if not named and not newest:
    raise SystemExit(
        "No study has been run yet. Run one first:  snakemake --cores all --configfile config/smoke.yaml"
    )
folder = Path(named) if named else newest[0].parent
print(f"These are the results of the study {folder.name}.")

# %%
import numpy as np
import pandas as pd

from dying_relu.results import schemas, simulation_schemas, store

names = schemas.TABLES | simulation_schemas.SIMULATIONS
tables = {name: store.read(name, folder / f"{name}.parquet") for name in names}
runs = tables["runs"]
pd.Series({name: len(table) for name, table in tables.items()}, name="rows").to_frame()

# %% [markdown]
# ## Runs
#
# A row is one network: the factors it was trained with, and what became of it: it trained, collapsed or diverged. Networks that
# overflowed have no metrics; they are counted.

# %%
runs.groupby("experiment").agg(
    networks=("run", "size"),
    trained=("outcome", lambda outcomes: (outcomes == "trained").sum()),
    collapsed=("outcome", lambda outcomes: (outcomes == "collapsed").sum()),
    diverged=("outcome", lambda outcomes: (outcomes == "diverged").sum()),
    dead=("dead_fraction", "mean"),
    born_dead=("born_dead_fraction", "mean"),
    revived=("revived_fraction", "mean"),
    test_accuracy=("test_accuracy", "mean"),
).round(3)

# %% [markdown]
# Which settings kill the most units in networks that all train? Intervals are over seeds, `n` of them.

# %%
from dying_relu.analysis.inference.doses import crossings
from dying_relu.analysis.inference.summaries import differences, summarise

setting = [
    "experiment",
    "dataset",
    "architecture",
    "optimiser",
    "inputs",
    "intervention",
    "initialisation",
    "initial_bias",
]
dead = summarise(runs, [*setting, "activation", "slope", "learning_rate"], "dead_fraction")
dead[dead["untrained"] == 0].sort_values("estimate", ascending=False).head(10).round(3)

# %% [markdown]
# From which learning rate on are half the units dead, in the median seed? (0: already at the lowest rate at which its network trains;
# inf: at none.)

# %%
relu = runs[runs["activation"] == "relu"]
crossings(relu, setting, "learning_rate", "dead_fraction", 0.5).round(4)

# %% [markdown]
# What does another activation gain over ReLU in test accuracy? Pairs of networks with the same initial weights and minibatches. A
# pair of which a network did not train is counted and not averaged.

# %%
from dying_relu.analysis.figures.style import with_activation_names

remedies = with_activation_names(runs[runs["experiment"] == "remedies"])
gains = differences(remedies, [*setting, "learning_rate"], "function", "ReLU", "test_accuracy")
gains.sort_values("estimate", ascending=False).head(10).round(3)

# %% [markdown]
# ## What dead units cost
#
# Rank correlation between the dead fraction and the test accuracy, among networks of the same data set and architecture (where the
# fraction varies at all).

# %%
trained = runs[runs["outcome"] == "trained"]
pd.Series(
    {
        f"{dataset}, {architecture}": group["dead_fraction"].corr(group["test_accuracy"], method="spearman")
        for (dataset, architecture), group in trained.groupby(["dataset", "architecture"])
        if np.ptp(group["dead_fraction"]) > 0
    },
    name="rank correlation",
).round(2).to_frame()

# %% [markdown]
# ## The life of units
#
# Deaths and revivals between checkpoints, per unit, by layer, over all ReLU networks of an experiment and optimiser. Where they are
# close to each other, or more than one, units die and come back again.

# %%
layers = tables["layers"].query("probe == 'train'").merge(relu[["run", "experiment", "optimiser"]], on="run")
ends = layers.groupby(["experiment", "optimiser", "layer", "run"]).agg(
    units=("units", "first"), died=("died", "sum"), revived=("revived", "sum")
)
totals = ends.groupby(["experiment", "optimiser", "layer"]).sum()
totals[["died", "revived"]].div(totals["units"], axis=0).round(3)

# %% [markdown]
# ## Theory and published numbers
#
# Probabilities of death that follow from a formula or were published, beside our own estimates. They need no data and are the same in
# every study.

# %%
tables["validation"].drop(columns=["check", "kind"]).round(4)

# %% [markdown]
# ## Figures
#
# The paper's figures, drawn by the same functions.

# %%
from importlib import import_module

from IPython.display import display
from matplotlib import pyplot as plt

from dying_relu.analysis import figures

for name in figures.NAMES:
    module = import_module(f"dying_relu.analysis.figures.{name}")
    drawn = module.figure(**{table: tables[table] for table in module.TABLES})
    display(drawn)
    plt.close(drawn)
