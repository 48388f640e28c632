"""Locks hold between processes, and end with the process that holds them, however it ends."""

import errno
import os
import signal
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


def holder(statement: str, **pipes: int) -> subprocess.Popen[str]:
    """Another process that holds a lock until it is killed."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(statement=statement)], stdout=subprocess.PIPE, text=True, **pipes
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


def test_a_process_holds_a_lock_until_it_ends(tmp_path: Path) -> None:
    path = tmp_path / ".snakemake" / "running.lock"
    first = holder(f"if locks.hold(Path({str(path)!r})):")
    assert not locks.hold(path)
    first.kill()
    first.wait()
    second = holder(f"if locks.hold(Path({str(path)!r})):")
    assert not locks.hold(path)
    second.kill()
    second.wait()


def test_the_programs_that_a_process_has_started_do_not_hold_its_lock(tmp_path: Path) -> None:
    path = tmp_path / "running.lock"
    first = holder(
        f"if locks.hold(Path({str(path)!r})):\n"
        "    import subprocess\n"
        "    print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid, file=sys.stderr, flush=True)",
        stderr=subprocess.PIPE,
    )
    assert first.stderr is not None
    orphan = int(first.stderr.readline())
    first.kill()
    first.wait()
    second = holder(f"if locks.hold(Path({str(path)!r})):")
    second.kill()
    second.wait()
    os.kill(orphan, signal.SIGKILL)


def test_without_locks_a_process_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "flock", unsupported)
    assert locks.hold(tmp_path / "running.lock")
    assert "cannot lock" in caplog.text
    assert "Function not implemented" in caplog.text


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
