"""A study of two experiments, planned as it is or with edits."""

from dying_relu.configuration import parse
from dying_relu.plan.study import Study, plan

STUDY = """
study: example
datasets: {mnist: {train: 6400, test: 1000}, cifar10: {train: 6400, test: 1000}}
architectures:
  mlp: {kind: mlp, widths: [100, 100]}
  cnn: {kind: cnn, channels: [8, 16], widths: [32]}
optimisers: {sgd: {kind: sgd}, adam: {kind: adam}}
training: {batch_size: 64, epochs: 2}
experiments:
  causes:
    question: Which learning rates kill units?
    replicates: 3
    grid:
      dataset: [mnist, cifar10]
      architecture: [mlp, cnn]
      optimiser: [sgd]
      activation: [{name: leaky_relu}, relu]
      initial_bias: [0.0, -1.0]
      learning_rate: [0.1, 0.01]
  optimisers:
    question: Does it depend on the optimiser?
    record_units: true
    grid: {dataset: [mnist], architecture: [mlp], optimiser: [sgd, adam], learning_rate: [0.1, 0.01]}
"""


def planned(*edits: tuple[str, str]) -> Study:
    text = STUDY
    for found, instead in edits:
        assert found in text
        text = text.replace(found, instead, 1)
    return plan(parse(text))


INTERVENTIONS = """
inputs:
  offset: {kind: offset, of: centred, share: 0.3}
  scaled: {kind: scaled, of: offset, factor: 3}
interventions:
  ramp: {kind: ramp, steps: 10}
  undo: {kind: forbid_by_undoing}
  both: {kind: several, of: [ramp, undo]}
training:"""
WITH_FACTORS = (
    ("\ntraining:", INTERVENTIONS),
    (
        "learning_rate: [0.1, 0.01]}",
        "learning_rate: [0.1], inputs: [raw, scaled], intervention: [none, both]}",
    ),
)
