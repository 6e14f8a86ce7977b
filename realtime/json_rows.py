"""Rows that are handed to the database as one parameter: the statement is the same for any number of them."""

from collections.abc import Mapping


def given_rows(vendor: str, columns: Mapping[str, str]) -> str:
    """
    Return SQL for a table ``given`` with these columns (name -> PostgreSQL's type), for a FROM.

    Its one parameter is JSON, a list of objects with a member for each column, as the database keeps such values.
    """
    if vendor == "postgresql":
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"json_to_recordset(%s::json) AS given({typed})"
    extracted = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"(SELECT {extracted} FROM json_each(%s)) AS given"  # noqa: S608  names of our own
