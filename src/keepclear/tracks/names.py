"""Names that keep their number from batch to batch, and are forgotten when nothing bears them any more."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from keepclear.feeds.reports import Labels

__all__ = ["NameTable"]

Codes = npt.NDArray[np.int32]


class NameTable:
    """A growing dictionary encoding. Batches bring their own dictionaries; decoders often repeat the last one,
    which is recognised, so that a steady feed costs one comparison and one gather."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._names: tuple[str, ...] = ()
        self._theirs: tuple[str, ...] = ()
        self._ours: Codes = np.full(1, -1, dtype=np.int32)
        """our code for each of ``_theirs``, -2 where not asked for yet; the last entry answers code -1"""

    def __len__(self) -> int:
        return len(self._index)

    @property
    def names(self) -> tuple[str, ...]:
        if len(self._names) != len(self._index):
            self._names = tuple(self._index)
        return self._names

    def codes_of(self, labels: Labels) -> Codes:
        """Our codes of the labels; new names are entered, but only those that a row bears."""
        if labels.names is not self._theirs and labels.names != self._theirs:
            ours = np.full(len(labels.names) + 1, -2, dtype=np.int32)
            ours[-1] = -1
            known = len(self._theirs)
            if labels.names[:known] == self._theirs:  # a decoder that adds names as it hears them
                ours[:known] = self._ours[:-1]
            self._theirs, self._ours = labels.names, ours
        codes = self._ours[labels.codes]
        if codes.min(initial=0) == -2:
            asked = np.zeros(len(self._theirs), dtype=np.bool_)
            asked[labels.codes[codes == -2]] = True
            index, theirs = self._index, self._theirs
            wanted = np.flatnonzero(asked)
            self._ours[wanted] = [index.setdefault(theirs[c], len(index)) for c in wanted.tolist()]
            codes = self._ours[labels.codes]
        return codes

    def pack(self, borne: Codes) -> Codes:
        """Forget every name whose code is not in ``borne``; returns the new code of each old one (-1: forgotten),
        with one more entry at the end, so that code -1 stays -1."""
        keep = np.zeros(len(self._index), dtype=np.bool_)
        keep[borne[borne >= 0]] = True
        new = np.full(len(self._index) + 1, -1, dtype=np.int32)
        new[:-1][keep] = np.arange(int(np.count_nonzero(keep)), dtype=np.int32)
        names = self.names
        self._index = {names[c]: i for i, c in enumerate(np.flatnonzero(keep).tolist())}
        self._names = ()
        self._theirs = ()
        self._ours = np.full(1, -1, dtype=np.int32)
        return new
