"""Measuring must not change what is measured: the sources of random numbers are put back as they were."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


@contextmanager
def undisturbed(loader: Iterable[Any]) -> Iterator[None]:
    """Random numbers drawn within the block, by ``loader`` or its transforms, are not missing after it.

    A DataLoader draws a seed whenever it is gone through, shuffled or not. The states of PyTorch (CPU and CUDA), NumPy and
    Python are restored, and those of the generators of the loader and its samplers.

    >>> with undisturbed([]):
    ...     inside = torch.rand(1)
    >>> bool(inside == torch.rand(1))
    True
    """
    sources = [loader, getattr(loader, "sampler", None), getattr(loader, "batch_sampler", None)]
    found = [getattr(source, "generator", None) for source in sources]
    generators = [(one, one.get_state()) for one in found if isinstance(one, torch.Generator)]
    of_python, of_numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices):
        try:
            yield
        finally:
            for generator, state in generators:
                generator.set_state(state)
            random.setstate(of_python)
            np.random.set_state(of_numpy)  # noqa: NPY002
