"""The environment: what is read from where, and what is said of one that cannot be used."""

import subprocess
import sys

import pytest

from config.env import ENV_FILE, PROJECT, InvalidEnvironment, expectations, read_environment

SECRET_KEY, JWT_KEY = "s" * 40, "j" * 40


@pytest.fixture
def environment(monkeypatch):
    """Set these variables, and no other; the two keys are there unless they are given as None."""
    for name in expectations():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(ENV_FILE, "")

    def set_variables(**variables: str | None) -> None:
        for name, value in ({"USHER_SECRET_KEY": SECRET_KEY, "USHER_JWT_KEY": JWT_KEY} | variables).items():
            if value is not None:
                monkeypatch.setenv(name, value)

    return set_variables


def test_two_keys_are_all_that_is_needed(environment):
    environment()

    usher = read_environment()

    assert (usher.host, usher.port, usher.demo) == ("127.0.0.1", 8000, False)
    assert usher.jwt_other_keys == (), "no key but the one verifies"
    assert (usher.database_url, usher.redis_url, usher.channel_layer) == (None, None, "memory")
    assert usher.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert usher.allowed_origins == (), "no page of another origin unless it is named"
    assert usher.signup_rate == "30/min"


def test_an_empty_variable_counts_as_not_set(environment):
    environment(PORT="", REDIS_URL="", USHER_ALLOWED_HOSTS="")

    assert read_environment().port == 8000


def test_redis_brings_the_layer_that_uses_it(environment):
    environment(REDIS_URL="redis://localhost:6379/0")

    assert read_environment().channel_layer == "pubsub"


def test_the_demo_may_be_used_from_its_own_pages_and_signs_up_faster(environment):
    environment(USHER_DEMO="1", PORT="8123")

    usher = read_environment()

    assert usher.allowed_origins == ("http://localhost:8123", "http://127.0.0.1:8123", "http://[::1]:8123")
    assert usher.signup_rate == "600/min"


def test_lists_are_separated_by_commas_and_origins_spelt_as_browsers_do(environment):
    environment(
        USHER_ALLOWED_HOSTS="Usher.Example.com, other",
        USHER_ALLOWED_ORIGINS="https://App.example.com:443/,HTTP://[::1]:80",
    )

    usher = read_environment()

    assert usher.allowed_hosts == ("usher.example.com", "other")
    assert usher.allowed_origins == ("https://app.example.com", "http://[::1]")


def test_proxies_are_networks_and_none_is_trusted_unless_named(environment):
    environment()
    assert read_environment().trusted_proxies == ()

    environment(USHER_TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7,2001:db8::/32, unix")

    trusted = read_environment().trusted_proxies
    assert [str(proxy) for proxy in trusted] == ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "unix"]


def test_a_file_says_what_the_environment_does_not(environment, monkeypatch, tmp_path):
    environment(PORT="8001")
    file = tmp_path / "variables"
    file.write_text("PORT=9001\nUSHER_SWEEP_SECONDS=0.5\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv(ENV_FILE, str(file))

    usher = read_environment()

    assert usher.port == 8001, "the environment itself comes first"
    assert usher.sweep_seconds == 0.5


def test_a_misspelt_name_in_the_file_is_told_as_well(environment, monkeypatch, tmp_path):
    environment(PORT="x")
    file = tmp_path / "variables"
    file.write_text("USHER_LOGLEVEL=INFO\nUSHER_PASSWORD=for watch\nUSHER_LOG_LEVEL=INFO\nlower=1\n")
    monkeypatch.setenv(ENV_FILE, str(file))

    with pytest.raises(InvalidEnvironment) as raised:
        read_environment()

    assert raised.value.problems == [
        "PORT is 'x'; expected a port from 1 to 65535",
        "USHER_LOGLEVEL is not a variable of Usher's; expected USHER_LOG_LEVEL",
    ]


def test_variables_of_the_commands_are_no_misspellings(environment):
    environment(USHER_PASSWORD="for watch", USHER_TOKEN="another")

    assert read_environment().demo is False


def test_what_is_secret_is_not_in_its_text(environment):
    others = f"{'hidden' * 6}, {'o' * 40}"
    environment(
        DATABASE_URL="postgresql://usher:hidden@db/usher",
        REDIS_URL="redis://:hidden@redis/0",
        USHER_JWT_OTHER_KEYS=others,
    )

    text = repr(read_environment())

    assert "hidden" not in text
    assert SECRET_KEY not in text
    assert JWT_KEY not in text


# variable, value, what is said of it
COMPLAINTS = [
    ("REDIS_URL", "localhost:6379", "is 'localhost:6379'; expected a URL such as redis://localhost:6379/0"),
    ("REDIS_URL", "redis://", "is 'redis://'; expected a URL such as redis://localhost:6379/0"),
    ("REDIS_URL", "http://:hidden@x", "is 'http://***@x'; expected a URL such as redis://localhost:6379/0"),
    ("DATABASE_URL", "mysql://a:hidden@b/c", "is 'mysql://***@b/c'; expected a URL such as postgresql://"),
    ("DATABASE_URL", "mysql://b/c?password=hidden", "is 'mysql://b/c?password=***'; expected a URL such as"),
    ("DATABASE_URL", "postgresql://db", "is 'postgresql://db'; expected a URL such as postgresql://"),
    ("DATABASE_URL", "postgresql://db:x/usher", "is 'postgresql://db:x/usher'; expected a URL such as postgresql://"),
    ("PORT", "99999", "is '99999'; expected a port from 1 to 65535"),
    ("PORT", "http", "is 'http'; expected a port from 1 to 65535"),
    ("USHER_DEMO", "perhaps", "is 'perhaps'; expected 1 or 0"),
    ("USHER_SECRET_KEY", None, "is not set; expected at least 32 random characters"),
    ("USHER_SECRET_KEY", "short", "is a secret of 5 characters; expected at least 32 random characters"),
    ("USHER_JWT_KEY", None, "is not set; expected at least 32 random bytes, other than USHER_SECRET_KEY"),
    ("USHER_JWT_KEY", "k" * 31, "is a secret of 31 characters; expected at least 32 random bytes, other than"),
    ("USHER_JWT_KEY", SECRET_KEY, "is a secret of 40 characters; expected at least 32 random bytes, other than"),
    (
        "USHER_JWT_OTHER_KEYS",
        f"{'o' * 40},short",
        "is a secret of 46 characters; expected keys separated by commas, each",
    ),
    (
        "USHER_JWT_OTHER_KEYS",
        f"{'o' * 40},{JWT_KEY}",
        "is a secret of 81 characters; expected keys separated by commas",
    ),
    ("USHER_JWT_OTHER_KEYS", SECRET_KEY, "is a secret of 40 characters; expected keys separated by commas, each of"),
    ("USHER_CHANNEL_LAYER", "redis", "is 'redis'; expected pubsub or core (both need REDIS_URL), or memory"),
    ("USHER_CHANNEL_LAYER", "core", "is 'core'; expected memory while REDIS_URL is not set"),
    ("USHER_ALLOWED_HOSTS", "*", "is '*'; expected host names separated by commas"),
    ("USHER_ALLOWED_ORIGINS", "*", "is '*'; expected exact origins separated by commas"),
    ("USHER_ALLOWED_ORIGINS", "null", "is 'null'; expected exact origins separated by commas"),
    ("USHER_ALLOWED_ORIGINS", "https://a.test/path", "is 'https://a.test/path'; expected exact origins"),
    ("USHER_ALLOWED_ORIGINS", "capacitor://localhost", "is 'capacitor://localhost'; expected exact origins"),
    ("USHER_ALLOWED_ORIGINS", "https://a.test:99999", "is 'https://a.test:99999'; expected exact origins"),
    ("USHER_ALLOWED_ORIGINS", "https://[:]x", "is 'https://[:]x'; expected exact origins"),
    ("USHER_SIGNUP_RATE", "many", "is 'many'; expected sign-ups per client address, such as 30/min"),
    ("USHER_SIGNUP_RATE", "30/week", "is '30/week'; expected sign-ups per client address, such as 30/min"),
    ("USHER_SOCKETS_PER_USER", "0", "is '0'; expected the most sockets that a user has open"),
    ("USHER_SOCKETS_PER_PROCESS", "1000001", "is '1000001'; expected the most sockets open in one process"),
    ("USHER_MESSAGES_PER_SOCKET", "60", "is '60'; expected messages from the client of a socket, such as 60/10s"),
    ("USHER_TRUSTED_PROXIES", "*", "is '*'; expected networks separated by commas, such as 10.0.0.0/8 or 192.0.2.7"),
    ("USHER_TRUSTED_PROXIES", "10.0.0.1/8", "is '10.0.0.1/8'; expected networks separated by commas"),
    ("USHER_ACCESS_SECONDS", "0", "is '0'; expected the life of an access token in whole seconds"),
    ("USHER_SWEEP_SECONDS", "nan", "is 'nan'; expected seconds between two looks at the counters"),
    ("USHER_SWEEP_SECONDS", "0", "is '0'; expected seconds between two looks at the counters"),
    ("USHER_LOG_LEVEL", "loud", "is 'loud'; expected DEBUG, INFO, WARNING or ERROR"),
    ("USHER_LOGLEVEL", "INFO", "is not a variable of Usher's; expected USHER_LOG_LEVEL"),
]


@pytest.mark.parametrize(("name", "value", "complaint"), COMPLAINTS, ids=[f"{row[0]}={row[1]}" for row in COMPLAINTS])
def test_a_complaint_names_variable_value_and_expectation(environment, name, value, complaint):
    environment(**{name: value})

    with pytest.raises(InvalidEnvironment) as raised:
        read_environment()

    (problem,) = raised.value.problems
    assert problem.startswith(f"{name} {complaint}")
    assert "hidden" not in problem
    assert SECRET_KEY not in problem
    assert JWT_KEY not in problem


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "usher.example.com"])
def test_the_demo_is_for_this_machine_alone(environment, host):
    environment(USHER_DEMO="1", HOST=host)

    with pytest.raises(InvalidEnvironment, match=f"^HOST is '{host}'; expected 127.0.0.1, localhost or ::1 while"):
        read_environment()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "localhost", "::1"])
def test_the_demo_takes_any_name_of_this_machine(environment, host):
    environment(USHER_DEMO="1", HOST=host)

    assert read_environment().host == host


def test_all_that_is_wrong_is_said_at_once(environment):
    environment(REDIS_URL="localhost", PORT="x", USHER_JWT_KEY=None, USHER_LOGLEVEL="INFO")

    with pytest.raises(InvalidEnvironment) as raised:
        read_environment()

    variables = [problem.split()[0] for problem in raised.value.problems]
    assert variables == ["PORT", "USHER_JWT_KEY", "REDIS_URL", "USHER_LOGLEVEL"]


def test_a_command_ends_with_the_list_and_no_traceback():
    command = [sys.executable, str(PROJECT / "manage.py"), "check"]
    variables = {ENV_FILE: "", "USHER_SECRET_KEY": SECRET_KEY, "PORT": "x"}

    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "Usher cannot start with this environment:",
        "PORT is 'x'; expected a port from 1 to 65535",
        "USHER_JWT_KEY is not set; expected at least 32 random bytes, other than USHER_SECRET_KEY",
    ]


def test_the_page_of_the_documentation_has_a_row_for_each_variable():
    page = (PROJECT / "docs" / "configuration.md").read_text()
    rows = [[cell.strip() for cell in line.split("|")] for line in page.splitlines() if line.startswith("| `")]

    documented = {cells[1].strip("`"): cells[3] for cells in rows}

    assert documented == expectations()


def test_the_example_names_only_variables_that_exist():
    lines = (PROJECT / ".env.example").read_text().splitlines()

    names = {line.lstrip("#").split("=")[0] for line in lines if "=" in line and not line.startswith(("# ", "#  "))}

    assert names <= set(expectations())
    assert {"USHER_SECRET_KEY", "USHER_JWT_KEY"} <= names
