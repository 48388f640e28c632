"""Whatever stands in a file that people or networks gave us: it is read, or refused in one message; nothing else happens.

Hypothesis alone, not atheris, which was tried on 2026-11-26 (3.0.0, guided by the coverage of our code, PyYAML, tarfile and Pillow's
Python): with the reader of studies as it was before that day, a dictionary of YAML's marks led it within half a minute to
``study: !!int``, an example in `test_configuration.py`, and tags are refused since. After that it found nothing in twelve minutes of two
cores. Since then studies are read by ruamel.yaml, of which 180,000 random texts of YAML's marks found one key that no dictionary can have
(an example, too); and archives, PNG sheets and lists of labels are decoded only if their sum is the known one.
"""

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = 2 * 2**30
"""Bytes of address space that reading a file of some kilobytes may add."""


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    """What asks for more memory than is sensible gets a MemoryError, and fails the test."""
    usual = resource.getrlimit(resource.RLIMIT_AS)
    in_use = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY, usual[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, usual)
