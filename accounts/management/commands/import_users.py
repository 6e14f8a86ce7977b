"""Make many users of a tenant, from a CSV file."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from accounts.management.people_csv import COLUMNS, BadRow, Row, Unreadable, rows_of
from accounts.management.telling import refusals_told, tenant_of_slug
from accounts.newcomers import Checked
from accounts.refusals import FieldsRefused, Refused, UsernameTaken
from accounts.users import CHUNK, Import

SHOWN = 20
LONGEST_COMPLAINT = 300
STDIN = "-"

HELP = f"""
Create the users of a CSV file in a tenant; whoever watches the tenant hears of each.

The file is UTF-8 with a header; its columns are {", ".join(COLUMNS)}, in any order and separated by commas;
all but username may be left out, or left empty. Users are created without passwords: they cannot log in
until one is set. The whole file is looked through first, and unless told otherwise nothing is created if
a single row cannot be. Then they are created {CHUNK} at a time. If that ends half-way, the same command
with --skip-taken does the rest.
"""


class Command(BaseCommand):
    help = HELP.strip()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="the CSV file, or - for standard input")
        parser.add_argument("--tenant", required=True, help="its slug")
        parser.add_argument("--skip-taken", action="store_true", help="pass over names that the tenant has already")
        parser.add_argument(
            "--skip-invalid", action="store_true", help="pass over rows with values that no user can have"
        )

    def handle(self, *_: Any, **options: Any) -> None:
        with refusals_told(), _opened(options["file"]) as file:
            work = _Work(file, options)
            work.look_through()
            if work.is_refused:
                raise CommandError(
                    "\n  ".join([f"{work.counted()}; nothing was created:", *work.shown, work.way_out()])
                )
            try:
                work.create()
            except KeyboardInterrupt:
                raise CommandError(f"stopped; {work.so_far()}") from None
            except (Refused, DatabaseError) as error:
                raise CommandError(f"{str(error).strip().splitlines()[0]}; {work.so_far()}") from None
        for complaint in work.shown:
            self.stdout.write(f"Skipped: {complaint}")
        passed_over = f" Passed over {work.counted()}." if work.skipped else ""
        self.stdout.write(
            self.style.SUCCESS(f"Created {_many(work.created, 'user')} of {options['tenant']}.{passed_over}")
        )


class _Work:
    """The file, looked through once to judge it and once more to create what it holds; never held as a whole."""

    def __init__(self, file: BinaryIO, options: dict[str, Any]) -> None:
        self._file = file
        self._tenant = tenant_of_slug(options["tenant"])
        self._may_skip = {"taken": options["skip_taken"], "invalid": options["skip_invalid"]}
        self._counts = {"taken": 0, "invalid": 0}
        self.created = 0
        self.shown: list[str] = []
        self.skipped: set[int] = set()
        """The lines of rows that are not to be created."""

    @property
    def is_refused(self) -> bool:
        return any(count and not self._may_skip[why] for why, count in self._counts.items())

    def look_through(self) -> None:
        """Find every row that cannot be created."""
        job, lines, chunk = Import(self._tenant), dict[str, int](), dict[str, int]()
        for row in self._rows():
            name = self._judged(job, row, lines)
            if name is not None:
                chunk[name] = row.line
            if len(chunk) == CHUNK:
                self._note_taken(job, chunk)
                chunk = {}
        self._note_taken(job, chunk)

    def create(self) -> None:
        """Create the rest, chunk by chunk; raises ``UsernameTaken`` for a name that was taken in the meantime."""
        job, chunk = Import(self._tenant), list[tuple[int, Checked]]()
        for row in self._rows():
            if row.line in self.skipped or isinstance(row, BadRow):
                continue
            chunk.append((row.line, job.checked(row.person)))
            if len(chunk) == CHUNK:
                self._create(job, chunk)
                chunk = []
        self._create(job, chunk)

    def counted(self) -> str:
        counts = self._counts
        return f"{_many(sum(counts.values()), 'row')} ({counts['taken']} taken, {counts['invalid']} invalid)"

    def way_out(self) -> str:
        hidden = sum(self._counts.values()) - len(self.shown)
        more = f"and {hidden} more. " if hidden else ""
        ways = [f"--skip-{why}" for why, count in self._counts.items() if count and not self._may_skip[why]]
        return f"{more}Mend the file, or pass over such rows with {' and '.join(ways)}."

    def so_far(self) -> str:
        return f"{_many(self.created, 'user')} created before that; run it again with --skip-taken for the rest"

    def _rows(self) -> Iterator[Row | BadRow]:
        self._file.seek(0)
        try:
            yield from rows_of(self._file)
        except Unreadable as error:
            raise CommandError(f"{error}; {self.so_far() if self.created else 'nothing was created'}") from None

    def _judged(self, job: Import, row: Row | BadRow, lines: dict[str, int]) -> str | None:
        if isinstance(row, BadRow):
            self._note("invalid", row.line, row.complaint)
            return None
        try:
            name: str = job.checked(row.person).fields["username"]
        except Refused as refusal:
            self._note("invalid", row.line, _complaint_of(refusal, row))
            return None
        first = lines.setdefault(name, row.line)
        if first != row.line:
            self._note("invalid", row.line, f"username is {name!r}, as in line {first}; expected each username once")
            return None
        return name

    def _note_taken(self, job: Import, chunk: dict[str, int]) -> None:
        taken = job.taken(chunk)
        for name, line in chunk.items():
            if name in taken:
                self._note("taken", line, f"username is {name!r}; {self._tenant.slug} already has a user of that name")

    def _create(self, job: Import, chunk: list[tuple[int, Checked]]) -> None:
        while True:
            try:
                self.created += job.create([newcomer for _, newcomer in chunk])
            except UsernameTaken:
                if not self._may_skip["taken"]:
                    raise
                lines = {newcomer.fields["username"]: line for line, newcomer in chunk}
                self._note_taken(job, lines)
                chunk = [(line, newcomer) for line, newcomer in chunk if line not in self.skipped]
            else:
                return

    def _note(self, why: str, line: int, complaint: str) -> None:
        self._counts[why] += 1
        self.skipped.add(line)
        if len(self.shown) < SHOWN:
            self.shown.append(f"line {line}: {complaint}"[:LONGEST_COMPLAINT])


def _many(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _complaint_of(refusal: Refused, row: Row) -> str:
    if not isinstance(refusal, FieldsRefused):
        return str(refusal)
    told = []
    for field, sentences in refusal.errors.items():
        value = getattr(row.person, field)
        told += [s if s.startswith(field) else f"{field} is {value[:60]!r}: {s}" for s in sentences]
    return " ".join(told)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    """Open a file that can be read twice: what cannot, such as a pipe, is copied to the disk first."""
    with ExitStack() as files:
        try:
            file: BinaryIO = sys.stdin.buffer if name == STDIN else files.enter_context(Path(name).open("rb"))
            if name == STDIN or not file.seekable():
                copy = files.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(file, copy)
                file = cast("BinaryIO", copy)
        except OSError as error:
            raise CommandError(f"{name}: {error.strerror}; expected a CSV file, or - for standard input") from None
        yield file
