"""Mosquitto, whose sockets speak MQTT 3.1.1 over WebSocket, at QoS 0."""

from collections.abc import Sequence
from pathlib import Path

from bench.peers import mqtt
from bench.peers.peer import Peer, configure, first_line
from bench.processes import free_port
from bench.systems import Opening, payload_of

MOSQUITTO = Path("/usr/sbin/mosquitto")


class Mosquitto(Peer):
    """bench/peers/mosquitto.conf. A group is a topic of its own; it has one thread."""

    name = "mosquitto"

    _publisher: mqtt.MqttPublisher

    def start(self, *, core: int, other: int, groups: int, each: int, folder: Path) -> None:
        """Start it, and connect the publisher."""
        self.port, publishing = free_port(), free_port()
        file = configure("mosquitto.conf", folder, port=self.port, publishing=publishing)
        self.run([MOSQUITTO, "-c", file], core=core, folder=folder)
        self.version = first_line(MOSQUITTO, "-h")
        self._publisher = mqtt.MqttPublisher(publishing)
        self._ends.callback(self._publisher.close)

    def opening(self, group: int, number: int) -> Opening:
        """Return the handshake, and the packets that subscribe."""
        return Opening(
            path="/mqtt",
            headers=(("Sec-WebSocket-Protocol", "mqtt"),),
            says=(mqtt.connect(f"{group}-{number}"), mqtt.subscribe(topic_of(group))),
            is_binary=True,
            ready=mqtt.SUBSCRIBED,
        )

    def publish(self, events: Sequence[tuple[int, str]]) -> None:
        """Publish one event for each (group, marker)."""
        self._publisher.publish(
            [(group, mqtt.publish(topic_of(group), payload_of(marker))) for group, marker in events]
        )


def topic_of(group: int) -> str:
    """Return the topic that is a group."""
    return f"groups/{group}"
