"""People in a CSV file (RFC 4180, UTF-8), row by row: what is in it is text, whatever a spreadsheet makes of it."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from accounts.users import Newcomer

COLUMNS = ("username", "full_name", "email", "phone", "role")
NEEDED = "username"
LONGEST_LINE = 64 * 1024
BOM = "\ufeff"


class Unreadable(Exception):
    """A file that cannot be read on from some line; ``str()`` names the line, what is there and what was expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody, in the line (from 1) at which the row begins."""

    line: int
    person: Newcomer


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that does not fit the header; ``complaint`` is the rest of a sentence that begins with the line."""

    line: int
    complaint: str


def rows_of(file: BinaryIO) -> Iterator[Row | BadRow]:
    """Return the rows after the header, empty lines left out; raises ``Unreadable``. Holds one row at a time."""
    records = _records_of(file)
    _, header = next(records, (1, []))
    columns = _columns_of(header)
    for line, values in records:
        if len(values) != len(columns):
            yield BadRow(line, f"has {len(values)} fields; expected {len(columns)}: {','.join(columns)}")
            continue
        fields = dict(zip(columns, (value.strip() for value in values), strict=True))
        role = fields.pop("role", None) or None
        yield Row(line, Newcomer(**fields, role=role))


def _records_of(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines_of(file), strict=True)
    line = 1
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Unreadable(
                f"line {line} is no CSV ({error}); expected fields separated by commas, and quotes only around a whole "
                'field, doubled inside it ("")'
            ) from None
        if values:
            yield line, values
        line = reader.line_num + 1


def _lines_of(file: BinaryIO) -> Iterator[str]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise Unreadable(
                f"line {number} is longer than {LONGEST_LINE} bytes; expected a CSV file with one user a line"
            )
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unreadable(
                f"line {number} has the byte 0x{line[error.start]:02x}, which is no UTF-8; expected a UTF-8 file"
            ) from None
        yield text.removeprefix(BOM) if number == 1 else text


def _columns_of(header: list[str]) -> list[str]:
    columns = [name.strip() for name in header]
    expected = f"expected a header with {NEEDED} and any of {', '.join(c for c in COLUMNS if c != NEEDED)}"
    if NEEDED not in columns or len(set(columns)) != len(columns) or not set(columns) <= set(COLUMNS):
        raise Unreadable(f"line 1 is {','.join(header)[:100]!r}; {expected}, separated by commas")
    return columns
