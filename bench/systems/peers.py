"""The peers that Usher is compared with, in the order of the tables."""

from collections.abc import Callable
from typing import Protocol

from bench.systems import System
from bench.systems.centrifuge import Centrifuge
from bench.systems.mosquitto import Mosquitto
from bench.systems.nchan import Nchan
from bench.systems.socketio import SocketIO, SocketIOWithRedis
from bench.systems.ws import Ws


class PeerSystem(System, Protocol):
    """A system that says what it is."""

    version: str
    """What the program says of itself; known once it has started."""


PEERS: tuple[Callable[[], PeerSystem], ...] = (Nchan, Centrifuge, Ws, Mosquitto, SocketIO, SocketIOWithRedis)
