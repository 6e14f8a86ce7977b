"""Importing users from a CSV file: what is in it comes in whole, and what cannot is named with its line."""

import io
import os
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command, load_command_class
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from accounts import newcomers
from accounts.log_check import violations
from accounts.models import User
from accounts.roles import role_of
from accounts.users import CHUNK, Import, Newcomer, import_users
from realtime.models import Event
from tests.accounts.house import House

pytestmark = pytest.mark.django_db

HEADER = "username,full_name,email,phone,role\n"


@pytest.fixture
def house() -> House:
    """Acme with its people, and the others."""
    return House()


@pytest.fixture
def load(tmp_path, capsys):
    """Import a file of this content into acme; returns what the command says."""

    def load(content, *options):
        path = tmp_path / "people.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        call_command("import_users", str(path), "--tenant", "acme", *options)
        return capsys.readouterr().out

    return load


def complaint_of(load, content, *options):
    """Return what is said of a file that is refused; nobody is created."""
    before = User.objects.count()
    with pytest.raises(CommandError) as refused:
        load(content, *options)
    assert User.objects.count() == before
    return str(refused.value)


def imported():
    return sorted(User.objects.filter(joined_via="import").values_list("username", flat=True))


def test_people_come_in_with_all_that_is_said_of_them(house, load):
    said = load(HEADER + "Dave,Dave Dean,dave@acme.test,+1 555,viewer\nerin,,,,\n\nfrank,Frank,,,\n")

    dave = house.user("dave")
    assert (dave.full_name, dave.email, dave.phone, role_of(dave).name) == (
        "Dave Dean",
        "dave@acme.test",
        "+1 555",
        "viewer",
    )
    assert (dave.joined_via, dave.has_usable_password()) == ("import", False)
    assert role_of(house.user("erin")) is None
    assert imported() == ["dave", "erin", "frank"]
    assert said == "Created 3 users of acme.\n"
    assert Event.objects.filter(subject_id=dave.pk).count() == 1
    assert violations() == []


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfusername,full_name\r\ndave,D\xc3\xa4ve\r\n",
        "full_name,username\nDäve,dave".encode(),
        'username,full_name\n"dave","Däve"\n'.encode(),
        b" username , full_name\n dave , D\xc3\xa4ve \n",
    ],
    ids=["BOM and CRLF", "other order, no end", "quotes", "spaces"],
)
def test_a_file_may_be_written_in_many_ways(house, load, content):
    load(content)

    assert house.user("dave").full_name == "Däve"


def test_what_a_spreadsheet_would_run_is_text(house, load):
    load('username,full_name\n=1+1,"=cmd|\'/c calc\'!A0"\n@sum,"+1, ""quoted"", -2"\n')

    assert house.user("=1+1").full_name == "=cmd|'/c calc'!A0"
    assert house.user("@sum").full_name == '+1, "quoted", -2'


def test_every_bad_row_is_named_with_line_value_and_expectation(house, load):
    complaint = complaint_of(
        load,
        HEADER
        + "good,,,,\n"
        + "dave,,nowhere,,\n"
        + "erin,,,,boss\n"
        + "frank,Frank\n"
        + "Good,,,,\n"
        + "bob,,,,\n"
        + "gr\x00ace,,,,\n"
        + f"heidi,{'h' * 300},,,\n"
        + ",Nobody,,,\n",
    )

    first, *lines, way_out = complaint.splitlines()
    assert first == "8 rows (1 taken, 7 invalid); nothing was created:"
    assert [line.strip() for line in lines] == [
        "line 3: email is 'nowhere': Enter a valid email address.",
        "line 4: role is 'boss'; expected one of owner, admin, viewer, trainee.",
        "line 5: has 2 fields; expected 5: username,full_name,email,phone,role",
        "line 6: username is 'good', as in line 2; expected each username once",
        "line 8: username is 'gr\\x00ace'; expected no control or invisible characters (it has '\\x00')",
        f"line 9: full_name is {'h' * 60!r}: Ensure this value has at most 200 characters (it has 300).",
        "line 10: username is ''; expected at least one visible character",
        "line 7: username is 'bob'; acme already has a user of that name",
    ]
    assert way_out.strip() == "Mend the file, or pass over such rows with --skip-taken and --skip-invalid."


def test_bad_rows_can_be_passed_over_each_kind_by_its_own_word(house, load):
    content = HEADER + "dave,,nowhere,,\nerin,,,,\nbob,,,,\nerin,,,,\n"

    assert "with --skip-taken." in complaint_of(load, content, "--skip-invalid")
    assert "with --skip-invalid." in complaint_of(load, content, "--skip-taken")
    said = load(content, "--skip-invalid", "--skip-taken")

    assert imported() == ["erin"]
    assert said.splitlines() == [
        "Skipped: line 2: email is 'nowhere': Enter a valid email address.",
        "Skipped: line 5: username is 'erin', as in line 3; expected each username once",
        "Skipped: line 4: username is 'bob'; acme already has a user of that name",
        "Created 1 user of acme. Passed over 3 rows (1 taken, 2 invalid).",
    ]


def test_of_many_bad_rows_some_are_shown_and_all_are_counted(house, load):
    complaint = complaint_of(load, HEADER + "bad,,nowhere,,\n" * 50)

    assert complaint.startswith("50 rows (0 taken, 50 invalid)")
    assert len(complaint.splitlines()) == 22
    assert "and 30 more." in complaint


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "line 1 is ''; expected a header with username and any of full_name, email, phone, role, separated by "),
        (b"dave,Dave\n", "line 1 is 'dave,Dave'; expected a header with username"),
        (b"username;email\ndave;\n", "line 1 is 'username;email'; expected a header"),
        (b"username,username\na,b\n", "line 1 is 'username,username'; expected a header"),
        (b"username,password\na,b\n", "line 1 is 'username,password'; expected a header"),
        (
            "username\nd\u00e4ve\n".encode("latin-1"),
            "line 2 has the byte 0xe4, which is no UTF-8; expected a UTF-8 file",
        ),
        ("username\ndave\n".encode("utf-16"), "line 1 has the byte 0xff, which is no UTF-8"),
        (b"username\n" + b"x" * 70_000, "line 2 is longer than 65536 bytes; expected a CSV file with one user a line"),
        (b'username\n"da"ve\n', "line 2 is no CSV"),
        (b'username\nerin\n"dave\n' + b"x\n" * 10, "line 3 is no CSV"),
        (b'username\n"dave\n' + b"x\n" * 70_000, "line 2 is no CSV"),
    ],
    ids=["empty", "no header", "semicolons", "twice", "unknown", "latin-1", "utf-16", "long", "quote", "open", "huge"],
)
def test_a_file_that_is_no_such_file_is_refused_at_the_line(house, load, content, complaint):
    said = complaint_of(load, content, "--skip-invalid")

    assert said.startswith(complaint)
    assert said.endswith("; nothing was created")


def test_standard_input_and_pipes_are_read_too(house, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"username\ndave\n")))
    call_command("import_users", "-", "--tenant", "acme")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = subprocess.Popen([sys.executable, "-c", f"open({str(pipe)!r}, 'w').write('username\\nerin\\n')"])
    call_command("import_users", str(pipe), "--tenant", "acme")
    writer.wait()

    assert imported() == ["dave", "erin"]


def test_a_file_that_is_not_there_and_a_tenant_that_is_not(house, tmp_path):
    with pytest.raises(CommandError, match=r"nowhere.csv: No such file or directory; expected a CSV file, or -"):
        call_command("import_users", str(tmp_path / "nowhere.csv"), "--tenant", "acme")
    with pytest.raises(CommandError, match="the tenant is 'initech'; expected one of: acme, globex"):
        call_command("import_users", __file__, "--tenant", "initech")


def many(count):
    return "username\n" + "".join(f"u{number}\n" for number in range(count))


def test_after_a_failure_half_way_the_same_again_does_the_rest(house, load, monkeypatch):
    insert, calls = newcomers.insert, []

    def fail_at_the_third(*args, **kwargs):
        calls.append(args)
        if len(calls) == 3:
            raise OperationalError("the database goes away\nand more")
        return insert(*args, **kwargs)

    with monkeypatch.context() as broken:
        broken.setattr(newcomers, "insert", fail_at_the_third)
        with pytest.raises(CommandError) as refused:
            load(many(2 * CHUNK + 7))
    assert str(refused.value) == (
        "the database goes away; 1000 users created before that; run it again with --skip-taken for the rest"
    )

    said = load(many(2 * CHUNK + 7), "--skip-taken")

    assert "Created 7 users of acme. Passed over 1000 rows (1000 taken, 0 invalid)." in said
    assert len(imported()) == 2 * CHUNK + 7
    assert violations() == []


def test_an_interrupt_says_how_far_it_came(house, load, monkeypatch):
    def interrupt(*_args):
        raise KeyboardInterrupt

    monkeypatch.setattr(Import, "create", interrupt)

    assert complaint_of(load, many(3)).startswith("stopped; 0 users created before that")


def test_an_interrupt_between_two_chunks_counts_the_first(house, load, monkeypatch):
    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setattr("accounts.users.time.sleep", interrupt)
    monkeypatch.setattr("accounts.management.commands.import_users.CHUNK", 2)

    with pytest.raises(CommandError, match="stopped; 2 users created before that"):
        load(many(5))
    assert User.objects.filter(username__startswith="u", tenant=house.acme).count() == 2


def test_a_name_that_is_taken_meanwhile(house, load, monkeypatch):
    create = Import.create

    def be_overtaken(job, chunk):
        monkeypatch.setattr(Import, "create", create)
        house.add("u1")
        return create(job, chunk)

    monkeypatch.setattr(Import, "create", be_overtaken)
    with pytest.raises(
        CommandError, match="acme already has a user named u1; choose another name.; 0 users created before"
    ):
        load(many(3))
    User.objects.filter(username="u1").delete()
    monkeypatch.setattr(Import, "create", be_overtaken)

    said = load(many(3), "--skip-taken")

    assert "Created 2 users of acme. Passed over 1 row (1 taken, 0 invalid)." in said
    assert imported() == ["u0", "u2"]


@pytest.mark.each_database
def test_a_chunk_costs_the_same_statements_whatever_its_size(house, bells):
    counts, rings = [], []
    for size in (20, 40):
        bells.clear()
        with CaptureQueriesContext(connection) as queries:
            import_users(tenant=house.acme, people=[Newcomer(f"u{size}-{n}", role="viewer") for n in range(size)])
        counts.append(len(queries))
        rings.append(bells.copy())

    assert counts[0] == counts[1] <= 12
    assert rings == [[house.acme.pk]] * 2
    assert house.user("u40-39").grants_to_groups.count() == 6, "the default grants of owner, admin and viewer"


def test_the_help_tells_the_columns_and_the_way_back():
    said = "".join(load_command_class("accounts", "import_users").create_parser("manage.py", "x").format_help().split())

    assert "username,full_name,email,phone,role" in said
    assert "thesamecommandwith--skip-takendoestherest" in said
