"""A gate before a REST catalog: it asks for a token, and may lose answers."""

from __future__ import annotations

import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.parse import urlsplit


class Gate:
    """Passes requests with the right token on to a catalog. Use as a context manager."""

    def __init__(self, uri: str, token: str | None = None) -> None:
        self.target = uri
        self.token = token
        # Answers to commits that are still to be lost: the catalog has done what was asked for.
        self.losses = 0
        self.lost = 0
        gate = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                gate.handle(self)

            def do_POST(self) -> None:
                gate.handle(self)

            def log_message(self, format: str, *args: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Gate:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def uri(self) -> str:
        """What a catalog's `uri` is to be."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def handle(self, request: BaseHTTPRequestHandler) -> None:
        """Asks for the token, passes on, and answers or loses the answer."""
        size = int(request.headers.get("Content-Length") or 0)
        body = request.rfile.read(size) if size else None
        if self.token and request.headers.get("Authorization") != f"Bearer {self.token}":
            self._answer(
                request,
                401,
                b'{"error":{"message":"Not authorized","type":"NotAuthorizedException",'
                b'"code":401}}',
            )
            return
        status, answer = self._pass_on(request, body)
        path = urlsplit(request.path).path
        if body is not None and "/tables/" in path and status == 200 and self.losses > 0:
            self.losses -= 1
            self.lost += 1
            request.close_connection = True
            return
        self._answer(request, status, answer)

    def _pass_on(self, request: BaseHTTPRequestHandler, body: bytes | None) -> tuple[int, bytes]:
        onward = urllib.request.Request(
            self.target + request.path,
            data=body,
            headers={"Content-Type": "application/json"},
            method=request.command,
        )
        try:
            with urllib.request.urlopen(onward, timeout=60) as answer:
                found: bytes = answer.read()
                return int(answer.status), found
        except urllib.error.HTTPError as error:
            return int(error.code), error.read()

    @staticmethod
    def _answer(request: BaseHTTPRequestHandler, status: int, body: bytes) -> None:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
