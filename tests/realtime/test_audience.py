"""Who gets what a class is sent: the list of its sockets is kept from batch to batch, and true at every moment."""

import random
import time
from uuid import uuid4

import pytest

from realtime import rights
from realtime.audience import Alike, Audience
from realtime.connection import Connection, Identity
from realtime.outlets import parcels_of
from realtime.ports import Standing
from realtime.rights import Held
from realtime.showing import Showing
from realtime.snapshot import Answer
from tests.realtime.transport import Transport, Way, event

OWNERS, VIEWERS = frozenset({1}), frozenset({2})
TENANT = 7
(PARCEL,) = parcels_of([(2, event(2))])


class Person:
    """Somebody with a session, and the groups that the last snapshot saw him in."""

    def __init__(self, name, group_ids):
        self.name, self.group_ids = name, group_ids
        self.session_id, self.user_id = uuid4(), uuid4()

    @property
    def loaded(self):
        """His standing and his viewer."""
        standing = Standing(
            session_id=self.session_id,
            user_id=self.user_id,
            username=self.name,
            tenant_id=TENANT,
            tenant_slug="acme",
            is_user_active=True,
            is_tenant_active=True,
            session_ended=False,
            session_expires_at=time.time() + 3600,
            group_ids=self.group_ids,
            permissions=frozenset(),
        )
        return standing, rights.viewer_of(standing)


class Event:
    """An event on a subject."""

    def __init__(self, subject_id):
        self.subject_id = subject_id


@pytest.fixture
def acme():
    return Audience(TENANT)


@pytest.fixture
def alice():
    return Person("alice", OWNERS)


@pytest.fixture
def bob():
    return Person("bob", VIEWERS)


@pytest.fixture
def trent():
    return Person("trent", VIEWERS)


def enter(audience, person):
    """Have one more socket of somebody enter; return it."""
    identity = Identity(
        user_id=person.user_id, tenant_id=TENANT, session_id=person.session_id, token_expires_at=time.time() + 300
    )
    connection = Connection(identity=identity, outlet=Transport(way=Way.STRAIGHT).outlet())
    audience.enter(connection, *person.loaded)
    return connection


def shown(audience, answer=None, events=()):
    """Return the sockets of each class, as a delivery finds them; and see that they are those of its sessions."""
    found = []
    for alike in Showing(answer or Answer(), audience, None).classes(events):
        connections = alike.crowd.connections
        assert list(alike.crowd.takes) == [connection.take for connection in connections]
        assert len(connections) == len(set(connections))
        assert set(connections) == {connection for entry in alike.entries for connection in entry.connections}
        found.append(set(connections))
    return sorted(found, key=len)


def test_who_enters_is_in_his_class(acme, alice, bob, trent):
    of_bob = enter(acme, bob)
    assert shown(acme) == [{of_bob}]

    of_trent = enter(acme, trent)
    of_alice = enter(acme, alice)

    assert shown(acme) == [{of_alice}, {of_bob, of_trent}]


def test_a_second_socket_of_a_session_is_too(acme, bob):
    first = enter(acme, bob)
    shown(acme)

    second = enter(acme, bob)

    assert shown(acme) == [{first, second}]


def test_who_leaves_is_not_and_his_other_socket_is(acme, bob, trent):
    first, second, of_trent = enter(acme, bob), enter(acme, bob), enter(acme, trent)
    shown(acme)

    acme.leave(first)
    assert shown(acme) == [{second, of_trent}]

    acme.leave(second)
    assert shown(acme) == [{of_trent}]
    acme.plan(places=10)
    assert shown(acme) == [{of_trent}], "his session is forgotten, and nobody else"


def test_who_is_loaded_with_other_groups_is_in_their_class_and_in_no_other(acme, alice, bob, trent):
    of_alice, of_bob, of_trent = enter(acme, alice), enter(acme, bob), enter(acme, trent)
    shown(acme)

    bob.group_ids = OWNERS
    acme.load(acme.entries[bob.session_id], *bob.loaded)
    assert shown(acme) == [{of_trent}, {of_alice, of_bob}]

    trent.group_ids = OWNERS
    second = enter(acme, trent)  # his other socket's admission is the first that hears of it
    assert shown(acme) == [{of_alice, of_bob, of_trent, second}]


def test_a_session_that_is_forgotten_is_in_none(acme, bob, trent):
    enter(acme, bob)
    of_trent = enter(acme, trent)
    shown(acme)

    acme.forget(acme.entries[bob.session_id])

    assert shown(acme) == [{of_trent}]


def test_the_list_is_the_same_while_nobody_comes_or_goes(acme, bob, trent):
    enter(acme, bob)
    of_trent = enter(acme, trent)
    (of_class,) = acme.classes.values()
    before = of_class.crowd

    acme.load(acme.entries[bob.session_id], *bob.loaded)
    assert of_class.crowd is before, "thousands need not be put together for each event"

    acme.leave(of_trent)
    assert of_class.crowd is not before
    assert of_trent in before.connections, "who goes through a list is not disturbed"


def test_who_holds_something_by_himself_is_a_class_of_his_own_for_events_on_it(acme, alice, bob, trent):
    of_alice, of_bob, second, of_trent = (enter(acme, person) for person in (alice, bob, bob, trent))
    shown(acme)
    dave, erin = uuid4(), uuid4()
    answer = Answer(grants={"accounts.User": rights.Grants(of_users={dave: {bob.user_id: frozenset({"view_user"})}})})

    of_class = sorted([{of_alice}, {of_bob, second}, {of_trent}], key=len)
    assert sorted(map(len, shown(acme, answer, [Event(erin), Event(dave)]))) == list(map(len, of_class))
    assert {of_bob, second} in shown(acme, answer, [Event(dave)])
    assert shown(acme, answer, [Event(erin)]) == [{of_alice}, {of_bob, second, of_trent}]


@pytest.mark.parametrize("seed", range(20))
async def test_whoever_comes_and_goes_each_class_has_the_sockets_of_its_sessions(acme, seed):
    by_chance = random.Random(seed)
    people = [Person(str(number), by_chance.choice([OWNERS, VIEWERS])) for number in range(6)]
    sockets = {}

    for _ in range(200):
        person = by_chance.choice(people)
        match by_chance.randrange(7):
            case 0:
                sockets[enter(acme, person)] = person
            case 1 if sockets:
                gone = by_chance.choice(list(sockets))
                acme.leave(gone)
                del sockets[gone]
            case 2 if entry := acme.entries.get(person.session_id):
                person.group_ids = by_chance.choice([OWNERS, VIEWERS])
                acme.load(entry, *person.loaded)
            case 3:
                acme.plan(places=10)
            case 4 if sockets:
                by_chance.choice(list(sockets)).go_live(1)
            case 5 if sockets:
                by_chance.choice(list(sockets)).offer(PARCEL)
            case 6:
                shown(acme)
        expected = {
            groups: {socket for socket, owner in sockets.items() if owner.group_ids == groups}
            for groups in (OWNERS, VIEWERS)
        }
        found = {groups: set(of_class.crowd.connections) for groups, of_class in acme.classes.items()}
        assert found == {groups: expected[groups] for groups in found}
        assert all(groups in found for groups, those in expected.items() if those)


def test_who_is_alike_holds_what_the_last_reading_says_whatever_was_held_before():
    hear, email = frozenset({"view_user"}), frozenset({"view_user", "view_user_contact"})
    alike, one_of_them = Alike(VIEWERS, None), Alike(VIEWERS, uuid4())
    before, after = Held({1: email, 2: hear}, {}), Held({1: hear, 2: email}, {})

    assert [alike.held(held) for held in (before, after, before, Held({1: email}, {}))] == [hear, email, hear, set()]
    for held in (hear, email):
        by_himself = Held(before.by_groups, {one_of_them.user_id: held})
        assert (one_of_them.held(by_himself), alike.held(by_himself)) == (held, hear)
