"""Reading a study's YAML file: safely, and with errors that name the key, what was found and what was expected."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from dying_relu.configuration.model import (
    CNN,
    IMAGE_SETS,
    MAX_CHECKPOINTS,
    Configuration,
    DataSource,
    Experiment,
)
from dying_relu.errors import DyingReluError

MAX_BYTES = 1_000_000
MAX_RUNS = 1_000_000
MAX_PROBLEMS_SHOWN = 10

# A number in scientific notation that YAML 1.1 reads as text: no point, or no sign in the exponent.
_ALMOST_A_NUMBER = re.compile(r"[-+]?(\d+)(\.\d*)?[eE]([-+]?)(\d+)")

_EXPECTED = {
    "bool_type": "true or false",
    "byte_size": "a size such as 2 GiB",
    "dict_type": "keys and values",
    "finite_number": "a finite number",
    "float_type": "a number",
    "greater_than": "a number greater than {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "int_type": "a whole number",
    "less_than": "a number less than {lt}",
    "less_than_equal": "a number of at most {le}",
    "model_type": "keys and values",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_type": "text",
    "too_short": "at least one entry",
    "tuple_type": "a list, such as [a, b]",
}
"""Pydantic's error types in a study author's words; other types keep pydantic's."""


class Problem(NamedTuple):
    """One thing that is wrong with a configuration."""

    key: str
    found: str
    expected: str
    remedy: str = ""

    def __str__(self) -> str:
        said = f"{self.key}: found {self.found}; expected {self.expected}"
        return f"{said}; {self.remedy}" if self.remedy else said


def load(path: Path) -> Configuration:
    """The configuration in the YAML file at ``path``.

    Raises:
        DyingReluError: the file cannot be read, is not YAML, or is not a valid study; names every key that is wrong.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DyingReluError(
                f"{path} is too large", expected=f"a study's YAML file, at most {MAX_BYTES:,} bytes"
            )
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise DyingReluError(f"cannot read {path}", found=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise DyingReluError(f"{path} is not text", found=str(error), expected="YAML in UTF-8") from error
    return parse(text, str(path))


def parse(text: str, name: str = "the configuration") -> Configuration:
    """The configuration in the YAML ``text``; ``name`` is what errors call it. Raises as :func:`load` does."""
    document = _document(text, name)
    if not isinstance(document, dict):
        found = "nothing" if document is None else _shown(document)
        raise DyingReluError(
            f"{name} is not a study", found=found, expected="keys and values; see config/README.md"
        )
    try:
        configuration = Configuration.model_validate(document)
    except ValidationError as error:
        raise _error(name, _invalid_values(error, document)) from None
    except RecursionError:
        raise DyingReluError(f"{name} is nested too deeply") from None
    problems = list(dict.fromkeys(_inconsistencies(configuration)))
    if problems:
        raise _error(name, problems)
    return configuration


def data_source(**settings: object) -> DataSource:
    """The ``data`` section with these settings; None for the default. Raises as :func:`load` does."""
    given = {key: value for key, value in settings.items() if value is not None}
    try:
        return DataSource.model_validate(given)
    except ValidationError as error:
        raise _error("the data set's source", _invalid_values(error, given)) from None


def _error(name: str, problems: Sequence[Problem]) -> DyingReluError:
    if len(problems) == 1:
        return DyingReluError(f"{name}: {problems[0]}")
    shown = [f"  {problem}" for problem in problems[:MAX_PROBLEMS_SHOWN]]
    if len(problems) > len(shown):
        shown.append(f"  and {len(problems) - len(shown)} more")
    return DyingReluError("\n".join([f"{name}: {len(problems)} problems", *shown]))


class _Loader(yaml.SafeLoader):
    """Safe YAML without what a study never needs and a mistake or an attack may contain.

    A key given twice would silently lose its first value; aliases allow a small file to stand for a huge one.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.events.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not supported", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    first = seen[key.value].start_mark.line + 1
                    raise yaml.constructor.ConstructorError(
                        None,
                        None,
                        f"the key {key.value!r} stands here a second time (first in line {first})",
                        key.start_mark,
                    )
                seen[key.value] = key
        return super().construct_mapping(node, deep)


def _document(text: str, name: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 (it is a SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise DyingReluError(f"{name} cannot be read as YAML: {line}{error.problem}") from None
    except yaml.YAMLError as error:
        raise DyingReluError(f"{name} cannot be read as YAML", found=" ".join(str(error).split())) from None
    except (ValueError, OverflowError) as error:
        # Impossible dates, integers of thousands of digits.
        raise DyingReluError(f"{name} cannot be read as YAML: {error}") from None
    except RecursionError:
        raise DyingReluError(f"{name} is nested too deeply") from None


def _invalid_values(error: ValidationError, document: Any) -> list[Problem]:
    # Pydantic also calls a list too short when it has items, but none of them is valid.
    return [
        problem
        for details in error.errors(include_url=False)
        if details["type"] != "too_short" or not details["input"]
        for problem in (
            _unknown_keys(details, document)
            if details["type"] == "unknown_key"
            else [_invalid_value(details, document)]
        )
    ]


def _unknown_keys(details: Any, document: Any) -> list[Problem]:
    section, context = _key(details["loc"], document), details["ctx"]
    return [
        Problem(
            _join(section, key),
            "an unknown key",
            f"one of {context['names']}",
            _did_you_mean(key, context["known"]),
        )
        for key in context["keys"]
    ]


def _invalid_value(details: Any, document: Any) -> Problem:
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    key = _key(details["loc"], document)
    if kind == "missing":
        return Problem(key, "nothing", "a value: this key is required")
    if kind == "unknown_name":
        return Problem(key, repr(value), details["msg"], _did_you_mean(value, context["known"]))
    if kind == "union_tag_not_found":
        return Problem(_join(key, "kind"), "nothing", f"one of {_tags(document, details['loc'])}")
    if kind == "union_tag_invalid":
        return Problem(_join(key, "kind"), repr(context["tag"]), f"one of {context['expected_tags']}")
    expected = _EXPECTED.get(kind, details["msg"].removeprefix("Input should be ")).format_map(context)
    return Problem(key, context.get("found") or _shown(value), expected, _scientific_notation(value))


def _tags(document: Any, location: tuple[int | str, ...]) -> str:
    return "'mlp', 'cnn'" if location[:1] == ("architectures",) else "'sgd', 'adam'"


def _key(location: Iterable[int | str], document: Any) -> str:
    """The dotted path of an error, without the steps of pydantic's that are not in the document (a union's tag)."""
    key, here = "", document
    parts = list(location)
    for position, part in enumerate(parts):
        inside = (isinstance(here, dict) and part in here) or (
            isinstance(here, list) and isinstance(part, int) and part < len(here)
        )
        if inside:
            # A number may also be a key.
            name = str(part) if isinstance(here, dict) else part
            here = here[part]
        elif part == "[key]" or position < len(parts) - 1 or not isinstance(here, dict):
            continue
        else:
            name = part
        key = _join(key, name)
    return key or "the file"


def _join(key: str, part: int | str) -> str:
    if isinstance(part, int):
        return f"{key}[{part}]"
    return f"{key}.{part}" if key and key != "the file" else part


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _did_you_mean(word: object, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(str(word), list(known), n=1)
    return f"did you mean {close[0]}?" if close else ""


def _scientific_notation(value: object) -> str:
    """What to write instead of ``1e-3``, which YAML reads as text.

    >>> _scientific_notation("1e-3")
    'write 1.0e-3: YAML reads 1e-3 as text'
    """
    match = _ALMOST_A_NUMBER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return ""
    sign = "-" if match.string.startswith("-") else ""
    decimals = match[2] if match[2] and len(match[2]) > 1 else ".0"
    return f"write {sign}{match[1]}{decimals}e{match[3] or '+'}{match[4]}: YAML reads {value} as text"


def _inconsistencies(configuration: Configuration) -> Iterator[Problem]:
    """What no key can know alone."""
    yield from _impossible_sizes(configuration)
    for name, experiment in configuration.experiments.items():
        at = f"experiments.{name}"
        yield from _undeclared_names(configuration, experiment, at)
        yield from _impossible_subsets(configuration, experiment, at)
        yield from _contradictions(experiment, at)
    runs = sum(e.grid.size * e.replicates for e in configuration.experiments.values())
    if runs > MAX_RUNS:
        yield Problem("experiments", f"{runs:,} networks", f"at most {MAX_RUNS:,}")


def _impossible_sizes(configuration: Configuration) -> Iterator[Problem]:
    for name, size in configuration.datasets.items():
        for split in ("train", "test"):
            used, there = getattr(size, split), getattr(IMAGE_SETS[name], split)
            if used is not None and used > there:
                yield Problem(
                    f"datasets.{name}.{split}", f"{used:,}", f"at most {there:,}: {name} has no more"
                )


def _impossible_subsets(configuration: Configuration, experiment: Experiment, at: str) -> Iterator[Problem]:
    """Probe sets and minibatches that are larger than what they are taken from."""
    measuring = configuration.measuring
    train_key = f"{at}.probe_train" if experiment.probe_train else "measuring.train"
    test_key = f"{at}.probe_test" if experiment.probe_test else "measuring.test"
    batch_key = f"{at}.batch_size" if experiment.batch_size else "training.batch_size"
    batch_size = experiment.batch_size or configuration.training.batch_size
    for dataset in set(experiment.grid.dataset) & set(configuration.datasets):
        size, there = configuration.datasets[dataset], IMAGE_SETS[dataset]
        train = experiment.train_examples or size.train or there.train
        test = size.test or there.test
        for key, wanted, available, split in (
            (f"{at}.train_examples", train, there.train, "training"),
            (train_key, experiment.probe_train or measuring.train, train, "training"),
            (test_key, experiment.probe_test or measuring.test, test, "test"),
            (batch_key, batch_size, train, "training"),
        ):
            if wanted > available:
                yield Problem(
                    key,
                    f"{wanted:,}",
                    f"at most the {available:,} {split} examples of {dataset} that {at} uses",
                )


def _undeclared_names(configuration: Configuration, experiment: Experiment, at: str) -> Iterator[Problem]:
    declared = {
        "dataset": ("datasets", tuple(configuration.datasets)),
        "architecture": ("architectures", tuple(configuration.architectures)),
        "optimiser": ("optimisers", tuple(configuration.optimisers)),
    }
    for factor, (section, names) in declared.items():
        for index, level in enumerate(getattr(experiment.grid, factor)):
            if level not in names:
                yield Problem(
                    f"{at}.grid.{factor}[{index}]",
                    repr(level),
                    f"one of those declared in {section}: {', '.join(names)}",
                    _did_you_mean(level, names),
                )
    for dataset in set(experiment.grid.dataset) & set(configuration.datasets):
        for name in set(experiment.grid.architecture) & set(configuration.architectures):
            architecture, side = configuration.architectures[name], IMAGE_SETS[dataset].side
            if isinstance(architecture, CNN) and side >> len(architecture.channels) == 0:
                yield Problem(
                    f"architectures.{name}.channels",
                    f"{len(architecture.channels)} convolutions",
                    f"at most {side.bit_length() - 1}, since each halves the {side} x {side} pixels of {dataset}",
                )


def _contradictions(experiment: Experiment, at: str) -> Iterator[Problem]:
    if experiment.epochs is not None and experiment.steps is not None:
        yield Problem(at, "both epochs and steps", "one of them")
    if experiment.every_step and experiment.checkpoints is not None:
        yield Problem(at, "both checkpoints and every_step", "one of them")
    if experiment.every_step and not (experiment.steps and experiment.steps <= MAX_CHECKPOINTS):
        yield Problem(
            f"{at}.steps", repr(experiment.steps), f"at most {MAX_CHECKPOINTS:,}, since every_step is true"
        )
