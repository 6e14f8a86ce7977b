"""Kinds of events: declared by a feature, found by name, and careful with what their sentence says."""

import pytest

from realtime import kinds
from realtime.kinds import EventKind, Field, UnknownKind, declare, declared, kind_named, permissions_by_field

SHIPPED = EventKind(
    name="parcel.shipped",
    subject="parcels.Parcel",
    hear="view_parcel",
    fields=(Field("id", "view_parcel"), Field("carrier", "view_parcel"), Field("receiver", "view_receiver")),
    message="Shipped with {carrier}",
)


@pytest.fixture(autouse=True)
def _own_register(monkeypatch):
    monkeypatch.setattr(kinds, "_kinds", {})


def test_a_declared_kind_is_found_by_its_name():
    declare(SHIPPED)

    assert kind_named("parcel.shipped") is SHIPPED
    assert declared() == (SHIPPED,)


def test_a_kind_that_is_declared_again_is_replaced():
    declare(EventKind(name="parcel.shipped", subject="old.Parcel", hear="x", fields=(), message=""))
    declare(SHIPPED)

    assert declared() == (SHIPPED,)


def test_an_unknown_kind_is_named_with_those_that_are_known():
    declare(SHIPPED)

    with pytest.raises(UnknownKind, match=r"event kind is 'parcel.lost'; expected one of \['parcel.shipped'\]"):
        kind_named("parcel.lost")


def test_the_permissions_that_matter_are_to_hear_and_to_see_each_field():
    assert SHIPPED.permissions == {"view_parcel", "view_receiver"}


def test_the_sentence_is_made_of_what_everybody_sees_who_hears_of_it():
    assert SHIPPED.message_about({"carrier": "Otto", "receiver": "Zoë"}) == "Shipped with Otto"


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("100 % by {carrier}, {{at once}}", "100 % by Otto, {at once}"),
        ("{carrier} and {carrier}", "Otto and Otto"),
        ("By {carrier:>6}", "By   Otto"),
        ("By {carrier!r}", "By 'Otto'"),
        ("By {carrier[0]}", "By O"),
        ("Number {id}", "Number None"),
        ("%s %(carrier)s", "%s %(carrier)s"),
        ("", ""),
    ],
)
def test_a_sentence_is_whatever_python_makes_of_a_format(message, words):
    kind = EventKind(name="x", subject="x.X", hear=SHIPPED.hear, fields=SHIPPED.fields, message=message)

    assert kind.message_about({"carrier": "Otto", "receiver": "Zoë"}) == words


def test_what_is_inside_a_value_is_never_read_as_a_format():
    assert SHIPPED.message_about({"carrier": "{receiver} {0.__class__}"}) == "Shipped with {receiver} {0.__class__}"


def test_a_sentence_cannot_tell_a_field_that_needs_more_than_hearing():
    indiscreet = EventKind(
        name="x", subject="x.X", hear=SHIPPED.hear, fields=SHIPPED.fields, message="Shipped to {receiver}"
    )

    with pytest.raises(KeyError, match="receiver"):
        indiscreet.message_about({"carrier": "Otto", "receiver": "Zoë"})


def test_clients_are_told_the_permission_of_each_field_of_every_kind():
    declare(SHIPPED)
    declare(
        EventKind(
            name="parcel.lost",
            subject="parcels.Parcel",
            hear="view_parcel",
            fields=(Field("id", "view_parcel"), Field("carrier", "view_losses"), Field("value", "view_losses")),
            message="Lost",
        )
    )

    assert permissions_by_field() == {
        "id": "view_parcel",
        "carrier": "view_parcel",
        "receiver": "view_receiver",
        "parcel.lost.carrier": "view_losses",
        "value": "view_losses",
    }
