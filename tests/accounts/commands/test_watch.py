"""``watch`` and ``simulate_signups`` as real programs, against a real server."""

import json
import signal
import subprocess
from contextlib import contextmanager

import httpx
import pytest

from tests.demo import PASSWORD, DemoServer, manage


@contextmanager
def watching(server, username, *arguments, expect="-- live"):
    """Watch acme in another process, from the moment it is live."""
    process = server.run("watch", "--tenant", "acme", "--username", username, *arguments)
    try:
        process.wait_until(lambda: expect in process.output())
        yield process
    finally:
        process.end(signal.SIGINT)


def lines_of(process):
    """What was printed about events."""
    return [line for line in process.output().splitlines() if not line.startswith("--")]


def run(server, *arguments, **variables):
    """Run a command to its end."""
    return subprocess.run(
        manage(*arguments),
        env=server.environment | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_alice_reads_everything_and_bob_the_names_of_what_is_hidden_from_him(shared_demo):
    with watching(shared_demo, "alice", "--count", "1") as alice, watching(shared_demo, "bob", "--count", "1") as bob:
        shared_demo.sign_up("dave", email="dave@mail.test")

        assert (alice.wait(), bob.wait()) == (0, 0)

    (seen_by_alice,), (seen_by_bob,) = lines_of(alice), lines_of(bob)
    assert "  New user created: dave  " in seen_by_alice
    assert " email=dave@mail.test phone=- address=127.0.0.1 " in seen_by_alice
    assert "hidden" not in seen_by_alice
    assert "  New user created: dave  " in seen_by_bob
    assert seen_by_bob.endswith("  hidden: email, phone, address, agent")
    assert "mail.test" not in seen_by_bob


def test_carol_is_told_that_she_may_not(shared_demo):
    done = run(shared_demo, "watch", "--tenant", "acme", "--username", "carol")

    assert done.returncode == 1
    assert done.stderr.splitlines() == ["-- connecting", "-- closed: the server refuses with 403 not_authorised"]


def test_an_interrupt_ends_it_cleanly_and_the_session_with_it(shared_demo):
    def sessions():
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{shared_demo.url}/api/v1/auth/sessions", headers=headers).text.count('"id"')

    token = shared_demo.token("bob")
    before = sessions()
    with watching(shared_demo, "bob") as bob:
        assert sessions() == before + 1

    assert bob.wait() == 0
    assert bob.output().splitlines()[-1] == "-- stopped"
    assert "Traceback" not in bob.output()
    assert sessions() == before


def test_raw_frames_are_json_on_lines_of_their_own(shared_demo):
    with watching(shared_demo, "alice", "--json", "--count", "1") as alice:
        shared_demo.sign_up("erin")

        assert alice.wait() == 0

    frames = [json.loads(line) for line in lines_of(alice)]
    assert [frame["type"] for frame in frames] == ["ready", "synced", "user.created"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--username", "alice", "--url", "nowhere"), "the address is 'nowhere'; expected one such as http://"),
        (("--username", "alice", "--url", "http://127.0.0.1:1"), "expected a running Usher there (`make run` starts"),
        (("--username", "nobody"), "no log-in as nobody: "),
        (("--username", "alice", "--count", "0"), "argument --count: it is '0'; expected a whole number above 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(shared_demo, arguments, complaint):
    done = run(shared_demo, "watch", "--tenant", "acme", *arguments)

    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_outside_the_demo_a_password_must_be_given(shared_demo):
    arguments = ("watch", "--tenant", "acme", "--username", "alice", "--count", "1")

    without = run(shared_demo, *arguments, USHER_DEMO="0")
    wrong = run(shared_demo, *arguments, USHER_DEMO="0", USHER_PASSWORD="guess")

    assert "alice has no password; expected it in USHER_PASSWORD or by --password-stdin" in without.stderr
    assert "no log-in as alice" in wrong.stderr
    assert PASSWORD not in without.stderr + wrong.stderr


@pytest.fixture(scope="module")
def own_demo(databases, tmp_path_factory):
    """A demo with short-lived tokens, for tests that stop it and start it again."""
    server = DemoServer(tmp_path_factory.mktemp("own-demo"), databases.create("sqlite"), USHER_ACCESS_SECONDS="4")
    yield server
    server.stop()


def test_it_comes_back_after_a_restart_and_nothing_is_missing(own_demo):
    with watching(own_demo, "alice", "--count", "3") as alice:
        own_demo.sign_up("dave")
        alice.wait_until(lambda: "New user created: dave" in alice.output())
        own_demo.stop()
        own_demo.start()
        own_demo.sign_up("erin")
        own_demo.sign_up("frank")

        assert alice.wait() == 0

    messages = [line.split("  ")[1] for line in lines_of(alice)]
    assert messages == [f"New user created: {name}" for name in ("dave", "erin", "frank")]
    assert "-- reconnecting in " in alice.output()


def test_the_token_is_renewed_on_the_open_socket(own_demo):
    with watching(own_demo, "alice", "--json", "--count", "1") as alice:
        alice.wait_until(lambda: alice.output().count('"auth.ok"') == 3)
        own_demo.sign_up("grace")

        assert alice.wait() == 0

    assert alice.output().count("-- connecting") == 1


def test_a_simulation_signs_up_as_many_as_it_says(shared_demo):
    with watching(shared_demo, "alice", "--count", "7") as alice:
        done = run(shared_demo, "simulate_signups", "--tenant", "acme", "--count", "7", "--rate", "50")

        assert done.returncode == 0, done.stderr
        assert "Done: 7 of 7 signed up, 0 failed" in done.stdout
        assert alice.wait() == 0


def test_a_simulation_that_fails_says_so_by_its_status(shared_demo):
    done = run(shared_demo, "simulate_signups", "--tenant", "initech", "--count", "3")

    assert done.returncode == 1
    assert "0 of 3 signed up, 3 failed" in done.stderr
    assert "404 from /api/v1/tenants/initech/signup" in done.stderr
    assert "Traceback" not in done.stderr
