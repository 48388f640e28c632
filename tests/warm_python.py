"""Python in a process that has imported PyTorch or pandas already: a script then takes as long as what it does, not seconds more.

Of the project nothing is there before the script begins. What a script is to show of these libraries' own imports needs a Python of its
own: ``subprocess.run([sys.executable, "-c", script])``.
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

TORCH = ("torch", "numpy", "pandas")
SCIPY = ("numpy", "pandas", "pyarrow.parquet", "scipy.stats")

SERVER = """
import atexit, gc, importlib, json, os, sys, traceback

def run(request):
    for stream, path in ((1, request["stdout"]), (2, request["stderr"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["-c"]
    try:
        exec(compile(request["script"], "<string>", "exec"), {"__name__": "__main__"})
    except SystemExit as stop:
        if isinstance(stop.code, str):
            print(stop.code, file=sys.stderr)
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0

for name in sys.argv[1:]:
    importlib.import_module(name)
gc.freeze()
print("ready", flush=True)
for line in iter(sys.stdin.readline, ""):
    child = os.fork()
    if not child:
        status = run(json.loads(line))
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        # To take apart all that was imported would take a second.
        os._exit(status)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""


@functools.cache
def _server(imported: Sequence[str], options: Sequence[str]) -> subprocess.Popen[str]:
    command = [sys.executable, *options, "-c", SERVER, *imported]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout.readline() == "ready\n"
    return server


def run(
    script: str,
    folder: Path | None = None,
    *,
    imported: Sequence[str] = TORCH,
    options: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a script as ``python -c`` does, in this process's environment.

    Args:
        script: Python.
        folder: where it runs; None: the current one.
        imported: modules that are imported before it, and must be the same as if it had imported them.
        options: of Python.
    """
    server = _server(tuple(imported), tuple(options))
    with tempfile.TemporaryDirectory() as scratch:
        paths = {name: Path(scratch) / name for name in ("stdout", "stderr")}
        request = {name: str(path) for name, path in paths.items()}
        request |= {"script": script, "folder": str(folder or Path.cwd()), "environment": dict(os.environ)}
        server.stdin.write(json.dumps(request) + "\n")
        server.stdin.flush()
        status = int(server.stdout.readline())
        streams = [path.read_text(encoding="utf-8") for path in paths.values()]
    return subprocess.CompletedProcess(["python", *options, "-c", script], status, *streams)
