"""The probe: the paper's definitions on any PyTorch model."""

from dying_relu.probing.compare import compare
from dying_relu.probing.marks import mark_activation
from dying_relu.probing.monitor import Monitor
from dying_relu.probing.probe import probe
from dying_relu.probing.prune import prune_dead
from dying_relu.probing.report import Report
from dying_relu.probing.revive import revive
from dying_relu.probing.suggest import suggest

__all__ = ["Monitor", "Report", "compare", "mark_activation", "probe", "prune_dead", "revive", "suggest"]
