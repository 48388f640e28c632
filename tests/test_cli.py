"""The command line: what it prints, and what it says when something is wrong."""

import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from dying_relu import cli

SMOKE = Path(__file__).parents[1] / "config" / "smoke.yaml"


def command(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status of ``dying-relu`` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["dying-relu", *arguments])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return int(exit_.value.code or 0)


def test_plan_says_what_will_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(monkeypatch, "plan", "--config", str(SMOKE)) == 0
    said = capsys.readouterr().out
    for word in ("Study smoke", "causes", "optimisers", "slopes", "remedies", "recovery", "anatomy", "all"):
        assert word in said
    assert "Training takes about" in said or "Training runs on the GPU" in said
    assert "GiB of memory" in said


def test_a_question_is_printed_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    text = SMOKE.read_text(encoding="utf-8").replace("Do dead units come", "'Do [/b] [red]units' #")
    config.write_text(text, encoding="utf-8")
    # Wide enough for a line of the table.
    monkeypatch.setenv("COLUMNS", "200")
    assert command(monkeypatch, "plan", "--config", str(config)) == 0
    assert "Do [/b] [red]units" in capsys.readouterr().out


def test_a_mistake_is_one_message_and_a_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text(
        SMOKE.read_text(encoding="utf-8").replace("momentum: 0.9", "momentum: fast"), encoding="utf-8"
    )
    assert command(monkeypatch, "plan", "--config", str(config)) == 1
    error = capsys.readouterr().err
    assert error == f"error: {config}: optimisers.momentum.momentum: found 'fast'; expected a number\n"


def test_a_shard_of_another_configuration_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["--config", str(SMOKE), "--data", "absent", "--out", str(out)]
    assert command(monkeypatch, "train", "slopes-mnist-mlp-00", "--fingerprint", "old", *arguments) == 1
    assert "changed after shard slopes-mnist-mlp-00 was planned" in capsys.readouterr().err
    assert command(monkeypatch, "train", "slopes-mnist-mlp-r7-00", *arguments) == 1
    assert "study smoke has no shard slopes-mnist-mlp-r7-00" in capsys.readouterr().err
    assert command(monkeypatch, "train", "slopes-mnist-mlp-00", *arguments) == 1
    assert "no data set at absent" in capsys.readouterr().err
    assert not out.exists()


def test_a_job_has_threads(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["train", "any", "--data", "absent", "--out", "absent", "--config", str(SMOKE)]
    assert command(monkeypatch, *arguments, "--threads", "0") == 2
    # Broken into lines as wide as the terminal is said to be.
    assert "--threads" in capsys.readouterr().err


def test_an_unknown_source_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "mnist.safetensors"
    assert command(monkeypatch, "data", "mnist", "--out", str(out), "--source", "ftp") == 1
    assert "sources[0]: found 'ftp'; expected 'root', 'torchvision' or 'npm'" in capsys.readouterr().err
    assert not out.exists()


def test_a_defect_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from dying_relu.plan import overview

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(overview, "show", broken)
    monkeypatch.setattr(sys, "argv", ["dying-relu", "plan", "--config", str(SMOKE)])
    with pytest.raises(ZeroDivisionError):
        cli.main()


def printed(*arguments: str) -> str:
    """Standard output of ``dying-relu`` with these arguments, in a process of its own."""
    code = "from dying_relu.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "200"},
    )
    return done.stdout


def test_help_groups_the_commands() -> None:
    page = printed("--help")
    people, rules = page.index("For people"), page.index("Called by the workflow's rules")
    assert people < rules
    for command_name in ("probe", "plan", "data", "provenance", "verify", "check-latex", "config-docs"):
        assert people < page.index(f"\n│ {command_name} ") < rules
    for command_name in (
        "train",
        "aggregate",
        "record",
        "validate",
        "born-dead",
        "claims",
        "figure",
        "tables",
        "numbers",
        "typeset",
        "archive",
    ):
        assert page.index(f"\n│ {command_name} ") > rules


def test_every_command_is_in_a_group() -> None:
    assert {registered.rich_help_panel for registered in cli.app.registered_commands} == {
        cli.PEOPLE,
        cli.RULES,
    }


def test_the_version_is_that_of_the_installed_package() -> None:
    assert printed("--version") == f"dying-relu {metadata.version('dying-relu')}\n"


def test_a_shell_completes_commands() -> None:
    asked = {
        "_DYING_RELU_COMPLETE": "complete_bash",
        "COMP_WORDS": "dying-relu pro",
        "COMP_CWORD": "1",
    }
    code = "import sys; sys.argv[0] = 'dying-relu'; from dying_relu.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=os.environ | asked
    )
    assert done.stdout.split() == ["probe", "provenance"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--config", str(SMOKE)],
        ["data", "mnist", "--out", "absent"],
        ["train", "any", "--data", "absent", "--out", "absent", "--config", str(SMOKE)],
        ["aggregate", "--shards", "absent", "--out", "absent", "--config", str(SMOKE)],
        ["validate", "--out", "absent"],
        ["claims", "--results", "absent", "--out", "absent"],
        ["verify", "--results", "absent"],
        ["figure", "slopes", "--results", "absent", "--out", "absent"],
        ["tables", "--results", "absent", "--out", "absent"],
        ["numbers", "--results", "absent", "--out", "absent"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_command_of_the_study_names_the_extra_that_it_lacks(arguments: list[str], tmp_path: Path) -> None:
    # A None in sys.modules is what Python takes for a package that is not installed.
    code = (
        "import sys; from dying_relu import cli; "
        "sys.modules.update(dict.fromkeys(cli.STUDY_PACKAGES)); cli.main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r'error: this command needs \w+, which is not installed: run `pip install "\.\[study\]"` in a clone, or with a wheel for the dot\n',
        done.stderr,
    )
    assert not any(tmp_path.iterdir())


def test_another_missing_package_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from dying_relu.plan import overview

    def broken(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'einops'", name="einops")

    monkeypatch.setattr(overview, "show", broken)
    monkeypatch.setattr(sys, "argv", ["dying-relu", "plan", "--config", str(SMOKE)])
    with pytest.raises(ModuleNotFoundError, match="einops"):
        cli.main()


def test_the_old_name_of_weights_warns() -> None:
    arguments = ["probe", "absent:model", "--data", "absent:loader", "--checkpoint", "absent.pt"]
    code = "from dying_relu.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert "--checkpoint is deprecated since dying-relu 0.2.0" in done.stderr
    assert "use dying-relu probe --weights" in done.stderr
    assert "--checkpoint" not in printed("probe", "--help")


def test_weights_under_both_names_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [
        "probe",
        "absent:model",
        "--data",
        "absent:loader",
        "--weights",
        "a.pt",
        "--checkpoint",
        "b.pt",
    ]
    with pytest.warns(DeprecationWarning, match="--checkpoint is deprecated"):
        assert command(monkeypatch, *arguments) == 1
    assert "found --weights and --checkpoint; expected one of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("config-docs", "there is no config/README.md"),
        ("table-docs", "there is no folder docs"),
        ("readme", "there is no README.md"),
    ],
)
def test_pages_are_written_in_a_clone_only(
    name: str,
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, name) == 1
    assert missing in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_planning_waits_for_no_torch() -> None:
    code = (
        "import sys; from dying_relu.cli import app; "
        f"app(['plan', '--config', {str(SMOKE)!r}], standalone_mode=False); "
        "sys.exit(bool({'torch', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
