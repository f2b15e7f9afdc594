"""A check's SQL made ready to run: identifiers validated, values bound, never pasted.

The SQL text names its values `:name` and its schema `{database}`, nothing else. Text in quotes and
comments is left as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
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


def identifier(what: str, name: str) -> str:
    """Return a name that can stand unquoted in SQL.

    :raises InvalidIdentifier: it cannot.
    """
    if not _IDENTIFIER.fullmatch(name):
        raise InvalidIdentifier(what, name)
    return name


def names_in(sql: str) -> set[str]:
    """Return the names of the values that the SQL asks for."""
    return {match["name"] for match in _TOKEN.finditer(sql) if match["name"]}


def bind_each(
    sqls: Sequence[str], *, database: str, parameters: Mapping[str, Value]
) -> list[Query]:
    """Make queries that share their values: each takes those that it names.

    :raises InvalidIdentifier: the database's name could not stand unquoted in SQL.
    :raises ParametersDiffer: a value that any names is missing, or one is given in vain.
    """
    named = set[str]().union(*map(names_in, sqls))
    if named != set(parameters):
        raise ParametersDiffer(named - set(parameters), set(parameters) - named)
    return [
        bind(
            sql,
            database=database,
            parameters={name: parameters[name] for name in names_in(sql)},
        )
        for sql in sqls
    ]


def bind(sql: str, *, database: str, parameters: Mapping[str, Value]) -> Query:
    """Make a query of a check's SQL.

    :raises InvalidIdentifier: the database's name could not stand unquoted in SQL.
    :raises ParametersDiffer: a value that the SQL names is missing, or one is given in vain.
    """
    identifier("database", database)
    named = names_in(sql)
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
