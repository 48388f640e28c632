"""The job of a single network, where every network is a job of its own: start Python, import PyTorch, load the images, train, write.

It imports no more than that needs, and the images are ready to use in one file: a real job takes longer.
"""

import argparse
import json
from pathlib import Path

import torch

from benchmarks.cases import Case, Examples
from benchmarks.methods.usual import Usual


def main() -> None:
    """Train one network of a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="its name")
    parser.add_argument("--network", type=int, required=True, help="which of the case's networks")
    parser.add_argument("--samples", type=int, required=True, help="training samples")
    parser.add_argument("--data", type=Path, required=True, help="file with the examples")
    parser.add_argument("--out", type=Path, required=True, help="file to write")
    given = parser.parse_args()
    torch.set_num_threads(1)
    case = Case(given.case)
    images, labels = torch.load(given.data, weights_only=True)
    networks = range(given.network, given.network + 1)
    usual = Usual(case, networks, Examples(images, labels), "float32", torch.device("cpu"))
    for _ in range(given.samples // case.batch_size):
        loss = usual.step()
    given.out.write_text(json.dumps({"train_loss": loss.item()}), encoding="utf-8")


if __name__ == "__main__":
    main()
