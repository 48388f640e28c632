"""Equality tests, probe, benchmark and the smoke study's training on a GPU, each within its own time limit: eight minutes together."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

LIMITS = {"equality": 300, "probing": 60, "smoke": 300, "speed": 160}
"""Seconds that each part may take, with its start."""

SIDE_BY_SIDE = ("equality", "probing", "smoke")
"""Parts that check results, and so may run at the same time; the others measure speed, and have the device to themselves."""

NOT_RUN = 77
"""The exit code of a part for which this machine lacks something."""

ROOT = Path(__file__).parent.parent.parent


class Options(NamedTuple):
    """What is run.

    Attributes:
        device: cuda, or cpu, which proves that the script works.
        short: less of each part.
        out: folder for logs and tables.
    """

    device: str
    short: bool
    out: Path


def run_all(options: Options) -> int:
    """Run every part, whatever becomes of the others; their output goes to ``PART.log``, the results to ``summary.txt``.

    Args:
        options: what is run.

    Returns:
        0 if all parts passed, else 1.
    """
    lines, has_passed = [f"device: {options.device}"], True
    apart = [part for part in LIMITS if part not in SIDE_BY_SIDE]
    for parts in (SIDE_BY_SIDE, *((part,) for part in apart)):
        with ThreadPoolExecutor() as pool:
            outcomes = list(pool.map(partial(_outcome, options=options), parts))
        for part, (outcome, seconds) in zip(parts, outcomes, strict=True):
            has_passed &= outcome == "passed"
            lines.append(f"{part:10} {seconds:4.0f} s  {outcome}")
            log = (options.out / f"{part}.log").read_text(encoding="utf-8", errors="replace")
            print(f"# {part}\n{log}\n{lines[-1]}\n", flush=True)
    summary = "\n".join([*lines, "all parts passed" if has_passed else "NOT all parts passed"])
    (options.out / "summary.txt").write_text(summary + "\n", encoding="utf-8")
    print(summary)
    return 0 if has_passed else 1


def _outcome(part: str, options: Options) -> tuple[str, float]:
    """Run a part; returns what became of it, and the seconds that it took."""
    started = time.monotonic()
    command = [sys.executable, "-m", "benchmarks.gpu", "--part", part]
    command += ["--device", options.device, "--out", str(options.out.resolve())]
    command += ["--short"] if options.short else []
    try:
        with (options.out / f"{part}.log").open("w", encoding="utf-8") as file:
            code = subprocess.run(
                command, cwd=ROOT, env=_environment(), stdout=file, stderr=subprocess.STDOUT,
                timeout=LIMITS[part], check=False,
            ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"FAILED: took longer than {LIMITS[part]} s", time.monotonic() - started
    words = {0: "passed", NOT_RUN: "NOT RUN: see its log"}
    return words.get(code, f"FAILED: exit code {code}"), time.monotonic() - started


def _environment() -> dict[str, str]:
    """With the source on the path, since the package need not be installed."""
    path = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
