"""Requests by several threads on lasting connections: as many as are answered, or so many a second."""

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bench.numbers import percentiles

FAR = 10_000_000


@dataclass(frozen=True, slots=True)
class Request:
    """What one asks of a server."""

    path: str
    headers: dict[str, str]
    body: bytes | None = None

    @property
    def method(self) -> str:
        """POST with a body, else GET."""
        return "GET" if self.body is None else "POST"


def ask(connection: http.client.HTTPConnection, request: Request) -> bytes:
    """Return the body of the answer; raises ``RuntimeError`` if it is none of success."""
    connection.request(request.method, request.path, body=request.body, headers=request.headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 300:  # noqa: PLR2004  anything but success
        raise RuntimeError(f"{request.method} {request.path} was answered {answer.status}: {body[:300]!r}")
    return body


def post(
    port: int, next_request: Callable[[], Request], *, threads: int, seconds: float, rate: float | None = None
) -> dict[str, Any]:
    """
    Send requests for so long; return how many a second, and how long their answers took.

    With a rate they begin at its times, whether the ones before have been answered or not, as long as a thread is free.
    """
    took: list[float] = []
    errors: list[str] = []
    began = time.monotonic()
    times = _times(began, rate, seconds)
    guard = threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while True:
            with guard:
                at = next(times, None)
            if at is None or errors:
                break
            time.sleep(max(0.0, at - time.monotonic()))
            started = time.monotonic()
            try:
                ask(connection, next_request())
            except (OSError, RuntimeError, http.client.HTTPException) as error:
                errors.append(f"{type(error).__name__}: {error}")
                break
            took.append((time.monotonic() - started) * 1000)
        connection.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if errors:
        raise RuntimeError(errors[0])
    return {
        "requests": len(took),
        "requests_per_second": len(took) / (time.monotonic() - began),
        "ms": percentiles(took),
    }


def _times(began: float, rate: float | None, seconds: float) -> Iterator[float]:
    for number in range(FAR):
        at = began + number / rate if rate else time.monotonic()
        if at >= began + seconds:
            return
        yield at
