"""Hashing: few at a time, whatever path it comes by, and who finds no place is told to come again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection, transaction
from django.test import Client

from accounts import hashing
from accounts.hashing import BoundedArgon2, HashingRoom
from accounts.refusals import Busy
from tenants.models import Tenant
from tests.accounts.api_calls import assert_problem, log_in
from tests.accounts.house import PASSWORD, Caller


@pytest.fixture
def room(monkeypatch):
    room = HashingRoom()
    monkeypatch.setattr(hashing, "room", room)
    monkeypatch.setattr("accounts.guessing.room", room)
    return room


class Occupant(threading.Thread):
    """Somebody who holds a place of a room until he is told to leave it."""

    def __init__(self, room, network=None):
        super().__init__(daemon=True)
        self.room, self.network = room, network
        self.is_inside, self.may_leave = threading.Event(), threading.Event()
        self.start()

    def run(self):
        with self.room.place(self.network):
            self.is_inside.set()
            self.may_leave.wait(30)

    def leave(self):
        self.may_leave.set()
        self.join(30)


def wait_until(has_happened):
    """Return once something has happened, which takes no time of its own."""
    until = time.monotonic() + 30
    while not has_happened():
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.fixture
def occupied(room):
    """Both places are taken."""
    occupants = [Occupant(room) for _ in range(2)]
    for occupant in occupants:
        assert occupant.is_inside.wait(30)
    yield occupants
    for occupant in occupants:
        occupant.leave()


def test_the_products_hasher_is_bounded_and_its_hashes_are_djangos():
    hasher = BoundedArgon2()
    hasher.time_cost, hasher.memory_cost, hasher.parallelism = 1, 8, 1

    encoded = hasher.encode("a password", "sixteen bytes of salt")

    assert encoded.startswith("argon2$argon2id$")
    assert hasher.verify("a password", encoded)
    assert (BoundedArgon2.time_cost, BoundedArgon2.memory_cost) == (2, 102_400)


def test_never_more_at_a_time_than_there_are_places(room):
    inside, most, lock = [], [], threading.Lock()

    def hash_one(number):
        with room.place():
            with lock:
                inside.append(number)
                most.append(len(inside))
            threading.Event().wait(0.001)
            with lock:
                inside.remove(number)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(hash_one, range(100)))

    assert max(most) == 2
    assert (room._hashing, room._waiting) == (0, 0)


def test_whatever_hashes_takes_a_place(occupied, monkeypatch):
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 0.01)
    for occupant in occupied:
        occupant.leave()
    encoded = make_password("a password")
    again = [Occupant(hashing.room) for _ in range(2)]
    for occupant in again:
        occupant.is_inside.wait(30)

    with pytest.raises(Busy):
        make_password("a password")
    with pytest.raises(Busy):
        check_password("a password", encoded)

    for occupant in again:
        occupant.leave()
    assert check_password("a password", encoded)


def test_who_waits_gets_the_place_that_is_given_back(room, occupied):
    with ThreadPoolExecutor(1) as threads:
        hashed = threads.submit(make_password, "a password")
        occupied[0].leave()
        assert hashed.result(30).startswith("argon2$")


def test_a_thread_needs_one_place_for_all_it_does(room, occupied):
    occupied[0].leave()

    with room.place(), room.place():
        make_password("a password")
        assert room._hashing == 2

    assert room._hashing == 1


def test_no_more_wait_than_can_be_served(room, occupied, monkeypatch):
    monkeypatch.setattr(hashing, "MOST_WAITING", 0)

    with pytest.raises(Busy), room.place():
        pytest.fail("there was a place")


def test_one_network_has_half_of_the_waiting_places_and_the_others_get_through(room, occupied, monkeypatch):
    monkeypatch.setattr(hashing, "MOST_WAITING_OF_A_NETWORK", 3)
    flood = [Occupant(room, "192.0.2.1") for _ in range(3)]
    wait_until(lambda: room._waiting == 3)

    with pytest.raises(Busy), room.place("192.0.2.1"):
        pytest.fail("there was a place")

    others = [Occupant(room, "192.0.2.2"), Occupant(room)]
    wait_until(lambda: room._waiting == 5)
    for occupant in (*occupied, *flood, *others):
        occupant.may_leave.set()
    for occupant in (*flood, *others):
        assert occupant.is_inside.wait(30)
    assert (room._waiting, room._waiting_of) == (0, {}), "all were served, and nothing is remembered"


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_waits_for_a_place_keeps_nobody_from_the_database(house, occupied, monkeypatch):
    """More of them than the pool has connections, of both kinds that hash for anybody: log-ins and sign-ups."""
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 60)
    asked = [("POST", "auth/token", {"tenant": "acme", "username": f"u{n}", "password": PASSWORD}) for n in range(14)]
    asked += [("POST", "tenants/acme/signup", {"username": f"u{n}", "password": PASSWORD}) for n in range(14)]
    for occupant in occupied:
        occupant.leave()
    alice = house.caller("alice")
    again = [Occupant(hashing.room) for _ in occupied]
    assert all(occupant.is_inside.wait(30) for occupant in again)

    with ThreadPoolExecutor(len(asked)) as threads:
        answers = [threads.submit(_answered, *request) for request in asked]
        wait_until(lambda: hashing.room._waiting == len(asked))
        wait_until(lambda: connection.pool.get_stats()["pool_size"] - _free() <= 1)  # this thread has one
        me = alice("GET", "me")
        for occupant in again:
            occupant.leave()

    assert me.status == 200
    assert sorted({answer.result().status for answer in answers}) == [201, 401], "all of them were served"


def test_who_waits_inside_a_transaction_keeps_his_connection(database, room, occupied):
    with transaction.atomic():
        Tenant.objects.create(slug="initech", name="Initech")
        threading.Timer(0.05, occupied[0].may_leave.set).start()
        make_password("a password")

    assert Tenant.objects.filter(slug="initech").exists()


def _answered(*request):
    try:
        return Caller()(*request)
    finally:
        connection.close()  # as the end of a request does, outside of tests


def _free():
    return connection.pool.get_stats()["pool_available"]


def test_a_network_never_has_more_than_half():
    assert hashing.MOST_WAITING_OF_A_NETWORK * 2 <= hashing.MOST_WAITING


def test_who_fails_gives_the_place_back(room):
    for _ in range(5):
        with pytest.raises(OSError, match="gone"), room.place():
            raise OSError("gone")

    assert room._hashing == 0


def test_a_caller_is_told_to_come_again(house, occupied, monkeypatch):
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 0.01)

    for refused in (
        log_in(),
        log_in("nobody"),
        Caller()("POST", "tenants/acme/signup", {"username": "dave", "password": "hunter-two-2"}),
    ):
        body = assert_problem(refused, 503, "busy")
        assert refused.headers["Retry-After"] == "5"
        assert body["detail"] == Busy.sentence


def test_the_admin_is_told_to_come_again(olga, occupied, monkeypatch):
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 0.01)
    browser = Client()
    browser.force_login(olga, backend="accounts.authentication.OperatorBackend")
    passwords = {"old_password": PASSWORD, "new_password1": "correct horse", "new_password2": "correct horse"}

    for page, form in (("login", {"username": "olga", "password": PASSWORD}), ("password_change", passwords)):
        refused = browser.post(f"/admin/{page}/", form)

        assert (refused.status_code, refused["Retry-After"]) == (503, "5"), page
        assert refused.content.decode() == Busy.sentence
