"""All methods do the same work: they train the same networks to the same losses."""

import pytest
import torch
from torch import Tensor

from benchmarks.cases import CASES
from benchmarks.methods import METHODS

CPU = torch.device("cpu")
STACK = 3
STEPS = 4


def losses(method: str, case: str, networks: range, precision: str = "float32") -> Tensor:
    """(steps, networks); on one minibatch of examples, so that their order in an epoch is no matter."""
    chosen = CASES[case]
    examples = chosen.examples(chosen.batch_size)
    trainer = METHODS[method](chosen, networks, examples, precision, CPU)
    return torch.stack([trainer.step() for _ in range(STEPS)])


@pytest.mark.parametrize("case", CASES)
def test_every_method_trains_the_same_networks_to_the_same_losses(case: str) -> None:
    expected = torch.cat([losses("usual", case, range(k, k + 1)) for k in range(STACK)], 1)
    assert torch.allclose(expected[0], expected[0, 0]), "the networks start alike"
    assert expected[-1].unique().numel() == STACK, "their learning rates differ"
    assert (expected[-1] < expected[0]).all()
    for method in METHODS:
        if METHODS[method].trains_stacks:
            torch.testing.assert_close(losses(method, case, range(STACK)), expected, rtol=2e-4, atol=0)


@pytest.mark.parametrize("case", ["mlp-sgd-relu", "mlp-adam-relu", "cnn-sgd-relu"])
@pytest.mark.parametrize(
    "method", [name for name, method in METHODS.items() if "bf16" in method.precisions("cpu")]
)
def test_lower_precision_trains_nearly_the_same(method: str, case: str) -> None:
    exact = losses(method, case, range(1))
    rounded = losses(method, case, range(1), "bf16")
    assert rounded.dtype == torch.float32
    assert not torch.equal(rounded, exact)
    torch.testing.assert_close(rounded, exact, rtol=0.03, atol=0)
