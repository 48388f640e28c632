"""Read a study's YAML file: safely, and with errors that name the key, what was found and what was expected."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dying_relu.configuration.consistency import inconsistencies
from dying_relu.configuration.messages import Problem, as_error, did_you_mean, first_of, joined, shown
from dying_relu.configuration.model import Configuration, DataSource
from dying_relu.configuration.yaml import document
from dying_relu.errors import DyingReluError
from dying_relu.files import limits

MAX_BYTES = 200_000
"""Thirty times the longest study of this project; longer ones would be read for more than some seconds."""

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


def load(path: Path) -> Configuration:
    """Read the configuration in the YAML file at ``path``.

    Raises:
        DyingReluError: the file cannot be read, is not YAML, or is not a valid study; names every key that is wrong.
    """
    try:
        text = limits.content(path, MAX_BYTES).decode("utf-8")
    except OSError as error:
        raise DyingReluError(f"cannot read {path}", found=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise DyingReluError(f"{path} is not text", found=str(error), expected="YAML in UTF-8") from error
    return parse(text, str(path))


def parse(text: str, name: str = "the configuration") -> Configuration:
    """Read the configuration in a text.

    Args:
        text: YAML.
        name: what errors call it.

    Raises:
        DyingReluError: it is not YAML, or is not a valid study; names every key that is wrong.
    """
    content = document(text, name)
    if not isinstance(content, dict):
        found = "nothing" if content is None else shown(content)
        raise DyingReluError(
            f"{name} is not a study", found=found, expected="keys and values; see config/README.md"
        )
    try:
        configuration = Configuration.model_validate(content)
    except ValidationError as error:
        raise as_error(name, first_of(_invalid_values(error, content))) from None
    if problems := first_of(inconsistencies(configuration)):
        raise as_error(name, problems)
    return configuration


def data_source(**settings: object) -> DataSource:
    """Make the ``data`` section of these settings; None for the default. Raises as :func:`load` does."""
    given = {key: value for key, value in settings.items() if value is not None}
    try:
        return DataSource.model_validate(given)
    except ValidationError as error:
        raise as_error("the data set's source", first_of(_invalid_values(error, given))) from None


def _invalid_values(error: ValidationError, content: Any) -> Iterator[Problem]:
    for details in error.errors(include_url=False):
        if details["type"] == "unknown_key":
            yield from _unknown_keys(details, content)
        # Pydantic also calls a list too short when it has items, but none of them is valid.
        elif details["type"] != "too_short" or not details["input"]:
            yield _invalid_value(details, content)


def _unknown_keys(details: Any, content: Any) -> Iterator[Problem]:
    section, context = _key(details["loc"], content), details["ctx"]
    for key in context["keys"]:
        remedy = did_you_mean(key, context["known"])
        yield Problem(joined(section, key), "an unknown key", f"one of {context['names']}", remedy)


def _invalid_value(details: Any, content: Any) -> Problem:
    kind, context, value = details["type"], details.get("ctx", {}), details["input"]
    key = _key(details["loc"], content)
    if kind == "missing":
        return Problem(key, "nothing", "a value: this key is required")
    if kind == "unknown_name":
        return Problem(key, shown(value), details["msg"], did_you_mean(value, context["known"]))
    if kind == "union_tag_not_found":
        return Problem(joined(key, "kind"), "nothing", f"one of {_kinds(details['loc'][0])}")
    if kind == "union_tag_invalid":
        return Problem(joined(key, "kind"), shown(context["tag"]), f"one of {context['expected_tags']}")
    expected = _EXPECTED.get(kind, details["msg"].removeprefix("Input should be ")).format_map(context)
    return Problem(key, context.get("found") or shown(value), expected)


def _kinds(section: int | str) -> str:
    """List the kinds of what stands in ``section``, such as architectures."""
    schema = Configuration.model_json_schema()
    values = schema["properties"][section]["patternProperties"].values()
    options = [option["$ref"].rpartition("/")[2] for value in values for option in value["oneOf"]]
    models = [schema["$defs"][option] for option in options]
    return ", ".join(repr(model["properties"]["kind"]["const"]) for model in models)


def _key(location: Iterable[int | str], content: Any) -> str:
    """Write an error's dotted path, without the steps of pydantic's that are not in the file (a union's tag)."""
    key, here = "", content
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
        key = joined(key, name)
    return key or "the file"
