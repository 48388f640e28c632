"""Locks hold between processes, and end with the process that holds them, however it ends."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from dying_relu.files import locks

HOLD = """
import sys, time
from pathlib import Path
from dying_relu.files import locks
{statement}
    print("held", flush=True)
    time.sleep(60)
"""


def holder(statement: str) -> subprocess.Popen[str]:
    """Another process that holds a lock until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(statement=statement)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_who_waits_gets_the_lock_when_its_holder_is_killed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "shard.lock"
    other = holder(f"with locks.exclusive(Path({str(path)!r})):")
    # Said when there is somebody to wait for.
    monkeypatch.setattr(locks.log, "info", lambda *said: other.kill())
    with locks.exclusive(path):
        assert other.wait() == -9
        assert path.exists()
    assert not path.exists()


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), locks.exclusive(tmp_path / "new" / "lock"):
            raise ZeroDivisionError
    assert list((tmp_path / "new").iterdir()) == []


def test_a_process_is_alone_until_another_is_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "_announced", [])
    path = tmp_path / ".snakemake" / "alive"
    first = holder(f"if locks.announce(Path({str(path)!r})):")
    assert not locks.announce(path)
    locks._announced.pop().close()
    first.kill()
    first.wait()
    assert locks.announce(path)
    second = holder(f"if not locks.announce(Path({str(path)!r})):")
    second.kill()
    second.wait()
    locks._announced.pop().close()


def test_without_locks_nobody_claims_to_be_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object) -> None:
        raise OSError("Function not implemented")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    assert not locks.announce(tmp_path / "alive")


def test_without_locks_a_job_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    with locks.exclusive(tmp_path / "shard.lock"):
        assert "cannot lock" in caplog.text
        assert "No locks available" in caplog.text
    assert list(tmp_path.iterdir()) == []
