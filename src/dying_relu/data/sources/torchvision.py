"""Source ``torchvision``: its own download, in a process of its own that is ended when nothing arrives any more.

torchvision compares the MD5 sum of what arrives with the one it knows before it unpacks it.
"""

import argparse
import sys
from pathlib import Path

from dying_relu.data.decode import Arrays
from dying_relu.data.originals import ORIGINALS
from dying_relu.data.sources.folder import read as read_layout
from dying_relu.data.sources.stalls import run_while_growing
from dying_relu.errors import DyingReluError


def download(name: str, folder: Path) -> Arrays:
    """Let torchvision download the data set ``name`` into the empty ``folder``, and read it there.

    Raises:
        DyingReluError: there is no connection, nothing arrives any more, or the files are damaged.
    """
    done = run_while_growing([sys.executable, "-m", __name__, name, str(folder.resolve())], folder)
    if done.returncode:
        reason = done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]
        raise DyingReluError(f"the download failed: {reason or f'exit status {done.returncode}'}")
    return read_layout(name, folder)


def _run() -> None:
    """Download, in the process of its own; on failure say why, in one line, and exit with 1."""
    parser = argparse.ArgumentParser(description="Download a data set into a folder.")
    parser.add_argument("name", choices=ORIGINALS)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()

    from dying_relu.adapters.torchvision_import import torchvision

    # From here on the network is what takes time, not the import.
    (arguments.folder / "started").touch()
    try:
        getattr(torchvision.datasets, ORIGINALS[arguments.name].torchvision)(arguments.folder, download=True)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong in there, the next source is to be tried
        print(" ".join(str(error).split()) or type(error).__name__)
        sys.exit(1)


if __name__ == "__main__":
    _run()
