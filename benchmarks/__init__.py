"""Measurements: ``python -m benchmarks.NAME --help`` says what each measures."""

import sys
from types import TracebackType


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A peer or a test package that is not installed is no defect here, and needs no traceback."""
    name = (getattr(error, "name", None) or "").split(".")[0]
    if isinstance(error, ModuleNotFoundError) and name and name not in ("keepclear", "benchmarks", "tests"):
        print(
            f"this benchmark needs {name}, which is not installed here: pip install --group bench --group test",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _one_line
