"""One shard: train its networks as stacks, measure them at checkpoints, record rows, resume after a kill."""

from dying_relu.deprecated import forward

__getattr__ = forward(__name__)
