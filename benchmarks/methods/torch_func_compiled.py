"""PyTorch's own answer, compiled: the step of :mod:`benchmarks.methods.torch_func` through ``torch.compile``."""

import shutil

import torch
from torch import Tensor

from benchmarks.cases import Case, Examples
from benchmarks.methods.base import NotPossible
from benchmarks.methods.torch_func import State, TorchFunc


class TorchFuncCompiled(TorchFunc):
    """Gradients, losses and update in one compiled function; the minibatch is chosen outside of it."""

    is_slow_to_prepare = True

    @staticmethod
    def require() -> None:
        # Here, because a job of one network imports this module too, and the import takes long.
        from torch._inductor import config as inductor

        compilers = [name for name in inductor.cpp.cxx if name]
        if not any(shutil.which(name) for name in compilers):
            raise NotPossible(
                "torch.compile finds no C++ compiler",
                expected=f"one of {', '.join(compilers)}",
                remedy="install g++, or set CXX",
            )

    @staticmethod
    def precisions(device: str) -> tuple[str, ...]:
        return ("float32",)

    def __init__(
        self, case: Case, networks: range, examples: Examples, precision: str, device: torch.device
    ) -> None:
        super().__init__(case, networks, examples, precision, device)
        # One process measures many cases, and each counts as another compilation of one function, of which eight are allowed.
        torch._dynamo.config.recompile_limit = 1000
        # Shapes never change, and a part that is not compiled would be measured as if it were.
        self.compiled = torch.compile(self._train, dynamic=False, fullgraph=True)

    def step(self) -> Tensor:
        images, labels = self._next_minibatch()
        self.update.begin_step()
        try:
            return self.compiled(self.parameters, images, labels)
        except torch._dynamo.exc.TorchDynamoException as error:
            raise NotPossible("torch.compile failed", found=str(error).strip().splitlines()[0]) from error

    def _train(self, parameters: State, images: Tensor, labels: Tensor) -> Tensor:
        gradients, losses = self.gradients_and_losses(parameters, images, labels)
        self.update(parameters, gradients)
        return losses
