"""The sockets of the toy application, each at the path of its name, and what it tells the tests."""

import asyncio
import contextlib
import json

sockets = {}
for_ever = asyncio.Event()


def tell(event, **details):
    print(json.dumps({"event": event, **details}), flush=True)


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
    sockets[name] = {"sent": 0, "send": send, "abort": scope["extensions"]["usher.transport"]["abort"]}
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


PIECE = b"\x81\x7f" + (65_537).to_bytes(8, "big") + b"x" * 65_537
"""The frame of a piece of such a flood, ready for the wire."""


async def lane(scope, receive, send, name, megabytes, pieces=1):
    """Flood by the fast lane: so many pieces in a write, and the next write when there is room."""
    await accepted(receive, send)
    transport = scope["extensions"]["usher.transport"]
    sockets[name] = {"sent": 0, "send": send, "abort": transport["abort"]}
    room = asyncio.Event()
    transport["when_written"](room.set)
    heard = asyncio.ensure_future(receive())
    for _ in range(0, int(megabytes) * 16, int(pieces)):
        room.clear()
        if not transport["write"](PIECE * int(pieces)):
            both = [heard, asyncio.ensure_future(room.wait())]
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            both[1].cancel()
        if heard.done() and heard.result()["type"] == "websocket.disconnect":
            break
        sockets[name]["sent"] += int(pieces)
    else:
        await send({"type": "websocket.close", "code": 4002, "reason": "enough"})
        heard = asyncio.ensure_future(receive()) if heard.done() else heard
    then = (await heard)["type"]
    try:
        transport["write"](PIECE)
    except OSError as error:
        tell("write refused", error=type(error).__name__, then=then)


async def straight(scope, receive, send, name, pieces):
    """
    Flood past the transport while that may be: what the kernel leaves of a piece goes by the lane, and all that follows
    until it is written out; each seventh piece goes by a plain send.
    """
    await accepted(receive, send)
    transport = scope["extensions"]["usher.transport"]
    sockets[name] = {"sent": 0, "send": send, "abort": transport["abort"]}
    room, ways = asyncio.Event(), []
    counts = {"straight": 0, "in part": 0, "by the lane": 0}
    transport["when_written"](room.set)
    begin = transport.get("straight", lambda ended: None)
    for number in range(int(pieces)):
        text = f"{number:08}" + "x" * 65_529
        if number % 7 == 6:
            await send({"type": "websocket.send", "text": text})
        else:
            frame = PIECE[:10] + text.encode()
            if not ways and (take := begin(ways.clear)) is not None:
                ways.append(take)
            taken = 0
            if ways:
                with contextlib.suppress(BlockingIOError):
                    taken = ways[0](frame)
                counts["straight"] += taken == len(frame)
                counts["in part"] += 0 < taken < len(frame)
            room.clear()
            if taken < len(frame):
                counts["by the lane"] += 1
                if not transport["write"](frame[taken:]):
                    await room.wait()
        sockets[name]["sent"] += 1
        await asyncio.sleep(0)  # for the client's pings
    await send({"type": "websocket.close", "code": 4002, "reason": "enough"})
    then = (await receive())["type"]
    tell("straight", **counts, behind=begin(ways.clear) is not None, then=then)


async def deaf(scope, receive, send):
    await accepted(receive, send)
    tell("stuck")
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


SOCKETS = (
    echo,
    greet,
    refuse,
    deny,
    close,
    empty,
    flood,
    lane,
    straight,
    deaf,
    stubborn,
    fail,
    fail_early,
    leave,
    undecided,
)
