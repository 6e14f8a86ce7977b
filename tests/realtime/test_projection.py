"""What holders of which permissions see of an event, to the byte, and how seldom it is encoded."""

import json
from datetime import UTC, datetime
from itertools import combinations, permutations
from uuid import UUID

import pytest

from accounts.kinds import USER_CREATED
from realtime import projection, protocol
from realtime.kinds import UnknownKind
from realtime.projection import LoggedEvent, Projector, view_of, visible_set

HEAR, CONTACT, ORIGIN = "view_user", "view_user_contact", "view_user_origin"
PUBLIC = ("id", "username", "full_name", "joined_via", "joined_at")
DAVE = {
    "id": "01900000-0000-7000-8000-00000000000d",
    "username": "dave",
    "full_name": None,
    "joined_via": "signup",
    "joined_at": "2026-03-01T12:00:00Z",
    "email": "dave@acme.test",
    "phone": None,
    "address": "192.0.2.7",
    "agent": None,
}


def joined(name="dave", number=1, kind="user.created"):
    return LoggedEvent(
        tenant_id=1,
        position=number,
        id=UUID(int=number),
        kind=kind,
        subject_id=UUID(DAVE["id"]),
        snapshot=DAVE | {"username": name},
        at=datetime(2026, 3, 1, 12, tzinfo=UTC),
    )


WHO_SEES_WHAT = [
    ({HEAR}, PUBLIC, ["email", "phone", "address", "agent"]),
    ({HEAR, CONTACT}, (*PUBLIC, "email", "phone"), ["address", "agent"]),
    ({HEAR, ORIGIN}, (*PUBLIC, "address", "agent"), ["email", "phone"]),
    ({HEAR, CONTACT, ORIGIN}, tuple(DAVE), []),
]


@pytest.mark.parametrize(("permissions", "seen", "redacted"), WHO_SEES_WHAT)
def test_a_view_is_what_may_be_seen_and_the_names_of_the_rest_in_declared_order(permissions, seen, redacted):
    assert view_of(USER_CREATED, DAVE, frozenset(permissions)) == ({name: DAVE[name] for name in seen}, redacted)


def test_visible_but_empty_is_null_and_hidden_is_absent_even_when_empty():
    data, redacted = view_of(USER_CREATED, DAVE, frozenset({HEAR, CONTACT}))

    assert data["phone"] is None
    assert "agent" not in data
    assert "agent" in redacted


def test_what_the_log_does_not_hold_any_more_is_empty():
    data, redacted = view_of(USER_CREATED, {}, frozenset({HEAR}))

    assert (data, redacted) == (dict.fromkeys(PUBLIC), ["email", "phone", "address", "agent"])


def test_what_the_log_holds_beyond_the_declared_fields_is_shown_to_nobody():
    snapshot = DAVE | {"password": "argon2$secret"}
    data, redacted = view_of(USER_CREATED, snapshot, frozenset({HEAR, CONTACT, ORIGIN, "password"}))

    assert "password" not in [*data, *redacted]


@pytest.mark.parametrize("held", [c for n in range(3) for c in combinations((CONTACT, ORIGIN, "manage_users"), n)])
def test_without_the_permission_to_hear_there_is_nothing(held):
    assert visible_set(USER_CREATED, frozenset(held)) == frozenset()
    assert Projector().of(joined(), tenant="acme").frame_to(frozenset(held)) is None


def test_permissions_that_do_not_matter_make_no_class_of_their_own():
    assert visible_set(USER_CREATED, frozenset({HEAR, CONTACT, "manage_users"})) == {HEAR, CONTACT}


def test_the_frame_of_a_viewer_to_the_byte():
    frame = Projector().of(joined(), tenant="acme").frame_to(frozenset({HEAR}))

    assert frame is not None
    assert frame.text == (
        '{"type":"user.created","id":"00000000-0000-0000-0000-000000000001","tenant":"acme",'
        '"at":"2026-03-01T12:00:00Z","message":"New user created: dave","data":{'
        '"id":"01900000-0000-7000-8000-00000000000d","username":"dave","full_name":null,"joined_via":"signup",'
        '"joined_at":"2026-03-01T12:00:00Z"},"redacted":["email","phone","address","agent"]}'
    )


def test_a_frame_tells_neither_the_position_nor_the_tenants_number():
    frame = Projector().of(joined(number=987654), tenant="acme").frame_to(frozenset({HEAR, CONTACT, ORIGIN}))

    assert frame is not None
    assert "987654" not in frame.text
    assert "tenant_id" not in frame.text


def test_all_holders_of_one_set_get_the_same_object_and_it_is_encoded_once(monkeypatch):
    framed = []
    real = protocol.framed
    monkeypatch.setattr(projection.protocol, "framed", lambda *parts: framed.append(parts) or real(*parts))
    projector = Projector()

    owners = [
        projector.of(joined(), tenant="acme").frame_to(frozenset({HEAR, CONTACT, f"other_{n}"})) for n in range(1000)
    ]
    viewers = [projector.of(joined(), tenant="acme").frame_to(frozenset({HEAR})) for _ in range(1000)]

    assert len({id(frame) for frame in owners}) == len({id(frame) for frame in viewers}) == 1
    assert owners[0] is not viewers[0]
    assert len(framed) == 2


@pytest.mark.parametrize("order", list(permutations(range(len(WHO_SEES_WHAT)))))
def test_each_class_gets_its_view_as_if_it_were_encoded_whole_whoever_came_before(order):
    projector, event = Projector(), joined('dave \\ "ü" \x01')
    for permissions, *_ in (WHO_SEES_WHAT[place] for place in order):
        frame = projector.of(event, tenant="acme").frame_to(frozenset(permissions))

        data, redacted = view_of(USER_CREATED, event.snapshot, frozenset(permissions))
        head = {name: json.loads(frame.text)[name] for name in ("type", "id", "tenant", "at", "message")}
        assert frame.text == protocol.frame(head | {"data": data, "redacted": redacted}).text


def test_two_events_are_two_frames():
    projector = Projector()

    frames = [projector.of(joined(name, n), tenant="acme").frame_to(frozenset({HEAR})) for n, name in enumerate("de")]

    assert ["New user created: d" in frames[0].text, "New user created: e" in frames[1].text] == [True, True]


def test_an_event_of_a_kind_that_nobody_declared_is_shown_to_nobody():
    with pytest.raises(UnknownKind):
        Projector().of(joined(kind="user.vanished"), tenant="acme").frame_to(frozenset({HEAR}))
