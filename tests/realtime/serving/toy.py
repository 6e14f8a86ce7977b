"""
A server of its own, for the tests beside it: a toy application under one of the two servers.

``python toy.py daphne|uvicorn LOG_LEVEL '{"limit": value, ...}'`` tells what happens on its output, one JSON object a
line.
"""

import asyncio
import gc
import importlib
import json
import logging
import sys
import time
from typing import Any
from urllib.parse import parse_qsl

from realtime.serving.limits import Limits
from tests.realtime.serving.toy_sockets import SOCKETS, fail_early, for_ever, sockets, tell

is_draining = asyncio.Event()


async def application(scope, receive, send):
    query = dict(parse_qsl(scope["query_string"].decode()))
    await PATHS[scope["type"], scope["path"]](scope, receive, send, **query)


async def answer(scope, receive, send, status=200, **body):
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def live(scope, receive, send):
    await answer(scope, receive, send, scheme=scope["scheme"], root_path=scope["root_path"])


async def sent(scope, receive, send, name):
    await answer(scope, receive, send, sent=sockets[name]["sent"])


async def try_to_close(scope, receive, send, name):
    close = sockets[name]["send"]({"type": "websocket.close", "code": 4002})
    done, pending = await asyncio.wait([asyncio.ensure_future(close)], timeout=0.5)
    for task in pending:
        task.cancel()
    await answer(scope, receive, send, closed=bool(done))


async def kept(scope, receive, send):
    """Tell how many sockets the server has in memory, of those that are open and of those that are over."""
    gc.collect()
    kinds = (type(found) for found in gc.get_objects())
    kept = sum(kind.__name__ == "Socket" and kind.__module__.startswith("realtime.") for kind in kinds)
    await answer(scope, receive, send, kept=kept)


async def abort(scope, receive, send, name):
    sockets[name]["abort"]()
    await answer(scope, receive, send)


async def create(scope, receive, send):
    """Answer when the goodbyes are said and some time more has passed."""
    tell("creating")
    await is_draining.wait()
    await asyncio.sleep(0.5)
    await answer(scope, receive, send, status=201)


async def read(scope, receive, send):
    total, more = 0, True
    while more:
        message = await receive()
        total, more = total + len(message.get("body", b"")), message.get("more_body")
    await answer(scope, receive, send, read=total)


async def download(scope, receive, send, name, megabytes):
    sockets[name] = {"sent": 0}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(int(megabytes) * 16):
        await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
        sockets[name]["sent"] += 1
    await send({"type": "http.response.body", "body": b""})


async def hang(scope, receive, send):
    tell("stuck")
    await for_ever.wait()


async def block(scope, receive, send):
    tell("stuck")
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)


async def half(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    await send({"type": "http.response.body", "body": b"half", "more_body": True})


async def drain():
    tell("draining", sockets=len(sockets))
    for send in [send for send in sockets.values() if callable(send)]:
        await send({"type": "websocket.send", "text": '{"type":"goodbye"}'})
        await send({"type": "websocket.close", "code": 4000, "reason": "draining"})
    is_draining.set()


HTTP = (live, read, sent, kept, abort, try_to_close, create, download, hang, block, half, fail_early)
PATHS: dict[tuple[str, str], Any] = {("websocket", f"/{path.__name__}"): path for path in SOCKETS}
PATHS |= {("http", f"/{path.__name__}"): path for path in HTTP}

if __name__ == "__main__":
    logging.basicConfig(level=sys.argv[2])
    server = importlib.import_module(f"realtime.serving.{sys.argv[1]}")
    server.run(
        application=application,
        host="127.0.0.1",
        port=0,
        drain=drain,
        on_listening=lambda host, port: tell("listening", host=host, port=port),
        limits=Limits(**json.loads(sys.argv[3])),
    )
    tell("ended")
