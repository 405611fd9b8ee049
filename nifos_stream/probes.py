"""Health and metrics over HTTP: /healthz, /readyz, /metrics. Knows no stage's work."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET6

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from nifos_stream.errors import UserError
from nifos_stream.metrics import Metrics
from nifos_stream.stage import Health

HealthReport = Callable[[], Mapping[str, Health]]


@contextmanager
def serve_probes(listen: str, health: HealthReport, metrics: Metrics) -> Iterator[int]:
    """Answer probes at `listen` (HOST:PORT; port 0 takes a free one) while the block runs; yields the port.

    UserError when the address cannot be listened on.
    """
    host, _, port = listen.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    server_class = _ServerV6 if ":" in host else ThreadingHTTPServer
    try:
        server = server_class((host, int(port)), _handler(health, metrics))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"The HTTP port cannot be opened at {listen}: {reason} (NIFOS_HTTP__LISTEN)."
        ) from None
    thread = threading.Thread(target=server.serve_forever, name="probes", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _ServerV6(ThreadingHTTPServer):
    address_family = AF_INET6


def _handler(health: HealthReport, metrics: Metrics) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path == "/metrics":
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(metrics.registry))
            elif path in ("/healthz", "/readyz"):
                report = health()
                well = all(stage.ok if path == "/healthz" else stage.ready for stage in report.values())
                body = json.dumps({name: asdict(stage) for name, stage in report.items()}).encode()
                self._answer(200 if well else 503, "application/json", body)
            else:
                self._answer(404, "text/plain", b"Here are /healthz, /readyz and /metrics.\n")

        def _answer(self, status: int, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server has
            """Keep quiet: a probe every few seconds is no event."""

    return Handler
