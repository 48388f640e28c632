"""One shard: train its networks as stacks, measure them at checkpoints, record rows, resume after a kill."""
