"""`web`: the page and the HTTP API, until a signal."""

import socket
import threading

from nifos_stream import logs
from nifos_stream.errors import UserError
from nifos_stream.service import stop_on_signals
from nifos_stream.settings import Settings

log = logs.get("web")

_EXTRA = ("fastapi", "starlette", "uvicorn")
_BACKLOG = 1024
MOST_CONNECTIONS = 2000
_GRACE_SECONDS = 5
# The kernel drops a connection whose other end takes nothing for so long.
_UNTAKEN_MILLISECONDS = 30_000


def run_web(settings: Settings) -> None:
    """Answer at `web.listen` until SIGTERM or SIGINT. Redis and the model may come and go meanwhile.

    UserError when the extra is missing, the address cannot be listened on, or it needs a token.
    """
    try:
        import uvicorn

        from nifos_stream.watch.api import create_app
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in _EXTRA:
            raise
        raise UserError(
            f"The web API needs more packages ({error.name}): pip install 'nifos-stream[web]'."
        ) from None

    app = create_app(settings)

    class Server(uvicorn.Server):
        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.hub.close()  # Else it would wait for viewers who mean to stay.
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="critical",  # What fails is logged by the app itself.
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    # uvicorn raises the signal again when it is done; it must find a handler that lets the program end well.
    with listening(settings.web.listen) as sock, stop_on_signals(threading.Event()):
        log.info("web.listening", url=_url(sock))
        Server(config).run(sockets=[sock])
    log.info("web.ended")


def listening(listen: str) -> socket.socket:
    """A socket that listens at HOST:PORT; port 0 takes a free one. UserError when it cannot."""
    from nifos_stream.watch.api.guard import address

    host, port = address(listen)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sock = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as error:
        # asyncio and socket add in brackets what they were at.
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]
        raise UserError(f"The web port cannot be opened at {listen}: {reason} (NIFOS_WEB__LISTEN).") from None
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNTAKEN_MILLISECONDS)
    return sock


def _url(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"
