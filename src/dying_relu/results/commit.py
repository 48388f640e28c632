"""The commit of the project that is checked out, and whether its files are as they were committed."""

import subprocess
from pathlib import Path

from dying_relu.results.origin import UNKNOWN

SOURCES = ("src", "workflow", "config", "paper")
"""Folders in which a file that git does not know yet can matter."""
MADE = ("results", "paper/dying-relu.pdf")
"""Paths that are tracked although studies make them."""
MODIFIED = ", modified"


def commit(folder: Path) -> str:
    """Name the commit that is checked out in a folder, with "modified" after it where the project's files differ from it.

    What studies make (``MADE``) does not count, and no file that git ignores or that stands outside of ``SOURCES`` and is
    not tracked. "unknown" without git, outside of a repository, and where the repository is not this project's.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    head = _git(folder, "rev-parse", "--short=10", "HEAD")
    if not head or not (Path(top) / "src" / "dying_relu").is_dir():
        return UNKNOWN
    status = ("status", "--porcelain")
    changed = _git(
        folder, *status, "--untracked-files=no", "--", ":(top)", *(f":(top,exclude){made}" for made in MADE)
    )
    new = _git(folder, *status, "--untracked-files=normal", "--", *(f":(top){name}" for name in SOURCES))
    return f"{head}{MODIFIED}" if changed or new else head


def is_modified(commit: str) -> bool:
    """Whether files differed from the commit that :func:`commit` returned.

    >>> is_modified("0123456789, modified"), is_modified("unknown")
    (True, False)
    """
    return commit.endswith(MODIFIED)


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
