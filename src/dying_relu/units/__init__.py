"""The definitions (dead, inactive, saturated, dormant), what they are computed from, and a unit's history."""

from dying_relu.deprecated import forward

__getattr__ = forward(__name__)
