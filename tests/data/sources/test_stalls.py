import sys
import time
from pathlib import Path

import pytest

from dying_relu.data.sources.stalls import run_while_growing
from dying_relu.errors import DyingReluError

HANG = "import time; time.sleep(60)"


def python(script: str) -> list[str]:
    return [sys.executable, "-c", script]


def test_a_program_that_ends_gives_its_status_and_what_it_said(tmp_path: Path) -> None:
    much = "import sys; sys.stderr.write('e' * 1_000_000); print('done'); sys.exit(3)"
    done = run_while_growing(python(much), tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr)) == (3, "done\n", 1_000_000)


def test_a_slow_download_is_left_alone(tmp_path: Path) -> None:
    drops = (
        "import time; file = open('package', 'wb', 0)\nfor _ in range(12): file.write(b'x'); time.sleep(0.25)"
    )
    assert run_while_growing(python(drops), tmp_path, stall_seconds=1.5).returncode == 0
    assert (tmp_path / "package").stat().st_size == 12


@pytest.mark.parametrize(
    ("script", "limit"),
    [("open('package', 'wb').write(b'x' * 1000); " + HANG, "0.5"), (HANG, "1")],
    ids=["stalls", "never begins"],
)
def test_a_program_that_hangs_is_ended(tmp_path: Path, script: str, limit: str) -> None:
    started = time.monotonic()
    with pytest.raises(DyingReluError, match=f"nothing arrived for {limit} s"):
        run_while_growing(python(script), tmp_path, start_seconds=1, stall_seconds=0.5)
    assert time.monotonic() - started < 20
