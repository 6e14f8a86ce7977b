"""
How a request gets to Django: in one hop to a thread, and one back.

Django's own handler goes through middleware of both kinds by turns, and every step of those that know both ways is a
hop of its own to a thread that it makes for this request: seventeen of them, which took longer than many a view.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, TypeVar, cast

from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http.response import HttpResponseBase
from django.urls import set_script_prefix

from config.databases import POOL

KEPT: int = POOL["max_size"]
"""So many threads stay for the next request; as many as there may be connections to the database."""

Scope = dict[str, Any]
T = TypeVar("T")


class Threads:
    """
    A thread for each piece of work at once: one of those that are kept, else one of its own.

    None ever waits for another's thread: a crowd that waits for a place to hash, or for a database that is away, must
    hold up nobody else.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._kept = ThreadPoolExecutor(kept, thread_name_prefix="usher-request")
        self._idle = threading.Semaphore(kept)

    async def run(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; it goes on to its end even where nobody waits for it any more."""
        return await asyncio.wrap_future(self._begun(work))

    def _begun(self, work: Callable[[], T]) -> "Future[T]":
        if self._idle.acquire(blocking=False):
            try:
                future = self._kept.submit(work)
            except BaseException:
                self._idle.release()  # as where the system makes no more threads
                raise
            future.add_done_callback(lambda _: self._idle.release())
            return future
        alone = ThreadPoolExecutor(1, thread_name_prefix="usher-request-more")
        future = alone.submit(work)
        alone.shutdown(wait=False)
        return future


class Handler(ASGIHandler):
    """
    Django behind ASGI, every request whole in one thread, as under WSGI.

    A client that goes away changes nothing: what it asked for is done to its end, and its answer goes nowhere. Answers
    are whole: none may be streamed.
    """

    def __init__(self) -> None:
        super().__init__()
        self._threads = Threads()

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: FBT001, FBT002  Django's signature
        """Load the middleware as functions that are called, not awaited."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answer one request; raises ``ValueError`` for what is none."""
        if scope["type"] != "http":
            raise ValueError(f"scope is of type {scope['type']!r}; expected 'http': sockets go to realtime.routing")
        try:
            body = await self.read_body(receive)
        except RequestAborted:
            return
        response = await self._threads.run(lambda: self._respond(scope, body))
        await self.send_response(response, send)

    def _respond(self, scope: Scope, body: IO[bytes]) -> HttpResponseBase:
        set_script_prefix(get_script_prefix(scope))
        with body:
            request_started.send(sender=self.__class__, scope=scope)
            request, refusal = self.create_request(scope, body)
            # One of the two is there always.
            response = cast("HttpResponseBase", refusal if request is None else self.get_response(request))
            response._handler_class = self.__class__  # type: ignore[attr-defined]  # noqa: SLF001  as Django's handlers
            # Gives the connection to the database back, which whoever has the answer may rely on.
            response.close()
        if response.streaming:
            raise TypeError(f"the answer to {scope['path']!r} is a stream; expected one that is whole, an HttpResponse")
        return response
