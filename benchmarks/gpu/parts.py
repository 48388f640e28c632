"""Equality tests, probe, benchmark and the smoke study's training on a GPU, each within its own time limit: eight minutes together."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

LIMITS = {"equality": 180, "probing": 50, "speed": 150, "smoke": 90}
"""Seconds that each part may take, with its start."""

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
    """Run every part, whatever becomes of the others; their output goes to ``PART.log``, the results to ``summary.txt``, too.

    Args:
        options: what is run.

    Returns:
        0 if all parts passed, else 1.
    """
    lines, has_passed = [f"device: {options.device}"], True
    for part in LIMITS:
        started = time.monotonic()
        outcome = _outcome(part, options)
        has_passed &= outcome == "passed"
        lines.append(f"{part:10} {time.monotonic() - started:4.0f} s  {outcome}")
        print(f"{lines[-1]}\n", flush=True)
    summary = "\n".join([*lines, "all parts passed" if has_passed else "NOT all parts passed"])
    (options.out / "summary.txt").write_text(summary + "\n", encoding="utf-8")
    print(summary)
    return 0 if has_passed else 1


def _outcome(part: str, options: Options) -> str:
    log = options.out / f"{part}.log"
    command = [sys.executable, "-m", "benchmarks.gpu", "--part", part]
    command += ["--device", options.device, "--out", str(options.out.resolve())]
    command += ["--short"] if options.short else []
    try:
        with log.open("w", encoding="utf-8") as file:
            code = subprocess.run(
                command, cwd=ROOT, env=_environment(), stdout=file, stderr=subprocess.STDOUT,
                timeout=LIMITS[part], check=False,
            ).returncode  # fmt: skip
    except subprocess.TimeoutExpired:
        code = None
    print(f"# {part}\n{log.read_text(encoding='utf-8', errors='replace')}")
    if code is None:
        return f"FAILED: took longer than {LIMITS[part]} s"
    return {0: "passed", NOT_RUN: "NOT RUN: see its log"}.get(code, f"FAILED: exit code {code}")


def _environment() -> dict[str, str]:
    """With the source on the path, since the package need not be installed."""
    path = [str(ROOT / "src"), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONUNBUFFERED": "1"}
