"""Dying ReLU: which units die, why, and what helps."""
