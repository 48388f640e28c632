"""Reports in files: JSON with a summary for people and programs, and the statistics of every unit."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.probing.activations import UnobservedModule
from dying_relu.probing.advice import advice
from dying_relu.probing.batches import InputScale
from dying_relu.probing.layer_inputs import LayerInputs
from dying_relu.probing.layers import Layer
from dying_relu.probing.provenance import Provenance
from dying_relu.units.history import UnitHistory
from dying_relu.units.statistics import UnitStatistics

if TYPE_CHECKING:
    from dying_relu.probing.findings import Findings

FORMAT = 1
"""Number of the files' format; it grows when a new version could not read an old file."""
CLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (InputScale, Layer, LayerInputs, Provenance, UnitHistory, UnitStatistics, UnobservedModule)
}
"""What a file may hold, by name; nothing else is made of it."""
NOT_SAVED = {"loader", "call"}

AReport = TypeVar("AReport", bound="Findings")


def save(report: "Findings", path: Path) -> None:
    """Write a report, all of it or nothing.

    Args:
        report: findings to save.
        path: file to write.
    """
    content = {
        "format": FORMAT,
        "dead_fraction": report.dead_fraction,
        "not_finite": report.not_finite,
        "examples": report.examples,
        "layers": json.loads(report.summary().to_json(orient="records")),
        "advice": advice(report).splitlines(),
        "report": {
            one.name: _encoded(getattr(report, one.name))
            for one in fields(report)
            if one.name not in NOT_SAVED
        },
    }
    with atomic_path(path) as scratch:
        scratch.write_text(json.dumps(content, allow_nan=False) + "\n", encoding="utf-8")


def load(kind: type[AReport], path: Path) -> AReport:
    """Read a report.

    Args:
        kind: class of the report.
        path: file of :func:`save`.

    Raises:
        DyingReluError: no such file, or one that holds no report.
    """
    if not path.is_file():
        raise DyingReluError(f"there is no report {path}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise DyingReluError(
                f"{path} is of another version",
                found=f"format {content['format']}",
                expected=f"format {FORMAT}",
            )
        parts = {name: _decoded(value) for name, value in content["report"].items()}
        return kind(loader=(), **parts)
    except (UnicodeDecodeError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DyingReluError(
            f"{path} holds no report",
            found=f"{type(error).__name__}: {error}",
            expected="a file of report.save() or dying-relu probe --json",
        ) from error


def _encoded(value: Any) -> Any:
    """A value in the words of JSON: tensors, dataclasses and sets under a key that names them."""
    if isinstance(value, Tensor):
        numbers = value.detach().cpu().reshape(-1).tolist()
        kind = str(value.dtype).removeprefix("torch.")
        return {"tensor": kind, "shape": list(value.shape), "values": list(map(_encoded, numbers))}
    if isinstance(value, UnobservedModule):
        return {"class": "UnobservedModule", "fields": value._asdict()}
    if is_dataclass(value):
        parts = {
            one.name: _encoded(getattr(value, one.name))
            for one in fields(value)
            if not one.name.startswith("_")  # made of the others
        }
        return {"class": type(value).__name__, "fields": parts}
    if isinstance(value, Mapping):
        return {"mapping": [[_encoded(key), _encoded(one)] for key, one in value.items()]}
    if isinstance(value, frozenset | set):
        return {"set": sorted(value)}
    if isinstance(value, tuple | list):
        return {"tuple": list(map(_encoded, value))}
    if isinstance(value, float) and value - value != 0:  # JSON has no words for infinity and NaN
        return {"float": str(value)}
    return value


def _decoded(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if "tensor" in value:
        numbers = list(map(_decoded, value["values"]))
        return torch.tensor(numbers, dtype=getattr(torch, value["tensor"])).reshape(value["shape"])
    if "class" in value:
        parts = {name: _decoded(one) for name, one in value["fields"].items()}
        return CLASSES[value["class"]](**parts)
    if "mapping" in value:
        return {_decoded(key): _decoded(one) for key, one in value["mapping"]}
    if "set" in value:
        return frozenset(value["set"])
    if "tuple" in value:
        return tuple(map(_decoded, value["tuple"]))
    return float(value["float"])
