"""C1: ReLU is the maximum of its input and zero."""

import numpy as np

from dying_relu.analysis.claims.evidence import Evidence
from dying_relu.analysis.claims.verdict import Finding, claim
from dying_relu.analysis.inference.decisions import DOES_NOT_HOLD, HOLDS
from dying_relu.analysis.inference.intervals import Interval


@claim(
    "C1",
    "ReLU returns 0 for an input that is negative or zero, and the input itself otherwise",
    experiment="none: an identity",
    measure="largest absolute difference between the ReLU that was trained with and max(0, z)",
    unit="number",
    rule="Holds if the activation used in training equals max(0, z) exactly on float32 numbers of every magnitude and both signs.",
    details={
        "Values": "number",
    },
)
def relu_is_max(evidence: Evidence) -> Finding:
    # Here, because all other claims are settled without torch.
    import torch

    from dying_relu.stack.activations import ACTIVATIONS

    bits = torch.arange(0, 0x7F800000, 4999, dtype=torch.int64).to(torch.int32)
    positive = bits.view(torch.float32)
    z = torch.cat([-positive, positive])
    expected = torch.from_numpy(np.maximum(np.float32(0), z.numpy()))
    worst = float((ACTIVATIONS["relu"].function(z, 0.0) - expected).abs().max())
    return Finding(
        HOLDS if worst == 0 else DOES_NOT_HOLD,
        Interval(worst, worst, worst, len(z)),
        runs=0,
        details={"Values": len(z)},
    )
