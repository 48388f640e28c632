"""Compiled loops give the process that compiles them the bits of those that load them from numba's cache: jobs of a study are both."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from generated_paper import ROOT

pytestmark = pytest.mark.slow

PROGRAM = """
import hashlib
import torch
from dying_relu.stack import deltas
from dying_relu.stack.activations import ACTIVATIONS
from dying_relu.stack.layers import ElementWise
from dying_relu.stack.loss import cross_entropy
from dying_relu.stack.pooling import MaxPooling
from dying_relu.units import reductions


def digest(*tensors):
    return hashlib.sha256(b"".join(each.contiguous().numpy().tobytes() for each in tensors)).hexdigest()[:12]


stream = torch.Generator().manual_seed(0)
z, delta = (torch.randn(6, 24, 250, generator=stream) for _ in range(2))
slopes = torch.rand(6, generator=stream)
columns = z.mT.contiguous()
print("rectified", digest(deltas.rectified(z, slopes)))
print("gate", digest(deltas.gate(delta.clone(), z, slopes)))
print("multiply", digest(deltas.multiply(delta.clone(), z)))
print("cross-entropy", digest(*cross_entropy(torch.randn(6, 10, 50, generator=stream), torch.arange(50) % 10)))
print("GELU", digest(*ACTIVATIONS["gelu"].with_derivative(z)))
print("moments of rows", digest(*reductions.moments(z, -1)))
print("moments of columns", digest(*reductions.moments(columns, -2)))
print("reductions", digest(*reductions.reduce(columns, columns, columns, -2)))
print("sums", digest(*reductions.sums(z)))
pooling = MaxPooling(ElementWise(ACTIVATIONS["relu"], torch.zeros(6)))
pooled = pooling.forward(torch.randn(6, 50, 7, 8, 8, generator=stream))
print("pooling", digest(pooled, pooling.backward(torch.randn(pooled.shape, generator=stream), None), pooling.total))
"""


def test_who_compiles_has_the_bits_of_who_loads(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT / "src")}
    printed = [
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        for _ in range(2)
    ]
    assert list(tmp_path.rglob("*.nbc")), "the second process loads what the first has compiled"
    assert printed[0].splitlines() == printed[1].splitlines()
