"""
A server of its own, for the tests beside it: a toy application under one of the two servers.

``python toy.py daphne|uvicorn '{"limit": value, ...}'`` tells what happens as one JSON object a line on its output.
"""

import asyncio
import importlib
import json
import sys
import time
from urllib.parse import parse_qsl

from realtime.serving.limits import Limits

sockets = {}
is_draining = asyncio.Event()
for_ever = asyncio.Event()


def tell(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


async def application(scope, receive, send):
    query = dict(parse_qsl(scope["query_string"].decode()))
    await PATHS[scope["type"], scope["path"]](scope, receive, send, **query)


async def accepted(receive, send, **answer):
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept", **answer})


async def echo(scope, receive, send, token=""):
    await accepted(receive, send)
    sockets[id(send)] = send
    while (message := await receive())["type"] != "websocket.disconnect":
        kind = "text" if message.get("text") is not None else "bytes"
        await send({"type": "websocket.send", kind: message[kind]})
    sockets.pop(id(send), None)
    tell("disconnected", code=message["code"])


async def greet(scope, receive, send):
    await accepted(
        receive, send, subprotocol=scope["subprotocols"][-1], headers=[(b"x-usher", b"a"), (b"x-usher", b"b")]
    )
    await receive()


async def refuse(scope, receive, send):
    await receive()
    await send({"type": "websocket.close"})


async def deny(scope, receive, send):
    await receive()
    headers = [(b"content-type", b"application/problem+json"), (b"www-authenticate", b"Bearer")]
    await send({"type": "websocket.http.response.start", "status": 401, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b'{"code": ', "more_body": True})
    await send({"type": "websocket.http.response.body", "body": b'"token_expired"}'})
    tell("denied", then=(await receive())["type"])


async def close(scope, receive, send, code, reason=""):
    await accepted(receive, send)
    await send({"type": "websocket.close", "code": int(code), "reason": reason})
    message = await receive()
    tell("closed", type=message["type"], code=message["code"])


async def empty(scope, receive, send):
    await accepted(receive, send)
    await send({"type": "websocket.send", "text": ""})
    await send({"type": "websocket.send", "bytes": b""})
    await receive()


async def flood(scope, receive, send, name, megabytes):
    """Send that much in pieces of 64 KiB, larger than what a client may send."""
    await accepted(receive, send)
    sockets[name] = {"sent": 0, "abort": scope["extensions"]["usher.transport"]["abort"]}
    piece = "x" * 65_537
    try:
        for _ in range(int(megabytes) * 16):
            await send({"type": "websocket.send", "text": piece})
            sockets[name]["sent"] += 1
    except OSError as error:
        tell("send refused", error=type(error).__name__)
        tell("flooded", then=(await receive())["type"])
        return
    await receive()


async def deaf(scope, receive, send):
    await accepted(receive, send)
    await for_ever.wait()


async def stubborn(scope, receive, send):
    """Stand for a hub that hangs while it says goodbye."""
    sockets["stubborn"] = lambda message: for_ever.wait()
    await accepted(receive, send)
    await for_ever.wait()


async def fail(scope, receive, send, token=""):
    await accepted(receive, send)
    raise RuntimeError("on purpose")


async def fail_early(scope, receive, send, token=""):
    raise RuntimeError("on purpose")


async def leave(scope, receive, send):
    await accepted(receive, send)


async def undecided(scope, receive, send):
    tell("asked")
    await for_ever.wait()


async def answer(scope, receive, send, status=200, **body):
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})


async def live(scope, receive, send):
    await answer(scope, receive, send, scheme=scope["scheme"], root_path=scope["root_path"])


async def sent(scope, receive, send, name):
    await answer(scope, receive, send, sent=sockets[name]["sent"])


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
    tell("hanging")
    await for_ever.wait()


async def block(scope, receive, send):
    tell("blocking")
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


WEBSOCKET = (echo, greet, refuse, deny, close, empty, flood, deaf, stubborn, fail, fail_early, leave, undecided)
HTTP = (live, read, sent, abort, create, download, hang, block, half, fail_early)
PATHS = {("websocket", f"/{path.__name__}"): path for path in WEBSOCKET}
PATHS |= {("http", f"/{path.__name__}"): path for path in HTTP}

if __name__ == "__main__":
    server = importlib.import_module(f"realtime.serving.{sys.argv[1]}")
    server.run(
        application=application,
        host="127.0.0.1",
        port=0,
        drain=drain,
        on_listening=lambda host, port: tell("listening", host=host, port=port),
        limits=Limits(**json.loads(sys.argv[2])),
    )
    tell("ended")
