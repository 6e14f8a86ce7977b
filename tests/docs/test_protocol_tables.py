"""The tables and numbers on the protocol's page are those of the code."""

import inspect
import json
import re
from typing import Any

import pytest

from accounts.kinds import USER_CREATED
from accounts.models import JoinedVia
from accounts.sessions import LIFETIME
from clients.terminal import backoff
from clients.terminal.connection import AFTER_GOODBYE_SECONDS
from clients.terminal.watcher import WAIT_SECONDS
from config.env import PROJECT, Environment
from realtime import authentication, connection, cursors, doors, draining, handshake, lifetime, protocol, routing
from realtime.limits import rate_of
from realtime.protocol import Close
from realtime.serving import answering, heads
from realtime.serving.limits import Limits
from tenants.models import Tenant
from tests.docs.pages import examples, table

PAGE = (PROJECT / "docs" / "protocol.md").read_text()
DEFAULTS = {name: field.default for name, field in Environment.model_fields.items()}


def problem() -> dict[str, Any]:
    """Return the body of a refused handshake, as the page shows it."""
    (example,) = (e.json for e in examples(PAGE, "json") if e.words == ("problem",))
    shown: dict[str, Any] = example
    return shown


def test_the_table_of_fields_is_the_declared_one():
    rows = table(PAGE, "field of data", "permission", "type", "what it is").rows

    assert [(name, permission) for name, permission, *_ in rows] == [
        (f.name, f.permission) for f in USER_CREATED.fields
    ]
    joined_via = next(row[3] for row in rows if row[0] == "joined_via")
    assert set(re.findall(r"[a-z]+", joined_via.partition(";")[0])) - {"or"} == set(JoinedVia.values)


def test_the_table_of_close_codes_is_complete():
    rows = table(PAGE, "code", "reason on the wire", "when").rows

    assert {int(code): reason for code, reason, _ in rows} == {int(close): close.reason for close in Close}


def test_the_table_of_close_codes_says_how_long_each_asks_to_wait():
    rows = table(PAGE, "code", "reason on the wire", "when").rows
    said = {int(code): int(found[1]) for code, _, when in rows if (found := re.search(r"(\d+) seconds\b", when))}

    assert {int(close): close.retry_after_seconds for close in Close if close.retry_after_seconds} == {
        code: seconds for code, seconds in said.items() if code // 100 == 42
    }


def test_the_units_of_the_rates_in_the_table_of_limits():
    assert rate_of(DEFAULTS["handshakes_per_user"]).seconds == rate_of(DEFAULTS["handshakes_per_address"]).seconds == 60
    assert rate_of(DEFAULTS["messages_per_socket"]).seconds == 10
    assert rate_of(DEFAULTS["renewals_per_socket"]).seconds == 60


@pytest.mark.parametrize("close", Close)
def test_the_range_of_a_code_says_whether_to_come_back(close):
    assert close.may_reconnect is (close // 100 != 44)


def test_the_table_of_handshake_statuses_is_complete():
    rows = table(PAGE, "status", "code", "when", "what to do").rows
    literals = "".join(inspect.getsource(module) for module in (authentication, doors, handshake, routing))
    literals += inspect.getsource(heads) + inspect.getsource(answering)
    turned = {
        (int(status), code) for status, code in re.findall(r'(?:Turned|BadHead|problem)\(\s*(\d+),\s*"(\w+)"', literals)
    }

    assert {(int(status), code) for status, code, *_ in rows if status.isdigit()} == turned | {
        *protocol.PROBLEMS.values()
    }


@pytest.mark.parametrize(
    ("status", "header"), [(401, b"www-authenticate"), (429, b"retry-after"), (503, b"retry-after")]
)
async def test_a_refused_handshake_looks_as_shown(status, header):
    sent = []

    async def send(message: Any) -> None:
        sent.append(message)

    example = problem()
    turned = handshake.Turned(status, example["code"], example["detail"])
    await handshake.turn_away({"extensions": {"websocket.http.response": {}}}, send, turned)

    start, body = sent
    assert start["status"] == status
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    assert header in dict(start["headers"])
    said = json.loads(body["body"])
    assert re.fullmatch(r"[0-9a-f]{32}", said["request_id"])
    assert said | {"request_id": example["request_id"], "status": 401, "title": "Unauthorized"} == example


def test_the_example_of_a_refused_handshake_is_a_real_one():
    example = problem()

    assert (example["status"], example["code"]) == Close.TOKEN_EXPIRED.problem
    assert example["detail"] == Close.TOKEN_EXPIRED.reason


NUMBERS = {
    "a client's message, bytes": protocol.LONGEST_MESSAGE,
    "a client's message before the server itself closes with 1009, bytes": Limits().message_bytes,
    "its fragments before the server itself closes with 1009": Limits().fragments,
    "control frames and empty fragments on a socket before 1008, at once": Limits().control_rate.most,
    "the head of a handshake, headers": Limits().headers,
    "a header, or the address, bytes": Limits().line_bytes,
    "the head of a handshake, bytes": Limits().head_bytes,
    "time for the head of a handshake, and for the answer to it, seconds": Limits().handshake_seconds,
    "time for the first message, seconds": DEFAULTS["auth_seconds"],
    "sockets that wait for it, per address": DEFAULTS["waiting_per_address"],
    "sockets that wait for it, per process": DEFAULTS["waiting_per_process"],
    "open sockets of a user, per process": DEFAULTS["sockets_per_user"],
    "open sockets of a tenant, per process": DEFAULTS["sockets_per_tenant"],
    "open sockets from an address, per process": DEFAULTS["sockets_per_address"],
    "open sockets in a process": DEFAULTS["sockets_per_process"],
    "sockets that a user opens, per minute and process": rate_of(DEFAULTS["handshakes_per_user"]).most,
    "handshakes from an address, per minute and process": rate_of(DEFAULTS["handshakes_per_address"]).most,
    "messages on a socket, in any 10 seconds, at most": 2 * rate_of(DEFAULTS["messages_per_socket"]).most,
    "messages on a socket, at once": rate_of(DEFAULTS["messages_per_socket"]).most,
    "tokens shown on an open socket, at once": rate_of(DEFAULTS["renewals_per_socket"]).most,
    f"between pings, seconds (±{lifetime.JITTER:.0%})".replace("%", " %"): DEFAULTS["heartbeat_seconds"],
    "for an answer to a ping, seconds": DEFAULTS["pong_seconds"],
    "a reader that takes nothing, seconds": connection.STALL_SECONDS,
    "auth.expiring before the token's end, seconds": lifetime.REMINDER_SECONDS,
    "life of an access token, seconds": DEFAULTS["access_seconds"],
    "life of a session, days": LIFETIME.days,
    "visible events that are replayed at most": cursors.MOST_VISIBLE,
    "age of a cursor, days, where the tenant has no other retention": Tenant._meta.get_field("retention_days").default,
    "Retry-After of a refused handshake, seconds": handshake.RETRY_AFTER_SECONDS,
    "retry_after_ms while serving, at most": connection.RETRY_SPREAD_MS,
    "retry_after_ms when a server goes away, at most": draining.SPREAD_SECONDS * 1000,
}


def test_the_table_of_limits_has_the_numbers_of_the_code():
    assert {what: float(value) for what, value in table(PAGE, "what", "value").rows} == NUMBERS


def test_the_path_on_the_page_is_where_sockets_live():
    assert f"`GET {routing.PATH}`" in PAGE
    assert f"`{protocol.VERSION}`" in PAGE


def test_the_page_says_how_long_a_client_waits():
    assert f"min({backoff.LONGEST_SECONDS:.0f} s, {backoff.FIRST_SECONDS} s × 2ⁿ)" in PAGE
    assert f"a socket has been `synced` for {backoff.STEADY_SECONDS:.0f} seconds" in PAGE
    assert f"synced for {backoff.STEADY_SECONDS:.0f} s: attempt = 0" in PAGE
    assert f"is lost (has not come after {AFTER_GOODBYE_SECONDS:.0f} seconds)" in PAGE
    assert f"`retry_after_ms` ({WAIT_SECONDS:.0f} seconds where that got lost)" in PAGE
