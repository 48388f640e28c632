"""The useful floating-point operations of training, counted the same way for every method."""

from dying_relu.configuration import CNN, IMAGE_SETS, MLP, Architecture
from dying_relu.plan import cost


def flops_per_sample(architecture: Architecture, dataset: str) -> int:
    """Floating-point operations that one network needs for one example of a minibatch, forward and backward.

    A multiplication and an addition for each weight and position where it is used, three times: for the layer's
    output, for the gradient of its weights, and for the gradient of its input, which the first layer does not need.
    Nothing else counts (activations, pooling, the loss, the optimiser; padding counts as if it were image), so what
    a method spends on anything else, or computes without need, shows as a lower rate.

    >>> flops_per_sample(MLP(kind="mlp", widths=(100,)), "mnist") == 2 * (2 * 784 * 100 + 3 * 100 * 10)
    True
    """
    forward = cost.size(architecture, dataset).multiplications
    return 2 * (3 * forward - _of_first_layer(architecture, dataset))


def _of_first_layer(architecture: Architecture, dataset: str) -> int:
    """Multiplications in the first layer for one example."""
    assert isinstance(architecture, MLP | CNN)
    images = IMAGE_SETS[dataset]
    pixels = images.channels * images.side**2
    return (
        pixels * architecture.widths[0]
        if isinstance(architecture, MLP)
        else 9 * pixels * architecture.channels[0]
    )
