"""What DATABASE_URL and REDIS_URL become."""

from pathlib import Path

import pytest

from config.databases import database_of
from config.layers import channel_layer_of

PROJECT = Path("/srv/usher")

# url, engine, name, user, password, host, port
DATABASES = [
    (None, "sqlite3", "/srv/usher/var/usher.sqlite3", None, None, None, None),
    ("sqlite:///var/other.sqlite3", "sqlite3", "/srv/usher/var/other.sqlite3", None, None, None, None),
    ("sqlite:////tmp/a%20b.sqlite3", "sqlite3", "/tmp/a b.sqlite3", None, None, None, None),
    ("sqlite:///:memory:", "sqlite3", ":memory:", None, None, None, None),
    ("postgresql://u:p%40ss@db:5433/usher", "postgresql", "usher", "u", "p@ss", "db", "5433"),
    ("postgres://db/usher", "postgresql", "usher", "", "", "db", ""),
    ("postgresql:///usher?host=/run/pg&user=u&port=5", "postgresql", "usher", "u", "", "/run/pg", "5"),
    ("postgresql://u@%2Frun%2Fpg/usher", "postgresql", "usher", "u", "", "/run/pg", ""),
]


@pytest.mark.parametrize(("url", "engine", "name", "user", "password", "host", "port"), DATABASES)
def test_a_url_becomes_a_database(url, engine, name, user, password, host, port):
    database = database_of(url, project=PROJECT)

    assert database["ENGINE"] == f"django.db.backends.{engine}"
    assert database["NAME"] == name
    assert [database.get(key) for key in ("USER", "PASSWORD", "HOST", "PORT")] == [user, password, host, port]


def test_a_request_is_no_transaction_and_keeps_no_connection():
    for url in (None, "postgresql://db/usher"):
        database = database_of(url, project=PROJECT)
        assert (database["ATOMIC_REQUESTS"], database["CONN_MAX_AGE"]) == (False, 0)


def test_sqlite_takes_the_write_lock_at_begin_and_waits_for_it():
    options = database_of(None, project=PROJECT)["OPTIONS"]

    assert (options["transaction_mode"], options["timeout"]) == ("IMMEDIATE", 20)
    assert "journal_mode=WAL" in options["init_command"]


@pytest.mark.parametrize("url", [None, "postgresql://db/usher"])
def test_what_is_changed_in_one_database_is_changed_in_no_other(url):
    changed, other = database_of(url, project=PROJECT), database_of(url, project=PROJECT)
    changed["OPTIONS"]["timeout"] = changed["OPTIONS"].setdefault("pool", {})["max_size"] = 300

    assert 300 not in (other["OPTIONS"].get("timeout"), other["OPTIONS"].get("pool", {}).get("max_size"))


def test_who_logs_in_is_said_once():
    database = database_of("postgresql://db/usher?user=alice&password=hidden", project=PROJECT)

    assert (database["USER"], database["PASSWORD"]) == ("alice", "hidden")
    assert not {"user", "password"} & database["OPTIONS"].keys()


def test_postgresql_has_a_bounded_pool_and_hands_the_rest_of_the_url_to_libpq():
    options = database_of("postgresql://db/usher?sslmode=verify-full&connect_timeout=2", project=PROJECT)["OPTIONS"]

    assert options["pool"]["max_size"] == 20
    assert (options["sslmode"], options["connect_timeout"]) == ("verify-full", "2")


def test_the_layers_have_the_time_outs_that_each_of_them_needs():
    pubsub = channel_layer_of("pubsub", "redis://r/0")["CONFIG"]["hosts"][0]
    core = channel_layer_of("core", "redis://r/0")["CONFIG"]["hosts"][0]

    assert pubsub["socket_timeout"] == 5, "else a frozen Redis holds a publish for ever"
    assert core["socket_timeout"] is None, "its receive blocks for 5 s; a shorter time-out ends idle consumers"
    assert core["max_connections"] == 5000


def test_memory_and_core_hold_a_burst():
    assert channel_layer_of("memory", None)["CONFIG"]["capacity"] == 10_000
    assert channel_layer_of("core", "redis://r/0")["CONFIG"]["capacity"] == 5_000
