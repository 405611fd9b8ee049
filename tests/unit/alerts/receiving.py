"""A real HTTP server on this machine that is told what to answer."""

import contextlib
import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def receiving(*answers, after_seconds=0.0):
    """A server that answers so, in turn, the last one for ever. Yields its URL and what it was sent.

    An answer may be a function that says it.
    """
    received, waiting = [], list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers), sent))
            time.sleep(after_seconds)
            answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            status, more = answer() if callable(answer) else answer
            self.send_response(status)
            for name, value in more.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def dripping(answer, at_once=b"", every_seconds=0.05, on_call=lambda: None):
    """A server that answers a byte now and then, whatever it is sent. Yields its URL.

    on_call: told of each that calls.
    """
    stop = threading.Event()

    def drip(connection):
        with connection, contextlib.suppress(OSError):  # Whoever asked may leave.
            connection.sendall(at_once)
            for byte in answer:
                if stop.wait(every_seconds):
                    return
                connection.sendall(bytes([byte]))

    def serve():
        while True:
            connection, _ = server.accept()
            if stop.is_set():
                connection.close()
                return
            on_call()
            threads.append(threading.Thread(target=drip, args=(connection,)))
            threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as server:
        threads = [threading.Thread(target=serve)]
        threads[0].start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/hook"
        finally:
            stop.set()
            socket.create_connection(server.getsockname()).close()
            for thread in threads:
                thread.join()
