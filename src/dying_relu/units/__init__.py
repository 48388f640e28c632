"""The definitions (dead, inactive, saturated, dormant), what they are computed from, and a unit's history."""

from dying_relu import deprecated

__getattr__ = deprecated.forward(__name__)
