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
# # Save a dying unit
#
# In [Watch a unit die](watch_a_unit_die.ipynb) one update kills a unit. Here you try to save one: change the learning rate, the initial
# bias, the slope below zero, clip the gradient or centre the inputs, and see at once whether it lives, and its layer with it.
#
# Every network has one hidden layer of 50 units and makes 60 updates of plain gradient descent, on the same minibatches of 20 images
# of MNIST. All begin with the same random weights, so that a unit is the same unit in every network.

# %%
import numpy as np
import torch

from dying_relu.configuration.load import parse
from dying_relu.data.cached import cached
from dying_relu.data.dataset import load
from dying_relu.plan import study
from dying_relu.training.inputs import InputsByName
from dying_relu.training.shard_job import stacks
from dying_relu.training.trainer import Trainer

# %% [markdown]
# This is how a study is written down; what is in brackets is tried in all combinations.

# %%
STUDY = """
study: save_a_unit
datasets: {mnist: {train: 2000, test: 1000}}
architectures: {small: {kind: mlp, widths: [50]}}
optimisers: {plain: {kind: sgd}, clipped: {kind: sgd, clip_norm: 1.0}}
training: {batch_size: 20, epochs: 1}
experiments:
  save:
    question: What saves a dying unit?
    replicates: 1
    grid:
      dataset: [mnist]
      architecture: [small]
      inputs: [standardised, centred]
      optimiser: [plain, clipped]
      activation: [relu, {name: leaky_relu, slope: 0.01}, {name: leaky_relu, slope: 0.2}]
      initial_bias: [-4.0, -2.0, 0.0, 2.0]
      learning_rate: [0.03, 0.1, 0.2, 0.5, 1.0, 2.0]
"""

# %% [markdown]
# The engine trains these 288 networks in stacks. After every update we look at the *pre-activation* of each unit (what its ReLU gets) on
# all 2,000 images: its largest value and its mean.

# %%
UPDATES = 60
digits = load(cached("mnist"), train=2000, test=1000, device=torch.device("cpu"))
(shard,) = study.plan(parse(STUDY, "the study above")).shards
inputs = InputsByName(digits, shard.inputs)

networks, recorded, correct = [], [], []
for runs in stacks(shard.runs, dict.fromkeys(shard.optimisers, 100)):
    optimiser, images = shard.optimisers[runs[0].optimiser], inputs[runs[0].inputs]
    trainer = Trainer(shard.architecture, optimiser, runs, images, shard.batch_size)
    bias = trainer.network.hidden[0].affine.bias
    steps = []
    for step in range(UPDATES + 1):
        if step:
            trainer.step()
        (_, z), (_, logits) = trainer.network.trace(trainer.examples)
        steps.append(torch.stack([z.amax(2), z.mean(2), bias.value]))
    networks += runs
    recorded.append(torch.stack(steps))
    correct.append((logits.argmax(1) == trainer.labels).float().mean(1))

# Each (steps, networks, units); (networks,) is the share of the images that is recognised at the end.
largest, mean, own = torch.cat(recorded, 2).numpy().swapaxes(0, 1)
correct = torch.cat(correct).numpy()
finite = np.isfinite(largest).all((0, 2))
print(f"{len(networks)} networks were trained; {int((~finite).sum())} of them overflowed.")

# %% [markdown]
# A unit is **silent** when its largest pre-activation is at most zero: its output is zero for every image. With a plain ReLU, whose
# slope below zero is 0, no gradient reaches it then: it is **dead**. With another slope a silent unit still learns.
#
# Our patient is a unit of the network with a learning rate of 0.5, initial biases of 0, a plain ReLU, no clipping and *standardised*
# inputs (one mean and one deviation for all pixels): the one with the highest mean pre-activation just before it died.


# %%
def network(rate=0.5, bias=0.0, slope=0.0, optimiser="plain", images="standardised"):
    """The place of the network that was trained like this."""
    settings = [(n.learning_rate, n.initial_bias, n.slope or 0.0, n.optimiser, n.inputs) for n in networks]
    return settings.index((rate, bias, slope, optimiser, images))


def silent_since(place, unit):
    """The step since which a unit is silent to the end; one more than there are if it is not."""
    return int(np.flatnonzero(np.append(True, largest[:, place, unit] > 0))[-1])


sick = network()
since = {unit: silent_since(sick, unit) for unit in range(50)}
fallen = [unit for unit, step in since.items() if 0 < step <= UPDATES]
patient = max(fallen, key=lambda unit: mean[since[unit] - 1, sick, unit])
death = since[patient]
print(f"{len(fallen)} of 50 units die. The patient is unit {patient}; update {death} kills it.")


def fate(place):
    """What becomes of the patient, in words."""
    step = silent_since(place, patient)
    if not finite[place]:
        return "the network overflows"
    if step > UPDATES:
        return "it lives"
    return f"{'silent (it still learns)' if networks[place].slope else 'dead'} from update {step} on"


# %% [markdown]
# ## Try it
#
# Left, the patient: its largest pre-activation (below the line at 0 it is silent), its mean pre-activation, called its *effective bias*,
# and the bias itself. Right, its layer: the share of the units that are silent.

# %%
import altair as alt
import pandas as pd
from IPython.display import HTML

from dying_relu.analysis.explorer.inline_chart import inline_chart

LINES = {"largest pre-activation": largest, "effective bias": mean, "bias": own}
NAMES = {"rate": "Learning rate", "initial_bias": "Initial bias", "slope": "Slope below zero"}
NAMES |= {"clipped": "Gradient clipped to norm 1", "centred": "Inputs centred"}

silent = (largest <= 0).mean(2)
tables = []
for place, run in enumerate(networks):
    clipped, centred = (
        "yes" if chosen else "no" for chosen in (run.optimiser == "clipped", run.inputs == "centred")
    )
    layer = f"{50 * silent[-1, place]:.0f} of 50 units silent, accuracy {correct[place]:.0%}"
    columns = {"rate": run.learning_rate, "initial_bias": run.initial_bias, "slope": run.slope or 0.0}
    columns |= {"clipped": clipped, "centred": centred, "step": range(UPDATES + 1)}
    columns |= {name: np.clip(values[:, place, patient], -1000, 1000) for name, values in LINES.items()}
    columns |= {"silent": np.where(np.isfinite(largest[:, place]).all(1), silent[:, place], np.nan)}
    table = pd.DataFrame(columns)[::2]
    table.loc[0, ["unit", "layer"]] = [fate(place), layer if finite[place] else fate(place)]
    tables.append(table)
table = pd.concat(tables)
numbers = dict.fromkeys(table.columns.drop(["clipped", "centred", "unit", "layer"]), "number")
text = table.to_csv(index=False, float_format="%.3g")
networks_chosen = alt.Chart(alt.InlineData(text, format=alt.CsvDataFormat(type="csv", parse=numbers)))

controls = []
for name, label in NAMES.items():
    buttons = alt.binding_radio(options=sorted(table[name].unique().tolist()), name=f"{label}: ")
    controls.append(alt.param(f"chosen_{name}", value=table[name][0].iloc[sick], bind=buttons))
    networks_chosen = networks_chosen.transform_filter(f"datum.{name} == chosen_{name}")


def panel(title, axis, words, *marks):
    """Marks over the updates, with what came of it above them."""
    above = networks_chosen.transform_filter("datum.step == 0").mark_text(align="left", fontSize=13)
    above = above.encode(x=alt.value(0), y=alt.value(-12), text=f"{words}:N")
    axes = {"x": alt.X("step:Q", title="updates"), "y": axis}
    chart = alt.layer(*(mark.encode(**axes) for mark in marks), above)
    return chart.properties(title=alt.Title(title, anchor="start", offset=26), width=360, height=240)


ticks = alt.Axis(values=[-1000, -100, -10, -1, 0, 1, 10, 100, 1000])
values = alt.Y(
    "value:Q", title="on 2,000 images", axis=ticks, scale=alt.Scale(type="symlog", domain=[-1000, 1000])
)
share = alt.Y(
    "silent:Q",
    title="silent units",
    axis=alt.Axis(format="%"),
    scale=alt.Scale(domain=[-0.02, 1.02], nice=False),
)
kinds = alt.Scale(domain=list(LINES))
lines = networks_chosen.transform_fold(list(LINES), as_=["kind", "value"]).mark_line()
lines = lines.encode(color=alt.Color("kind:N", title=None, scale=kinds, legend=alt.Legend(orient="bottom")))
lines = lines.encode(strokeDash=alt.StrokeDash("kind:N", title=None, scale=kinds))
unit = panel(f"The patient, unit {patient}", values, "unit", lines)
layer = panel("Its layer", share, "layer", networks_chosen.mark_line(color="black"))
HTML(inline_chart((unit | layer).add_params(*controls), "A unit and its layer at the chosen settings"))

# %% [markdown]
# ## One change at a time
#
# What does each change alone do to the sick network?

# %%
CHANGES = {
    "none": {},
    "a fifth of the rate": {"rate": 0.1},
    "initial bias 2": {"bias": 2.0},
    "initial bias -2": {"bias": -2.0},
    "slope 0.01": {"slope": 0.01},
    "slope 0.2": {"slope": 0.2},
    "gradient clipped": {"optimiser": "clipped"},
    "inputs centred": {"images": "centred"},
}
rows = []
for name, change in CHANGES.items():
    place = network(**change)
    rows.append((name, fate(place), round(50 * silent[-1, place]), f"{correct[place]:.0%}"))
pd.DataFrame(rows, columns=["change", "patient", "silent units", "accuracy"]).set_index("change")

# %% [markdown]
# And at other rates (no point: the network overflowed):

# %%
from matplotlib import pyplot as plt

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
rates = sorted({run.learning_rate for run in networks})
for name in ("none", "slope 0.2", "gradient clipped", "inputs centred"):
    places = [network(**{**CHANGES[name], "rate": rate}) for rate in rates]
    for axes, heights in ((left, silent[-1, places]), (right, correct[places])):
        axes.plot(rates, np.where(finite[places], heights, np.nan), marker="o", label=name)
left.set_ylabel("share of silent units")
right.set_ylabel("accuracy, training images")
for axes in (left, right):
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
right.legend(title="change", frameon=False)
plt.show()

# %% [markdown]
# ## Why
#
# A pre-activation is the bias plus the weighted sum of the pixels. The *mean image* adds the same number for every image: for the unit it
# is a second bias, and both together are its **effective bias**. When that falls far enough, all images fall below zero at once.
#
# And it falls easily: an update moves the weights along the images that it saw, which have the mean image in common. If all of them push
# alike, the effective bias falls by 1 plus the squared norm of the mean image for every 1 by which the bias falls.

# %%
mean_image = inputs["standardised"].train_images.flatten(1).mean(0)
effective, alone = (values[death - 1, sick, patient] - values[death, sick, patient] for values in (mean, own))
print(f"The squared norm of the mean image is {mean_image @ mean_image:.0f}.")
print(f"In the fatal update the effective bias fell by {effective:.1f}, the bias by {alone:.2f}:")
print(f"{effective / alone:.0f} times as much.")

# %% [markdown]
# * **A lower rate or a clipped gradient** makes the fall shorter.
# * **Centred inputs** have no mean image: an update can no longer push all images below zero together.
# * **A positive initial bias** is small beside the fall. A large negative one is half of the way down.
# * **A slope** does not prevent the fall, but the unit still learns, and may climb up again.
#
# To save a unit is not to save the network. Look at the accuracies: at this rate, centred inputs or a slope of 0.2 keep all units alive,
# and the network learns no better for it. What helps the network is the shorter step. The paper asks this of thousands of networks, in its
# findings F1 (do units die without a mean?), F2 (from which rate on?), F3 (what happens where death is forbidden?) and F4 (what do dead
# units cost?).
#
# For a network of your own, [Diagnose your own model](diagnose_your_model.ipynb) counts dead units.
