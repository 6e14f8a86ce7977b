"""Every cursor that is no good is the same to whoever shows it, whatever is wrong with it."""

from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_DNS, UUID, uuid1, uuid3, uuid4, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.permissions import VIEW_USER
from realtime.cursors import CLOCKS_APART, UNKNOWN, Resumption, parse, resolve
from realtime.identity import moment_of, new_id
from realtime.projection import LoggedEvent
from realtime.rights import Grants, Viewer
from tests.aging import id_of

ACME, GLOBEX = 1, 2
KEPT = timedelta(days=7)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
GROUP = 5
BOB = Viewer(
    session_id=new_id(),
    user_id=new_id(),
    tenant_id=ACME,
    group_ids=frozenset({GROUP}),
    permissions=frozenset({"watch_signups"}),
)
TENANTS = st.sampled_from([ACME, GLOBEX])
AGES = st.timedeltas(min_value=-timedelta(days=400), max_value=timedelta(days=400))
DAYS = st.integers(min_value=1, max_value=32_767)


def event(identity, *, tenant_id=ACME, kind="user.created", position=5):
    return LoggedEvent(
        tenant_id=tenant_id, position=position, id=identity, kind=kind, subject_id=new_id(), snapshot={}, at=NOW
    )


def ask(mark, *, viewer=BOB, is_visible=True, kept=KEPT):
    grants = Grants()
    if mark is not None and is_visible:
        grants.of_groups[mark.subject_id] = {GROUP: {VIEW_USER}}
    return resolve(
        Resumption(ACME, new_id(), mark and mark.id),
        mark,
        viewer=viewer,
        grants={"accounts.User": grants},
        head=10,
        kept=kept,
        now=NOW,
    )


@given(TENANTS, st.booleans(), st.booleans(), AGES, DAYS)
def test_it_is_good_only_if_all_is_well_with_it_and_otherwise_unknown(tenant_id, is_visible, is_known, age, days):
    mark = event(id_of(NOW - age), tenant_id=tenant_id) if is_known else None
    at = moment_of(mark.id) if mark else NOW

    is_good = is_known and tenant_id == ACME and is_visible
    is_good = is_good and NOW - timedelta(days=days) <= at <= NOW + CLOCKS_APART

    assert ask(mark, is_visible=is_visible, kept=timedelta(days=days)) == (5 if is_good else UNKNOWN)


@pytest.mark.parametrize(
    "identity",
    [UUID(int=0), UUID(int=2**128 - 1), uuid1(), uuid3(NAMESPACE_DNS, "x"), uuid4(), uuid5(NAMESPACE_DNS, "x")],
    ids=["nil", "max", "1", "3", "4", "5"],
)
def test_an_id_that_tells_no_time_is_unknown_even_with_an_event_of_that_id(identity):
    assert ask(event(identity)) == UNKNOWN


def test_a_kind_that_nobody_declared_is_unknown():
    assert ask(event(id_of(NOW), kind="user.forgotten")) == UNKNOWN


def test_somebody_who_may_watch_nothing_is_told_the_same():
    assert ask(event(id_of(NOW)), viewer=None) == UNKNOWN


@settings(max_examples=300)
@given(st.text(max_size=200) | st.uuids().map(str) | st.uuids().map(lambda u: str(u).upper()) | st.uuids().map(repr))
def test_whatever_a_cursor_spells_it_is_an_id_in_the_one_spelling_or_none(text):
    identity = parse(text)

    assert identity is None or str(identity) == text
