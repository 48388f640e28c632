"""The configuration's reference, generated from its model: ``config/schema.json`` and the keys in ``config/README.md``."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dying_relu.configuration.model import Configuration
from dying_relu.configuration.yaml import in_one_line
from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path

START, END = "<!-- keys: written by `dying-relu config-docs` -->", "<!-- end of keys -->"

Schema = dict[str, Any]

_NAMES = {
    "array": "list",
    "boolean": "true or false",
    "integer": "whole number",
    "null": "null",
    "number": "number",
    "object": "keys and values",
    "string": "text",
}
_BOUNDS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}

LARGE = 100_000
"""Limits from here on only keep nonsense out; no reader needs them."""


def write(folder: Path) -> None:
    """Write ``schema.json``, and the table of keys in ``README.md``, both in ``folder``.

    Raises:
        DyingReluError: the README is missing, or the marks in it are; nothing is written.
    """
    readme = folder / "README.md"
    if not readme.is_file():
        raise DyingReluError(
            f"there is no {readme}",
            expected="the README of a folder of configurations",
            remedy="run this in a clone of the project, or name the folder with --out",
        )
    contents = {readme: with_keys(readme.read_text(encoding="utf-8")), folder / "schema.json": schema()}
    for path, text in contents.items():
        with atomic_path(path) as scratch:
            scratch.write_text(text, encoding="utf-8")


def schema() -> str:
    """Write the JSON schema of a study's file, with which editors complete and check it."""
    return json.dumps(Configuration.model_json_schema(), indent=2) + "\n"


def with_keys(readme: str) -> str:
    """Bring the table of keys in the text ``readme`` up to date."""
    if START not in readme or END not in readme:
        raise DyingReluError(
            "config/README.md has lost the marks around its table", expected=f"{START} and {END}"
        )
    before, rest = readme.split(START, 1)
    root = Configuration.model_json_schema()
    lines = ["| key | value | default | meaning |", "| --- | --- | --- | --- |", *_rows(root, root)]
    return "\n".join([before + START, *lines, END + rest.split(END, 1)[1]])


def _rows(node: Schema, root: Schema, path: str = "") -> Iterator[str]:
    """Write a row for every key of the object ``node``, and of the objects inside it."""
    required = node.get("required", ())
    for name, value in node["properties"].items():
        key = f"{path}{name}"
        default = "required" if name in required else f"`{in_one_line(value.get('default'))}`"
        meaning = value.get("description") or _resolved(value, root).get("description", "")
        inner_path, inner = _inside(key, value, root)
        if inner and default.startswith("`{"):
            default = "see below"
        yield f"| `{inner_path}` | {_value(value, root)} | {default} | {meaning} |"
        for section in inner:
            yield from _rows(section, root, f"{inner_path}.")


def _inside(key: str, node: Schema, root: Schema) -> tuple[str, list[Schema]]:
    """Get the path of the content of ``key``, and the objects that it may be."""
    node = _resolved(node, root)
    if named := _named_by_choice(node):
        return _inside(f"{key}.<name>", named, root)
    if "items" in node:
        path, sections = _inside(f"{key}[]", node["items"], root)
        return (path, sections) if sections else (key, [])
    options = [_resolved(option, root) for option in _options(node)] or [node]
    return key, [option for option in options if "properties" in option]


def _value(node: Schema, root: Schema) -> str:
    """Describe the values that may stand at ``node``."""
    node = _resolved(node, root)
    if _named_by_choice(node) or "properties" in node:
        return "keys and values"
    if options := _options(node):
        return " or ".join(dict.fromkeys(_value(option, root) for option in options))
    if "const" in node:
        return f"`{node['const']}`"
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if "items" in node:
        return f"list of: {_value(node['items'], root)}"
    limits = [f"{sign} {node[bound]:,}" for bound, sign in _BOUNDS.items() if node.get(bound, LARGE) < LARGE]
    return ", ".join([_NAMES[node["type"]], *limits])


def _named_by_choice(node: Schema) -> Schema | None:
    """Get the schema below each name, where names are the author's choice."""
    by_pattern = list(node.get("patternProperties", {}).values())
    anything = node.get("additionalProperties")
    return by_pattern[0] if by_pattern else anything if isinstance(anything, dict) else None


def _options(node: Schema) -> list[Schema]:
    return node.get("oneOf") or node.get("anyOf") or []


def _resolved(node: Schema, root: Schema) -> Schema:
    while "$ref" in node:
        node = root["$defs"][node["$ref"].rsplit("/", 1)[1]]
    return node
