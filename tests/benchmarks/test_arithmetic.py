import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.cases import CASES, Case
from benchmarks.methods import plain


@pytest.mark.parametrize("case", CASES.values(), ids=str)
def test_flops_are_those_that_pytorch_counts_in_the_usual_way(case: Case) -> None:
    network = plain.network(case)
    images, labels = case.examples(3)
    with FlopCounterMode(display=False) as counter:
        torch.nn.functional.cross_entropy(network(images), labels).backward()
    assert counter.get_total_flops() == 3 * case.flops_per_sample
