"""Architectures with their images and minibatches: the benchmark's own, and those that the default study trains."""

import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks.arithmetic import flops_per_sample
from dying_relu.analysis import latex
from dying_relu.configuration import CNN, MLP, Architecture
from dying_relu.errors import DyingReluError
from dying_relu.plan import study

DEFAULT_STUDY = Path(__file__).parent.parent / "config" / "config.yaml"


class Setting(NamedTuple):
    """An architecture with the images it is for, the size of its minibatches and the length of its training."""

    architecture: Architecture
    dataset: str
    batch_size: int
    samples_per_network: int = 30_000


SETTINGS = {
    "mlp": Setting(MLP(kind="mlp", widths=(128, 128)), "mnist", 128),
    "cnn": Setting(CNN(kind="cnn", channels=(16, 32), widths=(64,)), "cifar10", 64),
}
"""The benchmark's own settings; a study may change, these stay."""

PART = 1 / 20
"""Settings with a smaller part of the study's arithmetic are not measured."""
_OF_A_STUDY = re.compile(r"(?P<kind>[a-z]+)_(?P<sizes>\d+(?:_\d+)*)_(?P<dataset>[a-z]\w*)_(?P<batch>\d+)")


def is_plain(architecture: Architecture) -> bool:
    """Tell if an architecture has nothing between its layers but activations and pooling."""
    return architecture.normalisation == architecture.centring == "none"


@cache
def of_study(path: Path = DEFAULT_STUDY) -> dict[str, Setting]:
    """The settings that the study at ``path`` trains with SGD, without normalisation and centring, and not only a few networks of.

    A setting counts from ``PART`` of the arithmetic of all of them on. Where experiments train one of them for different times, the
    time of most networks counts.

    Returns:
        Name, such as ``cnn_8_16_32_cifar10_50`` (channels, hidden widths, data set, batch size) -> setting.
    """
    networks: defaultdict[tuple[Architecture, str, int], Counter[int]] = defaultdict(Counter)
    for shard in study.load(path).shards:
        descending = [run for run in shard.runs if shard.optimisers[run.optimiser].kind == "sgd"]
        if descending and is_plain(shard.architecture):
            key = (shard.architecture, shard.dataset.name, shard.batch_size)
            networks[key][shard.steps * shard.batch_size] += len(descending)
    work = {
        key: flops_per_sample(key[0], key[1]) * sum(count * number for count, number in samples.items())
        for key, samples in networks.items()
    }
    enough = PART * sum(work.values())
    settings = [
        Setting(*key, samples.most_common(1)[0][0])
        for key, samples in networks.items()
        if work[key] >= enough
    ]
    return {_name(setting): setting for setting in settings}


def find(name: str) -> Setting:
    """The setting called ``name``, the benchmark's or the default study's."""
    if name in SETTINGS:
        return SETTINGS[name]
    if name in of_study():
        return of_study()[name]
    raise DyingReluError("unknown setting", found=name, expected=", ".join([*SETTINGS, *of_study()]))


def is_of_study(case: str) -> bool:
    """Whether a case's name is that of a study's own network, of whatever study.

    >>> is_of_study("cnn_8_16_32_cifar10_50-sgd-relu"), is_of_study("cnn-sgd-relu")
    (True, False)
    """
    return _OF_A_STUDY.fullmatch(case.split("-")[0]) is not None


def title(case: str) -> str:
    """A case's name in words.

    >>> title("cnn_8_16_32_cifar10_50-sgd-relu"), title("mlp-sgd-relu")
    ('CNN 8-16-32, CIFAR-10, batch 50, SGD, ReLU', 'MLP, SGD, ReLU')
    """
    setting, *others = case.split("-")
    words = [latex.name(setting)]
    if found := _OF_A_STUDY.fullmatch(setting):
        sizes = found["sizes"].replace("_", "-")
        words = [
            f"{latex.name(found['kind'])} {sizes}",
            latex.name(found["dataset"]),
            f"batch {found['batch']}",
        ]
    return ", ".join([*words, *(latex.name(word) for word in others)])


def _name(setting: Setting) -> str:
    architecture = setting.architecture
    sizes = (*getattr(architecture, "channels", ()), *getattr(architecture, "widths", ()))
    return f"{architecture.kind}_{'_'.join(map(str, sizes))}_{setting.dataset}_{setting.batch_size}"
