"""The watching client against a server that misbehaves on purpose."""

from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest

from clients.terminal.states import CatchingUp, Closed, Connecting, Live, Reconnecting
from tests.clients.terminal.conftest import Notebook
from tests.clients.terminal.scripted import Peer, Script, ScriptedServer, created, refusal

Watch = Callable[..., Awaitable[Closed]]


def closes(code: int, reason: str = "") -> Script:
    async def script(peer: Peer) -> None:
        await peer.admit()
        await peer.send(type="synced", complete=True)
        await peer.close(code, reason)

    return script


def refuses(status: int, code: str = "", **headers: str) -> Script:
    async def script(peer: Peer) -> None:
        await peer.refuse(status, code, **headers)

    return script


def tells(*frames: dict[str, object]) -> Script:
    async def script(peer: Peer) -> None:
        await peer.admit()
        for frame in frames:
            await peer.send(**frame)

    return script


SYNCED = {"type": "synced", "complete": True}


async def test_states_follow_each_other_from_connecting_to_live(
    server: ScriptedServer, watch: Watch, notebook: Notebook
) -> None:
    server.scripts = [tells(SYNCED, created("dave"))]

    closed = await watch(count=1)

    assert notebook.states == [Connecting(), CatchingUp("acme", "alice"), Live(), closed]
    assert not closed.is_failure
    assert notebook.messages == ["New user created: dave"]


@pytest.mark.parametrize("code", [1000, 1006, 1011, 1012, 3000, 4000, 4001, 4002, 4004, 4099, 4500, 4999])
async def test_a_connection_that_broke_is_made_again_and_resumes_after_the_last_event(
    server: ScriptedServer, watch: Watch, notebook: Notebook, code: int
) -> None:
    async def breaks(peer: Peer) -> None:
        await peer.admit()
        await peer.send(**SYNCED)
        await peer.send(**created("dave"))
        await peer.send(type="goodbye", code=code, reason="r", reconnect=True, retry_after_ms=0)
        await peer.close(code if code != 1006 else 1011)

    server.scripts = [breaks, tells(created("erin"), SYNCED)]

    await watch(count=2)

    assert notebook.messages == ["New user created: dave", "New user created: erin"]
    assert [peer.query.get("after") for peer in server.peers] == [None, "event-of-dave"]
    assert [type(state) for state in notebook.states].count(Reconnecting) == 1


async def test_an_event_that_comes_twice_is_shown_once(
    server: ScriptedServer, watch: Watch, notebook: Notebook
) -> None:
    server.scripts = [tells(SYNCED, created("dave"), created("dave"), created("erin"))]

    await watch(count=2)

    assert notebook.messages == ["New user created: dave", "New user created: erin"]
    assert len([text for text in notebook.frames if "event-of-dave" in text]) == 1


async def test_an_unknown_kind_of_event_is_shown_and_an_unknown_frame_is_not_an_error(
    server: ScriptedServer, watch: Watch, notebook: Notebook
) -> None:
    server.scripts = [tells(SYNCED, {"type": "weather", "sun": True}, created("dave") | {"type": "user.renamed"})]

    await watch(count=1)

    assert notebook.events[0].type == "user.renamed"


async def test_a_ping_is_answered(server: ScriptedServer, watch: Watch) -> None:
    async def pings(peer: Peer) -> None:
        await peer.admit()
        await peer.send(type="ping")
        assert await peer.receive() == {"type": "pong"}
        await peer.send(**created("dave"))

    server.scripts = [pings]

    await watch(count=1)


async def test_a_silent_server_is_left(server: ScriptedServer, watch: Watch, notebook: Notebook) -> None:
    async def falls_silent(peer: Peer) -> None:
        await peer.admit(heartbeat=0.05)

    server.scripts = [falls_silent, tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert notebook.states[2] == Reconnecting("nothing came for 0 s", 0.0)


async def test_a_frame_that_cannot_be_read_makes_the_client_come_back(
    server: ScriptedServer, watch: Watch, notebook: Notebook
) -> None:
    server.scripts = [tells({"no": "type"}), tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert notebook.messages == ["New user created: dave"]


@pytest.mark.parametrize("script", [closes(4101), closes(4102), closes(4199), refuses(401, "token_expired")])
async def test_a_token_is_renewed_and_the_new_one_used(server: ScriptedServer, watch: Watch, script: Script) -> None:
    server.scripts = [script, tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert [peer.token for peer in server.peers] == ["access-1", "access-2"]
    assert ("/api/v1/auth/token/refresh", {"refresh": "refresh-1"}) in server.requests


async def test_a_new_token_that_is_refused_as_well_is_the_end(server: ScriptedServer, watch: Watch) -> None:
    server.scripts = [refuses(401, "session_ended"), refuses(401, "session_ended")]

    closed = await watch()

    assert closed.is_failure
    assert "expired" in closed.why
    assert len(server.peers) == 2


async def test_a_renewal_that_is_refused_is_the_end(server: ScriptedServer, watch: Watch) -> None:
    server.scripts = [closes(4102)]
    server.answers["/api/v1/auth/token/refresh"] = [refusal(401, "session_ended", "This session has ended.")]

    closed = await watch()

    assert closed == Closed("expired (This session has ended.)", is_failure=True)


async def test_a_renewal_that_fails_for_now_is_tried_again(server: ScriptedServer, watch: Watch) -> None:
    server.scripts = [closes(4101), tells(SYNCED, created("dave"))]
    server.answers["/api/v1/auth/token/refresh"] = [refusal(500, "server_error", "A mistake."), (502, {}, None)]

    await watch(count=1)

    assert [peer.token for peer in server.peers] == ["access-1", "access-2"]


@pytest.mark.parametrize("script", [closes(4400), closes(4401), closes(4403), closes(4408), closes(4413), closes(4499)])
async def test_some_closes_are_the_end(server: ScriptedServer, watch: Watch, script: Script) -> None:
    server.scripts = [script]

    assert (await watch()).is_failure
    assert len(server.peers) == 1


@pytest.mark.parametrize(("status", "code"), [(400, "bad_request"), (403, "not_authorised"), (404, "")])
async def test_some_refusals_are_the_end(server: ScriptedServer, watch: Watch, status: int, code: str) -> None:
    server.scripts = [refuses(status, code)]

    closed = await watch()

    assert closed.is_failure
    assert f"{status} {code}" in closed.why
    assert len(server.peers) == 1


@pytest.mark.parametrize("script", [refuses(429, retry_after="1"), refuses(503, "draining", retry_after="1")])
async def test_a_busy_server_is_given_the_time_it_asks_for(
    server: ScriptedServer, watch: Watch, notebook: Notebook, script: Script
) -> None:
    server.scripts = [script, tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert [state.seconds for state in notebook.states if isinstance(state, Reconnecting)] == [1.0]


async def test_a_close_that_asks_to_wait_is_obeyed(server: ScriptedServer, watch: Watch, notebook: Notebook) -> None:
    async def suspends(peer: Peer) -> None:
        await peer.admit()
        await peer.send(type="goodbye", code=4204, reason="tenant suspended", reconnect=True, retry_after_ms=700)
        await peer.close(4204, "tenant suspended")

    server.scripts = [suspends, tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert Reconnecting("4204 tenant suspended", 0.7) in notebook.states


@pytest.mark.parametrize("code", [1011, 3999, 4500, 4999])
async def test_the_farewell_tells_the_code_where_the_close_frame_has_none_of_ours(
    server: ScriptedServer, watch: Watch, code: int
) -> None:
    async def says_goodbye_and_breaks(peer: Peer) -> None:
        await peer.admit()
        await peer.send(type="goodbye", code=4403, reason="not yours", reconnect=False, retry_after_ms=0)
        await peer.close(code)

    server.scripts = [says_goodbye_and_breaks]

    assert await watch() == Closed("4403 not yours", is_failure=True)


@pytest.mark.parametrize("code", [4401, 4499])
async def test_a_close_code_of_ours_counts_more_than_the_farewell(
    server: ScriptedServer, watch: Watch, code: int
) -> None:
    async def says_one_thing_and_does_another(peer: Peer) -> None:
        await peer.admit()
        await peer.send(type="goodbye", code=4000, reason="going away", reconnect=True, retry_after_ms=0)
        await peer.close(code)

    server.scripts = [says_one_thing_and_does_another]

    assert await watch() == Closed(f"{code} going away", is_failure=True)


async def test_a_reminder_makes_the_client_renew_on_the_open_socket(server: ScriptedServer, watch: Watch) -> None:
    async def reminds(peer: Peer) -> None:
        await peer.admit()
        await peer.send(**SYNCED)
        await peer.send(type="auth.expiring", token_expires_at="2026-11-23T01:02:03Z")
        assert await peer.receive() == {"type": "auth", "token": "access-2"}
        await peer.send(type="auth.ok", token_expires_at="2026-11-23T01:07:03Z")
        await peer.send(**created("dave"))

    server.scripts = [reminds]

    await watch(count=1)


async def test_a_token_is_renewed_by_the_clock_too(server: ScriptedServer, watch: Watch) -> None:
    async def listens(peer: Peer) -> None:
        await peer.admit()
        tokens = [(await peer.receive())["token"] for _ in range(2)]
        assert tokens == ["access-2", "access-3"]
        await peer.send(**created("dave"))

    server.expires_in = 0.4
    server.scripts = [listens]

    await watch(count=1)


async def test_a_session_that_ends_while_watching_is_the_end(server: ScriptedServer, watch: Watch) -> None:
    server.scripts = [tells(SYNCED, {"type": "auth.expiring"})]
    server.answers["/api/v1/auth/token/refresh"] = [refusal(401, "session_ended", "This session has ended.")]

    assert (await watch()).why == "expired (This session has ended.)"


async def test_the_list_closes_the_gap_of_a_connection_without_a_cursor(
    server: ScriptedServer, watch: Watch, notebook: Notebook
) -> None:
    server.users = [{"id": "user-zoe", "username": "zoe"}]

    async def breaks_while_dave_signs_up(peer: Peer) -> None:
        await peer.admit()
        await peer.send(**SYNCED)
        server.users.insert(0, {"id": "user-dave", "username": "dave"})
        await peer.close(4000)

    # Dave's event comes late, after the list has told of him: he is shown once.
    server.scripts = [breaks_while_dave_signs_up, tells(SYNCED, created("dave"), created("erin"))]

    await watch(count=2)

    assert [row["username"] for row in notebook.rows] == ["dave"]
    assert notebook.messages == ["New user created: erin"]


async def test_a_replay_that_is_not_complete_is_made_up_for_from_the_list(
    server: ScriptedServer, watch: Watch, notebook: Notebook
) -> None:
    async def breaks_after_dave(peer: Peer) -> None:
        await peer.admit()
        await peer.send(**SYNCED)
        await peer.send(type="ping")
        assert await peer.receive() == {"type": "pong"}, "the list has been read: frames are taken in order"
        await peer.send(**created("dave"))
        server.users = [{"id": "user-erin", "username": "erin"}, {"id": "user-dave", "username": "dave"}]
        await peer.close(4000)

    incomplete = {"type": "synced", "complete": False, "reason": "unknown_cursor"}
    server.scripts = [breaks_after_dave, tells(incomplete)]

    await watch(count=2)

    assert [row["username"] for row in notebook.rows] == ["erin"]
    assert "unknown_cursor" in notebook.remarks[0]


async def test_who_may_not_list_watches_all_the_same(server: ScriptedServer, watch: Watch, notebook: Notebook) -> None:
    server.answers["/api/v1/users"] = [refusal(403, "not_authorised", "No."), refusal(403, "not_authorised", "No.")]
    server.scripts = [tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert notebook.messages == ["New user created: dave"]


async def test_a_change_of_rights_is_told(server: ScriptedServer, watch: Watch, notebook: Notebook) -> None:
    server.scripts = [tells(SYNCED, {"type": "rights.changed", "permissions": ["watch_signups"]}, created("dave"))]

    await watch(count=1)

    assert notebook.remarks == ["your rights have changed: on this tenant you hold watch_signups"]


async def test_a_server_that_cannot_be_reached_is_tried_again_more_and_more_slowly(
    server: ScriptedServer, watch: Watch, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    ceilings: list[float] = []

    def longest(attempt: int, random: object, *, at_least: float) -> float:
        ceilings.append(0.5 * 2**attempt)
        return at_least

    monkeypatch.setattr("clients.terminal.watcher.seconds_until_retry", longest)
    server.scripts = [closes(1011)] * 5 + [tells(SYNCED, created("dave"))]

    await watch(count=1)

    assert all(later == 2 * earlier for earlier, later in pairwise(ceilings))
    assert len(ceilings) == 5
