"""The decisions of a node's folder, which grow, or of an exported record, verified: what zones are held against."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keepclear.channel.record.verify import verify_export
from keepclear.channel.store import Store
from keepclear.decisions.procedure.docket import Docket
from keepclear.decisions.procedure.reading import take_new
from keepclear.decisions.procedure.recomputation import fill_docket
from keepclear.edge.channel.files import open_record
from keepclear.edge.channel.node_folder import NodeFolder
from keepclear.errors import InputError

__all__ = ["DecisionSource"]


@dataclass(slots=True)
class DecisionSource:
    _docket: Docket
    _store: Store | None = None
    """of a node; a record does not change"""

    @classmethod
    def open(cls, path: Path) -> DecisionSource:
        """Raises :class:`InputError` for what is neither, and for a record that does not verify."""
        folder = NodeFolder(path)
        if folder.card_file.exists():
            store = folder.open_store()
            return cls(Docket(store.channel), store)
        files = open_record(path)
        found = verify_export(files)
        if not found.verified:
            first = next(iter(found.findings.kept), None)
            raise InputError(f"the record is NOT VERIFIED ({first}): nothing is shown by it", source=str(path))
        return cls(fill_docket(files, found))

    def docket(self) -> Docket:
        """With whatever has come since."""
        if self._store is not None:
            take_new(self._docket, self._store)
        return self._docket
