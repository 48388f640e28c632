"""The command line: what it prints, and what it says when something is wrong."""

import subprocess
import sys
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
    assert command(monkeypatch, "train", "slopes-mnist-mlp-sgd-00", "--fingerprint", "old", *arguments) == 1
    assert "changed after shard slopes-mnist-mlp-sgd-00 was planned" in capsys.readouterr().err
    assert command(monkeypatch, "train", "slopes-mnist-mlp-sgd-r7-00", *arguments) == 1
    assert "study smoke has no shard slopes-mnist-mlp-sgd-r7-00" in capsys.readouterr().err
    assert command(monkeypatch, "train", "slopes-mnist-mlp-sgd-00", *arguments) == 1
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


def test_help_lists_the_commands() -> None:
    code = "import sys; from dying_relu.cli import main; sys.argv[1:] = ['--help']; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in (
        "plan",
        "data",
        "train",
        "aggregate",
        "validate",
        "born-dead",
        "claims",
        "figure",
        "tables",
        "numbers",
        "typeset",
    ):
        assert name in done.stdout


def test_planning_waits_for_no_torch() -> None:
    code = (
        "import sys; from dying_relu.cli import app; "
        f"app(['plan', '--config', {str(SMOKE)!r}], standalone_mode=False); "
        "sys.exit(bool({'torch', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
