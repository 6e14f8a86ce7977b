"""The pictures on the README: taken anew by each run, and kept with ``make screenshots``."""

import os
from pathlib import Path

import pytest

from config.env import PROJECT
from tests.docs.pages import links

PICTURES = Path("docs/images")
PEOPLE = [
    ("amelie", "Amélie Dubois", "+33 1 55 55 01 23"),
    ("kwame", "Kwame Okafor", ""),
    ("lucia", "Lucía Hernández", "+34 91 555 0142"),
    ("juergen", "Jürgen Lindqvist", ""),
    ("kofi", "Kofi Mensah", "+233 30 255 0171"),
    ("siobhan", "Siobhán McAllister", "+353 1 555 0188"),
]
SMALL = {"viewport": {"width": 980, "height": 520}, "device_scale_factor": 1}
LOOKS = {
    "alice": {"who": "alice", **SMALL, "color_scheme": "light"},
    "bob": {"who": "bob", **SMALL, "color_scheme": "light"},
    "phone": {
        "who": "alice",
        "viewport": {"width": 390, "height": 640},
        "device_scale_factor": 2,
        "color_scheme": "dark",
    },
}


@pytest.fixture
def folder(tmp_path):
    """Where the pictures go: into the tree only if that is asked for."""
    return PROJECT / PICTURES if os.environ.get("SCREENSHOTS") else tmp_path


async def test_the_page_is_what_the_readme_shows(serve, stage_of, folder):
    stage = stage_of(serve())
    viewers = {name: await stage.viewer(**look) for name, look in LOOKS.items()}

    for number, (username, full_name, phone) in enumerate(PEOPLE):
        person = {"username": username, "full_name": full_name, "email": f"{username}@mail.test"}
        person |= {"phone": phone} if phone else {}
        if number % 2:
            await stage.story.call("POST", "/users", by="alice", expect=201, **person)
        else:
            await stage.story.call("POST", "/tenants/acme/signup", expect=201, password="correct-horse", **person)

    folder.mkdir(exist_ok=True)
    for name, viewer in viewers.items():
        await viewer.sees_row(PEOPLE[-1][1])
        await viewer.page.mouse.move(0, 0)
        await viewer.page.screenshot(path=folder / f"{name}.png")
    shown = [link for link in links((PROJECT / "README.md").read_text()) if link.startswith(str(PICTURES))]
    assert sorted(shown) == sorted(str(PICTURES / f"{name}.png") for name in LOOKS)
