"""The bell: it holds counters and nothing else, nobody waits for it, and without Redis nobody misses it."""

import asyncio
import os
import threading

import pytest
from django.db import transaction

from accounts.models import User
from realtime import bell
from tests.realtime.house import make_tenant, make_user
from tests.realtime.layers import LONG, ear

pytestmark = pytest.mark.usefixtures("own_bell")


def test_a_tenants_group_has_one_spelling():
    assert bell.group_of(42) == "tenant_42_user_notifications"


@pytest.mark.parametrize("tenant_id", [0, -1, True, "42", "42_user_notifications", None, 4.2])
def test_what_is_no_tenants_id_has_no_group(tenant_id):
    with pytest.raises(ValueError, match="expected a positive int"):
        bell.group_of(tenant_id)


@pytest.mark.usefixtures("with_redis")
async def test_what_goes_through_the_layer_is_counters_and_nothing_else(redis):
    heard = await ear(4711)

    bell.ring(4711, 17)

    assert await heard() == {"type": "usher.bell", "tenant": 4711, "head": 17}


def test_this_processes_listeners_are_told_first_and_in_the_callers_thread():
    told = []
    bell.listen(lambda *bell: told.append((*bell, threading.current_thread())))

    bell.ring(1, 5)
    bell.ring(2)

    assert told == [(1, 5, threading.main_thread()), (2, 0, threading.main_thread())]


def test_who_stops_listening_is_told_no_more():
    told = []
    bell.listen(told.append)
    bell.stop_listening(told.append)
    bell.stop_listening(told.append)

    bell.ring(1, 5)

    assert told == []


def test_in_memory_there_is_nobody_else_and_no_thread():
    threads = threading.active_count()

    bell.ring(1, 5)

    assert (threading.active_count(), bell._publishers, bell.flush()) == (threads, [], True)


def test_it_rings_when_the_transaction_has_committed_and_not_when_it_was_rolled_back(database):
    told = []
    bell.listen(lambda *bell: told.append(bell))

    with transaction.atomic():
        bell.ring_on_commit(1, 5)
        assert told == []
    with pytest.raises(OSError, match="no"), transaction.atomic():
        bell.ring_on_commit(1, 6)
        raise OSError("no")

    assert told == [(1, 5)]


def test_whatever_fails_while_ringing_fails_no_request(database, caplog):
    def broken(tenant_id, head):
        raise OSError("a hub that is broken")

    bell.listen(broken)

    make_user(make_tenant("acme"), "dave")

    assert User.objects.filter(username="dave").exists()
    assert "a hub that is broken" in caplog.text


@pytest.mark.usefixtures("with_redis")
async def test_a_fork_rings_for_itself(redis):
    bell.ring(1, 1)
    assert bell.flush(LONG)
    heard = await ear(7)

    child = os.fork()
    if not child:
        bell.ring(7, 3)
        os._exit(0 if bell.flush(LONG) else 1)
    _, status = await asyncio.to_thread(os.waitpid, child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    assert (await heard())["head"] == 3
