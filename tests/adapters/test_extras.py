"""Adapters are imported only when used, and say what to install."""

import pytest
import warm_python

LIBRARIES = ["lightning", "transformers", "tensorboard"]
"""Each is the name of its extra and of its adapter, too."""


def test_the_package_and_the_probe_import_no_adapter() -> None:
    command = f"""
import sys
from dying_relu import Monitor, Report, probe, prune_dead, revive
assert not set({LIBRARIES}) & set(sys.modules)
assert not [name for name in sys.modules if name.startswith("dying_relu.adapters")]
"""
    done = warm_python.run(command)
    assert done.returncode == 0, done.stderr


def test_a_missing_library_is_an_error_with_its_remedy() -> None:
    # None in sys.modules is what Python finds for a module that is not there.
    command = f"""
import importlib, sys
from dying_relu.errors import DyingReluError
sys.modules.update(dict.fromkeys({LIBRARIES}))
for library in {LIBRARIES}:
    try:
        importlib.import_module(f"dying_relu.adapters.{{library}}")
    except DyingReluError as error:
        print(error)
"""
    done = warm_python.run(command)
    expected = [
        f'{library} is not installed: run `pip install ".[{library}]"` in a clone, or with a wheel for the dot'
        for library in LIBRARIES
    ]
    assert done.stdout.splitlines() == expected, done.stderr


@pytest.mark.parametrize("library", ["lightning", "transformers"])
def test_an_adapter_needs_no_torchvision_itself(library: str) -> None:
    # Libraries that are there ask for torchvision by its metadata, which sys.modules does not hide: empty ones take their place.
    command = f"""
import sys
from types import ModuleType
from unittest.mock import MagicMock
names = ["lightning", "lightning.pytorch", "transformers"]
sys.modules.update({{name: MagicMock(ModuleType, Callback=object, TrainerCallback=object, Trainer=object) for name in names}})
for name in ("LightningModule", "TrainerControl", "TrainerState", "TrainingArguments"):
    for module in names:
        setattr(sys.modules[module], name, object)
sys.modules["torchvision"] = None
from dying_relu.adapters.{library} import DeadUnits
"""
    done = warm_python.run(command)
    assert done.returncode == 0, done.stderr
