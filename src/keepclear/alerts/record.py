"""An alert as one JSON text and back, without loss: what a store keeps. (For lines to people's programs: events.)"""

from __future__ import annotations

import json
import math
import types
import typing
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from keepclear.alerts.model import Alert
from keepclear.errors import InputError

__all__ = ["decode_alert", "encode_alert", "plain"]


def encode_alert(alert: Alert) -> str:
    """JSON with numbers in full; nan is null, infinities are the texts «inf» and «-inf»."""
    return json.dumps(plain(alert), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def decode_alert(text: str) -> Alert:
    """The same alert again. Fields that a later version added take their defaults.

    Raises :class:`InputError` for a text that :func:`encode_alert` did not write.
    """
    try:
        alert = _revived(Alert, json.loads(text))
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(f"not a kept alert ({type(error).__name__}: {error})") from None
    assert isinstance(alert, Alert)
    return alert


def plain(value: Any) -> Any:
    """Records, enums, tuples, sets and mappings as JSON values."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None if math.isnan(value) else str(value)
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, frozenset | set):
        return sorted(plain(item) for item in value)
    if isinstance(value, typing.Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value


@cache
def _types(record: type) -> dict[str, Any]:
    return typing.get_type_hints(record)


def _revived(kind: Any, value: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        if value is None:
            return None
        return _revived(next(k for k in typing.get_args(kind) if k is not type(None)), value)
    if origin is tuple:
        if not isinstance(value, list):
            raise TypeError(f"a list was expected, not {value!r}")
        return tuple(_revived(typing.get_args(kind)[0], item) for item in value)
    if is_dataclass(kind):
        if not isinstance(value, dict):
            raise TypeError(f"an object was expected, not {value!r}")
        assert isinstance(kind, type)
        hints = _types(kind)
        return kind(**{name: _revived(hints[name], item) for name, item in value.items()})
    if kind is float:
        return math.nan if value is None else float(value)
    if issubclass(kind, Enum):
        return kind(value)
    if not isinstance(value, kind):
        raise TypeError(f"{kind.__name__} was expected, not {value!r}")
    return value
