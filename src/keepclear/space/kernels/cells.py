"""The number of a cell and its part from a place in parts, in 32-bit whole numbers.

Numba widens every whole number to 64 bits, and half as many fit a vector then.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

__all__ = ["part_of"]


def _part_of(typing_context: Any, x: Any, y: Any, columns: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        whole = ir.IntType(32)
        three, seven, six = (ir.Constant(whole, number) for number in (3, 7, 6))
        east, north = (builder.fptosi(place, whole) for place in arguments[:2])
        row = builder.mul(builder.lshr(north, three), arguments[2])
        cell = builder.add(row, builder.lshr(east, three))
        part = builder.or_(builder.shl(builder.and_(north, seven), three), builder.and_(east, seven))
        return builder.or_(builder.shl(cell, six), part)

    return types.int32(types.float64, types.float64, types.int32), generate


part_of: Any = intrinsic(_part_of)
"""``part_of(x, y, columns)``: cell << 6 | part of a place x, y parts of a cell east and north of the raster's corner,
neither below 0 nor beyond the raster, which has so many columns of cells."""
