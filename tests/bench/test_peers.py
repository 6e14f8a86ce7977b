"""How peers are told of events. That each does its work is shown by bench.peers.prove, where they are installed."""

import json
import socket
import threading
from contextlib import suppress

import pytest

from bench.peers import mqtt
from bench.peers.http import HttpPublisher, Refused
from bench.peers.peer import SOURCES, configure

ANSWER = b"HTTP/1.1 %d Whatever\r\nContent-Length: 4\r\n\r\n200\n"


class Server:
    """Answers each request with the next status, in pieces of a few bytes, until there is none."""

    def __init__(self, statuses, piece=7):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests = b""
        self._all_came = threading.Event()
        self._statuses, self._piece = iter(statuses), piece
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        connection, _ = self._listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        answered = 0
        # The other side closes without having read all answers, which the kernel tells as a reset.
        with connection, suppress(ConnectionError):
            while received := connection.recv(65536):
                self.requests += received
                for _ in range(self.requests.count(b"POST ") - answered):
                    status = next(self._statuses, None)
                    if status is None:
                        return
                    answered += 1
                    answer = ANSWER % status
                    for start in range(0, len(answer), self._piece):
                        connection.sendall(answer[start : start + self._piece])
                if b"last" in self.requests:
                    self._all_came.set()

    def wait_for_the_last(self):
        assert self._all_came.wait(5), self.requests

    def end(self):
        self._thread.join(5)
        self._listener.close()


@pytest.fixture
def publishing():
    ends = []

    def begin(*statuses):
        server = Server(statuses)
        publisher = HttpPublisher(server.port, connections=1)
        ends.extend([publisher.close, server.end])
        return server, publisher

    yield begin
    for end in ends:
        end()


def until_answered(publisher):
    """Publish until the answer to an earlier event has been read; raises what that says."""
    for _ in range(500):
        publisher.publish([(1, b"next")])
        threading.Event().wait(0.01)


def test_events_of_a_group_follow_each_other_on_one_connection(publishing):
    server, publisher = publishing(204, 204, 204)

    publisher.publish([(7, b"first"), (8, b"other")])
    publisher.publish([(7, b"last")])

    server.wait_for_the_last()
    posts = [part.split(b" ", 1)[0] + b" " + part.rsplit(b"\r\n", 1)[1] for part in server.requests.split(b"POST ")[1:]]
    assert posts == [b"/7 first", b"/8 other", b"/7 last"]


def test_an_event_that_is_refused_is_told_by_a_later_one(publishing):
    _, publisher = publishing(*[204] * 5, 503, *[204] * 1000)

    with pytest.raises(Refused, match="publishing was answered with 503; expected 2xx"):
        until_answered(publisher)


def test_a_connection_that_is_closed_is_told(publishing):
    _, publisher = publishing()  # the first request ends its server

    with pytest.raises((Refused, ConnectionError)):
        until_answered(publisher)


def test_packets_of_mqtt_are_those_of_the_standard():
    assert mqtt.connect("a") == b"\x10\x0d\x00\x04MQTT\x04\x02\x00\x00\x00\x01a"
    assert mqtt.subscribe("groups/1") == b"\x82\x0d\x00\x01\x00\x08groups/1\x00"
    # From 128 on the length has a second byte: 5 bytes of topic and 464 of payload are 0b11 1010101.
    assert mqtt.publish("g/1", b"x" * 464) == b"\x30\xd5\x03\x00\x03g/1" + b"x" * 464


def test_a_template_has_every_place_filled(tmp_path):
    nginx = configure("nginx.conf", tmp_path, port=1234, folder=tmp_path).read_text()
    mosquitto = configure("mosquitto.conf", tmp_path, port=1234, publishing=5678).read_text()

    assert "listen 127.0.0.1:1234 " in nginx
    assert "listener 5678 127.0.0.1" in mosquitto
    directives = [line for line in (nginx + mosquitto).splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in directives if "@" in line]


def test_what_npm_installs_is_pinned_and_names_no_registry():
    wanted = json.loads((SOURCES / "node" / "package.json").read_text())["dependencies"]
    locked = json.loads((SOURCES / "node" / "package-lock.json").read_text())["packages"]

    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    assert not [name for name, package in locked.items() if "resolved" in package]
    assert not [name for name, package in locked.items() if name and "integrity" not in package]
