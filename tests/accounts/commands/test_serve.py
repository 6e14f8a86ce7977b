"""What serve refuses to start with, in a sentence; and what it asks of the system."""

import resource

import pytest
from django.core.management import CommandError, call_command

from accounts.management.commands import serve
from config.live_page import LivePage
from tests.databases import django_uses


@pytest.fixture
def _never_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(**kwargs: object) -> None:
        raise AssertionError("it serves")

    monkeypatch.setattr(serve, "SERVERS", {"daphne": run, "uvicorn": run})


@pytest.mark.usefixtures("database", "_never_serves")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com"])
def test_the_demo_stays_on_this_machine_whatever_the_option_says(settings, host):
    settings.USHER = settings.USHER.model_copy(update={"demo": True})

    with pytest.raises(CommandError, match="expected a loopback address such as 127.0.0.1, because USHER_DEMO=1"):
        call_command("serve", host=host)


@pytest.mark.usefixtures("database", "_never_serves")
def test_without_the_demo_any_host_will_do():
    with pytest.raises(AssertionError, match="it serves"):
        call_command("serve", host="0.0.0.0", port=0)


@pytest.mark.usefixtures("database", "_never_serves")
@pytest.mark.parametrize(
    ("page", "origins", "is_warned"),
    [
        (LivePage("main.js", (), ()), (), True),
        (LivePage("main.js", (), ()), ("https://usher.example.com",), False),
        (None, (), False),
    ],
    ids=["a page without an origin", "a page with one", "no page"],
)
def test_a_page_whose_sockets_will_be_refused_is_warned_of(settings, capsys, page, origins, is_warned):
    settings.LIVE_PAGE = page
    settings.USHER = settings.USHER.model_copy(update={"allowed_origins": origins})

    with pytest.raises(AssertionError, match="it serves"):
        call_command("serve", port=0)

    assert capsys.readouterr().err == (
        "usher: USHER_ALLOWED_ORIGINS is empty; expected the origins from which people open the live page, such as "
        "https://usher.example.com. Without it they can sign in there, and every socket of the page is refused.\n"
        if is_warned
        else ""
    )


@pytest.mark.usefixtures("_never_serves")
def test_a_database_that_lacks_migrations_is_not_served(django_db_blocker, tmp_path):
    empty = django_uses(f"sqlite:///{tmp_path}/empty.sqlite3")
    refused = pytest.raises(CommandError, match=r"the database lacks \d+ migrations; run manage.py migrate first")
    with django_db_blocker.unblock(), empty, refused:
        call_command("serve", port=0)


@pytest.mark.usefixtures("_never_serves")
def test_a_database_in_no_folder_is_said_in_a_sentence(django_db_blocker, tmp_path):
    nowhere = django_uses(f"sqlite:///{tmp_path}/nowhere/x.sqlite3")
    with (
        django_db_blocker.unblock(),
        nowhere,
        pytest.raises(CommandError, match=r"cannot be opened .*; see DATABASE_URL"),
    ):
        call_command("serve", port=0)


def test_it_may_open_as_many_files_as_the_system_allows():
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(before, most - 1), most))

    try:
        serve.open_as_many_files_as_may_be()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (most, most)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))
