"""Try mutants of a room, drawn at random, and print which survive; ``tests/MUTANTS.md`` says how.

    python tests/mutant_trials.py FOLDER MODULE SIZE SEED [PROCESSES]

``FOLDER`` is the copy of ``tests/mutants.py``, in which mutmut has made mutants. mutmut's own run takes the functions that a fixture of a
module calls for those of the first test that uses it, and would try their mutants with that test alone; here they are tried with all.
The tests run once without a mutant, to see which functions each calls; then each mutant has a process of its own.
"""

import json
import os
import random
import resource
import shutil
import sys
import time
import traceback
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from mutants import MUTATED
from mutmut.mutation import trampoline

ARGUMENTS = (
    "-q",
    "-x",
    "-p",
    "no:cacheprovider",
    "-p",
    "no:xdist",
    "--tb=short",
    "--no-header",
)
UNMUTATED = "none"
"""A trial without a mutant, which has to survive."""


class Calls:
    """A plugin that notes which of the mutated functions every test calls, by itself or in a fixture, and how long it takes."""

    def __init__(self) -> None:
        self.functions: dict[str, set[str]] = defaultdict(set)
        self.seconds: dict[str, float] = defaultdict(float)
        self.fixtures: dict[str, set[str]] = {}
        self.while_imported: set[str] = set()
        self._now: set[str] = self.while_imported
        trampoline.record_trampoline_hit = lambda name, caller=None: self._now.add(name)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Generator[None, None, None]:
        """Note what a fixture calls that several tests share."""
        if fixturedef.scope == "function":
            yield
            return
        key, outside, start = self._key(fixturedef), self._now, time.process_time()
        self._now = self.functions[key]
        yield
        self.seconds[key] += time.process_time() - start
        self._now = outside

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: Any) -> Generator[None, None, None]:
        """Note what a test calls."""
        used = item._fixtureinfo.name2fixturedefs.values()
        self.fixtures[item.nodeid] = {self._key(one) for several in used for one in several}
        self._now, start = self.functions[item.nodeid], time.process_time()
        yield
        self.seconds[item.nodeid] += time.process_time() - start
        self._now = self.while_imported

    @staticmethod
    def _key(fixturedef: Any) -> str:
        return f"{fixturedef.baseid} {fixturedef.argname}"

    def of(self, function: str) -> list[tuple[float, str]]:
        """The tests that call a function, the fastest first, with their seconds."""
        found = []
        for test, fixtures in self.fixtures.items():
            parts = [test, *(fixture for fixture in fixtures if fixture in self.functions)]
            if function in self.while_imported or any(function in self.functions[part] for part in parts):
                found.append((sum(self.seconds[part] for part in parts), test))
        return sorted(found)


class Trial:
    """A plugin that runs some tests in their order, and notes the first that fails."""

    def __init__(self, tests: list[str]) -> None:
        self._place = {test: place for place, test in enumerate(tests)}
        self.failed = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        """Keep these tests only."""
        items[:] = sorted(
            (item for item in items if item.nodeid in self._place), key=lambda item: self._place[item.nodeid]
        )

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Note a failure."""
        if report.failed and not self.failed:
            self.failed = report.nodeid

    def pytest_collectreport(self, report: Any) -> None:
        """Note a module that cannot be imported."""
        if report.failed and not self.failed:
            self.failed = f"import of {report.nodeid}"


def drawn(module: str, size: int, seed: int) -> list[str]:
    """So many of the mutants of the modules whose names begin so, or all, in the order in which they are tried."""
    names = [
        name
        for path in sorted(Path("src").rglob("*.meta"))
        for name in json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
        if name.startswith(module)
    ]
    return random.Random(seed).sample(sorted(names), min(size, len(names)))


def function_of(mutant: str) -> str:
    """The function that a mutant is of."""
    return mutant.rpartition("__mutmut_")[0]


def tested(mutant: str, calls: Calls, out: Path) -> None:
    """Run the tests that call a mutant's function, in this process, and write what came of it."""
    every = sorted((calls.seconds[test], test) for test in calls.fixtures)
    tests = every if mutant == UNMUTATED else calls.of(function_of(mutant))
    limit = 60 + 4 * int(sum(seconds for seconds, _ in tests))
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 5))
    if function_of(mutant) in calls.while_imported:
        for name in [name for name in sys.modules if is_reimported(name)]:
            del sys.modules[name]
    trampoline.set_mutant_under_test(mutant)
    trial = Trial([test for _, test in tests])
    files = sorted({test.partition("::")[0] for _, test in tests})
    temporary = out.with_suffix(".tmp")
    temporary.mkdir()
    os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = str(temporary / "hypothesis")
    code = (
        int(pytest.main([*ARGUMENTS, f"--basetemp={temporary}/pytest", *files], plugins=[trial]))
        if files
        else 0
    )
    shutil.rmtree(temporary, ignore_errors=True)
    out.write_text(json.dumps({"code": code, "failed": trial.failed, "tests": len(tests)}), encoding="utf-8")


def is_reimported(module: str) -> bool:
    """Tell whether a module has to be imported anew where a mutant works while it is imported."""
    path = str(getattr(sys.modules[module], "__file__", None) or "")
    return module.startswith("dying_relu.analysis") or f"{os.sep}tests{os.sep}" in path


def tried(mutants: list[str], calls: Calls, folder: Path, processes: int) -> dict[str, dict[str, Any]]:
    """What came of each mutant, several of them at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    running: dict[int, tuple[str, Path, float]] = {}
    results: dict[str, dict[str, Any]] = {}
    waiting = list(enumerate(mutants))
    while waiting or running:
        while waiting and len(running) < processes:
            place, mutant = waiting.pop(0)
            out = folder / f"{place}.json"
            child = os.fork()
            if not child:
                with (folder / f"{place}.log").open("w") as log:
                    os.dup2(log.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                try:
                    tested(mutant, calls, out)
                except BaseException:  # noqa: BLE001 (whatever it is, this process must not go on as its parent does)
                    traceback.print_exc()
                os._exit(0)
            running[child] = (mutant, out, time.time())
        child, status = os.wait()
        mutant, out, start = running.pop(child)
        if os.WIFSIGNALED(status):
            found = {"code": -os.WTERMSIG(status), "failed": "out of time"}
        else:
            found = (
                json.loads(out.read_text(encoding="utf-8"))
                if out.exists()
                else {"code": 3, "failed": "see its log"}
            )
        results[mutant] = found
        shown = "SURVIVED" if found["code"] == 0 else "killed"
        print(f"{shown} {mutant} {found} {time.time() - start:.0f} s", flush=True)
    return results


def main(folder: Path, module: str, size: int, seed: int, processes: int = 2) -> None:
    """Try them."""
    os.chdir(folder / "mutants")
    sys.path.insert(0, str(Path("src").resolve()))
    mutants = drawn(module, size, seed)
    modules = {Path("src", *name.split(".")[:-1]).with_suffix(".py") for name in mutants}
    tests = {tests for pattern, tests in MUTATED.items() if any(one.match(pattern) for one in modules)}
    print(f"{len(mutants)} mutants of {module}, seed {seed}: {sorted(tests)}", flush=True)
    trampoline.set_mutant_under_test("stats")
    calls = Calls()
    start = time.process_time()
    if pytest.main([*ARGUMENTS, *sorted(tests)], plugins=[calls]):
        raise SystemExit("the tests fail without a mutant")
    print(f"{len(calls.fixtures)} tests take {time.process_time() - start:.0f} s", flush=True)
    trampoline.set_mutant_under_test("")
    results = tried([UNMUTATED, *mutants], calls, folder / "trials" / f"{module}-{seed}", processes)
    if results.pop(UNMUTATED)["code"]:
        raise SystemExit("the tests fail without a mutant")
    survivors = [name for name in mutants if results[name]["code"] == 0]
    late = sum(found["code"] < 0 for found in results.values())
    print(f"{len(mutants) - len(survivors)} of {len(mutants)} killed, {late} of them out of time")
    print("\n".join(survivors))


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2], *map(int, sys.argv[3:]))
