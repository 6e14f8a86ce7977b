"""Requests get to Django in one hop to a thread of their own, which goes on whatever becomes of the client."""

import asyncio
import threading

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.signals import request_finished
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory

from config import middleware
from config.handler import Handler, Threads


def _started(handler, path="/livez", **options):
    return ApplicationCommunicator(handler, AsyncRequestFactory().get(path, **options).scope)


async def _answer(client):
    await client.send_input({"type": "http.request", "body": b""})
    start, body = await client.receive_output(timeout=20), await client.receive_output(timeout=20)
    await client.wait(timeout=20)
    return start["status"], body["body"]


async def test_a_request_is_in_one_thread_from_its_first_middleware_to_its_end(monkeypatch):
    seen, real = [], middleware.Headers.__call__

    def noted(*args):
        seen.append(threading.current_thread())
        return real(*args)

    def finished(**_):
        seen.append(threading.current_thread())

    monkeypatch.setattr(middleware.Headers, "__call__", noted)
    request_finished.connect(finished)
    try:
        assert await _answer(_started(Handler())) == (200, b'{"status": "up"}')
    finally:
        request_finished.disconnect(finished)

    assert len(seen) == 2
    assert len(set(seen)) == 1
    assert seen[0].name.startswith("usher-request")


async def test_what_is_none_of_its_own_is_refused():
    with pytest.raises(ValueError, match=r"scope is of type 'websocket'; expected 'http'"):
        await Handler()({"type": "websocket"}, None, None)


async def test_a_client_that_goes_before_its_body_is_whole_is_answered_nothing():
    client = _started(Handler())
    await client.send_input({"type": "http.request", "body": b"{", "more_body": True})
    await client.send_input({"type": "http.disconnect"})
    await client.wait(timeout=20)

    assert await client.receive_nothing(timeout=0.01)


async def test_what_is_under_way_is_done_to_its_end_though_nobody_waits_any_more(monkeypatch):
    begun, go_on, finished = threading.Event(), threading.Event(), threading.Event()

    def slowly(self, request):
        begun.set()
        assert go_on.wait(20)
        return self.get_response(request)

    def note(**_):
        finished.set()

    monkeypatch.setattr(middleware.Headers, "__call__", slowly)
    request_finished.connect(note)
    try:
        scope = AsyncRequestFactory().get("/livez").scope

        async def receive():
            return {"type": "http.request", "body": b""}

        task = asyncio.ensure_future(Handler()(scope, receive, receive))
        assert await asyncio.to_thread(begun.wait, 20)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not finished.is_set()
        go_on.set()
        assert await asyncio.to_thread(finished.wait, 20)
    finally:
        request_finished.disconnect(note)


async def test_no_work_waits_for_the_thread_of_another():
    threads, all_there = Threads(kept=1), threading.Barrier(4)

    def work():
        all_there.wait(20)
        return threading.current_thread()

    used = await asyncio.gather(*(threads.run(work) for _ in range(4)))

    assert len(set(used)) == 4
    more = [thread for thread in used if thread.name.startswith("usher-request-more")]
    assert len(more) == 3
    for thread in more:
        thread.join(20)
        assert not thread.is_alive()
    again = [await threads.run(threading.current_thread) for _ in range(2)]
    assert set(again) == set(used) - set(more)


async def test_an_error_is_the_callers_and_its_thread_serves_on():
    threads = Threads(kept=1)

    def fail():
        raise LookupError("none")

    with pytest.raises(LookupError, match="none"):
        await threads.run(fail)
    assert (await threads.run(threading.current_thread)).name == "usher-request_0"


async def test_an_answer_that_is_a_stream_is_refused_and_not_sent_empty(monkeypatch):
    monkeypatch.setattr(middleware.Headers, "__call__", lambda *_: StreamingHttpResponse(iter([b"a file"])))

    with pytest.raises(TypeError, match=r"the answer to '/livez' is a stream; expected one that is whole"):
        await _answer(_started(Handler()))


async def test_a_thread_that_could_not_be_had_takes_no_place(monkeypatch):
    threads = Threads(kept=1)

    def none(_):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as exhausted:
        exhausted.setattr(threads._kept, "submit", none)
        with pytest.raises(RuntimeError, match="new thread"):
            await threads.run(threading.current_thread)

    assert (await threads.run(threading.current_thread)).name == "usher-request_0"
