"""The proxy does to a line what it says, shown by what arrives and when, never by what has not come after a sleep."""

import socket
import threading
import time
from pathlib import Path

import pytest

from tests.faults.proxy import BLACK_HOLE, GOOD, Line, Proxy

TEXT = bytes(range(256)) * 1024


class Echo:
    """A server that sends back what it gets, and remembers it in the order of its arrival over all connections."""

    def __init__(self, listening: socket.socket) -> None:
        self.heard: list[bytes] = []
        self._listening = listening
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    self.heard.append(data)
                    connection.sendall(data)
            except OSError:
                return


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening
        listening.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def echo(listening):
    return Echo(listening)


@pytest.fixture
def proxy(echo, listening):
    with Proxy(listening.getsockname()) as proxy:
        yield proxy


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=15)


def received(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count and (more := connection.recv(65536)):
        data += more
    return data


def answered(connection: socket.socket, said: bytes) -> bytes:
    threading.Thread(target=connection.sendall, args=(said,)).start()
    return received(connection, len(said))


def test_a_good_line_passes_everything_both_ways_and_the_end_too(proxy):
    with connected(proxy.port) as client:
        assert answered(client, TEXT) == TEXT
        client.shutdown(socket.SHUT_WR)
        assert client.recv(1) == b""


def test_latency_is_added_to_each_direction_and_changes_nothing(proxy):
    proxy.set(Line(latency_seconds=0.15, jitter_seconds=0.05))
    with connected(proxy.port) as client:
        began = time.monotonic()
        assert answered(client, TEXT) == TEXT
        assert time.monotonic() - began >= 0.3


def test_latency_holds_up_each_chunk_and_not_the_next_one(proxy):
    proxy.set(Line(latency_seconds=0.2))
    with connected(proxy.port) as client:
        began = time.monotonic()
        for number in range(20):
            client.sendall(bytes([number]))
            time.sleep(0.01)  # so that these are twenty chunks
        assert received(client, 20) == bytes(range(20))
        assert time.monotonic() - began < 20 * 0.4


def test_a_narrow_line_takes_its_time(proxy):
    proxy.set(Line(bytes_per_second=100_000, slice_bytes=1000))
    with connected(proxy.port) as client:
        began = time.monotonic()
        assert answered(client, TEXT[:50_000]) == TEXT[:50_000]
        assert time.monotonic() - began >= 0.5


def test_slices_arrive_as_small_segments(proxy, echo):
    proxy.set(Line(slice_bytes=1))
    with connected(proxy.port) as client:
        assert answered(client, TEXT[:4000]) == TEXT[:4000]
    assert len(echo.heard) > 1, "4,000 segments came as one"
    assert min(map(len, echo.heard)) < 100


def test_a_reset_is_one_at_both_ends(listening):
    with Proxy(listening.getsockname()) as proxy, connected(proxy.port) as client:
        server, _ = listening.accept()
        assert proxy.reset() == 1
        for end in (client, server):
            with pytest.raises(ConnectionResetError):
                end.recv(1)
        server.close()


def test_a_black_hole_accepts_and_passes_nothing_until_the_line_is_good_again(proxy, echo, listening):
    with connected(proxy.port) as before:
        assert answered(before, b"hello") == b"hello"
        proxy.set(BLACK_HOLE)
        with connected(proxy.port) as after, connected(listening.getsockname()[1]) as beside:
            before.sendall(b"kept")
            after.sendall(b"kept as well")
            assert answered(beside, b"beside") == b"beside"
            proxy.set(GOOD)
            assert received(before, 4) == b"kept"
            assert received(after, 12) == b"kept as well"
    assert echo.heard[:2] == [b"hello", b"beside"], "what was sent first arrived last"


def test_nobody_beyond_a_black_hole_learns_of_an_end(listening):
    with Proxy(listening.getsockname()) as proxy, connected(proxy.port) as client:
        server, _ = listening.accept()
        with server:
            proxy.set(BLACK_HOLE)
            client.sendall(b"last words")
            client.close()
            server.setblocking(False)
            with pytest.raises(BlockingIOError):
                server.recv(1)
            proxy.set(GOOD)
            server.settimeout(15)
            assert received(server, 100) == b"last words", "and then the end"


def test_down_refuses_and_breaks_and_up_is_the_same_port(proxy):
    with connected(proxy.port) as client:
        assert answered(client, b"hello") == b"hello"
        proxy.down()
        with pytest.raises(ConnectionResetError):
            client.recv(1)
    with pytest.raises(ConnectionRefusedError):
        connected(proxy.port)
    proxy.up()
    with connected(proxy.port) as client:
        assert answered(client, b"hello again") == b"hello again"


def test_an_upstream_that_is_not_there_is_a_reset(tmp_path):
    # The reset may come while the client still looks whether it is connected.
    with Proxy(tmp_path / "nobody") as proxy, pytest.raises(ConnectionResetError), connected(proxy.port) as client:
        client.recv(1)


def test_it_stands_before_a_unix_socket_too(tmp_path: Path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        Echo(listening)
        with Proxy(path) as proxy, connected(proxy.port) as client:
            assert answered(client, TEXT) == TEXT
        listening.shutdown(socket.SHUT_RDWR)
