"""Eight discs held against another at once, in the registers that hold eight numbers; nothing here branches."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["EIGHT", "PLACE", "lowest", "touching"]

EIGHT = 8
PLACE = 6
"""rows of a ``place``: x, y, z, reach, middle and half-length of the span"""


def _touching(
    typing_context: Any, place: Any, at: Any, x: Any, y: Any, z: Any, reach: Any, middle: Any, half: Any
) -> Any:
    return types.uint64(place, types.uintp, *[types.float32] * PLACE), _compare


def _compare(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    at, values = arguments[1], arguments[2:]
    eight, flag = ir.VectorType(ir.FloatType(), EIGHT), ir.IntType(32)
    length = builder.extract_value(array.shape, 1)
    none = ir.Constant(eight, ir.Undefined)
    same = ir.Constant(ir.VectorType(flag, EIGHT), [0] * EIGHT)

    def row(k: int) -> Any:
        address = builder.gep(array.data, [builder.add(builder.mul(length, length.type(k)), at)])
        return builder.load(builder.bitcast(address, eight.as_pointer()), align=4)

    x, y, z, reach, middle, half = (
        builder.shuffle_vector(builder.insert_element(none, value, flag(0)), none, same) for value in values
    )
    size = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, ir.FunctionType(eight, [eight]), "llvm.fabs.v8f32"
    )
    squares = []
    for k, value in enumerate((x, y, z)):
        apart = builder.fsub(row(k), value)
        squares.append(builder.fmul(apart, apart))
    both = builder.fadd(row(3), reach)
    near = builder.fcmp_ordered(
        "<=", builder.fadd(builder.fadd(squares[0], squares[1]), squares[2]), builder.fmul(both, both)
    )
    apart = builder.call(size, [builder.fsub(row(4), middle)])
    # unordered: a span that is not known touches every other
    level = builder.fcmp_unordered("<=", apart, builder.fadd(row(5), half))
    return builder.zext(builder.bitcast(builder.and_(near, level), ir.IntType(EIGHT)), ir.IntType(64))


touching: Any = intrinsic(_touching)
"""``touching(place, at, x, y, z, reach, middle, half)``: bit k is set if disc ``at + k`` of ``place``, float32
[PLACE, n], touches the one given, on Earth and on the line of the spans. All eight are read: leave room behind."""


def _lowest(typing_context: Any, number: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.uint64(types.uint64), generate


lowest: Any = intrinsic(_lowest)
"""``lowest(number)``: the place of the lowest bit that is set, of an unsigned number above 0."""
