"""The watching client does what clients/conformance asks of every client."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from clients.terminal import watcher
from clients.terminal.backoff import STEADY_SECONDS, seconds_until_retry
from clients.terminal.frames import BadFrame, parse_frame
from clients.terminal.login import log_in
from clients.terminal.rest import Rest
from clients.terminal.states import Live, Reconnecting
from clients.terminal.verdicts import verdict_on_close, verdict_on_status
from clients.terminal.watcher import Watcher
from tests.clients.terminal.conftest import Notebook
from tests.clients.terminal.playing import Play, ShiftedTime
from tests.clients.terminal.scripted import TENANT, USERNAME, ScriptedServer
from tests.clients.terminal.vectors import VERDICTS, each, expected_of, told_by, vectors

FRAMES, VERDICT, BACKOFF, RESUME = (vectors(name) for name in ("frames", "verdicts", "backoff", "resume"))
OF_NO_USE = {"auth.ok": "unknown"}
"""Kinds of frames that the watching client does nothing on."""
USERS = "/api/v1/users"


def named(cases: list[Any]) -> pytest.MarkDecorator:
    """Parametrize a test by cases that have names."""
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


@named([case for case in FRAMES["cases"] if case["is"] != "malformed"])
def test_a_frame_is_what_it_is_for_every_client(case):
    kind, told = told_by(case["text"])

    assert kind == OF_NO_USE.get(case["is"], case["is"])
    expected = expected_of(case, told)
    assert {name: told[name] for name in expected} == expected


@named([case for case in FRAMES["cases"] if case["is"] == "malformed"])
def test_what_is_no_frame_is_none_for_every_client(case):
    with pytest.raises(BadFrame):
        parse_frame(case["text"])


def test_every_close_code_has_its_verdict():
    expected = dict(each(VERDICT["close_codes"]))

    assert list(expected) == list(range(1000, 5000))
    assert {code: verdict_on_close(code) for code in expected} == expected
    assert verdict_on_close(1006) is VERDICTS[VERDICT["no_code"]], "what the library says where there was no code"


def test_every_status_has_its_verdict():
    expected = dict(each(VERDICT["statuses"]))

    assert list(expected) == list(range(200, 600))
    assert {status: verdict_on_status(status) for status in expected} == expected


@pytest.mark.parametrize("wait", BACKOFF["waits"])
def test_waits_are_the_same_for_every_client(wait):
    seconds = seconds_until_retry(wait["attempt"], lambda: wait["random"], at_least=wait["least_ms"] / 1000)

    assert seconds * 1000 == wait["wait_ms"]


def test_a_connection_is_a_good_one_after_the_same_time():
    assert STEADY_SECONDS * 1000 == BACKOFF["stable_after_ms"]


@named(RESUME["scripts"])
async def test_a_script_is_followed(
    case: Mapping[str, Any], server: ScriptedServer, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = ShiftedTime()
    monkeypatch.setattr(watcher, "time", time)
    play = Play(case, RESUME["events"], server, time)
    rest = Rest(server.address)
    login = await asyncio.to_thread(log_in, rest, tenant=TENANT, username=USERNAME, password="usher-demo")
    client = Watcher(rest, login, notebook, random=lambda: case.get("random", 0))

    async with asyncio.timeout(60):
        watching = asyncio.create_task(client.watch())
        if case["ends"] == "live":
            await asyncio.wait({watching, asyncio.create_task(play.over.wait())}, return_when=asyncio.FIRST_COMPLETED)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            assert notebook.states[-1] == Live()
        else:
            assert (await watching).is_failure

    assert play.wrong == []
    assert len(server.peers) == len(case["sockets"])
    assert [event.id for event in notebook.events] == [RESUME["events"][name]["id"] for name in case["shown"]]
    waits = [state.seconds * 1000 for state in notebook.states if isinstance(state, Reconnecting)]
    assert play.waits_are(waits), f"it waited {waits}"
    if "reads_list" in case:
        # Once before the first socket, to know what was there before.
        assert [path for path, _ in server.requests].count(USERS) == 1 + case["reads_list"]
