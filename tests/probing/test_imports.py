"""The probe alone: what it needs, what it imports and when."""

import subprocess
import sys
from pathlib import Path

import pytest
import warm_python

import dying_relu

ROOMS = ("probing", "units", "files", "errors", "adapters", "deprecated")
"""Of this package the probe may use these and nothing else."""

BLOCKED = f"""
import sys
from importlib.metadata import packages_distributions, requires
import re

import torch, pandas
import numpy

def needed(names):
    found, left = set(), list(names)
    while left:
        name = re.split(r"[^A-Za-z0-9_.-]", left.pop())[0].lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        try:
            left += [one for one in requires(name) or [] if "extra ==" not in one]
        except ModuleNotFoundError:
            pass
    return found

allowed = needed(["torch", "numpy", "pandas"])
installed = {{
    module for module, names in packages_distributions().items()
    if not {{name.lower().replace("_", "-") for name in names}} & allowed
}} - {{"dying_relu"}}

class Blocked:
    def __init__(self, finder):
        self.finder = finder
    def find_spec(self, name, path=None, target=None):
        top, _, rest = name.partition(".")
        if top in installed or (top == "dying_relu" and rest and rest.partition(".")[0] not in {ROOMS}):
            return None
        return self.finder.find_spec(name, path, target)
    def __getattr__(self, name):
        return getattr(self.finder, name)

for name in [name for name in sys.modules if name.partition(".")[0] in installed]:
    del sys.modules[name]
sys.meta_path[:] = map(Blocked, sys.meta_path)
"""
"""Hides, in a process of its own, all but torch, numpy, pandas, what these depend on, and ``ROOMS``."""

USE = """
import warnings
from torch import nn
from dying_relu import Monitor, Report, probe, prune_dead, revive

torch.manual_seed(0)
model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 8), nn.GELU(), nn.Linear(8, 2))
model[0].bias.data[:] = 9.0
model[0].bias.data[:3] = -99.0
data = [(torch.rand(4, 3, 8, 8), torch.tensor([0, 1, 0, 1])) for _ in range(2)]
report = probe(model, data, loss=nn.functional.cross_entropy)
assert report.summary()["dead"].tolist() == [3, 0]
assert report.units("1")["dead"].sum() == 3
assert "dead" in report.advice()
report.to_html("page.html")
assert prune_dead(model, report)[0].out_channels == 5
optimizer = torch.optim.SGD(model.parameters(), lr=1e-6)
with Monitor(model, data, every=1) as monitor:
    model(data[0][0]).sum().backward()
    optimizer.step()
assert monitor.history["step"].nunique() == 2
assert revive(model, monitor.report, optimizer)["revived"].tolist() == [3, 0]
"""


def test_torch_numpy_and_pandas_are_all_it_needs(tmp_path: Path) -> None:
    done = warm_python.run(
        BLOCKED + 'assert "matplotlib" in installed and "numba" in installed\n' + USE, tmp_path
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "There is no figure: matplotlib is not installed" in page
    assert "<img" not in page


def test_the_package_lists_its_public_names() -> None:
    assert set(dir(dying_relu)) >= {"Monitor", "Report", "probe", "prune_dead", "revive"}


def test_a_figure_without_matplotlib_is_an_error_with_its_remedy() -> None:
    done = warm_python.run(
        "import sys; sys.modules['matplotlib'] = None\n"
        "import torch; from torch import nn; from dying_relu import probe\n"
        "probe(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), [torch.ones(1, 2)]).plot()"
    )
    assert 'matplotlib is not installed: run `pip install ".[plot]"` in a clone' in done.stderr


def test_a_page_needs_no_locks_of_unix(tmp_path: Path) -> None:
    """As on Windows, which has no fcntl."""
    done = warm_python.run("import sys; sys.modules['fcntl'] = None\nimport torch\n" + USE, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "page.html").is_file()


def test_importing_the_probe_imports_neither_the_study_nor_what_it_may_never_need() -> None:
    script = (
        "import sys, torch; before = set(sys.modules)\n"
        "from dying_relu import Monitor, Report, probe, prune_dead, revive\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    imported = done.stdout.split()
    assert "dying_relu.probing.probe" in imported
    others = {name.partition(".")[0] for name in imported} - {"dying_relu"} - set(sys.stdlib_module_names)
    assert not others
    rooms = {name.split(".")[1] for name in imported if name.startswith("dying_relu.")}
    assert rooms <= set(ROOMS)


MODULES = sorted(
    f"dying_relu.{'.'.join(path.relative_to(root).with_suffix('').parts)}"
    for root in [Path(dying_relu.__file__).parent]
    for room in ("probing", "units", "files")
    for path in (root / room).glob("*.py")
    if path.stem != "__init__"
)


@pytest.mark.parametrize(
    "first", ["dying_relu.probing", "dying_relu.probing.probe", "dying_relu.units", "every module"]
)
def test_the_probe_can_be_called_whatever_is_imported_before(first: str) -> None:
    modules = MODULES if first == "every module" else [first]
    script = f"""
import importlib, sys
import torch
for module in {modules}:
    for name in [name for name in sys.modules if name.startswith("dying_relu")]:
        del sys.modules[name]
    importlib.import_module(module)
    import dying_relu
    assert dying_relu.probe is dying_relu.probing.probe and callable(dying_relu.probe), module
    from dying_relu import probe
    probe(torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU()), [torch.ones(1, 2)])
"""
    done = warm_python.run(script)
    assert done.returncode == 0, done.stderr
