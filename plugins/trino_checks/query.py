"""A check's SQL made ready to run: identifiers validated, values bound, never pasted.

The SQL text names its values `:name` and its schema `{database}`, nothing else. Text in quotes and
comments is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trino_checks.errors import InvalidIdentifier, ParametersDiffer

Value = str | int | float | None
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TOKEN = re.compile(
    r"""
      (?P<kept> '(?:[^']|'')*' | "(?:[^"]|"")*" )
    | (?P<comment> --[^\n]* )
    | :(?P<name> [a-z][a-z0-9_]* )
    | \{(?P<identifier> database )\}
    """,
    re.VERBOSE,
)


@dataclass(frozen=True)
class Query:
    """SQL with `?` placeholders and the values for them, in order."""

    sql: str
    values: tuple[Value, ...]


def bind(sql: str, *, database: str, parameters: Mapping[str, Value]) -> Query:
    """Make a query of a check's SQL.

    :raises InvalidIdentifier: the database's name could not stand unquoted in SQL.
    :raises ParametersDiffer: a value that the SQL names is missing, or one is given in vain.
    """
    if not _IDENTIFIER.fullmatch(database):
        raise InvalidIdentifier("database", database)
    named = {match["name"] for match in _TOKEN.finditer(sql) if match["name"]}
    if named != set(parameters):
        raise ParametersDiffer(named - set(parameters), set(parameters) - named)
    values: list[Value] = []

    def replace(match: re.Match[str]) -> str:
        if match["kept"] is not None:
            return match[0]
        if match["comment"] is not None:
            return ""
        if match["identifier"] is not None:
            return database
        values.append(parameters[match["name"]])
        return "?"

    text = _TOKEN.sub(replace, sql).strip().rstrip(";").rstrip()
    return Query(text, tuple(values))
