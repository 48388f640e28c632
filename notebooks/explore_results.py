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
from dying_relu.analysis.latest_study import latest_study

study = latest_study()
runs = study.table("runs")
print(f"These are the {len(runs):,} networks of the study {study.folder.name}.")

# %% [markdown]
# ## Networks
#
# A row of `runs` is one network: the factors it was trained with, and what became of it: it trained, collapsed or diverged. Networks
# that overflowed have no metrics; they are counted.

# %%
import numpy as np
import pandas as pd

pd.options.display.max_rows = 24
pd.options.display.float_format = "{:.3g}".format

runs.groupby("experiment").agg(
    networks=("run", "size"),
    trained=("outcome", lambda outcomes: (outcomes == "trained").sum()),
    collapsed=("outcome", lambda outcomes: (outcomes == "collapsed").sum()),
    diverged=("outcome", lambda outcomes: (outcomes == "diverged").sum()),
    dead=("dead_fraction", "mean"),
    born_dead=("born_dead_fraction", "mean"),
    revived=("revived_fraction", "mean"),
    test_accuracy=("test_accuracy", "mean"),
)

# %% [markdown]
# Do dead units cost accuracy? Every point is a network, of 1,500 drawn at random where there are more: choose an experiment, hover over a
# point to see its setting, drag and scroll to move and zoom, double-click to start again.

# %%
import altair as alt
from IPython.display import HTML

from dying_relu.analysis.explorer.inline_chart import inline_chart
from dying_relu.analysis.figures.style import with_activation_names

networks = with_activation_names(runs)
networks = networks[networks["outcome"] != "diverged"]
networks = networks.sample(min(len(networks), 1500), random_state=0).sort_index()
factors = ["dataset", "architecture", "optimiser", "function", "inputs", "intervention", "initial_bias"]
columns = ["experiment", *factors, "learning_rate", "outcome", "dead_fraction", "test_accuracy"]

experiments = sorted(networks["experiment"].unique())
choice = alt.binding_select(options=[None, *experiments], labels=["all", *experiments], name="experiment ")
whole = alt.Scale(domain=[-0.02, 1.02], nice=False)
experiment = alt.selection_point(fields=["experiment"], bind=choice)
chart = (
    alt.Chart(networks[columns].astype({"function": str}), width=620, height=320)
    .mark_point()
    .encode(
        x=alt.X("dead_fraction", title="dead fraction", axis=alt.Axis(format="%"), scale=whole),
        y=alt.Y("test_accuracy", title="test accuracy", axis=alt.Axis(format="%"), scale=whole),
        color=alt.Color(
            "learning_rate", title="learning rate", scale=alt.Scale(type="log", scheme="viridis")
        ),
        shape=alt.Shape("outcome"),
        tooltip=columns,
    )
    .add_params(experiment)
    .transform_filter(experiment)
    .interactive()
)
HTML(inline_chart(chart, "Test accuracy over the dead fraction, a point a network"))

# %% [markdown]
# Which settings kill the most units in networks that all train? Intervals are over seeds, `n` of them.

# %%
from dying_relu.analysis.inference.doses import crossings
from dying_relu.analysis.inference.summaries import differences, summarise

setting = [
    *("experiment", "dataset", "architecture", "optimiser", "inputs", "intervention"),
    *("initialisation", "initial_bias"),
]


def by_setting(table: pd.DataFrame) -> pd.DataFrame:
    """The same rows with their settings in one column: the factors that vary among them, so that the table is not cut."""
    varied = [factor for factor in setting if len(table[factor].unique()) > 1] or ["experiment"]
    words = [", ".join(map(str, row)) for row in table[varied].itertuples(index=False)]
    return table.drop(columns=setting).set_index(pd.Index(words, name=", ".join(varied)))


dead = summarise(runs, [*setting, "activation", "slope", "learning_rate"], "dead_fraction")
by_setting(dead[dead["untrained"] == 0].sort_values("estimate", ascending=False).head(10))

# %% [markdown]
# From which learning rate on are half the units dead, in the median seed? (0: already at the lowest rate at which its network trains;
# inf: at none.)

# %%
relu = runs[runs["activation"] == "relu"]
by_setting(crossings(relu, setting, "learning_rate", "dead_fraction", 0.5))

# %% [markdown]
# What does another activation gain over ReLU in test accuracy? Pairs of networks with the same initial weights and minibatches. A
# pair of which a network did not train is counted and not averaged.

# %%
remedies = with_activation_names(runs[runs["experiment"] == "remedies"])
gains = differences(remedies, [*setting, "learning_rate"], "function", "ReLU", "test_accuracy")
by_setting(gains.sort_values("estimate", ascending=False).head(10))

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
    dtype=float,
).to_frame()

# %% [markdown]
# ## The life of units
#
# Deaths and revivals between checkpoints, per unit, by layer, over all ReLU networks of an experiment and optimiser. Where they are
# close to each other, or more than one, units die and come back again.

# %%
layers = (
    study.table("layers").query("probe == 'train'").merge(relu[["run", "experiment", "optimiser"]], on="run")
)
ends = layers.groupby(["experiment", "optimiser", "layer", "run"]).agg(
    units=("units", "first"), died=("died", "sum"), revived=("revived", "sum")
)
totals = ends.groupby(["experiment", "optimiser", "layer"]).sum()
totals[["died", "revived"]].div(totals["units"], axis=0)

# %% [markdown]
# ## Theory and published numbers
#
# Probabilities of death that follow from a formula or were published, beside our own estimates. They need no data and are the same in
# every study.

# %%
validation = study.table("validation").set_index("quantity")
validation[["published", "ours", "standard_error", "difference", "agrees"]]

# %% [markdown]
# ## Figures
#
# The paper's figures, drawn by the same functions, with the paper's captions.

# %%
from IPython.display import Markdown, display
from matplotlib import pyplot as plt

from dying_relu.analysis.entries import FIGURES

for name in FIGURES.names():
    module = FIGURES.load(name)
    figure = module.figure(**{table: study.table(table) for table in module.TABLES})
    display(figure, Markdown(f"*{name.replace('_', ' ').capitalize()}.* {module.CAPTION}"))
    plt.close(figure)
