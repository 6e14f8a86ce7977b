"""What several of these tests begin with: layers on a Redis, a cast, transports, and a middleware with visitors."""

import signal
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async

from accounts import roles
from accounts.permissions import WATCH_SIGNUPS
from accounts.users import create_operator
from realtime import bell, hearing
from realtime.authentication import JWTAuthMiddleware
from realtime.routing import websocket
from tests.realtime.asgi import Inside, World, session_of, visits
from tests.realtime.house import house, make_session, make_tenant, make_user
from tests.realtime.layers import ALL, WITH_REDIS, settings_of
from tests.realtime.transport import Way
from tests.services.redis import RedisServer

ORIGIN = "https://app.example.com"


@pytest.fixture(params=Way, ids=lambda way: way.value)
def way(request):
    """Each way in which frames leave."""
    return request.param


@pytest.fixture
def own_bell(monkeypatch):
    """A publisher of the test's own, and nobody else who listens."""
    monkeypatch.setattr(bell, "_publishers", [])
    monkeypatch.setattr(bell, "_listeners", set())


@pytest.fixture
def quickly(monkeypatch):
    """What is tried again is tried again at once."""
    monkeypatch.setattr(hearing, "REJOIN_SECONDS", 0.05)
    monkeypatch.setattr(hearing, "RETRY_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(bell, "_publishers", [])


@pytest.fixture(params=ALL)
def kind(request, redis, settings):
    """Each of the three layers, those with Redis on the one that is shared."""
    redis.clear()
    settings.CHANNEL_LAYERS = settings_of(request.param, redis.url)
    return request.param


@pytest.fixture(params=WITH_REDIS)
def with_redis(request, redis, settings):
    """Each of the two layers on Redis."""
    settings.CHANNEL_LAYERS = settings_of(request.param, redis.url)


@pytest.fixture(params=WITH_REDIS)
def fragile(request, settings):
    """A Redis server that may be broken, with each of the two layers (its ``kind``) on it."""
    server = RedisServer()
    server.kind = request.param
    settings.CHANNEL_LAYERS = settings_of(request.param, server.url)
    yield server
    server.process.send(signal.SIGCONT)
    server.stop()


@pytest.fixture
def cast(database):
    """The people, and a session of each: the name is the permission."""
    acme, globex = make_tenant("acme"), make_tenant("globex")
    roles.create_role(acme, "trainee", permissions=[WATCH_SIGNUPS], default_grants=[])
    who = {"alice": "owner", "anna": "admin", "bob": "viewer", "trent": "trainee", "carol": None}
    people = SimpleNamespace(acme=acme, globex=globex)
    for name, role in who.items():
        setattr(people, name, session_of(acme, name, role))
    people.mallory = session_of(globex, "mallory", "owner")
    people.olga = make_session(create_operator(username="olga", password="usher-demo-1"))
    people.dave = make_user(acme, "dave", email="dave@acme.test")
    return people


@pytest.fixture
def inside():
    """The application behind the middleware."""
    return Inside()


@pytest.fixture
async def visit(database, inside, settings):
    """Make visitors of a middleware of the test's own; its hub is ``visit.home.hub``."""
    settings.USHER = settings.USHER.model_copy(update={"allowed_origins": (ORIGIN,)})
    async with house() as home, visits(JWTAuthMiddleware(inside)) as visit:
        visit.home = home
        yield visit


@pytest.fixture
async def world(database):
    """The whole application, its hub, and Alice of acme."""
    async with house() as home, visits(websocket) as visit:
        world = World(home, visit)
        await world.begin()
        yield world


@pytest.fixture
async def bob(visit):
    """A session of Bob, who may watch acme."""
    return await sync_to_async(_bob)()


def _bob():
    acme = make_tenant("acme")
    session_of(acme, "alice", "owner")
    return session_of(acme, "bob", "viewer")
