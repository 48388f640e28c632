"""The exponential function in float32 for compiled loops, which the compiler turns into vector instructions.

It calls no library, unlike ``math.exp``, whose calls end the vectorisation of a loop. Its error is at most a unit of the last place.
"""

import numpy as np
from numba import njit

from dying_relu.stack.bits import float_of_bits

LOG2_E = np.float32(1.44269504)
# ln 2 in two parts, of which the first has few digits: multiples of it are exact.
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
SMALLEST = np.float32(-87.3)
"""Below it the result is 0: there are no subnormal numbers."""
EXPONENT_OF_ONE, MANTISSA_BITS = 127, 23
# Of (exp(r) - 1 - r) / r^2 for |r| <= ln 2 / 2, minimax (Cephes' expf).
COEFFICIENTS = tuple(
    np.float32(value)
    for value in (
        1.9875691500e-4,
        1.3981999507e-3,
        8.3334519073e-3,
        4.1665795894e-2,
        1.6666665459e-1,
        5.0000001201e-1,
    )
)
C5, C4, C3, C2, C1, C0 = COEFFICIENTS


@njit(inline="always")
def exponential(x: np.float32) -> np.float32:
    """Compute e^x for x <= 0; NaN stays NaN, since it fails comparisons."""
    within = SMALLEST if x < SMALLEST else x  # noqa: FURB136
    power = np.floor(within * LOG2_E + np.float32(0.5))
    rest = within - power * LN2_HIGH - power * LN2_LOW
    polynomial = ((((C5 * rest + C4) * rest + C3) * rest + C2) * rest + C1) * rest + C0
    bits = (np.int32(power) + np.int32(EXPONENT_OF_ONE)) << np.int32(MANTISSA_BITS)
    value = (polynomial * rest * rest + rest + np.float32(1)) * float_of_bits(np.int32(bits))
    return np.float32(0) if x < SMALLEST else value
