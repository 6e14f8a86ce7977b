"""The fast lane: frames go to the transport as they are, in order with what the server itself sends, and no faster."""

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame, Opcode

from tests.realtime.serving.test_pressure import masked, opened

SIZE = 65_537


@pytest.mark.parametrize("pieces", [1, 32])
def test_who_reads_gets_all_of_it_and_then_the_close(server, pieces):
    with server.socket(f"/lane?name=alice&megabytes=20&pieces={pieces}") as socket:
        assert [len(socket.recv(timeout=20)) for _ in range(320)] == [SIZE] * 320
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)

    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4002, "enough")
    assert server.hears("write refused")["then"] == "websocket.disconnect", "nothing goes out behind a close"


def test_a_reader_that_takes_nothing_costs_one_write(start):
    server = start()
    before = server.resident_megabytes()

    with opened(server, "/lane?name=mallory&megabytes=50"):
        assert 0 < server.sent_at_rest("mallory") < 200, "of 800; the kernel takes some"
        assert server.resident_megabytes() - before < 5


def test_pongs_come_between_whole_frames(start):
    server = start(control_frames=10**9)
    with server.socket("/lane?name=bob&megabytes=20") as socket:
        pongs = [socket.ping() for _ in range(100)]
        received = 0
        for number, pong in enumerate(pongs):
            while not pong.wait(timeout=0):
                received += 1
                assert len(socket.recv(timeout=20)) == SIZE
            pongs[number] = received

        assert received < 320, "they were answered before the end"
        assert [len(socket.recv(timeout=20)) for _ in range(320 - received)] == [SIZE] * (320 - received)


@pytest.mark.parametrize("way", ["lane?pieces=32", "flood?"])
def test_a_ping_to_a_full_socket_is_answered_when_there_is_room(start, way):
    """The server has read it while nothing more could be written: it answers the looks at how far it is after that."""
    server = start(control_frames=10**9)
    with server.socket(f"/{way}&name=frank&megabytes=20", max_queue=1) as socket:
        server.sent_at_rest("frank")
        pings = [socket.ping() for _ in range(3)]
        server.sent_at_rest("frank")

        received = 0
        while not pings[-1].wait(timeout=0):
            assert len(socket.recv(timeout=20)) == SIZE
            received += 1
        assert 0 < received < 320, "behind what was written before it, and ahead of what was not"
        assert [len(socket.recv(timeout=20)) for _ in range(320 - received)] == [SIZE] * (320 - received)


def test_what_goes_straight_is_in_order_with_the_lane_with_plain_sends_and_with_the_close(server):
    """First the client takes nothing, so that the kernel takes a part; then everything, and nothing may be torn."""
    with server.socket("/straight?name=erin&pieces=300", max_queue=1) as socket:
        server.sent_at_rest("erin")
        for number in range(300):
            text = socket.recv(timeout=20)
            assert (text[:8], len(text)) == (f"{number:08}", 65_537)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=20)

    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4002, "enough")
    counts = server.hears("straight", then="websocket.disconnect", behind=False)
    has_straight_way = server.name == "uvicorn"
    assert (counts["straight"] > 0, counts["in part"] > 0) == (has_straight_way, has_straight_way)
    assert counts["by the lane"] > 0


@pytest.mark.parametrize("last_words", [masked(Opcode.CLOSE, b"\x03\xe8"), b"\x81\x02hi"], ids=["a close", "a mistake"])
def test_a_stuck_client_that_ends_its_socket_is_written_to_no_more(server, last_words):
    with opened(server, "/lane?name=carol&megabytes=50") as raw:
        server.sent_at_rest("carol")
        raw.sendall(last_words)

        assert server.hears("write refused")["then"] == "websocket.disconnect"


@pytest.mark.parametrize("pings", [0, 3])
def test_a_stuck_client_that_says_goodbye_is_answered_behind_what_was_written(server, pings):
    goodbye = Frame(Opcode.CLOSE, b"\x03\xe8")
    with opened(server, "/lane?name=grace&megabytes=50&pieces=32") as raw:
        server.sent_at_rest("grace")
        raw.sendall(masked(Opcode.PING, b"") * pings + goodbye.serialize(mask=True))
        assert server.hears("write refused")["then"] == "websocket.disconnect"

        end = b""
        while data := raw.recv(65_536):
            end = (end + data)[-4:]
    assert end == goodbye.serialize(mask=False)


def test_abort_drops_what_the_lane_has_left(server):
    with opened(server, "/lane?name=dave&megabytes=50&pieces=64") as raw:
        server.sent_at_rest("dave")
        server.get("/abort?name=dave")

        assert server.hears("write refused")["then"] == "websocket.disconnect"
        with pytest.raises(ConnectionResetError):
            while raw.recv(65_536):
                pass
