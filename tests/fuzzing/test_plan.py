"""Studies whose keys are right, with values from the smallest to the largest: one is planned in little time and memory, or refused."""

import io
import re
from typing import Any

from any_input import refused_or_read
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from rich.console import Console

from dying_relu.configuration.load import parse
from dying_relu.configuration.yaml import in_one_line
from dying_relu.plan import memory, overview, study

counts = st.sampled_from([1, 2, 50, 10_000, 10**9]) | st.integers(1, 10**9)
few = st.integers(1, 2)
names = st.from_regex(r"[a-z][a-z0-9_]{0,4}", fullmatch=True)
LONG = [1.0 + level for level in range(2100)]
"""More levels than a million networks have in 500 replicates; a study with two such lists has far too many networks."""
LONG_TEXT = in_one_line(LONG)
positive = st.floats(0, exclude_min=True, allow_nan=False, allow_infinity=False)


def optional(**keys: st.SearchStrategy) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=keys)


def levels(value: st.SearchStrategy, most: int = 2) -> st.SearchStrategy[list]:
    return st.lists(value, min_size=1, max_size=most, unique=True)


widths = st.lists(st.sampled_from([1, 64, 100_000]), min_size=1, max_size=4)
architectures = optional(normalisation=st.sampled_from(["none", "batch", "layer"])).flatmap(
    lambda common: st.one_of(
        st.fixed_dictionaries({"kind": st.just("mlp"), "widths": widths}),
        st.fixed_dictionaries({"kind": st.just("cnn"), "channels": widths, "widths": widths}),
    ).map(lambda own: own | common)
)
optimisers = st.sampled_from([{"kind": "sgd"}, {"kind": "sgd", "momentum": 0.9}, {"kind": "adam"}])


@st.composite
def valid_looking(draw: st.DrawFn) -> dict[str, Any]:
    datasets = draw(
        st.dictionaries(st.sampled_from(["mnist", "cifar10"]), optional(train=counts), min_size=1)
    )
    nets = draw(st.dictionaries(names, architectures, min_size=1, max_size=3))
    rules = draw(st.dictionaries(names, optimisers, min_size=1, max_size=3))
    long = st.just("long")
    experiments = st.fixed_dictionaries(
        {
            "question": st.text(min_size=1, max_size=20) | st.just("What [/b] is [this]?"),
            "replicates": few | st.just(500),
            "grid": st.fixed_dictionaries(
                {
                    "dataset": levels(st.sampled_from(list(datasets))),
                    "architecture": levels(st.sampled_from(list(nets))),
                    "optimiser": levels(st.sampled_from(list(rules))),
                    "learning_rate": levels(positive) | long,
                },
                optional={
                    "activation": levels(st.sampled_from(["relu", "leaky_relu", "prelu"])),
                    "initial_bias": levels(st.floats(allow_nan=False, allow_infinity=False)) | long,
                },
            ),
        },
        optional={
            "checkpoints": st.integers(2, 10_000),
            "record_units": st.booleans(),
            "curvature_steps": st.lists(st.integers(0, 1000), max_size=3),
            "train_examples": counts,
            "batch_size": counts,
            "probe_train": counts,
        },
    )
    return {
        "study": "mine",
        "datasets": datasets,
        "architectures": nets,
        "optimisers": rules,
        "memory_limit": draw(st.sampled_from(["1 GiB", "100 GiB", "1024 TiB"])),
        "experiments": {
            name: draw(experiments) | draw(st.sampled_from([{}, {"epochs": 1}, {"steps": 10**9}]))
            for name in draw(levels(names))
        },
        "training": draw(optional(epochs=counts, batch_size=counts)),
        "measuring": {"train": 1, "test": 1} | draw(optional(checkpoints=st.integers(2, 10_000))),
    }


@given(valid_looking())
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
def test_any_study_is_planned_or_refused(keys: dict[str, Any]) -> None:
    def planned(text: str) -> None:
        configuration = parse(text)
        event("planned")
        plan = study.plan(configuration)
        assert len(plan.runs) == sum(
            experiment.grid.size * experiment.replicates for experiment in configuration.experiments.values()
        )
        assert all(memory.of_job(shard) <= configuration.memory_limit for shard in plan.shards)
        overview.show(plan, Console(file=io.StringIO()))

    # Written once for all studies: ruamel.yaml takes longer to write long lists than we take to refuse them.
    refused_or_read(
        planned, re.sub(r"(learning_rate|initial_bias): long", rf"\1: {LONG_TEXT}", in_one_line(keys))
    )
