"""The README: what it shows happens, on a real server with real sockets."""

import asyncio
import json
import re
import shutil
import subprocess
from typing import Any

import pytest
from django.core.management import get_commands
from websockets.asyncio.client import ClientConnection, connect

from accounts import demo
from config.env import PROJECT
from tests.docs.pages import examples

PAGE = (PROJECT / "README.md").read_text()
LONGEST = 150
"""Lines: it is read before anything is known, so it says little."""


def frame_of(name: str) -> dict[str, Any]:
    """Return the frame that somebody gets, as the page shows it."""
    (example,) = (e for e in examples(PAGE, "json") if e.words == (name,))
    shown: dict[str, Any] = example.json
    return shown


def curl_of_the_page() -> str:
    """Return the command that signs somebody up."""
    (line,) = (e.text.strip() for e in examples(PAGE, "sh") if e.text.startswith("curl"))
    return line


async def synced(url: str, token: str) -> ClientConnection:
    """Return an open socket that has been told ``synced``."""
    address = url.replace("http", "ws", 1) + "/ws/user_notifications/"
    socket = await connect(address, additional_headers={"Authorization": f"Bearer {token}"})
    while json.loads(await socket.recv())["type"] != "synced":
        pass
    return socket


def test_the_line_that_signs_up_is_the_one_that_is_printed():
    assert curl_of_the_page() == demo.signup_line("http://127.0.0.1:8000")


def test_the_people_and_their_password_are_those_of_the_demo():
    watching = re.findall(r"USHER_PASSWORD=(\S+) .* --tenant (\S+) --username (\S+)", PAGE)

    people = {(person.tenant, person.username) for person in demo.PEOPLE}
    assert len(watching) == 3
    for password, tenant, username in watching:
        assert password == demo.PASSWORD
        assert (tenant, username) in people


def test_it_is_short():
    assert len(PAGE.splitlines()) <= LONGEST


async def test_the_request_causes_the_frames(documented_demo):
    assert shutil.which("curl"), "curl is not installed"
    sockets = {name: await synced(documented_demo.url, documented_demo.token(name)) for name in ("alice", "bob")}
    line = curl_of_the_page().replace("http://127.0.0.1:8000", documented_demo.url)

    await asyncio.to_thread(subprocess.run, ["/bin/sh", "-c", line], check=True, capture_output=True)

    alice, bob = (frame_of(name) for name in ("alice", "bob"))
    got = {name: json.loads(await socket.recv()) for name, socket in sockets.items()}
    for socket in sockets.values():
        await socket.close()
    newcomer = got["alice"]["data"]["username"]
    assert re.fullmatch(r"dave-\d+", newcomer)
    for name, shown in (("alice", alice), ("bob", bob)):
        assert as_shown(got[name], shown) == shown
        assert list(got[name]["data"]) == list(shown["data"])
    assert got["bob"]["id"] == got["alice"]["id"]


def as_shown(frame: dict[str, Any], shown: dict[str, Any]) -> dict[str, Any]:
    """Return a frame with what differs each time as the page has it: ids, times, the name, curl's version."""
    text = json.dumps(frame)
    for member in ("id", "at"):
        text = text.replace(frame[member], shown[member])
    for member in ("id", "username", "agent"):
        if member in frame["data"]:
            text = text.replace(frame["data"][member], shown["data"][member])
    replaced: dict[str, Any] = json.loads(text)
    return replaced


@pytest.mark.parametrize("heading", ["## [Unreleased]", "### Added"])
def test_the_changelog_keeps_its_form(heading):
    assert heading in (PROJECT / "CHANGELOG.md").read_text().splitlines()


def test_the_changelog_names_commands_that_there_are():
    (named,) = re.findall(r"^- Commands: (.*?)\.$", (PROJECT / "CHANGELOG.md").read_text(), re.DOTALL | re.MULTILINE)

    commands = get_commands()
    assert [name for name in re.findall(r"`(\w+)`", named) if commands.get(name) != "accounts"] == []
