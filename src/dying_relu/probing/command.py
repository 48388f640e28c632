"""The commands of the probe: models and loaders that a command line names, and the files that it reads and writes."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

from dying_relu.errors import DyingReluError
from dying_relu.files.atomic import atomic_path
from dying_relu.probing.compare import Comparison, compare
from dying_relu.probing.probe import probe
from dying_relu.probing.report import Report
from dying_relu.probing.text import markdown as as_markdown
from dying_relu.probing.weights import load_weights

Axes = int | tuple[int, ...]
MOST_NAMES = 20
"""So many names of a module are listed where one is wrong."""


def named(place: str) -> Any:
    """The object at ``package.module:object``; called without arguments if it is a function or a class.

    Modules are looked for in the current folder too.

    Raises:
        DyingReluError: there is no such module or object, or it fails.

    >>> named("collections:OrderedDict")
    OrderedDict()
    """
    module_name, _, path = place.partition(":")
    if not module_name or not path:
        raise DyingReluError(
            "where to find the model or its data",
            found=place,
            expected="package.module:object, such as train:make_model for make_model in train.py",
        )
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        target = import_module(module_name)
    except ModuleNotFoundError as error:
        raise DyingReluError(
            f"there is no module {error.name}",
            found=place,
            expected="package.module:object",
            remedy="run this where the module is, or install it",
        ) from error
    except Exception as error:
        raise DyingReluError(
            f"module {module_name} cannot be imported", found=f"{type(error).__name__}: {error}"
        ) from error
    for name in path.split("."):
        if not hasattr(target, name):
            names = (
                [one for one in vars(target) if not one.startswith("_")]
                if hasattr(target, "__dict__")
                else []
            )
            raise DyingReluError(
                f"module {module_name} has no {path}",
                found=place,
                expected=f"one of {', '.join(names[:MOST_NAMES])}" if names else "",
            )
        target = getattr(target, name)
    return target if isinstance(target, nn.Module) or not callable(target) else _made(target, place)


def _made(make: Any, place: str) -> Any:
    try:
        return make()
    except Exception as error:
        raise DyingReluError(f"{place} fails", found=f"{type(error).__name__}: {error}") from error


def network(
    place: str,
    weights: Path | None,
    key: str | None = None,
    prefix: str | None = None,
    device: str | None = None,
) -> nn.Module:
    """The model that a command line names, with its weights, on its device.

    Args:
        place: of the model, ``package.module:object``.
        weights: file of weights to load into it.
        key: where the weights lie in the file.
        prefix: what stands before every name in the file.
        device: to move it to.

    Raises:
        DyingReluError: no model, no weights that fit, no such device.
    """
    model = named(place)
    if not isinstance(model, nn.Module):
        raise DyingReluError("the model", found=type(model).__name__, expected="a torch.nn.Module")
    if weights is not None:
        load_weights(model, weights, key, prefix)
    elif key is not None or prefix is not None:
        raise DyingReluError(
            "a key or a prefix of weights", expected="a file of weights", remedy="add --weights"
        )
    if device is None:
        return model
    try:
        return model.to(torch.device(device))
    except (RuntimeError, AssertionError) as error:
        raise DyingReluError(f"the model cannot be moved to device {device}", found=str(error)) from error


def probed(
    model: nn.Module,
    loader: Any,
    batches: int | None = None,
    unit_axis: list[str] | None = None,
    layers: list[str] | None = None,
    ignore: list[str] | None = None,
    activations: list[str] | None = None,
) -> Report:
    """Probe a model as a command line says.

    Args:
        model: to run.
        loader: of batches.
        batches: how many of them to run; None for all.
        unit_axis: axes of units, as :func:`unit_axes` reads them.
        layers: names or patterns of layers; None for all.
        ignore: names or patterns of layers to leave out.
        activations: modules and functions whose output is an activation.
    """
    return probe(
        model,
        loader,
        unit_axis=unit_axes(unit_axis or []),
        batches=batches,
        layers=layers or None,
        ignore=ignore or (),
        activations=activations or (),
    )


def unit_axes(texts: list[str]) -> Axes | dict[str, Axes] | None:
    """The axes of units that a command line gives.

    Args:
        texts: one axis or several for all layers, or ``layer=axes`` each.

    Raises:
        DyingReluError: no numbers, or both kinds.

    >>> unit_axes(["1"]), unit_axes(["0,1"]), unit_axes(["gate=1", "experts:relu=0,1"])
    (1, (0, 1), {'gate': 1, 'experts:relu': (0, 1)})
    """
    axes: dict[str, Axes] = {}
    for text in texts:
        layer, _, numbers = text.rpartition("=")
        try:
            parts = tuple(int(number) for number in numbers.split(","))
        except ValueError as error:
            raise DyingReluError(
                "--unit-axis", found=text, expected="an axis such as 1, several such as 0,1, or layer=1"
            ) from error
        axes[layer] = parts[0] if len(parts) == 1 else parts
    if "" in axes and len(texts) > 1:
        raise DyingReluError(
            "--unit-axis", found=" and ".join(texts), expected="one for all layers, or layer=axes each"
        )
    return axes.get("", axes or None)


def write(report: Report, html: Path | None, json: Path | None, markdown: Path | None) -> None:
    """Write a report to the files that a command line names.

    Args:
        report: to write.
        html: page; None for none.
        json: file that compare reads; None for none.
        markdown: file for a pull request; None for none.
    """
    if html is not None:
        report.to_html(html)
    if json is not None:
        report.save(json)
    if markdown is not None:
        with atomic_path(markdown) as path:
            path.write_text(as_markdown(report), encoding="utf-8")


def compared(before: Path, after: Path, html: Path | None = None, markdown: Path | None = None) -> Comparison:
    """Compare two saved reports, and write what a command line asks for.

    Args:
        before: file of the first report.
        after: file of the second.
        html: page to write; None for none.
        markdown: file to write; None for none.
    """
    comparison = compare(Report.load(before), Report.load(after))
    if html is not None:
        comparison.to_html(html)
    if markdown is not None:
        with atomic_path(markdown) as path:
            path.write_text(comparison.to_markdown(), encoding="utf-8")
    return comparison
