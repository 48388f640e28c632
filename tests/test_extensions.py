"""A module named in the environment adds entries that are found everywhere, or is named in an error."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import extended_study
import pytest

from dying_relu import extensions
from dying_relu.errors import DyingReluError
from dying_relu.extensions import VARIABLE, Registry


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, forgotten afterwards with the modules in it."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_modules_in_the_current_folder_are_imported_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("made_up_one", "made_up_two"):
        (folder / f"{name}.py").write_text(
            f"import sys\nsys.counted = [*getattr(sys, 'counted', []), '{name}']\n"
        )
    monkeypatch.setenv(VARIABLE, "made_up_one, made_up_two,")
    monkeypatch.setattr(sys, "counted", [], raising=False)
    for _ in range(2):
        extensions.load()
    assert sys.counted == ["made_up_one", "made_up_two"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "ModuleNotFoundError: No module named 'made_up'"),
        ("1 / 0", "ZeroDivisionError"),
        ("from", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, content: str | None, reason: str
) -> None:
    if content:
        (folder / "made_up.py").write_text(content)
    monkeypatch.setenv(VARIABLE, "made_up")
    with pytest.raises(DyingReluError, match="cannot import the extension made_up") as error:
        extensions.load()
    assert reason in str(error.value)
    assert VARIABLE in str(error.value)


@pytest.mark.parametrize("name", ["numbers", "statistics", "time", "dying_relu"])
def test_a_module_whose_name_another_has_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A standard module, loaded or not, one that is built in, and a package that is installed."""
    (folder / f"{name}.py").write_text("ADDED = 1\n")
    monkeypatch.setenv(VARIABLE, name)
    with pytest.raises(DyingReluError, match=f"the extension {name} has the name of another") as error:
        extensions.load()
    assert str(folder / f"{name}.py") in str(error.value)
    assert "rename the file" in str(error.value)
    with pytest.raises(DyingReluError, match=f"the extension {name} has the name of another"):
        extensions.file_of(*extensions.names())


def test_the_file_of_a_module_is_found_without_importing_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "made_up.py").write_text("1 / 0\n")
    (folder / "made_up_package").mkdir()
    (folder / "made_up_package" / "__init__.py").touch()
    (folder / "made_up_package" / "inside.py").write_text("1 / 0\n")
    monkeypatch.setenv(VARIABLE, "made_up,made_up_package,made_up_package.inside,made_up")
    assert [extensions.file_of(name).relative_to(folder).as_posix() for name in extensions.names()] == [
        "made_up.py",
        "made_up_package/__init__.py",
        "made_up_package/inside.py",
    ]


@pytest.mark.parametrize("name", ["not_there", "not_there.inside", "time", "__main__", "."])
def test_what_has_no_file_of_python_is_not_an_extension(name: str) -> None:
    with pytest.raises(DyingReluError, match=f"no extension {name}"):
        extensions.file_of(name)


def test_a_name_has_one_entry() -> None:
    colours = Registry[int]("colour")
    colours.add("red", 1)
    with pytest.raises(DyingReluError, match="two entries for the colour 'red'"):
        colours.add("red", 2)
    assert colours == {"red": 1}


def test_only_files_of_extensions_are_summed_up(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "made_up.py").write_text("def f(): ...\n")
    monkeypatch.setenv(VARIABLE, "made_up")
    extensions.load()
    made_up = sys.modules["made_up"].f
    before = extensions.digests([extensions.load, made_up, None])
    assert len(before) == 1
    assert extensions.digests([extensions.load, Registry, None]) == []
    (folder / "made_up.py").write_text("def f(): 1\n")
    assert extensions.digests([made_up]) != before


MADE_UP = '''
from typing import Literal

import numpy as np

from dying_relu.configuration import IMAGE_SETS, Architecture, ImageSet, Optimiser, architecture, optimiser
from dying_relu.stack.activations import ACTIVATIONS, Activation
from dying_relu.stack.initialisation import SCHEMES
from dying_relu.stack.normalisation import NORMALISATIONS, LayerNormalisation

ACTIVATIONS.add("double", Activation(lambda z, slope: 2 * z.relu(), lambda delta, z, slope: 2 * delta * (z > 0)))


@architecture
class Rectangle(Architecture):
    """Layers of one width."""

    kind: Literal["rectangle"]
    """Of one width."""
    width: int
    """Units of each layer."""
    depth: int = 2
    """Number of layers."""

    def build(self, layers):
        for _ in range(self.depth):
            layers.linear(self.width)


@optimiser
class Slow(Optimiser):
    """Half the learning rate."""

    kind: Literal["slow"]
    """With half the learning rate."""
    slowdown = 1000.0

    @property
    def moments(self):
        return 5

    def stacked(self, learning_rate):
        from dying_relu.stack.optimisers import SGD

        return SGD(learning_rate / 2)


@NORMALISATIONS.named("ghost")
class Ghost(LayerNormalisation):
    """Makes every unit dead."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.shift.value -= 100


@SCHEMES.named("halves")
def halves(shape, generator):
    import torch

    return torch.full(shape, 0.5), torch.zeros(shape[0])


def noise(root, folder):
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 4, 4), dtype=np.uint8)
    labels = np.arange(60, dtype=np.uint8) % 3
    return images[:40], labels[:40], images[40:], labels[40:]


IMAGE_SETS.add("noise", ImageSet(channels=1, side=4, classes=3, train=40, test=20, read=noise))
'''

STUDY = """
study: made_up
datasets: {noise: {}}
architectures: {mine: {kind: rectangle, width: 6, normalisation: ghost}}
optimisers: {mine: {kind: slow}, sgd: {kind: sgd}}
training: {batch_size: 10, epochs: 2}
measuring: {train: 40, test: 20, checkpoints: 2}
experiments:
  made_up:
    question: Is all found that is made up?
    grid:
      dataset: [noise]
      architecture: [mine]
      optimiser: [mine, sgd]
      activation: [double, relu]
      initialisation: [halves]
      learning_rate: [0.1]
"""


def test_what_one_entry_adds_is_found_everywhere(tmp_path: Path) -> None:
    found = extended_study.run(tmp_path, {"made_up": MADE_UP}, STUDY)
    assert not found["imports torch"]
    definitions = found["schema"]["$defs"]
    assert definitions["Rectangle"]["properties"]["kind"]["const"] == "rectangle"
    assert definitions["Slow"]["properties"]["kind"]["const"] == "slow"
    assert "ghost" in definitions["MLP"]["properties"]["normalisation"]["enum"]
    assert "double" in definitions["Activation"]["properties"]["name"]["enum"]
    assert "halves" in definitions["Grid"]["properties"]["initialisation"]["items"]["enum"]
    assert "noise" in json.dumps(found["schema"]["properties"]["datasets"])
    for cell in ("`rectangle`", "`slow`", "Of one width.", "With half the learning rate.", "`halves`"):
        assert cell in found["keys"]
    assert "Is all found that is made up?" in found["plan"]
    assert found["memory"]["mine"] > found["memory"]["sgd"]
    for layers in found["dead"].values():
        assert [(row["layer"], row["units"]) for row in layers] == 4 * [("linear1", 6), ("linear2", 6)]
        assert [row["dead"] for row in layers] == 8 * [6]


def test_an_edit_of_an_extension_trains_what_it_defines_again(tmp_path: Path) -> None:
    program = "from dying_relu.plan import study; from pathlib import Path; print(study.load(Path('study.yaml')).shards[-1].fingerprint)"
    prints = []
    for text in (MADE_UP, MADE_UP + "\nEDITED = True\n"):
        (tmp_path / "made_up.py").write_text(text)
        (tmp_path / "study.yaml").write_text(STUDY)
        environment = os.environ | {VARIABLE: "made_up", "PYTHONPATH": str(extended_study.SOURCE)}
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, check=True
        )
        prints.append(done.stdout)
    assert prints[0] != prints[1]


def test_planning_a_study_does_not_import_torch() -> None:
    program = (
        "import sys; from pathlib import Path; import dying_relu.plan.study as study; "
        "study.load(Path('config/smoke.yaml')); sys.exit('torch' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": str(extended_study.SOURCE)}
    subprocess.run(
        [sys.executable, "-c", program], cwd=extended_study.SOURCE.parent, env=environment, check=True
    )
