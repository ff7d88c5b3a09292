"""A small HTTP server on this machine that knows ranges and plays the faults of real archives, one a request; its log tells what it sent.

    with Server() as server:
        served = server.file("x.fits", content, faults=[cut(1000), status(503), None])
        served.address, server.log

Each request of a file uses up its next fault (None: no fault); when they are used up, the last one is repeated if `lasting` is set.
"""

import base64
import re
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LONGEST = 20.0  # s, that a stalled answer is held open at most


@dataclass
class Request:
    """One request, as the server saw it: `sent` is bytes of body, `begin` the first of them within the file."""

    path: str
    range: str | None
    if_range: str | None
    authorization: str | None
    status: int = 0
    begin: int = 0
    sent: int = 0


@dataclass
class Served:
    """A file of the server; every property may be changed between requests."""

    address: str
    content: bytes
    etag: str | None = '"one"'
    modified: str | None = "Mon, 02 Jan 2023 10:00:00 GMT"
    kind: str | None = "application/octet-stream"
    ranges: bool = True
    compare: bool = True                   # heeds If-Range
    chunked: bool = False
    headers: dict = field(default_factory=dict)
    login: tuple[str, str] | None = None
    faults: list = field(default_factory=list)
    lasting: bool = False
    requests: int = 0


Fault = Callable[["_Handler", Served], bool]  # True: the request is answered


def cut(after: int, reset: bool = False) -> Fault:
    """Close (or reset) the connection after so many bytes of this answer's body."""

    def play(handler, served):
        handler.limit, handler.reset = after, reset
        return False

    return play


def stall(after: int) -> Fault:
    """Send so many bytes of the body, then nothing until the client goes or the server ends."""

    def play(handler, served):
        handler.limit, handler.stalls = after, True
        return False

    return play


def status(code: int, **headers: str) -> Fault:
    """Answer with a status; `Retry_After` becomes Retry-After."""

    def play(handler, served):
        body = b"an error page\n"
        handler.answer(code, {name.replace("_", "-"): value for name, value in headers.items()}, len(body), "text/html")
        handler.body(body)
        return True

    return play


def page(kind: str | None = "text/html; charset=utf-8", begin: bytes = b"<!DOCTYPE html>") -> Fault:
    """A web page instead of the file, with status 200."""

    def play(handler, served):
        body = begin + b"<html><body>Please log in</body></html>"
        handler.answer(200, {}, len(body), kind)
        handler.body(body)
        return True

    return play


def redirect(to: str) -> Fault:
    """Send the client to another address."""
    return status(302, Location=to)


def longer(by: int) -> Fault:
    """State a length that is larger than the file."""

    def play(handler, served):
        handler.more = by
        return False

    return play


def become(**properties) -> Fault:
    """From now on the file is another one."""

    def play(handler, served):
        for name, value in properties.items():
            setattr(served, name, value)
        return False

    return play


def wrong_range(handler: "_Handler", served: Served) -> bool:
    """Answer a range request with the file's first byte."""
    handler.answer(206, {"Content-Range": f"bytes 0-0/{len(served.content)}"}, 1, served.kind)
    handler.body(served.content[:1])
    return True


def capped(most: int) -> Fault:
    """Send at most so many bytes of the range that is asked for, and say so."""

    def play(handler, served):
        begin, total = handler.begin(served), len(served.content)
        rest = served.content[begin : begin + most]
        handler.seen.begin = begin
        described = {"Content-Range": f"bytes {begin}-{begin + len(rest) - 1}/{total}", "ETag": served.etag}
        handler.answer(206, described, len(rest), served.kind)
        handler.body(rest)
        return True

    return play


class _Handler(BaseHTTPRequestHandler):
    limit: int | None = None
    more, stalls, reset = 0, False, False

    def do_GET(self):  # noqa: N802
        headers = self.headers
        self.seen = Request(self.path, headers.get("Range"), headers.get("If-Range"), headers.get("Authorization"))
        server: Server = self.server.owner
        with server.guard:
            server.log.append(self.seen)
            served = server.files.get(self.path.partition("?")[0])
            number = served.requests if served else 0
            if served:
                served.requests += 1
        if served is None:
            status(404)(self, served)
            return
        if served.login and headers.get("Authorization") != "Basic " + base64.b64encode(":".join(served.login).encode()).decode():
            status(401, WWW_Authenticate="Basic realm=archive")(self, served)
            return
        faults = served.faults
        fault = faults[number] if number < len(faults) else faults[-1] if served.lasting and faults else None
        if fault is None or not fault(self, served):
            self._send(served)

    def _send(self, served):
        begin, total = self.begin(served), len(served.content)
        described = {"ETag": served.etag, "Last-Modified": served.modified, **served.headers}
        described = {name: value for name, value in described.items() if value}
        if begin >= total > 0:
            self.answer(416, {"Content-Range": f"bytes */{total}"}, 0, None)
            return
        rest = served.content[begin:]
        if begin:
            described["Content-Range"] = f"bytes {begin}-{total - 1}/{total}"
        if served.chunked:
            self.answer(206 if begin else 200, {**described, "Transfer-Encoding": "chunked"}, None, served.kind)
            pieces = [rest[k : k + 50_000] for k in range(0, len(rest), 50_000)]
            rest = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
        else:
            self.answer(206 if begin else 200, described, len(rest) + self.more, served.kind)
        self.seen.begin = begin
        self.body(rest if self.limit is None else rest[: self.limit])
        if self.stalls:
            self.wfile.flush()
            self.server.owner.ended.wait(LONGEST)

    def begin(self, served) -> int:
        """First byte that is asked for, 0 where the whole file is to be sent."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.seen.range or "")
        known = (served.etag, served.modified)
        if not asked or not served.ranges or (served.compare and self.seen.if_range and self.seen.if_range not in known):
            return 0
        return int(asked[1])

    def answer(self, code, headers, length, kind):
        self.seen.status = code
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        if kind:
            self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def body(self, content):
        try:
            self.wfile.write(content)
            self.seen.sent = len(content)
            if self.reset:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
        except OSError:
            pass  # the client has gone

    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.close_connection = True

    def end_headers(self):
        self.send_header("Connection", "close")
        super().end_headers()

    def log_message(self, *args):
        pass


class Server:
    """The server; `log` lists every request in the order of their arrival."""

    def __init__(self, context=None):
        self.files: dict[str, Served] = {}
        self.log: list[Request] = []
        self.guard, self.ended = threading.Lock(), threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.daemon_threads, self._http.owner = True, self
        if context is not None:
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.host = f"127.0.0.1:{self._http.server_port}"
        self.base = f"{'http' if context is None else 'https'}://{self.host}/"

    def file(self, name: str, content: bytes, **properties) -> Served:
        """Serve a file; properties are those of `Served`."""
        self.files[f"/{name}"] = served = Served(self.base + name, content, **properties)
        return served

    def of(self, name: str) -> list[Request]:
        """Requests of one file."""
        return [request for request in self.log if request.path.partition("?")[0] == f"/{name}"]

    def __enter__(self) -> "Server":
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self.ended.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
