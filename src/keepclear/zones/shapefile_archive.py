"""What GDAL gets of a zip archive of shapefiles: their own files and nothing else.

GDAL looks at the content, not at the name. A file in the archive, whatever it is called, may be one of its formats that
name other files of this machine or addresses in the network (a VRT, a service description), which it would then read.
"""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath

from keepclear.errors import InputError, LimitExceeded
from keepclear.zones import zip_archive

__all__ = ["only_shapefiles"]

SHAPEFILES_MAX = 100
BYTES_MAX = 256 << 20
"""Unpacked, all together: the airspaces of the world take less than half of it."""
_COMPANIONS = (".shx", ".dbf", ".prj", ".cpg")
_MAGIC = (9994).to_bytes(4, "big")
"""File code of .shp and .shx (ESRI Shapefile Technical Description, 1998, tables 1 and «Index File Header»)."""


def only_shapefiles(data: bytes, source: str) -> bytes:
    """An archive of every ``.shp`` with its companions, side by side; raises :class:`InputError`."""
    files: dict[str, bytes] = {}
    left = BYTES_MAX
    with zip_archive.open_archive(data, source) as archive:
        entries = {e.filename.replace("\\", "/").lower(): e for e in archive.infolist() if not e.is_dir()}
        shapes = [PurePosixPath(name) for name in entries if name.endswith(".shp")]
        if not shapes:
            raise InputError("there is no .shp in this archive", source=source)
        if len(shapes) > SHAPEFILES_MAX:
            raise LimitExceeded(f"the archive has {len(shapes):,} shapefiles, more than {SHAPEFILES_MAX}",
                                source=source)  # fmt: skip
        for number, shape in enumerate(shapes):
            stem = PurePosixPath(entries[str(shape)].filename.replace("\\", "/")).stem
            if f"{stem}.shp" in files:
                stem = f"{stem}_{number}"  # of the same name in another folder
            for suffix in (".shp", *_COMPANIONS):
                entry = entries.get(str(shape.with_suffix(suffix)))
                if entry is None:
                    if suffix == ".shx":
                        raise InputError("the shapefile's .shx is missing beside it", where=str(shape)[:80],
                                         source=source)  # fmt: skip
                    continue
                content = zip_archive.read_entry(archive, entry, left, source)
                if suffix in (".shp", ".shx") and not content.startswith(_MAGIC):
                    raise InputError("this is no shapefile: it does not begin with its file code, 9994",
                                     where=entry.filename[:80], source=source)  # fmt: skip
                left -= len(content)
                files[stem + suffix] = content
    return zip_archive.pack(files, zipfile.ZIP_STORED)
