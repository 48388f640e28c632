"""Constants that the simulations and the text about them share; no torch, so that the text need not wait for it."""

WEIGHT_LAYERS = 10
"""Of the networks of Lu et al. (2020), nine of them hidden."""

WIDTH = 2
"""Of the narrowest networks that can be the absolute value of a number."""

STEPS = 6_000
"""Of their training."""

TOLERANCE = 4
"""Standard errors by which an estimate may differ from its value: by chance one in 16,000 does."""

COLLAPSE = "collapse"
"""Name of the check that trains networks."""

INDEPENDENT = "independent computation"
"""Source of values that other code than this package's has estimated; they are not published."""
