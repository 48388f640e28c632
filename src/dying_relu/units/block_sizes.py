"""The sizes of the blocks of numbers that compiled loops take together."""

SUMMED_NARROW = 256
"""So many numbers are summed in the precision of the pre-activations before the sum goes into one in float64."""

POSITIONS_SIDE_BY_SIDE = 512
"""So many positions of a channel are reduced next to each other."""

POSITIONS_LOOKED_AT = 64
"""So many positions are looked at together for a positive one."""

NUMBERS_SIDE_BY_SIDE = 128
"""So many numbers that belong to no unit are reduced next to each other."""
