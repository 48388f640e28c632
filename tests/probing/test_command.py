"""``dying-relu probe`` finds models and data by name, prints and writes what it found, and fails where it is asked to."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import Result
from safetensors.torch import save_file
from typer.testing import CliRunner

from dying_relu.cli import app, main
from dying_relu.errors import DyingReluError

MODULE = """
import torch
from torch import nn

def model():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    made[0].bias.data[:4] = -100
    return made

def loader():
    return [(torch.randn(16, 4), torch.zeros(16).long())]

def worse():
    made = model()
    made[0].bias.data[4:6] = -100
    return made

def deep():
    torch.manual_seed(0)
    made = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
    made[0].bias.data[:4] = -100
    made[2].bias.data[:] = 10
    return made

instance = model()
batches = loader()

def diverged():
    made = model()
    made[0].weight.data.fill_(float("nan"))
    return made

def endless():
    while True:
        yield torch.randn(16, 4)

def nothing():
    return None

def broken():
    raise ValueError("no such file")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a module in it that no other test has imported."""
    (tmp_path / "mine.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["probe", *arguments])


def test_everything_is_printed_and_written(folder: Path) -> None:
    done = run("mine:model", "--data", "mine:loader", "--html", "dead.html", "--json", "dead.json")
    assert done.exit_code == 0, done.exception
    assert "50.0% of the units are dead" in done.stdout
    assert "if their bias were 0" in " ".join(done.stdout.split())
    found = json.loads((folder / "dead.json").read_text())
    assert found["dead_fraction"] == 0.5
    assert found["layers"][0]["dead"] == 4
    assert (folder / "dead.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(("bound", "status"), [("0.4", 1), ("0.5", 0)])
def test_it_fails_above_a_bound(folder: Path, bound: str, status: int) -> None:
    done = run("mine:instance", "--data", "mine:batches", "--fail-above", bound)
    assert done.exit_code == status
    assert ("50.0% of the units are dead, more than" in str(done.exception)) == bool(status)


@pytest.mark.parametrize("bound", ["20", "-1"])
def test_a_bound_is_a_share(folder: Path, bound: str) -> None:
    assert run("mine:instance", "--data", "mine:batches", "--fail-above", bound).exit_code == 2


def test_a_model_that_has_diverged_fails_whatever_the_bound(folder: Path) -> None:
    done = run("mine:diverged", "--data", "mine:batches", "--fail-above", "1")
    assert done.exit_code == 1
    assert "8 units have pre-activations that are not finite" in str(done.exception)


def test_a_folder_is_not_replaced_by_a_page(folder: Path) -> None:
    (folder / "v").mkdir()
    (folder / "v" / "mine.txt").touch()
    done = run("mine:model", "--data", "mine:loader", "--html", "v")
    assert "v is a folder" in str(done.exception)
    assert (folder / "v" / "mine.txt").exists()


@pytest.mark.parametrize("name", ["weights.pt", "nested.pt", "weights.safetensors"])
def test_a_file_of_weights_is_loaded(folder: Path, name: str) -> None:
    state = {
        "0.weight": torch.ones(8, 4), "0.bias": torch.ones(8) * 100,
        "2.weight": torch.ones(2, 8), "2.bias": torch.ones(2),
    }  # fmt: skip
    if name.endswith("safetensors"):
        save_file(state, folder / name)
    else:
        torch.save({"state_dict": state} if name == "nested.pt" else state, folder / name)
    done = run("mine:model", "--data", "mine:loader", "--weights", name)
    assert "0.0% of the units are dead" in done.stdout, done.exception


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine", "--data", "mine:loader"], "expected package.module:object"),
        (
            ["mine:missing", "--data", "mine:loader"],
            "module mine has no missing: found mine:missing; expected one of torch, nn, model, loader",
        ),
        (["nowhere:model", "--data", "mine:loader"], "there is no module nowhere"),
        (["mine:broken", "--data", "mine:loader"], "mine:broken fails: found ValueError: no such file"),
        (["mine:loader", "--data", "mine:loader"], "the model: found list"),
        (["wrong:model", "--data", "mine:loader"], "module wrong cannot be imported: found SyntaxError"),
        (["mine:nothing", "--data", "mine:loader", "--weights", "other.pt"], "the model: found NoneType"),
        (["mine:model", "--data", "mine:loader", "--weights", "no.pt"], "there is no file of weights no.pt"),
        (
            ["mine:model", "--data", "mine:loader", "--weights", "mine.py"],
            "mine.py is not a file of weights alone",
        ),
        (
            ["mine:model", "--data", "mine:loader", "--weights", "other.pt"],
            "other.pt holds the weights of another model",
        ),
    ],
)
def test_a_mistake_is_one_clear_message(folder: Path, arguments: list[str], message: str) -> None:
    torch.save({"weight": torch.ones(2)}, folder / "other.pt")
    (folder / "wrong.py").write_text("def model(:")
    done = run(*arguments)
    assert isinstance(done.exception, DyingReluError)
    assert message in str(done.exception)


def test_a_file_of_weights_that_would_run_code_is_refused(folder: Path) -> None:
    torch.save(subprocess.Popen, folder / "evil.pt")
    done = run("mine:model", "--data", "mine:loader", "--weights", "evil.pt")
    assert "not a file of weights alone" in str(done.exception)


def test_a_mistake_is_printed_without_a_traceback(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["dying-relu", "probe", "mine", "--data", "mine:loader"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: where to find the model or its data: found mine;")


def test_a_checkpoint_of_a_wrapped_model_is_loaded_from_where_it_lies(folder: Path) -> None:
    state = {
        "net.0.weight": torch.ones(8, 4), "net.0.bias": torch.ones(8) * 100,
        "net.2.weight": torch.ones(2, 8), "net.2.bias": torch.ones(2),
    }  # fmt: skip
    torch.save({"epoch": 3, "best": {"weights": state}}, folder / "run.pt")
    arguments = ["mine:model", "--data", "mine:loader", "--weights", "run.pt"]
    done = run(*arguments, "--key", "best.weights", "--prefix", "net.")
    assert "0.0% of the units are dead" in done.stdout, done.exception


def test_an_endless_loader_is_run_for_some_batches(folder: Path) -> None:
    done = run("mine:model", "--data", "mine:endless", "--batches", "3", "--device", "cpu")
    assert "on 48 examples" in done.stdout, done.exception


def test_layers_are_chosen_and_left_out_also_for_the_bound(folder: Path) -> None:
    assert run("mine:model", "--data", "mine:loader", "--fail-above", "0.1").exit_code == 1
    done = run("mine:deep", "--data", "mine:loader", "--ignore", "1", "--fail-above", "0.1")
    assert done.exit_code == 0, done.exception
    done = run("mine:deep", "--data", "mine:loader", "--layers", "1", "--fail-above", "0.1")
    assert done.exit_code == 1


def test_the_axis_of_the_units_is_given(folder: Path) -> None:
    done = run("mine:model", "--data", "mine:loader", "--unit-axis", "0")
    assert "of 16)" in done.stdout, done.exception
    done = run("mine:model", "--data", "mine:loader", "--unit-axis", "one")
    assert "--unit-axis: found one" in str(done.exception)


def test_a_device_that_is_not_there_is_refused_in_words(folder: Path) -> None:
    done = run("mine:model", "--data", "mine:loader", "--device", "abacus")
    assert "cannot be moved to device abacus" in str(done.exception)


def test_markdown_and_annotations_for_a_pull_request(folder: Path) -> None:
    arguments = ["mine:model", "--data", "mine:loader", "--markdown", "report.md", "--github"]
    done = run(*arguments, "--fail-above", "0.1")
    assert done.exit_code == 1
    assert "::warning title=Dead units in 1::4 of 8 units are dead" in done.stdout
    assert "::error title=Dead units::50.0%25 of the units are dead" in done.stdout
    assert "| 1 | 8 | 4 |" in (folder / "report.md").read_text()


def test_a_run_of_github_actions_is_annotated_by_itself(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::warning" in run("mine:model", "--data", "mine:loader").stdout


def test_two_reports_are_compared(folder: Path) -> None:
    assert run("mine:model", "--data", "mine:loader", "--json", "before.json").exit_code == 0
    assert run("mine:worse", "--data", "mine:loader", "--json", "after.json").exit_code == 0
    files = ["--html", "c.html", "--markdown", "c.md"]
    done = CliRunner().invoke(app, ["compare", "before.json", "after.json", *files])
    assert "4 before, 6 after, of 8 units; 2 died" in done.stdout, done.exception
    assert "2 died" in (folder / "c.md").read_text()
    assert (folder / "c.html").read_text().startswith("<!doctype html>")


def test_an_output_is_named_as_an_activation(folder: Path) -> None:
    done = run("mine:model", "--data", "mine:loader", "--activations", "linear#2", "--layers", "linear*")
    assert "linear#2" in done.stdout, done.exception
