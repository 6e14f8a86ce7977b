"""How peers are told of events. That each does its work is shown by bench.peers.prove, where they are installed."""

import json
import select
import socket
from contextlib import ExitStack

import pytest

from bench.peers import mqtt
from bench.peers.http import HttpPublisher, Refused
from bench.peers.peer import SOURCES, configure

TAKEN = b"HTTP/1.1 204 No Content\r\nDate: today\r\n\r\n"


class Connected:
    """What came over one connection, and the answers to it."""

    def __init__(self, connection):
        self._connection = connection
        self.requests = b""

    def wait_for(self, text):
        while text not in self.requests:
            self.requests += self._connection.recv(65536)

    def say(self, text):
        self._connection.sendall(text)

    def end(self):
        self._connection.close()


@pytest.fixture
def publishing():
    """Have a publisher with so many connections, and the other ends of these."""
    with ExitStack() as ends:

        def begin(connections):
            listener = ends.enter_context(socket.create_server(("127.0.0.1", 0)))
            publisher = HttpPublisher(listener.getsockname()[1], connections)
            ends.callback(publisher.close)
            accepted = [listener.accept()[0] for _ in range(connections)]
            for connection in accepted:
                connection.settimeout(5)
                ends.callback(connection.close)
            return publisher, [Connected(connection) for connection in accepted]

        yield begin


def has_arrived(publisher):
    """Wait until what the other end has said to the publisher's one connection is there to be read."""
    (connection,) = publisher._connections
    arrived, _, _ = select.select([connection._socket], [], [], 5)
    assert arrived


def publish_once_told(publisher):
    """Publish once more when the answers are there: that raises what an earlier event was answered with."""
    has_arrived(publisher)
    publisher.publish([(0, b"more")])


def test_events_of_a_group_follow_each_other_on_one_connection(publishing):
    publisher, (even, odd) = publishing(connections=2)

    publisher.publish([(7, b"first"), (8, b"another's"), (7, b"second of them")])
    publisher.publish([(7, b"third")])

    odd.wait_for(b"third")
    even.wait_for(b"another's")
    posts = [(part.split(b" ")[0], part.rpartition(b"\r\n")[2]) for part in odd.requests.split(b"POST ")[1:]]
    assert posts == [(b"/7", b"first"), (b"/7", b"second of them"), (b"/7", b"third")]
    assert even.requests.count(b"POST ") == 1


def test_answers_are_not_waited_for(publishing):
    publisher, (other,) = publishing(connections=1)

    for _ in range(3):
        publisher.publish([(0, b"an event")])

    other.wait_for(b"an event")
    other.say(TAKEN * 3)
    publisher.publish([(0, b"the last")])
    other.wait_for(b"the last")


def test_an_event_that_is_refused_is_told_by_a_later_one(publishing):
    publisher, (other,) = publishing(connections=1)
    other.say(TAKEN * 5 + b"HTTP/1.1 503 Busy\r\n\r\n")

    with pytest.raises(Refused, match="publishing was answered with 503; expected 2xx"):
        publish_once_told(publisher)


def test_a_refusal_in_two_pieces_is_one(publishing):
    publisher, (other,) = publishing(connections=1)
    other.say(TAKEN + b"HTTP/1.1 5")
    has_arrived(publisher)
    publisher.publish([(0, b"an event")])  # reads the first piece
    other.say(b"03 Busy\r\n\r\n")

    with pytest.raises(Refused, match="503"):
        publish_once_told(publisher)


def test_a_connection_that_is_closed_is_told(publishing):
    publisher, (other,) = publishing(connections=1)
    other.end()

    with pytest.raises((Refused, ConnectionError)):
        publish_once_told(publisher)


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
