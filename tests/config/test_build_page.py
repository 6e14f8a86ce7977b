"""Building the live page: once for the same sources, with the project's own Node, and a sentence where it fails."""

import os
import subprocess
from pathlib import Path

import pytest

from config.env import PROJECT
from tools import build_page, node


@pytest.fixture
def clients(tmp_path, monkeypatch):
    """Sources of a page, and what would be done to build it, which is noted and not done."""
    clients = tmp_path / "clients"
    for name in ("live/src/main.tsx", "live/tests/main.test.tsx", "typescript/src/index.ts", "package-lock.json"):
        (clients / name).parent.mkdir(parents=True, exist_ok=True)
        (clients / name).write_text(name)
    for name in ("package.json", ".npmrc"):
        (clients / name).touch()
    monkeypatch.setattr(node, "PROJECT", tmp_path)
    monkeypatch.setattr(build_page, "CLIENTS", clients)
    monkeypatch.setattr(build_page, "BUILDERS", ())
    monkeypatch.setattr(build_page, "DIST", clients / "live" / "dist")
    monkeypatch.setattr(build_page, "STAMP", clients / "live" / "dist" / "built-from")
    return clients


@pytest.fixture
def done(clients, monkeypatch):
    """What was done, in order."""
    done: list[str] = []

    def build(folder: Path, *arguments: str) -> None:
        done.append(" ".join(("npm", *arguments)))
        (clients / "live" / "dist").mkdir(exist_ok=True)

    monkeypatch.setattr(build_page.install, "main", lambda kind: done.append(f"install {kind}"))
    monkeypatch.setattr(node, "install", lambda folder: done.append(f"npm ci in {folder.name}"))
    monkeypatch.setattr(node, "npm", build)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: done.append(command[2]))
    return done


EVERYTHING = ["install page", "npm ci in clients", "npm run build --workspace live", "whitenoise.compress"]


def test_a_page_is_built_once_for_the_same_sources(done):
    build_page.build()
    build_page.build()

    assert done == EVERYTHING, "the second run finds the stamp"


@pytest.mark.parametrize(
    "name", ["live/src/main.tsx", "live/src/new.tsx", "typescript/src/index.ts", "package-lock.json"]
)
def test_what_the_page_is_made_of_has_it_built_again(clients, done, name):
    build_page.build()
    done.clear()
    (clients / name).write_text("changed")

    build_page.build()

    assert done == EVERYTHING


def test_what_it_is_not_made_of_does_not(clients, done):
    build_page.build()
    done.clear()
    (clients / "live/tests/main.test.tsx").write_text("changed")
    (clients / "live/node_modules").mkdir()
    (clients / "live/node_modules/any.js").touch()

    build_page.build()

    assert done == []


def test_a_build_that_failed_is_tried_again(done, monkeypatch):
    def fail(folder: Path, *arguments: str) -> None:
        raise node.NodeFailed("it failed")

    with monkeypatch.context() as broken:
        broken.setattr(node, "npm", fail)
        with pytest.raises(node.NodeFailed):
            build_page.build()
    done.clear()

    build_page.build()

    assert done == EVERYTHING


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder that npm is to install into, and its log beside it."""
    (tmp_path / "var").mkdir()
    monkeypatch.setattr(node, "PROJECT", tmp_path)
    monkeypatch.setattr(node, "LOG", tmp_path / "var" / "npm.log")
    package = '{"name": "any", "version": "1.0.0", "dependencies": {"react": "19.3.1"}}'
    (tmp_path / "package.json").write_text(package)
    lock = (
        '"lockfileVersion": 3, "requires": true, "packages": {"": {"name": "any", "version": "1.0.0", "dependencies":'
    )
    react = '{"react": "19.3.1"}}, "node_modules/react": {"version": "19.3.1", "integrity": "sha512-AAAA"}}'
    (tmp_path / "package-lock.json").write_text(f'{{"name": "any", "version": "1.0.0", {lock} {react}}}')
    return tmp_path


def test_without_a_network_one_sentence_says_so(folder, monkeypatch):
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:1")
    monkeypatch.setenv("npm_config_cache", str(folder / "cache"))
    monkeypatch.setattr(node, "QUIETLY", ("--ignore-scripts", "--fetch-retries=0"))

    with pytest.raises(node.NodeFailed) as failed:
        node.install(folder)

    assert "`npm ci` failed" in str(failed.value)
    assert "ECONNREFUSED" in str(failed.value)
    assert "\n" not in str(failed.value)
    assert "ECONNREFUSED" in (folder / "var" / "npm.log").read_text()
    assert not (folder / "node_modules" / "installed").exists()


def test_node_is_that_of_the_project_whatever_the_machine_has(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")

    version = subprocess.run(
        ["node", "--version"], env=node.environment(), capture_output=True, text=True, check=True
    ).stdout

    (pinned,) = [
        line for line in (PROJECT / "requirements-page.txt").read_text().splitlines() if line.startswith("nodejs")
    ]
    assert pinned.partition("==")[2].split()[0] == version.strip().removeprefix("v")


def test_a_proxys_authority_is_believed_as_pip_believes_it(monkeypatch):
    monkeypatch.setattr(node, "AUTHORITIES", Path(__file__))
    monkeypatch.delenv("NODE_EXTRA_CA_CERTS", raising=False)
    assert node.environment()["NODE_EXTRA_CA_CERTS"] == __file__

    monkeypatch.setenv("NODE_EXTRA_CA_CERTS", "/of/the/company.pem")
    assert node.environment()["NODE_EXTRA_CA_CERTS"] == "/of/the/company.pem"


def test_a_page_that_cannot_be_built_keeps_nobody_from_the_rest(tmp_path):
    python = tmp_path / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\ncase "$*" in *build_page*) exit 3;; esac\n')
    python.chmod(0o755)
    (tmp_path / "Makefile").write_text((PROJECT / "Makefile").read_text())

    # Make that runs inside of another make would say where it is.
    command = ["make", "--no-print-directory", "run", "PYTHON=true"]
    said = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=True, env=dict(os.environ)
    ).stdout

    assert said.splitlines() == [
        "-m tools.build_page",
        "Serving what there is (building ended with status 3)",
        "manage.py migrate --verbosity 0",
        "manage.py load_demo",
        "manage.py serve --server daphne",
    ]
