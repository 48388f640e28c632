"""The probe: the paper's definitions on any PyTorch model."""

from dying_relu.probing.monitoring import Monitor
from dying_relu.probing.probing import probe
from dying_relu.probing.pruning import prune_dead
from dying_relu.probing.report import Report
from dying_relu.probing.reviving import revive

__all__ = ["Monitor", "Report", "probe", "prune_dead", "revive"]
