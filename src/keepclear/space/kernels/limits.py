"""Whether an altitude and a time are beyond limits: four comparisons at once and no branch.

Compiled from four comparisons in Python they become branches that the processor guesses wrong every other time.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

__all__ = ["beyond"]


def _beyond(typing_context: Any, limit: Any, first: Any, altitude: Any, time: Any) -> Any:
    signature = types.uintp(limit, first, altitude, time)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        limits, at, h, t = arguments
        data = context.make_array(signature.args[0])(context, builder, limits).data
        four = ir.VectorType(ir.DoubleType(), 4)
        place = builder.bitcast(builder.gep(data, [at]), four.as_pointer())
        limit = builder.load(place, align=8)
        values = ir.Constant(four, ir.Undefined)
        for k, value in enumerate((h, h, t, t)):
            values = builder.insert_element(values, value, ir.IntType(32)(k))
        # The signs of the upper limits and of what is held against them are turned: all four are «less than».
        turn = ir.Constant(ir.VectorType(ir.IntType(64), 4), [0, 1 << 63, 0, 1 << 63])
        whole = turn.type
        values, limit = (builder.bitcast(builder.xor(builder.bitcast(v, whole), turn), four) for v in (values, limit))
        less = builder.fcmp_ordered("<", values, limit)
        some = builder.icmp_unsigned("!=", builder.bitcast(less, ir.IntType(4)), ir.IntType(4)(0))
        return builder.zext(some, ir.IntType(64))

    return signature, generate


beyond: Any = intrinsic(_beyond)
"""``beyond(limit, first, altitude, time)``: 1 if altitude is not within limit[first] to limit[first + 1] or time not
within the next two, else 0; what is not a number is within."""
