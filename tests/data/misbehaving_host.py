"""A local web server that misbehaves in every way a real one may, and files that it offers."""

import contextlib
import hashlib
import socket
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from dlbook.data.files.types import Collection, RemoteFile

CONTENT = np.random.default_rng(0).bytes(200_000)
SIZE = len(CONTENT)
PAGE = b"<!DOCTYPE html>\n<html><body>Please log in to the school network.</body></html>"


class Handler(BaseHTTPRequestHandler):
    """Answers /<behaviour>/<name>."""

    def do_GET(self):
        behaviour = self.path.split("/")[1]
        self.server.asked[behaviour] += 1
        # the client gives up some of these, as it should
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            getattr(self, "answer_" + behaviour)()

    def start(self, status=200, kind="application/octet-stream", length=SIZE, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def answer_good(self):
        self.start()
        self.wfile.write(CONTENT)

    def answer_truncated(self):
        self.start()
        self.wfile.write(CONTENT[:90_000])

    def answer_short(self):
        self.start(length=None)
        self.wfile.write(CONTENT[:90_000])

    def answer_empty(self):
        self.start(length=0)

    def answer_altered(self):
        self.start()
        self.wfile.write(b"?" + CONTENT[1:])

    def answer_page(self):
        self.start(kind="text/html; charset=utf-8", length=len(PAGE))
        self.wfile.write(PAGE)

    def answer_missing(self):
        self.start(status=404, kind="text/html", length=len(PAGE))
        self.wfile.write(PAGE)

    def answer_broken(self):
        self.start(status=500, length=0)

    def answer_flaky(self):
        if self.server.asked["flaky"] == 1:
            self.start(status=500, length=0)
        else:
            self.answer_good()

    def answer_hangup_then_good(self):
        if self.server.asked["hangup_then_good"] == 1:
            self.connection.shutdown(socket.SHUT_RDWR)
        else:
            self.answer_good()

    def answer_hangup(self):
        self.connection.shutdown(socket.SHUT_RDWR)

    def answer_silent(self):
        self.server.closing.wait(30)

    def answer_stalled(self):
        self.start()
        self.wfile.write(CONTENT[:90_000])
        self.server.halfway.set()
        self.server.closing.wait(30)

    def answer_too_much(self):
        self.start(length=None)
        while not self.server.closing.is_set():
            self.wfile.write(CONTENT)

    def answer_larger(self):
        self.start(length=len(CONTENT) + 10)
        self.wfile.write(CONTENT + b"0123456789")

    def answer_labelled_gzip(self):
        self.start(Content_Encoding="gzip")
        self.wfile.write(CONTENT)

    def answer_moved(self):
        self.start(status=302, length=0, Location="/good/file.bin")

    def answer_slow(self):
        self.start()
        for i in range(0, len(CONTENT), 20_000):
            self.wfile.write(CONTENT[i : i + 20_000])
            time.sleep(0.02)

    def log_message(self, *args):
        pass


class Host:
    """The misbehaving server: ``url(behaviour)``, and ``asked`` counts the requests."""

    def __init__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.asked = Counter()
        self.server.closing = threading.Event()
        self.server.halfway = threading.Event()
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.thread.start()
        self.asked = self.server.asked
        self.halfway = self.server.halfway
        self.name = f"127.0.0.1:{self.server.server_address[1]}"

    def url(self, behaviour: str) -> str:
        return f"http://{self.name}/{behaviour}/file.bin"

    def close(self):
        self.server.closing.set()
        self.server.shutdown()
        self.server.server_close()


def make_file(*urls: str, path: str = "toy/file.bin", content: bytes = CONTENT) -> RemoteFile:
    return RemoteFile(path, len(content), hashlib.sha256(content).hexdigest(), urls)


def make_collection(*files: RemoteFile) -> Collection:
    return Collection("toy", "Toy data", files, "none", "nobody", "http://127.0.0.1/")


def put(folder: Path, content: bytes = CONTENT) -> Path:
    """Puts a copy of the toy file, or what passes for one, into a mirror or cache folder."""
    path = folder / "toy" / "file.bin"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
