"""The page itself: static files built from ``web/`` into the package."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

__all__ = ["STATIC_DIR", "routes"]

STATIC_DIR = Path(__file__).parent / "static"

# Some systems' own tables call a module plain text, and a browser told not to sniff then refuses to run it.
for _suffix in (".js", ".mjs"):
    mimetypes.add_type("text/javascript", _suffix)


class ConsoleFiles(StaticFiles):
    """Files named by their content's hash are kept for good; the page that names them is asked for each time."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        if Path(path).name.startswith("."):  # the build's stamp is nobody's business
            raise HTTPException(status_code=404)
        response = await super().get_response(path, scope)
        hashed = path.startswith("assets/") and response.status_code == 200
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
        return response


def routes(static_dir: Path | None) -> list[BaseRoute]:
    folder = STATIC_DIR if static_dir is None else static_dir
    if (folder / "index.html").is_file():
        return [Mount("/", ConsoleFiles(directory=folder, html=True))]

    async def absent(_: Request) -> Response:
        return PlainTextResponse(
            "The console page is not in this installation: it is built when Keepclear is installed with pip "
            "(`pip install .` with the npm registry in reach). The data are at /api/snapshot and /events.\n",
            status_code=503,
        )

    return [Route("/", absent, methods=["GET"])]
