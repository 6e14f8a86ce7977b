"""What a terminal shows."""

import io
import json

import pytest

from clients.terminal.frames import Event, parse_frame
from clients.terminal.screen import Lines, RawFrames, harmless, local_time
from clients.terminal.states import Live, Reconnecting
from tests.clients.terminal.scripted import created


@pytest.fixture
def streams():
    """Standard output and standard error."""
    return io.StringIO(), io.StringIO()


def event(**data):
    return parsed(created("dave", redacted=["email", "phone"], **data))


def parsed(frame):
    event = parse_frame(json.dumps(frame))
    assert isinstance(event, Event)
    return event


def test_an_event_is_one_line_with_time_message_visible_fields_and_the_names_of_hidden_ones(streams):
    Lines(*streams).event(event(full_name="Dave Doe", joined_via="signup", agent=None))

    when = local_time("2026-11-23T01:02:03.000004Z")
    assert streams[0].getvalue() == (
        f"{when}  New user created: dave  "
        'id=user-dave username=dave full_name="Dave Doe" joined_via=signup agent=-  hidden: email, phone\n'
    )


def test_nothing_is_said_about_hidden_fields_where_there_are_none(streams):
    Lines(*streams).event(parsed(created("dave")))

    assert "hidden" not in streams[0].getvalue()


def test_states_and_remarks_are_kept_apart_from_events(streams):
    screen = Lines(*streams)

    screen.state(Live())
    screen.state(Reconnecting("4000 going away", 1.25))
    screen.remark("by the way")

    assert streams[0].getvalue() == ""
    assert streams[1].getvalue() == "-- live\n-- reconnecting in 1.2 s: 4000 going away\n-- by the way\n"


def test_raw_frames_are_shown_as_they_came_and_events_not_twice(streams):
    text = json.dumps(created("dave"))
    screen = RawFrames(*streams)

    screen.frame(text)
    screen.event(parsed(json.loads(text)))
    screen.listed({"id": "user-erin", "username": "erin"})

    frame, listed = streams[0].getvalue().splitlines()
    assert frame == text
    assert json.loads(listed) == {"type": "listed", "data": {"id": "user-erin", "username": "erin"}}


@pytest.mark.parametrize("nasty", ["\x1b[2J", "\x9b31m", "\u202e", "\r", "\u2028", "\x07", "\U000e0041"])
def test_what_a_stranger_typed_is_shown_and_not_obeyed(streams, nasty):
    Lines(*streams).event(event(full_name=f"Dave{nasty}", agent=nasty))

    assert nasty not in streams[0].getvalue()
    assert len(streams[0].getvalue().splitlines()) == 1


def test_harmless_json_is_the_same_json():
    text = json.dumps({"agent": '\x9b31m Zoë 美咲 \U000e0041 \\ "'}, ensure_ascii=False)

    assert harmless(text) != text
    assert json.loads(harmless(text)) == json.loads(text)


def test_a_time_that_is_none_is_shown_as_it_is():
    assert local_time("tomorrow") == "tomorrow"
