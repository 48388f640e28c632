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
# # Diagnose your own model
#
# A network that trains badly: which units are dead, why, what helps, and what can be thrown away. The network and its training loop
# are plain PyTorch; put your own in their place.

# %%
import torch
from torch import nn
from torch.nn import functional

from dying_relu import Monitor, compare, probe, prune_dead, revive
from dying_relu.data.cached import cached
from dying_relu.data.dataset import load

digits = load(cached("mnist"), train=5000, test=1000, device=torch.device("cpu"), pixels="raw")
images, labels = digits.train_images.flatten(1) * 255, digits.train_labels
test_images, test_labels = digits.test_images.flatten(1) * 255, digits.test_labels

# %% [markdown]
# ## A network that trains badly
#
# Pixels from 0 to 255, Adam at a rate of 0.01. The loss comes down, and the test accuracy stays far below what the same network reaches
# when the cause is mended.


# %%
def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def train(
    model: nn.Module, inputs: torch.Tensor, optimizer: torch.optim.Optimizer, steps: int = 300
) -> list[float]:
    """The loss of each step."""
    order, losses = torch.Generator().manual_seed(0), []
    for _ in range(steps):
        chosen = torch.randint(len(inputs), (50,), generator=order)
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(inputs[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def accuracy(model: nn.Module, inputs: torch.Tensor) -> str:
    with torch.no_grad():
        return f"{(model(inputs).argmax(1) == test_labels).float().mean():.1%} of the test images"


sick = network()
optimizer = torch.optim.Adam(sick.parameters(), lr=0.01)
loader = list(zip(images[:1000].split(250), labels[:1000].split(250), strict=True))
with Monitor(sick, loader, every=20) as monitor:
    losses = train(sick, images, optimizer)
for step in (0, 10, 50, 100, 200, 299):
    print(f"step {step:3}: loss {losses[step]:.2f}")
accuracy(sick, test_images)

# %% [markdown]
# ## Which units are dead?
#
# One pass over some batches. A unit is dead if it outputs exactly 0 on all of them and no gradient reaches its weights.

# %%
report = probe(sick, loader, loss=functional.cross_entropy)
print(report)

# %% [markdown]
# Dead on these examples is not dead on all: of units that are active on hardly any example some are in the count. How many of the dead
# would be active on ten times as many more is estimated from the units that were active on exactly one example, with a 95 % interval.
# *Nearly dead* units are active on less than 2 % of the examples; the *offset share* is the part of the inputs' second moment that is
# their mean.

# %%
print(report.expected_alive(10_000))

# %%
# A column a unit, since there are many measurements.
report.units("3").sort_values("dead", ascending=False).head().round(3).transpose()

# %%
print(report.advice())

# %%
figure = report.plot()
# %% [markdown]
# ## Since when?
#
# `Monitor` stood around the training loop and counted on the way; the advice of its report knows when most units died.

# %%
monitor.history.pivot_table(["dead", "died", "revived"], "step", "layer").astype(int).head(8)

# %%
print(monitor.report.advice())

# %% [markdown]
# ## Mend the cause
#
# The advice names the inputs. First they are standardised as is usual, by one mean and one deviation of all pixels; then the mean of each
# pixel is subtracted, without which no unit of a first layer died in the paper's networks (findings F1a, F1b); last, a tenth of the
# learning rate, too. Nothing else is changed.
# <!-- depends on: F1a holds, F1b holds -->

# %%
deviation = images.std()
trials = [("one mean", images.mean(), 0.01), ("each pixel's mean", images.mean(0), 0.01)]
trials.append(("each pixel's mean", images.mean(0), 0.001))
for name, mean, rate in trials:
    mended = network()
    train(mended, (images - mean) / deviation, torch.optim.Adam(mended.parameters(), lr=rate))
    changed = [((inputs - mean) / deviation, targets) for inputs, targets in loader]
    first, second = probe(mended, changed).summary()["dead"]
    right = accuracy(mended, (test_images - mean) / deviation)
    print(f"{name}, rate {rate}: {first} of 128 and {second} of 64 units dead, {right}")

# %% [markdown]
# Look at both numbers: the accuracies differ far less than the counts. What matters is how many units *work* (finding F4).
#
# ## Or give the dead units a new start
#
# `revive` draws new incoming weights, sets the outgoing ones to 0, so that the network computes the same as before, and makes the
# optimizer forget these units (ReDo, Sokar et al., 2023).

# %%
small = prune_dead(sick, report)  # for later
revive(sick, report, optimizer=optimizer)
print(compare(report, probe(sick, loader)))
print("revived:", accuracy(sick, test_images))
train(sick, images, optimizer)
print("trained on:", probe(sick, loader).summary()["dead"].sum(), "dead;", accuracy(sick, test_images))

# %% [markdown]
# Units that died of their inputs die of them again: mend the cause first. (In the paper's networks new weights did as much for living
# units as for dead ones: finding F4d.)
# <!-- depends on: F4d holds -->
#
# ## Or throw them away
#
# Dead units add nothing to the outputs on these data. `prune_dead` removes their rows and columns, and compares the outputs on the data
# before it returns: equal, or an error.


# %%
def parameters(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


print(
    f"{parameters(network()):,} parameters before, {parameters(small):,} after; {accuracy(small, test_images)}"
)
print(small)

# %% [markdown]
# On the command line, and in continuous integration, the same is
# `dying-relu probe package.module:make_model --data package.module:make_loader --html dead.html --json dead.json --fail-above 0.2`;
# `dying-relu compare before.json after.json` compares two checkpoints.
