"""A hint to the processor: this will be read soon."""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils, types
from numba.extending import intrinsic

__all__ = ["prefetch"]


def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    signature = types.void(array, index)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        address = ir.IntType(64)
        kind = signature.args[0]
        data = context.make_array(kind)(context, builder, arguments[0]).data
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        at = arguments[1]
        if at.type.width < 64:
            at = builder.zext(at, address)
        place = builder.add(builder.ptrtoint(data, address), builder.mul(at, address(size)))
        pointer = builder.inttoptr(place, ir.IntType(8).as_pointer())
        flag = ir.IntType(32)
        hint = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
            builder.module, ir.FunctionType(ir.VoidType(), [pointer.type, flag, flag, flag]), "llvm.prefetch.p0"
        )
        builder.call(hint, [pointer, flag(0), flag(3), flag(1)])  # to read, to keep, data
        return context.get_dummy_value()

    return signature, generate


prefetch: Any = intrinsic(_prefetch)
"""``prefetch(array, index)`` fetches the cache line of the index-th number of a contiguous array.

The index is unsigned. It never faults, even out of bounds.
"""
