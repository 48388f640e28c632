"""The study's own settings follow from its configuration."""

from pathlib import Path

import pytest

from benchmarks import settings
from dying_relu.errors import DyingReluError

CONFIGURATION = """
study: small
datasets: {mnist: {train: 500, test: 100}, cifar10: {train: 500, test: 100}}
architectures:
  net: {kind: cnn, channels: [8, 16], widths: [32]}
  same: {kind: cnn, channels: [8, 16], widths: [32]}
  normalised: {kind: mlp, widths: [10], normalisation: batch}
optimisers: {sgd: {kind: sgd}, adam: {kind: adam}}
training: {batch_size: 50, epochs: 2}
measuring: {train: 100, test: 100, checkpoints: 2}
experiments:
  short:
    question: Short?
    grid: {dataset: [mnist], architecture: [net, same, normalised], optimiser: [sgd], learning_rate: [0.1, 0.2]}
  long:
    question: Long?
    epochs: 4
    grid: {dataset: [mnist], architecture: [net], optimiser: [sgd], learning_rate: [0.1]}
  large:
    question: Large batches?
    batch_size: 100
    grid: {dataset: [cifar10], architecture: [net], optimiser: [sgd], learning_rate: [0.1]}
  other:
    question: Adam?
    grid: {dataset: [cifar10], architecture: [net], optimiser: [adam], learning_rate: [0.1]}
"""


def test_settings_are_distinct_and_as_long_as_for_most_networks(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(CONFIGURATION)
    found = settings.of_study(path)
    assert list(found) == ["cnn_8_16_32_mnist_50", "cnn_8_16_32_cifar10_100"]
    assert [setting.samples_per_network for setting in found.values()] == [1000, 1000]
    assert all(settings.is_of_study(f"{name}-sgd-relu") for name in found)


def test_an_unknown_setting_is_an_error_in_words() -> None:
    with pytest.raises(DyingReluError, match="unknown setting: found rnn; expected mlp, cnn, "):
        settings.find("rnn")
