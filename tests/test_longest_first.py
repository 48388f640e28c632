"""Files of slow tests and long files are the first that processes side by side get, in a real run of pytest."""

import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent

CONFTEST = """
import sys

sys.path.insert(0, {tests!r})
from longest_first import longest_first


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes long")


def pytest_collection_modifyitems(items):
    items[:] = longest_first(items)
"""
FILES = {
    "test_a_few.py": "def test_one(): pass",
    "test_b_many.py": "def test_one(): pass\n\ndef test_two(): pass",
    "test_published.py": "def test_one(): pass",
    "test_c_slow.py": "import pytest\n\n@pytest.mark.slow\ndef test_one(): pass",
}


def test_slow_and_long_files_come_first_and_then_those_of_many_tests(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST.format(tests=str(TESTS)), encoding="utf-8")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    options = ["-n", "1", "--dist", "loadfile", "--no-loadscope-reorder", "-v", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "--rootdir", ".", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    order = re.findall(r"PASSED (test_\w+\.py)", done.stdout)
    assert order == [
        "test_c_slow.py",
        "test_published.py",
        "test_b_many.py",
        "test_b_many.py",
        "test_a_few.py",
    ]
