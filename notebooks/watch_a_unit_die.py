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
# # Watch a unit die
#
# One hidden layer on MNIST, plain gradient descent at a rate that is too high. At every step we keep the weights and biases; then we look
# for a unit that died, and at the update that killed it.

# %%
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from dying_relu.data.cached import cached
from dying_relu.data.dataset import load

digits = load(cached("mnist"), train=2000, test=500, device=torch.device("cpu"))
images, labels = digits.train_images.flatten(1), digits.train_labels

# %%
STEPS, RATE = 60, 0.5
torch.manual_seed(0)
hidden, output = nn.Linear(784, 50), nn.Linear(50, 10)
optimizer = torch.optim.SGD([*hidden.parameters(), *output.parameters()], lr=RATE)

weights, biases, losses = [], [], []
for _ in range(STEPS):
    weights.append(hidden.weight.detach().clone())
    biases.append(hidden.bias.detach().clone())
    chosen = torch.randint(len(images), (20,))
    optimizer.zero_grad()
    loss = functional.cross_entropy(output(hidden(images[chosen]).relu()), labels[chosen])
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# %% [markdown]
# A ReLU unit is dead on a set of examples when its *largest* pre-activation over all of them is at most zero: then its output is 0 for
# every example, and so is the gradient of its weights and its bias.

# %%
before = torch.stack([images @ weight.T + bias for weight, bias in zip(weights, biases, strict=True)])
largest = before.amax(1)  # (steps, units)
dead = largest <= 0
died = [
    (int(dead[:, unit].int().argmax()), unit)
    for unit in range(50)
    if dead[-1, unit] and not dead[0, unit] and dead[int(dead[:, unit].int().argmax()) :, unit].all()
]
print(f"{len(died)} of 50 units die for good; {int(dead[0].sum())} were born dead.")
# The one that was active on most examples just before.
step, unit = max(died, key=lambda death: float((before[death[0] - 1, :, death[1]] > 0).float().mean()))
print(f"We look at unit {unit}. It dies in the update of step {step - 1}.")


# %%
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

share_active = (before > 0).float().mean(1)  # (steps, units)


def draw(now: int, left: Axes, right: Axes) -> None:
    """The unit's pre-activations over the examples at one step, and what leads there."""
    for axes in (left, right):
        axes.clear()
    values, share = before[now, :, unit], share_active[now, unit]
    left.hist(values, bins=40, color="black" if share == 0 else "tab:blue")
    left.axvline(0, color="0.5", linewidth=1)
    left.set_title(f"step {now}: active on {share:.1%} of the examples")
    left.set_xlabel("pre-activation")
    left.set_ylabel("examples")
    right.plot(largest[:, unit], color="tab:blue", label="largest pre-activation")
    right.plot([bias[unit] for bias in biases], color="tab:orange", linestyle="--", label="bias")
    right.axhline(0, color="0.5", linewidth=1)
    right.axvline(now, color="black", linewidth=1, linestyle=":")
    right.set_yscale("symlog", linthresh=1.0)
    right.set_xlabel("step")
    right.legend(frameon=False)


# %% [markdown]
# Alive, at the last step before its death, and after it:

# %%
figure, rows = plt.subplots(3, 2, figsize=(9, 7.5), layout="constrained")
for moment, axes in zip((0, step - 1, step), rows, strict=True):
    draw(moment, *axes)

# %% [markdown]
# All steps, one by one: the slider below needs nothing but a browser.

# %%
import re

from IPython.display import HTML
from matplotlib.animation import FuncAnimation

# Signs of any font: those of matplotlib's buttons would be loaded from elsewhere.
SIGNS = {
    "minus": "-",
    "fast-backward": "|◀",
    "step-backward": "◁",
    "play fa-flip-horizontal": "◀",
    "pause": "||",
    "play": "▶",
    "step-forward": "▷",
    "fast-forward": "▶|",
    "plus": "+",
}

figure, (left, right) = plt.subplots(1, 2, figsize=(7.5, 2.8), dpi=50)
figure.subplots_adjust(left=0.1, right=0.98, bottom=0.2, wspace=0.25)
frames = FuncAnimation(figure, lambda now: draw(now, left, right), frames=STEPS, interval=200)
with plt.rc_context({"animation.embed_limit": 5}):
    slider = frames.to_jshtml(default_mode="once")
plt.close(figure)
slider = re.sub(r"<link\b[^>]*>", "", slider)
HTML(re.sub(r'<i class="fa fa-([^"]*)"></i>', lambda icon: SIGNS[icon[1]], slider))

# %% [markdown]
# ## What killed it?
#
# In the fatal update the weights and the bias move together. What does each of them do to the largest pre-activation? The post blames a
# negative weight, or a large negative bias. (Claims C7 and C9 of the paper.)

# %%
change_of_weights = weights[step][unit] - weights[step - 1][unit]
change_of_bias = float(biases[step][unit] - biases[step - 1][unit])
by_weights = float((images @ weights[step][unit]).max() - (images @ weights[step - 1][unit]).max())
print(f"largest pre-activation: {largest[step - 1, unit]:.2f} -> {largest[step, unit]:.2f}")
print(f"  of which by the bias: {change_of_bias:+.3f}, by the weights: {by_weights:+.2f}")
print(
    f"negative weights: {np.mean(weights[step - 1][unit].numpy() < 0):.0%} before, "
    f"{np.mean(weights[step][unit].numpy() < 0):.0%} after"
)
print(
    f"norm of the weights: {weights[step - 1][unit].norm():.2f} before, {weights[step][unit].norm():.2f} after"
)

# %% [markdown]
# About half of this unit's weights are negative while it is alive and well, and about as many when it is dead: with standardised inputs
# the signs do not matter, but where the weights point together. (Where all inputs are positive, as raw pixels are, or the activations
# that deeper layers see, weights do become more negative: claim C9.) One update moved the weighted sums of all examples below zero at
# once.
# <!-- depends on: C9 holds only if -->
#
# ## Can it be saved?
#
# From the step before, with a tenth of the rate (in [Save a dying unit](save_a_dying_unit.ipynb) you try more, over whole trainings):


# %%
def one_step(rate: float) -> float:
    """The largest pre-activation if the fatal update had been made at another rate."""
    share = rate / RATE
    weight = weights[step - 1][unit] + share * change_of_weights
    return float((images @ weight + biases[step - 1][unit] + share * change_of_bias).max())


for rate in (RATE, RATE / 2, RATE / 5, RATE / 10):
    largest_now = one_step(rate)
    print(
        f"rate {rate:<5g} largest pre-activation {largest_now:8.2f}  {'dead' if largest_now <= 0 else 'alive'}"
    )
