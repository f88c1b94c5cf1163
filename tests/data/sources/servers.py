"""A file server on this machine that misbehaves as told."""

import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Behaviour:
    """What the server does, and what it was asked.

    Attributes:
        body: the file.
        etag: its version, or None.
        drop_after: bytes after which each of the next connections breaks.
        statuses: answered first, one a request.
        ranges: whether Range is understood.
        location: where to send everybody instead.
        pause_s: how long to wait before each answer.
        requests: the Range header of each request, in order.
    """

    def __init__(self, body, *, etag='"v1"'):
        self.body = body
        self.etag = etag
        self.drop_after = []
        self.statuses = []
        self.ranges = True
        self.wrong_offset = False
        self.declare_length = True
        self.location = None
        self.pause_s = 0
        self.requests = []


@contextmanager
def serving(behaviour):
    """The address of the file while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *args):
            pass

        def do_GET(self):
            _answer(self, behaviour)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/set.zip"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(handler, behaviour):
    asked = handler.headers.get("Range")
    behaviour.requests.append(asked)
    time.sleep(behaviour.pause_s)
    if behaviour.statuses:
        handler.send_response(behaviour.statuses.pop(0))
        handler.end_headers()
        return
    if behaviour.location:
        handler.send_response(302)
        handler.send_header("Location", behaviour.location)
        handler.end_headers()
        return
    start, size = 0, len(behaviour.body)
    condition = handler.headers.get("If-Range")
    if asked and behaviour.ranges and condition in (None, behaviour.etag):
        start = int(asked.removeprefix("bytes=").rstrip("-"))
        if start >= size:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{size}")
            handler.end_headers()
            return
        handler.send_response(206)
        shown = start + 1 if behaviour.wrong_offset else start
        handler.send_header("Content-Range", f"bytes {shown}-{size - 1}/{size}")
    else:
        handler.send_response(200)
    if behaviour.etag:
        handler.send_header("ETag", behaviour.etag)
    if behaviour.declare_length:
        handler.send_header("Content-Length", str(size - start))
    handler.end_headers()
    stop = start + behaviour.drop_after.pop(0) if behaviour.drop_after else size
    handler.wfile.write(behaviour.body[start:stop])
