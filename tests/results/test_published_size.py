"""The tables of the published study go with every clone, so they are small."""

import subprocess

from published_study import PUBLISHED

LARGEST = 15 * 10**6


def test_the_published_results_are_small() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "."], cwd=PUBLISHED, capture_output=True, text=True, check=True
    )
    files = [PUBLISHED / name for name in listed.stdout.split("\0") if name]
    assert files
    assert sum(file.stat().st_size for file in files) <= LARGEST
