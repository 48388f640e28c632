"""A training step captured as a CUDA graph: one launch a step, where each operator would be launched by itself."""

from collections.abc import Callable

import torch
from torch import Tensor

from dying_relu.stack.execution import captures_steps

Step = Callable[[Tensor], Tensor]
"""The places (B,) of a minibatch's examples -> losses (K,) of its networks, which it trains."""

EAGER_STEPS = 3
"""Steps before the capture, in which libraries choose their kernels and optimisers allocate their moments."""


class CapturedStep:
    """A step that is run as it is a few times, then recorded, and from then on replayed.

    Every call trains. What the step changes must be changed in place, and what changes between steps must be in tensors that exist
    before the capture.

    Args:
        step: trains on a minibatch.
        batch_size: examples in a minibatch.
        device: a CUDA device.
    """

    def __init__(self, step: Step, batch_size: int, device: torch.device) -> None:
        self.step = step
        self.minibatch = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self.eager_steps = 0
        self.graph: torch.cuda.CUDAGraph | None = None
        self.losses: Tensor | None = None

    def __call__(self, minibatch: Tensor) -> Tensor:
        self.minibatch.copy_(minibatch)
        if self.eager_steps < EAGER_STEPS:
            self.eager_steps += 1
            return self._run_aside()
        if self.graph is None:
            # Nothing is computed while it is captured.
            self.graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(self.graph):
                self.losses = self.step(self.minibatch)
        self.graph.replay()
        assert self.losses is not None, "the capture leaves the losses' place"
        # The next replay overwrites them.
        return self.losses.clone()

    def _run_aside(self) -> Tensor:
        """Run the step on a stream of its own, as PyTorch asks for before a capture."""
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            losses = self.step(self.minibatch)
        here.wait_stream(aside)
        return losses.clone()


def fastest(step: Step, batch_size: int, device: torch.device) -> Step:
    """Capture a step where that is chosen for its device.

    Args:
        step: trains on a minibatch.
        batch_size: examples in a minibatch.
        device: of the networks.

    Returns:
        ``step``, or what replays it.
    """
    return CapturedStep(step, batch_size, device) if captures_steps(device) else step
