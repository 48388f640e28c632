"""A study's file becomes a configuration, or an error that says which key to change and how."""

import time
import tracemalloc
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dying_relu.configuration import Configuration, load, parse
from dying_relu.configuration.load import MAX_BYTES
from dying_relu.configuration.yaml import document, in_one_line
from dying_relu.errors import DyingReluError

STUDY = """
study: example
datasets: {mnist: {train: 1000, test: 500}, cifar10: {train: 1000, test: 500}}
architectures:
  mlp: {kind: mlp, widths: [100, 100]}
  cnn: {kind: cnn, channels: [8, 16], widths: [32]}
optimisers:
  sgd: {kind: sgd}
  adam: {kind: adam}
training: {batch_size: 64, epochs: 2}
measuring: {train: 1000, test: 500, checkpoints: 10}
experiments:
  causes:
    question: Which learning rates kill units?
    claims: [C6, C7]
    replicates: 3
    grid:
      dataset: [mnist, cifar10]
      architecture: [mlp, cnn]
      optimiser: [sgd]
      activation: [relu, {name: leaky_relu, slope: 0.1}, prelu]
      initial_bias: [0, -1.0]
      learning_rate: [0.01, 0.1]
"""


def test_a_study_is_read() -> None:
    study = parse(STUDY)
    grid = study.experiments["causes"].grid
    assert study.study == "example"
    assert grid.learning_rate == (0.01, 0.1)
    assert grid.initial_bias == (0.0, -1.0)
    assert grid.initialisation == ("he",)
    assert [(a.name, a.effective_slope) for a in grid.activation] == [
        ("relu", None),
        ("leaky_relu", 0.1),
        ("prelu", 0.25),
    ]
    assert study.architectures["cnn"].channels == (8, 16)  # type: ignore[union-attr]
    assert study.optimisers["adam"].epsilon == 1e-8  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("found", "instead", "message"),
    [
        (
            "replicates: 3",
            "batch_size: 2000\n    replicates: 3",
            "experiments.causes.batch_size: found 2,000; expected at most the 1,000 training examples",
        ),
        ("[0.01, 0.1]", "[fast, 0.1]", "grid.learning_rate[0]: found 'fast'; expected a number"),
        ("[0.01, 0.1]", "[0.1, 1e-3x]", "learning_rate[1]: found '1e-3x'; expected a number"),
        ("replicates: 3", "replicates: 3e0", "experiments.causes.replicates: found 3.0; expected a whole"),
        ("replicates: 3", "record_units: yes", "causes.record_units: found 'yes'; expected true or false"),
        ("[0.01, 0.1]", "[-0.1]", "learning_rate[0]: found -0.1; expected a number greater than 0"),
        ("[0.01, 0.1]", "[.inf]", "learning_rate[0]: found inf; expected a finite number"),
        ("[0.01, 0.1]", "[]", "experiments.causes.grid.learning_rate: found []; expected at least one entry"),
        ("[0.01, 0.1]", "0.1", "learning_rate: found 0.1; expected a list"),
        ("[0.01, 0.1]", "[0.1, 0.1]", "learning_rate: found 0.1 2 times; expected each value once"),
        ("learning_rate", "learning_rates", "grid.learning_rates: found an unknown key; expected one of"),
        ("learning_rate", "learning_rates", "did you mean learning_rate?"),
        ("training:", "trainning:", "trainning: found an unknown key"),
        ("[relu,", "[rleu,", "grid.activation[0]: found 'rleu'; expected one of relu, leaky_relu"),
        ("[relu,", "[rleu,", "did you mean relu?"),
        ("[relu,", "[0.1,", "activation[0]: found 0.1; expected an activation: its name, or {name:"),
        (
            "{name: leaky_relu, slope: 0.1}",
            "{name: leaky_relu, slope: 0.01}, leaky_relu",
            "activation: found 'leaky_relu' 2 times; expected each value once",
        ),
        ("name: leaky_relu", "name: elu", "found slope 0.1 for elu; expected a slope only for leaky_relu"),
        (
            "[100, 100]",
            "[100, -1]",
            "architectures.mlp.widths[1]: found -1; expected a number greater than 0",
        ),
        ("[100, 100]", "[]", "architectures.mlp.widths: found []; expected at least one entry"),
        ("kind: mlp", "kind: mpl", "architectures.mlp.kind: found 'mpl'; expected one of 'mlp', 'cnn'"),
        ("kind: sgd", "momentum: 0.9", "optimisers.sgd.kind: found nothing; expected one of 'sgd', 'adam'"),
        ("{mnist: {", "{mnits: {", "datasets.mnits: found 'mnits'; expected one of mnist, fashion_mnist"),
        (
            "[mnist, c",
            "[mnits, c",
            "grid.dataset[0]: found 'mnits'; expected one of those declared in datasets",
        ),
        ("[mlp, cnn]", "[mlp, ccn]", "architecture[1]: found 'ccn'; expected one of those declared"),
        ("[sgd]", "[momentum]", "optimiser[0]: found 'momentum'; expected one of those declared"),
        (
            "mnist: {train: 1000",
            "mnist: {train: 60001",
            "datasets.mnist.train: found 60,001; expected at most",
        ),
        (
            "measuring: {train: 1000",
            "measuring: {train: 1001",
            "measuring.train: found 1,001; expected at most",
        ),
        (
            "batch_size: 64",
            "batch_size: 1001",
            "training.batch_size: found 1,001; expected at most the 1,000",
        ),
        (
            "[8, 16]",
            "[8, 8, 8, 8, 8]",
            "architectures.cnn.channels: found 5 convolutions; expected at most 4",
        ),
        ("replicates: 3", "replicates: true", "experiments.causes.replicates: found True; expected a whole"),
        ("replicates: 3", "replicates: 3.5", "experiments.causes.replicates: found 3.5"),
        ("replicates: 3", "{epochs: 1, steps: 9}", "cannot be read as YAML"),
        ("replicates: 3", "epochs: 1\n    steps: 9", "experiments.causes: found both epochs and steps"),
        (
            "replicates: 3",
            "every_step: true",
            "experiments.causes.steps: found None; expected at most 10,000",
        ),
        (
            "study: example",
            "study: x; touch pwned",
            "study: found 'x; touch pwned'; expected text that matches",
        ),
        (
            "study: example",
            "study: benchmarks",
            "found 'benchmarks'; expected another name: `snakemake bench`",
        ),
        ("  mlp: {", "  7: {kind: mlp, widths: [1]}\n  mlp: {", "architectures.7: found 7; expected text"),
        ("study: example", "study: ../escape", "study: found '../escape'"),
        ("study: example\n", "", "study: found nothing; expected a value: this key is required"),
        (
            "study: example",
            "study: a\nstudy: b",
            "line 3: the key 'study' stands here a second time (first in line 2)",
        ),
        ("[0.01, 0.1]", "&rates [0.1, *rates]", "aliases (*name) are not supported"),
        ("study: example", "study: !!python/object/apply:os.getcwd []", "line 2: tags (!name) are not"),
        ("replicates: 3", "replicates: !!int ''", "tags (!name) are not supported"),
        ("[0.01, 0.1]", f"[0x{'f' * 5000}]", "line 23: a number of 5,002 characters: '0xfff"),
        ("replicates: 3", f"replicates: {'9' * 5000}", "a number of 5,000 characters: '9999"),
        ("[0.01, 0.1]", f"[1.{'9' * 5000}e5]", "a number of 5,004 characters: '1.99"),
        (
            "replicates: 3",
            "replicates: 1:59",
            "experiments.causes.replicates: found '1:59'; expected a whole",
        ),
        (
            "\nstudy: example",
            "%YAML 1.1\n---\nstudy: example",
            "line 1: directives (%NAME) are not supported",
        ),
        ("replicates: 3", "<<: {replicates: 3}", "line 16: merges (<<) are not supported"),
        ("[0.01, 0.1]", f"{'[' * 21}0.1{']' * 21}", "is nested too deeply: found line 23"),
        (
            "study: example",
            'study: example\ndata: {root: "a\\0b"}',
            r"data.root: found 'a\x00b'; expected text without control characters",
        ),
        (
            "study: example",
            'study: example\ndata: {cache: "a\\nb"}',
            r"data.cache: found 'a\nb'; expected text without control characters",
        ),
        (
            "study: example",
            'study: example\ndata: {sources: ["npm\\0"]}',
            r"data.sources[0]: found 'npm\x00'; expected 'root', 'torchvision' or 'npm'",
        ),
        (
            "Which learning",
            '"\\e[2J" #',
            r"experiments.causes.question: found '\x1b[2J'; expected text without control",
        ),
        (
            "study: example",
            "study: example\nmemory_limit: lots",
            "memory_limit: found 'lots'; expected a size",
        ),
        (
            "study: example",
            "study: example\nmemory_limit: 1025 TiB",
            "memory_limit: found '1025 TiB'; expected a size such as 2 GiB, at most 1024 TiB",
        ),
        (
            "study: example",
            f"study: example\nmemory_limit: '{'9' * 400} EiB'",
            "9...; expected a size such as 2 GiB",
        ),
        (
            "study: example",
            "study: example\nmemory_limit: 0",
            "memory_limit: found 0; expected a size such as 2 GiB",
        ),
        ("replicates: 3", "replicates: 2020-99-99", "cannot be read as YAML: month must be in 1..12"),
    ],
)
def test_a_mistake_is_named(found: str, instead: str, message: str) -> None:
    assert found in STUDY
    with pytest.raises(DyingReluError) as error:
        parse(STUDY.replace(found, instead, 1), "my.yaml")
    assert message in str(error.value)
    assert str(error.value).startswith("my.yaml")


def test_numbers_are_those_of_yaml_1_2() -> None:
    study = parse(
        STUDY.replace("[0.01, 0.1]", "[1e-3, 2e3, 1.5E-2]").replace("replicates: 3", "replicates: 010")
    )
    assert study.experiments["causes"].grid.learning_rate == (0.001, 2000.0, 0.015)
    assert study.experiments["causes"].replicates == 10


def test_the_longest_study_is_read_in_seconds() -> None:
    started = time.process_time()
    with pytest.raises(DyingReluError, match="more than 10 problems"):
        parse("\n".join(f"a{number}: 1" for number in range(21_000))[:MAX_BYTES])
    assert time.process_time() - started < 20


def test_all_mistakes_are_named_at_once() -> None:
    broken = STUDY.replace("[0.01, 0.1]", "[fast, slow]").replace("replicates: 3", "replicates: 0")
    with pytest.raises(DyingReluError, match="3 problems"):
        parse(broken)


def test_all_unknown_keys_of_a_section_are_named() -> None:
    with pytest.raises(DyingReluError, match="2 problems") as error:
        parse(STUDY.replace("batch_size: 64, epochs", "batchsize: 64, epoch"))
    assert "training.batchsize: found an unknown key" in str(error.value)
    assert "training.epoch: found an unknown key" in str(error.value)


def test_too_many_networks_are_refused_before_they_are_planned() -> None:
    rates = ", ".join(str(1 + i) for i in range(50_000))
    with pytest.raises(DyingReluError, match="at most 1,000,000"):
        parse(STUDY.replace("[0.01, 0.1]", f"[{rates}]"))


def test_a_grid_of_a_trillion_networks_is_refused_before_it_is_made() -> None:
    rates, biases = (", ".join(str(1 + i) for i in range(count)) for count in (10_000, 1_000))
    huge = STUDY.replace("[0.01, 0.1]", f"[{rates}]").replace("[0, -1.0]", f"[{biases}]")
    tracemalloc.start()
    with pytest.raises(DyingReluError, match=r"found 1,200,000,000,000 networks; expected at most 1,000,000"):
        parse(huge.replace("replicates: 3", "replicates: 10000"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 50 * 2**20


def test_too_many_measurements_are_refused_before_they_are_planned() -> None:
    many = STUDY.replace("replicates: 3", "replicates: 1000\n    checkpoints: 10000")
    with pytest.raises(
        DyingReluError, match=r"found 1,200,000,000 measurements .*; fewer networks, layers or"
    ):
        parse(many)


def test_only_the_first_of_many_mistakes_are_looked_for() -> None:
    """Each of them is looked up among all the names: millions of comparisons of words."""
    names = "".join(f"  mlp{i}: {{kind: mlp, widths: [1]}}\n" for i in range(2000))
    unknown = ", ".join(f"mpl{i}" for i in range(10_000))
    many = STUDY.replace("optimisers:", f"{names}optimisers:", 1).replace("[mlp, cnn]", f"[{unknown}]")
    with pytest.raises(DyingReluError, match="more than 10 problems, among them") as error:
        parse(many)
    assert len(str(error.value)) < 10_000


def test_what_was_found_is_shown_shortly_however_long_it_is() -> None:
    for found in ("[0.01, 0.1]", "[mnist, c", "kind: sgd", "batch_size: 64", "{mnist: {", "name: leaky_relu"):
        key, _, _ = found.rpartition(" ")
        for long in ("x" * 50_000, f"{key} {'x' * 50_000}"):
            with pytest.raises(DyingReluError) as error:
                parse(STUDY.replace(found, long, 1))
            assert len(str(error.value)) < 5000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found nothing; expected keys and values"),
        (b"- a\n- b\n", "found ['a', 'b']; expected keys and values"),
        (b"a: [", "cannot be read as YAML: line 1"),
        (b"\xff\xfe\x00", "is not text"),
        (b"[" * 100_000, "nested too deeply"),
        (b"#" * 200_001, "is too large: expected at most 200,000 bytes"),
    ],
)
def test_a_file_that_is_no_study_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(DyingReluError) as error:
        load(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no endless file here")
def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(DyingReluError, match="/dev/zero is too large"):
        load(Path("/dev/zero"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DyingReluError, match=r"cannot read .*absent\.yaml: found No such file"):
        load(tmp_path / "absent.yaml")


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None)
@given(key=st.sampled_from(sorted(Configuration.model_fields)), value=yaml_values)
def test_no_value_of_a_key_makes_the_reader_fail_in_another_way(key: str, value: object) -> None:
    with suppress(DyingReluError):
        parse(in_one_line(document(STUDY, "the study") | {key: value}))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_no_text_makes_the_reader_fail_in_another_way(text: str) -> None:
    with pytest.raises(DyingReluError):
        parse(text)
