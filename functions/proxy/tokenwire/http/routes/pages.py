"""The page, the API reference and ``tokenwire.js``: all from this server."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from ...gateway.services import Services
from ..paths import route_path
from ..plain import Plain

# path: (file, media type). Only what is named here can be fetched.
_FILES = {
    "/": ("index.html", "text/html"),
    "/app.js": ("app.js", "text/javascript"),
    "/markdown.js": ("markdown.js", "text/javascript"),
    "/highlight.js": ("highlight.js", "text/javascript"),
    "/math.js": ("math.js", "text/javascript"),
    "/licenses.txt": ("licenses.txt", "text/plain"),
    "/style.css": ("style.css", "text/css"),
    "/tokenwire.js": ("tokenwire.js", "text/javascript"),
    "/tokenwire.d.ts": ("tokenwire.d.ts", "text/plain"),
    "/docs": ("docs.html", "text/html"),
    "/docs.js": ("docs.js", "text/javascript"),
    "/favicon.svg": ("favicon.svg", "image/svg+xml"),
}
# No inline script or style, no other origin, no frame around the page: a model's answer cannot
# run, and cannot send anything to another server. The blobs are images that the user attaches.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


# tokenwire.js reads this, to send what CloudFront's origin access control requires.
_DIRECT = b'<meta name="tokenwire-front" content="direct">'
_CLOUDFRONT = b'<meta name="tokenwire-front" content="cloudfront">'
# CloudFront adds it to each request to an origin.
_CLOUDFRONT_HEADER = "x-amz-cf-id"


@cache
def _read(name: str, *, cloudfront: bool) -> tuple[bytes, str]:
    body = files("tokenwire.web").joinpath(name).read_bytes()
    if cloudfront and name.endswith(".html"):
        body = body.replace(_DIRECT, _CLOUDFRONT)
    return body, f'"{hashlib.sha256(body).hexdigest()[:16]}"'


async def _page(request: Request, services: Services) -> Response:
    name, media_type = _FILES[route_path(request.scope)]
    body, etag = _read(name, cloudfront=_CLOUDFRONT_HEADER in request.headers)
    headers = {
        "etag": etag,
        "cache-control": "no-cache",
        "content-security-policy": _CSP,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        # Chromium resolves the hosts of links before a user follows them: a link in an answer
        # could send parts of the answer to a name server.
        "x-dns-prefetch-control": "off",
    }
    if name == "tokenwire.js":
        headers["access-control-allow-origin"] = "*"  # a public file, for pages anywhere
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type=media_type, headers=headers)


PAGES = tuple(Plain(path, _page, ("GET", "HEAD"), None) for path in _FILES)
