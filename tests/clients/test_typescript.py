"""The clients in TypeScript, by their own tests: started with the pinned Node, so that one line counts everything."""

import json
import subprocess

import pytest

from tools import node

WORKSPACES = json.loads((node.CLIENTS / "package.json").read_text())["workspaces"]
SCRIPTS = [
    (workspace, script)
    for workspace in WORKSPACES
    for script in ("check", "test", "size")
    if script in json.loads((node.CLIENTS / workspace / "package.json").read_text()).get("scripts", {})
]


def test_each_workspace_is_checked_and_tested_and_the_client_is_measured():
    for workspace in WORKSPACES:
        assert (workspace, "check") in SCRIPTS
        assert (workspace, "test") in SCRIPTS
    assert ("typescript", "size") in SCRIPTS, "it is promised to be small"


@pytest.mark.timeout(900)
@pytest.mark.parametrize(("workspace", "script"), SCRIPTS)
def test_what_npm_runs_succeeds(workspace, script):
    done = subprocess.run(
        node.command("run", script, "--workspace", workspace),
        cwd=node.CLIENTS,
        env=node.environment() | {"NO_COLOR": "1", "CI": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, f"npm run {script} --workspace {workspace} fails :\n{done.stdout}"
