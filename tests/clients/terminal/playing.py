"""Playing a script of clients/conformance on the server's side."""

import asyncio
import time
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest

from tests.clients.terminal.scripted import Answer, Peer, ScriptedServer, refusal

RENEWAL = "/api/v1/auth/token/refresh"
OUTCOMES: dict[str, Answer] = {
    "fails": refusal(502, "bad_gateway", "As the script has it."),
    "refused": refusal(401, "session_ended", "This session has ended."),
}


class ShiftedTime:
    """The watcher's clock, which a script can set forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def monotonic(self) -> float:
        """Return the seconds."""
        return time.monotonic() + self.ahead


class Play:
    """One script on a server. ``over`` is set when it has been played to its end and the client has taken all of it."""

    def __init__(
        self, script: Mapping[str, Any], events: Mapping[str, Any], server: ScriptedServer, clock: ShiftedTime
    ) -> None:
        self.over = asyncio.Event()
        self.wrong: list[str] = []
        self._sockets = script["sockets"]
        self._is_live = script["ends"] == "live"
        self._renewals = script.get("renewals", [])
        self._events = events
        self._clock = clock
        self._server = server
        self._silent_since: float | None = None
        server.scripts = [self._play] * (len(self._sockets) + 1)

    def waits_are(self, waits: list[float]) -> bool:
        """Tell whether the client waited as it should between one socket and the next, in milliseconds."""
        expected = [socket.get("wait_ms", 0) for _, socket in pairwise(self._sockets)]
        fails = self._renewals.count("fails")  # each is an attempt of its own, without a socket
        if len(waits) != len(expected) + fails:
            # A renewal that is refused is the end, after the wait that came before it.
            return "refused" in self._renewals and waits == [0]
        silent = ["within_ms" in socket for _, socket in pairwise(self._sockets)]
        return all(
            is_silent or wait == pytest.approx(least)
            for wait, least, is_silent in zip(waits, expected + [0] * fails, silent + [False] * fails, strict=True)
        )

    async def _play(self, peer: Peer) -> None:
        number = self._server.peers.index(peer)
        if number == len(self._sockets):
            self.wrong.append(f"socket {number} was not expected")
            self.over.set()
            return
        socket = self._sockets[number]
        self._check(number, peer, socket)
        if "refuse" not in socket["steps"][0]:
            await peer.accept()
        for step in socket["steps"]:
            await self._do(peer, step)
        if self._is_live and number == len(self._sockets) - 1:
            await peer.send(type="ping")
            await self._receive(peer, {"type": "pong"})
            self.over.set()

    def _check(self, number: int, peer: Peer, socket: Mapping[str, Any]) -> None:
        after = self._events[socket["after"]]["id"] if socket["after"] else None
        self._expect(f"socket {number}: after", peer.query.get("after"), after)
        self._expect(f"socket {number}: token", peer.token, f"access-{socket['token']}")
        if "within_ms" in socket and self._silent_since is not None:
            came = (time.monotonic() - self._silent_since) * 1000
            if came > socket["within_ms"]:
                self.wrong.append(f"socket {number}: it came after {came:.0f} ms")

    async def _do(self, peer: Peer, step: Mapping[str, Any]) -> None:
        match step:
            case {"receive": expected}:
                await self._receive(peer, expected)
            case {"pass_ms": milliseconds}:
                await self._settle(peer)
                self._clock.ahead += milliseconds / 1000
            case {"close": code}:
                self._prepare_renewals()
                await peer.close(code)
            case {"drop": True}:
                await self._settle(peer)
                peer.drop()
            case {"silence": True}:
                self._silent_since = time.monotonic()
            case {"refuse": status, **more}:
                headers = {"retry_after": str(more["retry_after"])} if more else {}
                await peer.refuse(status, "", **headers)
            case _:
                await self._say(peer, step)

    async def _say(self, peer: Peer, step: Mapping[str, Any]) -> None:
        match step:
            case {"ready": heartbeat}:
                await peer.ready(**heartbeat)
            case {"send": str(name)}:
                await peer.send(**self._events[name])
            case {"send": frame}:
                await peer.send(**frame)
            case {"send_text": text}:
                await peer.send_text(text)
            case _:
                raise AssertionError(f"{step} is no step; docs/conformance.md has them all")

    async def _settle(self, peer: Peer) -> None:
        """Have all that was sent taken: what is on its way when a line breaks may be lost."""
        await peer.send(type="ping")
        await self._receive(peer, {"type": "pong"})

    async def _receive(self, peer: Peer, expected: Mapping[str, Any]) -> None:
        token = {"token": f"access-{expected['token']}"} if "token" in expected else {}
        self._expect("received", await peer.receive(), {**expected, **token})

    def _prepare_renewals(self) -> None:
        outcomes = [OUTCOMES[outcome] for outcome in self._renewals if outcome != "works"]
        self._server.answers[RENEWAL] = outcomes

    def _expect(self, what: str, actual: Any, expected: Any) -> None:
        if actual != expected:
            self.wrong.append(f"{what} is {actual!r}; expected {expected!r}")
