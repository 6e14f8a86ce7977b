"""What waits for one socket is bounded in bytes as well, also while it catches up: a page of the log is cut there."""

import re

import pytest

from accounts.models import User
from config.env import PROJECT
from realtime import batch, showing
from realtime.connection import MOST_BYTES, hand_out
from realtime.models import Event
from tests.realtime.house import house, make_session, make_tenant, make_user, socket_of

pytestmark = [pytest.mark.each_database, pytest.mark.usefixtures("database")]

WIDE = ("full_name", "email", "phone", "agent")
ESCAPED, LETTER = "\x01", "\U00020000"
"""The widest characters there are on the wire, with 6 bytes and with 4; a username has no control characters."""
PEOPLE = 100


def width_of(name):
    return User._meta.get_field(name).max_length


def make_widest_people(tenant, number):
    """Make users as wide as the columns are, by the ORM alone: the services refuse most of such people."""
    for place in range(number):
        username = f"{place:04}" + LETTER * (width_of("username") - 4)
        wide = {name: ESCAPED * width_of(name) for name in WIDE}
        User.objects.create(tenant=tenant, username=username, address="2001:db8::" + "1" * 4, **wide)


@pytest.fixture
def waiting(monkeypatch):
    """How many bytes waited for a socket when it had been given a page, of which its transport took nothing at once."""
    bytes_waiting = []
    feed = batch.Batch._feed

    def noted(self, connection, *args):
        room = socket_of(connection).room
        room.clear()
        frames = feed(self, connection, *args)
        bytes_waiting.append(connection._event_bytes)
        room.set()
        return frames

    monkeypatch.setattr(batch.Batch, "_feed", noted)
    return bytes_waiting


async def test_the_widest_rows_come_in_pages_that_are_cut_and_nothing_is_missing(waiting):
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        session = await home.write(make_session, await home.write(make_user, acme, "alice", "owner"))
        cursor = await home.write(lambda: str(Event.objects.get(tenant=acme).pk))
        await home.write(make_widest_people, acme, PEOPLE)

        socket = await home.socket(session, cursor=cursor)
        await socket.until(lambda s: s.of_type("synced"))

    assert len(waiting) > 1
    assert MOST_BYTES // 2 < max(waiting) <= MOST_BYTES
    assert [name[:4] for name in socket.heard_of] == [f"{place:04}" for place in range(PEOPLE)]
    assert socket.of_type("synced") == [{"type": "synced", "complete": True}]


async def test_a_frame_that_is_wider_than_all_that_may_wait_comes_alone(waiting, monkeypatch):
    monkeypatch.setattr(showing, "MOST_BYTES", 100)
    async with house() as home:
        acme = await home.write(make_tenant, "acme")
        session = await home.write(make_session, await home.write(make_user, acme, "alice", "owner"))
        cursor = await home.write(lambda: str(Event.objects.get(tenant=acme).pk))
        for name in ("dave", "erin", "frank"):
            await home.write(make_user, acme, name)

        socket = await home.socket(session, cursor=cursor)
        await socket.until(lambda s: s.of_type("synced"))

    assert socket.heard_of == ["dave", "erin", "frank"]
    assert len(waiting) == 3


async def test_the_widest_frame_is_as_wide_as_the_protocol_says(monkeypatch):
    async with house() as home:
        acme = await home.write(make_tenant, "a" * 63)
        socket = await home.socket(await home.write(make_session, await home.write(make_user, acme, "alice", "owner")))
        sizes = []
        monkeypatch.setattr(
            batch,
            "hand_out",
            lambda parcel, connections: (
                sizes.extend(frame.size for frame in parcel.frames),
                hand_out(parcel, connections),
            ),
        )
        await home.write(make_widest_people, acme, 1)
        await socket.until(lambda s: s.heard_of)

    said = re.search(r"no `user.created` is\s+larger than (\d+) KiB", (PROJECT / "docs" / "protocol.md").read_text())
    assert said, "docs/protocol.md says nothing of the widest frame"
    print(f"widest frame: {sizes[0]} bytes")
    assert sizes[0] <= int(said[1]) * 1024 < sizes[0] * 1.2
