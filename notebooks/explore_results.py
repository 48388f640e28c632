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

root = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "Snakefile").exists())
candidates = sorted(root.glob("results/*/runs.parquet"), key=lambda table: table.stat().st_mtime)
named = os.environ.get("DYING_RELU_RESULTS")
if not named and not candidates:
    raise SystemExit(
        "No study has been run yet. Run one first:  snakemake --cores all --configfile config/smoke.yaml"
    )
folder = Path(named) if named else candidates[-1].parent
print(f"These are the results in {folder}.")

# %%
import pandas as pd

from dying_relu import results

tables = {name: results.read(name, folder / f"{name}.parquet") for name in results.TABLES}
runs = tables["runs"]
pd.Series({name: len(table) for name, table in tables.items()}, name="rows").to_frame()

# %% [markdown]
# ## Runs
#
# A row is one network: the factors it was trained with, and what became of it. Diverged networks have no metrics; they are counted.

# %%
runs.groupby("experiment").agg(
    networks=("run", "size"),
    diverged=("diverged", "sum"),
    dead=("dead_fraction", "mean"),
    born_dead=("born_dead_fraction", "mean"),
    revived=("revived_fraction", "mean"),
    test_accuracy=("test_accuracy", "mean"),
).round(3)

# %% [markdown]
# Which settings kill the most units, without diverging?

# %%
from dying_relu.analysis.statistics import summarise

factors = [
    "experiment",
    "dataset",
    "architecture",
    "optimiser",
    "activation",
    "initial_bias",
    "learning_rate",
]
dead = summarise(runs, factors, "dead_fraction")
dead[dead["diverged"] == 0].sort_values("estimate", ascending=False).head(10).round(3)

# %% [markdown]
# ## What dead units cost
#
# Rank correlation between the dead fraction and the test accuracy, among networks of the same data set and architecture.

# %%
trained = runs[~runs["diverged"]]
pd.Series(
    {
        f"{dataset}, {architecture}": group["dead_fraction"].corr(group["test_accuracy"], method="spearman")
        for (dataset, architecture), group in trained.groupby(["dataset", "architecture"])
    },
    name="rank correlation",
).round(2).to_frame()

# %% [markdown]
# ## The life of units
#
# Deaths and revivals between checkpoints, by layer, over all networks.

# %%
tables["layers"].query("probe == 'train'").groupby(["layer", "step"])[
    ["units", "dead", "died", "revived"]
].sum().head(20)

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
