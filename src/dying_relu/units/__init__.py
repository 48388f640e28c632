"""The definitions (dead, inactive, saturated, dormant), what they are computed from, and a unit's history."""
