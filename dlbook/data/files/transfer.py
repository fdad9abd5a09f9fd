"""Reads one file from one host, and gives up in time when the host misbehaves.

``requests`` limits the wait for each single read, so a host that sends a byte now and then can
hold it for ever; nor does it limit the look-up of a host's name. Therefore a thread does the
reading and passes the bytes on, and the caller watches the clock.
"""

from __future__ import annotations

import http
import queue
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

_CHUNK = 1 << 14  # bytes; small, since a part shows up only when it is complete


@dataclass(frozen=True)
class Limits:
    """How long to wait for a host.

    Args:
        connect: seconds to reach it.
        read: seconds without any answer, or between two parts of one.
        slow_window: seconds over which its speed is measured.
        slowest: bytes a second; a host that stays below it for a whole window is given up.
        attempts: how often one address is tried when the connection breaks.
        pause: seconds between two attempts.
    """

    connect: float = 5.0
    read: float = 20.0
    slow_window: float = 20.0
    slowest: float = 20_000.0
    attempts: int = 2
    pause: float = 0.5

    def longest(self, size: int) -> float:
        """Seconds after which a download of ``size`` bytes has ended, well or badly."""
        one_try = self.connect + self.read + self.slow_window + size / self.slowest
        return self.attempts * (one_try + self.pause)


class TransferError(Exception):
    """One host did not give one file.

    Args:
        reason: what happened, in plain words.
        retry: whether another attempt at the same address may help.
        reached: whether the host answered at all.
    """

    def __init__(self, reason: str, *, retry: bool = False, reached: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry = retry
        self.reached = reached


def read_url(url: str, size: int, limits: Limits) -> Iterator[bytes]:
    """Yields the bytes behind an address.

    Args:
        url: the address.
        size: bytes that are expected, exactly.
        limits: how long to wait.

    Yields:
        Parts of the file, in order, ``size`` bytes in all.

    Raises:
        TransferError: when the host does not send exactly ``size`` bytes in time, or sends
            something that is plainly no data file.
    """
    inbox: queue.SimpleQueue = queue.SimpleQueue()  # holds at most the whole file: see _receive
    abandoned = threading.Event()
    threading.Thread(
        target=_receive, args=(url, size, limits, inbox, abandoned), daemon=True
    ).start()
    try:
        yield from _watch(inbox, size, limits)
    finally:
        abandoned.set()


def _watch(inbox: queue.SimpleQueue, size: int, limits: Limits) -> Iterator[bytes]:
    # a host may have several network addresses, each with its own time to connect
    if _next(inbox, 2 * limits.connect) is None:
        raise TransferError("it could not be reached in time", reached=False)
    answer = _next(inbox, limits.connect + limits.read)
    if answer is None:
        raise TransferError("it did not answer in time", reached=False)
    content_type, announced = answer
    received = 0
    window_end, window_bytes = time.monotonic() + limits.slow_window, 0
    while True:
        left = window_end - time.monotonic()
        part = _next(inbox, max(left, 0.0))
        if part == b"":
            break
        if part:
            if received == 0:
                _refuse_web_page(part, content_type)
                if announced not in (None, size):
                    raise TransferError(f"it offers {announced:,} bytes instead of {size:,}")
            received += len(part)
            window_bytes += len(part)
            if received > size:
                raise TransferError(f"it sends more than the {size:,} bytes of the file")
            yield part
        if time.monotonic() >= window_end and received < size:
            if window_bytes < limits.slow_window * limits.slowest:
                raise TransferError(
                    f"it is too slow ({window_bytes:,} bytes in {limits.slow_window:g} s)",
                    reached=False,
                )
            window_end, window_bytes = time.monotonic() + limits.slow_window, 0
    if received < size:
        raise TransferError(f"it stopped after {received:,} of {size:,} bytes", retry=True)


def _next(inbox: queue.SimpleQueue, timeout: float):
    """What the reading thread reports next; ``None`` when nothing came in time."""
    try:
        item = inbox.get(timeout=timeout)
    except queue.Empty:
        return None
    if isinstance(item, TransferError):
        raise item
    return item


def _receive(
    url: str, size: int, limits: Limits, inbox: queue.SimpleQueue, abandoned: threading.Event
) -> None:
    """Reads an address, in a thread of its own.

    Puts into the inbox: "reached", (content type, announced bytes), the parts of the file, b"" at
    the end; a TransferError instead of any of these.
    """
    import requests
    import urllib3

    answered = False
    received = 0
    try:
        _reach(url, limits)
        inbox.put("reached")
        with requests.get(
            url,
            stream=True,
            timeout=(limits.connect, limits.read),
            headers={"Accept-Encoding": "identity", "User-Agent": "dlbook"},
        ) as response:
            answered = True
            if response.status_code != 200:
                raise TransferError(
                    _http_fault(response.status_code), retry=response.status_code >= 500
                )
            length = response.headers.get("Content-Length", "")
            inbox.put(
                (
                    response.headers.get("Content-Type", ""),
                    int(length) if length.isdigit() else None,
                )
            )
            # The bytes as they are: some servers label a .gz file as a compressed transfer, and
            # unpacking it would change its hash.
            for part in response.raw.stream(_CHUNK, decode_content=False):
                if abandoned.is_set():
                    return
                if part:
                    received += len(part)
                    inbox.put(part)
                if received > size:
                    return
            inbox.put(b"")
    except TransferError as error:
        inbox.put(error)
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        inbox.put(_connection_fault(error, answered, received, size))
    except Exception as error:  # a thread that dies silently would look like a slow host
        inbox.put(TransferError(f"{type(error).__name__}: {error}"))


def _reach(url: str, limits: Limits) -> None:
    """Connects once, so that an absent network is known long before ``limits.read`` is over."""
    import requests.utils

    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return  # then only the proxy can tell
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname, port), timeout=limits.connect).close()
    except TimeoutError as error:
        raise TransferError("it could not be reached in time", reached=False) from error
    except OSError as error:
        reason = f"it could not be reached ({_cause(error)})"
        # a name that is not known now will not be known in half a second
        again = not isinstance(error, socket.gaierror)
        raise TransferError(reason, retry=again, reached=False) from error


def _connection_fault(
    error: BaseException, answered: bool, received: int, size: int
) -> TransferError:
    import requests
    import urllib3

    if answered:
        timed_out = isinstance(error, urllib3.exceptions.ReadTimeoutError)
        what = "it fell silent" if timed_out else "the connection broke"
        return TransferError(
            f"{what} after {received:,} of {size:,} bytes", retry=not timed_out, reached=True
        )
    # Who waited in vain once waits in vain twice: no second attempt after a time-out.
    if isinstance(error, requests.ConnectTimeout):
        return TransferError("it could not be reached in time", reached=False)
    if isinstance(error, requests.ReadTimeout):
        return TransferError("it accepted the connection but did not answer", reached=False)
    if isinstance(error, requests.exceptions.SSLError):
        return TransferError(
            "no safe connection could be made (does a proxy read the traffic?)", reached=False
        )
    if isinstance(error, requests.exceptions.ProxyError):
        return TransferError("the proxy could not be used", retry=True, reached=False)
    if isinstance(error, requests.ConnectionError):
        return TransferError(
            f"it could not be reached ({_cause(error)})", retry=True, reached=False
        )
    return TransferError(f"{type(error).__name__}: {error}")


def _cause(error: BaseException) -> str:
    """The operating system's word for a failed connection, dug out of the wrapping errors."""
    seen: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        current = todo.pop()
        if not isinstance(current, BaseException) or current in seen:
            continue
        seen.append(current)
        todo += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        todo += list(current.args)
    if any(isinstance(e, socket.gaierror) for e in seen):
        return "its name is not known: no network?"
    for current in seen:
        if isinstance(current, OSError) and current.errno and current.strerror:
            return current.strerror.lower()
    return "the connection was closed"


def _http_fault(status: int) -> str:
    try:
        return f"HTTP {status} ({http.HTTPStatus(status).phrase.lower()})"
    except ValueError:
        return f"HTTP {status}"


def _refuse_web_page(start: bytes, content_type: str) -> None:
    head = start[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith(b"<") and (
        "html" in content_type.lower() or b"<html" in head or b"<!doctype html" in head
    ):
        raise TransferError("the server sent a web page: a login or proxy page?")


def host_of(url: str) -> str:
    """The host of an address, with its port if it names one."""
    return urlsplit(url).netloc
