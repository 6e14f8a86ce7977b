"""A connection with a fast lane: one write for what goes out together, and no other before that is written out."""

import asyncio

import pytest

from realtime import protocol
from realtime.connection import MOST_FRAMES, State
from realtime.outlets import PARCEL_BYTES, FastLane, Outlet, SingleFileLane, outlet_of, parcels_of
from tests.realtime.transport import Transport, Way, connection_to, event, feed, full, live, offer, texts_in, turns


async def test_what_a_class_is_offered_together_is_one_write_of_the_same_bytes_for_all():
    written = []
    transport = Transport(way=Way.LANE)
    transport.write = lambda frames: written.append(frames) or True
    (parcel,) = parcels_of([(number, event(number)) for number in range(1, 9)])
    tasks = asyncio.all_tasks()

    for connection in (live(transport), live(transport)):
        connection.offer(parcel)
        assert connection._timer is None

    assert [frames for frames in written if frames is parcel.wire] == [parcel.wire] * 2
    assert [len(texts_in(frames)) for frames in written] == [1, 1, 8, 8], "each was told synced before"
    assert asyncio.all_tasks() == tasks


async def test_what_waited_leaves_joined():
    connection, transport = full(Way.LANE)
    for number in range(1, 11):
        offer(connection, number)
    assert (transport.writes, connection.queued) == (1, 10)

    transport.make_room()
    await turns()

    assert transport.kinds == ["synced", *range(1, 11)]
    assert transport.writes == 2


async def test_a_page_leaves_joined_and_synced_goes_along():
    transport = Transport(way=Way.LANE)
    connection = connection_to(transport)
    connection.catch_up(0)

    feed(connection, *range(1, 201), reached=200)

    assert transport.kinds == [*range(1, 201), "synced"]
    assert transport.writes == 1, "all of it is less than a parcel"


async def test_no_write_is_larger_than_a_parcel_and_none_follows_before_it_was_written_out():
    connection, transport = full(Way.LANE)
    sizes = []
    write = transport.write
    transport.write = lambda frames: sizes.append(len(frames)) or write(frames)
    connection._outlet._write = transport.write
    for number in range(1, 5):
        offer(connection, number, size=PARCEL_BYTES // 2)

    for writes in range(1, 5):
        transport.make_room(1)
        await turns()
        assert len(sizes) == writes

    assert max(sizes) <= PARCEL_BYTES
    assert connection.queued == 0


async def test_rewinding_takes_back_what_waits_and_not_what_was_written():
    connection, transport = full(Way.LANE)
    for number in range(5, 9):
        offer(connection, number)

    connection.rewind()
    connection.control(protocol.rights_changed([]))
    transport.make_room()
    await turns()

    assert (connection.state, connection.considered) == (State.CATCHING_UP, 4)
    assert transport.kinds == ["synced", "rights.changed"]


async def test_events_that_it_has_are_left_out_of_a_parcel():
    transport = Transport(way=Way.LANE)
    connection = live(transport, position=5)

    offer(connection, *range(3, 8))
    offer(connection, 4, 5)

    assert transport.kinds[-3:] == ["synced", 6, 7]


def test_a_parcel_fits_into_an_empty_queue():
    parcels = parcels_of([(number, event(number)) for number in range(1, 151)])
    assert [len(parcel.frames) for parcel in parcels] == [MOST_FRAMES, MOST_FRAMES, 22]
    assert [parcel.first for parcel in parcels] == [1, 65, 129]

    sizes = [len(parcel.frames) for parcel in parcels_of([(n, event(n, size=PARCEL_BYTES // 3)) for n in range(7)])]
    assert sizes == [2, 2, 2, 1]
    assert [len(parcel.frames) for parcel in parcels_of([(n, event(n, size=PARCEL_BYTES)) for n in range(3)])] == [
        1,
        1,
        1,
    ]


async def test_in_single_file_each_frame_is_a_write_and_a_full_transport_gets_no_more():
    transport = Transport(room=3, way=Way.LANE)
    extension = {"abort": transport.abort, "write": transport.write, "when_written": transport.when_written}
    outlet = outlet_of({"extensions": {"usher.transport": extension}}, transport.send, fast_lane="single")
    (parcel,) = parcels_of([(number, event(number)) for number in range(1, 9)])

    assert outlet.send(parcel.frames, parcel.wire) == 4, "one more than there was room for"
    assert (transport.writes, transport.kinds, outlet.has_room) == (4, [1, 2, 3, 4], False)


@pytest.mark.parametrize(("switch", "goes_straight"), [("on", True), ("single", False), ("off", False)])
async def test_what_goes_straight_is_joined(switch, goes_straight):
    transport = Transport(way=Way.STRAIGHT)
    extension = {name: getattr(transport, name) for name in ("abort", "write", "when_written", "straight")}
    outlet = outlet_of({"extensions": {"usher.transport": extension}}, transport.send, fast_lane=switch)

    assert (outlet.straight(print) is not None) is goes_straight


@pytest.mark.parametrize(
    ("switch", "extensions", "kind"),
    [
        ("on", {"usher.transport": {"abort": print, "write": print, "when_written": id}}, FastLane),
        ("single", {"usher.transport": {"abort": print, "write": print, "when_written": id}}, SingleFileLane),
        ("off", {"usher.transport": {"abort": print, "write": print, "when_written": id}}, Outlet),
        ("on", {"usher.transport": {"abort": print}}, Outlet),
        ("on", {}, Outlet),
    ],
)
def test_there_is_a_lane_if_the_server_has_one_and_it_is_not_switched_off(switch, extensions, kind):
    outlet = outlet_of({"extensions": extensions}, print, fast_lane=switch)

    assert type(outlet) is kind
    assert (outlet.abort is print) == ("usher.transport" in extensions)
