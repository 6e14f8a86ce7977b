"""The scripts of the Makefile, and pages that must keep up with the files they describe."""

import importlib.util
import re
import stat
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from config.env import PROJECT
from tools import browser


def script(name: str) -> ModuleType:
    """Load a script of the Makefile as a module."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", PROJECT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_secrets_are_for_their_owner_alone_and_differ(tmp_path):
    file = tmp_path / ".env"

    script("write_secrets").main(file)

    keys = dict(line.split("=", 1) for line in file.read_text().splitlines())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert set(keys) == {"USHER_SECRET_KEY", "USHER_JWT_KEY"}
    assert len(set(keys.values())) == 2
    assert all(len(key) >= 64 for key in keys.values())


def test_secrets_are_never_written_again(tmp_path):
    file = tmp_path / ".env"
    file.write_text("mine")

    script("write_secrets").main(file)

    assert file.read_text() == "mine"


def test_what_is_installed_already_is_not_installed_again(tmp_path, monkeypatch):
    install = script("install")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text("")
    monkeypatch.setattr(install, "HOME", tmp_path / "venv")
    monkeypatch.setattr(install, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(install, "FILES", {"runtime": requirements, "development": requirements})
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "pip").touch()
    installed = []
    monkeypatch.setattr(install, "_install", installed.append)

    install.main("runtime")
    install.main("runtime")
    assert len(installed) == 1, "the second run finds the stamp"

    requirements.write_text("# changed")
    install.main("development")
    install.main("runtime")
    assert len(installed) == 2, "what development needs includes the runtime"


def test_the_browser_is_the_machines_else_playwrights_own_else_a_remedy(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    own = tmp_path / "own" / "chrome"
    with pytest.raises(browser.NoBrowser, match="sudo apt-get install chromium"):
        browser.program(str(own))

    own.parent.mkdir()
    own.touch()
    assert browser.program(str(own)) == str(own)

    machines = tmp_path / "google-chrome"
    machines.touch(mode=0o755)
    assert browser.program(str(own)) == str(machines)


def test_every_package_has_a_hash_and_no_address():
    for name in ("requirements.txt", "requirements-page.txt", "requirements-dev.txt"):
        text = (PROJECT / name).read_text()
        pins = re.findall(r"^[a-z0-9][^=\n]*==", text, re.MULTILINE)
        assert len(pins) == len(re.findall(r"==[^ ]+ \\\n +--hash=sha256:[0-9a-f]{64}", text)), name
        assert "://" not in text, name


@pytest.mark.parametrize("name", ["requirements.in", "requirements-page.in", "requirements-dev.in"])
def test_the_page_on_dependencies_gives_a_reason_for_each(name):
    page = (PROJECT / "docs" / "dependencies.md").read_text()
    explained = set(re.findall(r"^\| `([^`]+)`", page, re.MULTILINE))

    wanted = set(re.findall(r"^([a-z0-9][a-z0-9-]*)", (PROJECT / name).read_text(), re.MULTILINE))

    assert wanted <= explained


def test_make_help_lists_the_targets():
    listed = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout

    names = re.findall(r"^  make ([a-z]+) +\S", listed, re.MULTILINE)
    assert {"help", "run", "page", "test", "check", "fix", "bench"} <= set(names)
