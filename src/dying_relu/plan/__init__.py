"""From a configuration to jobs: runs, shards, and what they will cost. Imports no torch."""
