"""The bits of a float32 as an int32 and back, in compiled loops."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.extending import intrinsic


def _float_of_bits(_context: Any, bits: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.FloatType())

    return types.float32(types.int32), generate


def _bits_of_float(_context: Any, number: Any) -> Any:
    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(32))

    return types.int32(types.float32), generate


float_of_bits: Any = intrinsic(_float_of_bits)
"""Read the bits of an int32 as a float32."""

bits_of_float: Any = intrinsic(_bits_of_float)
"""Read the bits of a float32 as an int32."""
