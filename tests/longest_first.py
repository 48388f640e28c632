"""The order in which test files are handed to processes that run side by side: long ones first, so that none of them ends alone."""

from collections import Counter
from collections.abc import Sequence

import pytest

LONG = frozenset(
    {
        *("test_published.py", "test_plan.py", "test_recompute.py", "test_reruns.py", "test_imports.py"),
        *("test_errors.py", "test_kept.py", "test_strangers.py", "test_planted.py", "test_figures.py"),
    }
)
"""Files of few tests, none of them slow, that took ten seconds and more; a name that is gone does no harm."""


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Tests, sorted by their file: those with slow tests and the long ones first, then the rest, those of most tests first.

    xdist by itself begins with the files of most tests. Those that run whole studies have few: they came last, and while one process
    was busy with them the other had nothing left to do.

    Args:
        items: tests in the order of their files, as pytest has collected them.
    """
    numbers = Counter(item.path for item in items)
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.path.name in LONG}
    return sorted(items, key=lambda item: (item.path not in slow, -numbers[item.path]))
