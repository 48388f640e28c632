"""Agreement of the processes of a distributed training, each of which has its own data and its own random numbers."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch.distributed as dist
from torch import Tensor, nn

from dying_relu.errors import DyingReluError


class Processes:
    """The processes that train replicas of one model.

    Args:
        model: as the training has it; one in ``DistributedDataParallel`` says which processes belong together.

    Raises:
        DyingReluError: each process has a part of the parameters only.
    """

    def __init__(self, model: nn.Module) -> None:
        _require_whole(model)
        self.group = _group(model)
        if self.group is None and dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1:
            # Level 3: where prune_dead or revive is called.
            warnings.warn(
                "several processes train, and the model is not the one in DistributedDataParallel: give that one, and all processes "
                "change the same units in the same way",
                stacklevel=3,
            )

    def gathered(self, own: Any) -> list[Any]:
        """Gather what each process has, in their order.

        Args:
            own: of this process; anything that can be pickled.
        """
        if self.group is None:
            return [own]
        of_all = [None] * dist.get_world_size(self.group)
        dist.all_gather_object(of_all, own, group=self.group)
        return of_all

    def first(self, own: Any) -> Any:
        """Take what the first process has."""
        return self.gathered(own)[0]

    def common(self, masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The units that every process names.

        Args:
            masks: (U,) bool by layer.

        Returns:
            The same of the layers that all processes have, in the order of the first.
        """
        of_all = self.gathered({name: mask.cpu() for name, mask in masks.items()})
        return {
            name: _all([one[name] for one in of_all])
            for name in of_all[0]
            if all(name in one for one in of_all)
        }

    def require_success(self, error: DyingReluError | None) -> None:
        """Raise the error of the first process that has one, in all of them."""
        for one in self.gathered(error and str(error)):
            if one is not None:
                raise error if error is not None and str(error) == one else DyingReluError(one)


def _require_whole(model: nn.Module) -> None:
    if not isinstance(model, nn.Module):
        return  # whoever unwraps it says so
    kinds = {type(one).__name__ for one in (*model.modules(), *model.parameters())}
    if sharded := kinds & {"DTensor", "FullyShardedDataParallel", "FlatParameter"}:
        raise DyingReluError(
            "the model's parameters are sharded over several processes",
            found=", ".join(sorted(sharded)),
            expected="a model that each process has whole",
            remedy="gather its weights into one first, and probe that",
        )


def _group(model: Any) -> Any:
    while isinstance(model, nn.Module):
        if isinstance(model, nn.parallel.DistributedDataParallel):
            return model.process_group
        model = getattr(model, "_orig_mod", None)
    return None


def _all(masks: list[Tensor]) -> Tensor:
    result = masks[0]
    for mask in masks[1:]:
        result = result & mask
    return result
