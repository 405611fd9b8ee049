"""The files of the page, from this package, and Plotly's script from its own. Knows no counts."""

import functools
import gzip
import hashlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

INDEX = "index.html"
PLOTLY = "plotly.min.js"
HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "img-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            # No script of the page, Plotly's neither, may turn a string into markup.
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    ),
    # Asked for again each time, and sent again only where it has changed.
    "Cache-Control": "no-cache",
    "Vary": "Accept-Encoding",
}
_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


class File:
    """One file as it is sent. packed: the same, compressed."""

    def __init__(self, name: str, body: bytes) -> None:
        self.body = body
        self.packed = gzip.compress(body, 6, mtime=0)
        self.media_type = _MEDIA_TYPES[Path(name).suffix]
        self.etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'

    def response(self, request: Request) -> Response:
        """What a browser gets that may have the file already."""
        headers = {**HEADERS, "ETag": self.etag}
        if request.headers.get("if-none-match") == self.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.body, media_type=self.media_type, headers=headers)
        return Response(
            self.packed, media_type=self.media_type, headers={**headers, "Content-Encoding": "gzip"}
        )


def routes() -> APIRouter:
    """`/`, and the files that it names."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    def index(request: Request) -> Response:
        return _file(INDEX).response(request)

    @router.get("/page/{name}")
    def file(name: str, request: Request) -> Response:
        if name not in _places():
            raise HTTPException(404)
        return _file(name).response(request)

    return router


@functools.cache
def _file(name: str) -> File:
    return File(name, _places()[name].read_bytes())


@functools.cache
def _places() -> dict[str, Traversable]:
    """Where each file lies; Plotly's script is missing where its package is."""
    folder = files("nifos_stream.watch").joinpath("page")
    places = {file.name: file for file in folder.iterdir() if Path(file.name).suffix in _MEDIA_TYPES}
    spec = find_spec("plotly")
    for place in (spec and spec.submodule_search_locations) or ():
        script = Path(place, "package_data", PLOTLY)
        if script.is_file():
            places[PLOTLY] = script
    return places
