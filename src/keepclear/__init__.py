"""Keepclear keeps aircraft, vehicles, ships and the parties who operate them clear of each other.

``import keepclear as kc`` gives the verbs of the command line as functions over columns::

    result = kc.scan(kc.read_tracks("flights.parquet"), kc.read_zones("closure.txt", firs="firs.geojson"))

Nothing heavy is imported before a verb is used.
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # typing itself takes as long to import as the rest of a start
if TYPE_CHECKING:
    from typing import Any

    from keepclear.node import Watch, conflicts, encounters, read_tracks, read_volumes, read_zones, scan

__all__ = [
    "Watch", "__version__", "conflicts", "encounters", "read_tracks", "read_volumes", "read_zones", "scan",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        from keepclear import node

        return getattr(node, name)
    raise AttributeError(f"module 'keepclear' has no attribute {name!r}")
