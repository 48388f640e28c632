"""The command ``python -m benchmarks.gpu``: all parts, or one of them. It needs no package but those of its parts."""

import argparse
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.gpu import parts


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: by default those of the process.

    Returns:
        The exit code: 0 if all parts passed.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=parts.__doc__)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="cpu proves the script")
    parser.add_argument("--short", action="store_true", help="less of each part")
    parser.add_argument("--out", type=Path, default=Path("results/benchmarks/gpu"), help="folder to write to")
    parser.add_argument("--part", choices=list(parts.LIMITS), help="this part only, in this process")
    options = parser.parse_args(arguments)
    chosen = parts.Options(options.device, options.short, options.out)
    chosen.out.mkdir(parents=True, exist_ok=True)
    return _run_one(options.part, chosen) if options.part else parts.run_all(chosen)


def _run_one(part: str, options: parts.Options) -> int:
    try:
        # Before anything that needs numba.
        import_module("benchmarks.gpu.libraries")
        import torch

        if options.device == "cuda" and not torch.cuda.is_available():
            print("not run: PyTorch finds no CUDA device")
            return parts.NOT_RUN
        return int(import_module(f"benchmarks.gpu.{part}").run(options))
    except ModuleNotFoundError as error:
        print(f"not run: needs the package {error.name}")
        return parts.NOT_RUN


if __name__ == "__main__":
    sys.exit(main())
