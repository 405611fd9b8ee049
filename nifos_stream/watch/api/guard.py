"""Who may ask, how much, and which headers every answer carries. Knows no route."""

import hmac
import ipaddress
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from nifos_stream import logs
from nifos_stream.errors import Refusal, UserError
from nifos_stream.settings import WebSettings
from nifos_stream.watch.api import problem

log = logs.get("web")

MAX_BODY_BYTES = 65_536
_OPEN_PATHS = ("/healthz", "/")
_OPEN_FOLDER = "/page/"
"""What the page is made of is no secret, and it asks for the token itself."""
_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_TOO_LARGE = f"The body is larger than {MAX_BODY_BYTES:,} bytes."
HEADERS = {
    # No answer but the page, which says so itself, is a document; a browser that is led to show one loads and
    # runs nothing.
    "Content-Security-Policy": "; ".join(
        ("default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True, slots=True)
class Access:
    """hosts: names under which callers may address the program; None for any. token: None for nobody's."""

    hosts: frozenset[str] | None
    token: bytes | None


def access(settings: WebSettings) -> Access:
    """Who may ask a program that listens there. UserError when others than this machine could, unasked."""
    host = address(settings.listen)[0].lower()
    token = settings.token.get_secret_value().encode() if settings.token is not None else None
    if _is_loopback(host):
        return Access(_LOOPBACK_NAMES | {host}, token)
    if token is None:
        raise UserError(
            f"Other machines can reach {settings.listen}, and whoever does could read the counts: set a token"
            " that callers must show (NIFOS_WEB__TOKEN), or listen on 127.0.0.1."
        )
    return Access(None, token)


def address(listen: str) -> tuple[str, int]:
    """Host, without brackets, and port of HOST:PORT; no host is this machine alone."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]") or "127.0.0.1", int(port)


class Guard:
    """Middleware around everything: refuses, limits bodies, adds headers, and answers for what broke."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def sent(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            refused, inner = self._judged(scope)
            await (refused or self._app)(inner, _limited(receive), sent)
        except Exception:
            log.exception("request.failed", path=scope["path"])
            if not started:
                await problem.response(500, problem.BROKEN, Refusal.BROKEN)(scope, receive, sent)

    def _judged(self, scope: Scope) -> tuple[ASGIApp | None, Scope]:
        """The refusal, if it is refused; else the request without its token."""
        headers = Headers(scope=scope)
        if self._access.hosts is not None and _host(headers.get("host", "")) not in self._access.hosts:
            # A page elsewhere whose name was made to resolve to this machine (DNS rebinding).
            said = "Ask under the address of this machine, such as 127.0.0.1."
            return problem.response(400, said, Refusal.OTHER_ADDRESS), scope
        if headers.get("sec-fetch-site") == "cross-site" and headers.get("sec-fetch-mode") != "navigate":
            said = "Pages of other sites may not ask here."
            return problem.response(403, said, Refusal.OTHER_SITE), scope
        if int(headers.get("content-length") or 0) > MAX_BODY_BYTES:
            return problem.response(413, _TOO_LARGE, Refusal.BODY_TOO_LARGE), scope
        inner, tokens = _without_token(scope)
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            tokens.append(shown.strip().encode("latin-1"))
        if not _is_open(scope["path"]) and not self._is_known(tokens):
            said = "Show the token, as Authorization: Bearer TOKEN or as ?token=TOKEN."
            shows = {"WWW-Authenticate": "Bearer"}
            return problem.response(401, said, Refusal.TOKEN_NEEDED, headers=shows), scope
        return None, inner

    def _is_known(self, tokens: list[bytes]) -> bool:
        wanted = self._access.token
        return wanted is None or any(hmac.compare_digest(shown, wanted) for shown in tokens)


def _is_open(path: str) -> bool:
    return path in _OPEN_PATHS or path.startswith(_OPEN_FOLDER)


def _without_token(scope: Scope) -> tuple[Scope, list[bytes]]:
    """The request as if it had no `token` in its query, and what stood there."""
    kept, tokens = [], []
    for part in scope["query_string"].split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"token":
            tokens.append(unquote_to_bytes(value.replace(b"+", b" ")))
        else:
            kept.append(part)
    return {**scope, "query_string": b"&".join(kept)}, tokens


def _limited(receive: Receive) -> Receive:
    """The same, but a body that says nothing of its length ends when it is too long."""
    taken = 0

    async def limited() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > MAX_BODY_BYTES:
            raise problem.Refused(413, _TOO_LARGE, Refusal.BODY_TOO_LARGE)
        return message

    return limited


def _host(header: str) -> str:
    """Name or address of a Host header, without port and brackets."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
