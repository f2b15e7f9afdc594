"""Checks run for a UTC day by Trino, and what their answers mean."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from operator import itemgetter

from lakehouse.parts import in_parts
from lakehouse.quality.checks import Check
from lakehouse.quality.errors import ChecksNotRun, ChecksViolated
from lakehouse.query import Answer, QueryFailed, session
from lakehouse.settings import LakehouseSettings

COLUMNS = ("violations", "checked", "example")


class Outcome(StrEnum):
    """What became of a check: it holds, is violated (as its severity says), or did not run."""

    PASS = "pass"  # noqa: S105 - a verdict
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"


@dataclass(frozen=True)
class Result:
    """What one check found of one day; `detail`: why it could not be run, or what was let go."""

    check: Check
    day: date
    outcome: Outcome
    duration_seconds: float
    violations: int | None = None
    checked: int | None = None
    example: str | None = None
    """The worst or the first violation, in words; of the worst part, where there are several."""
    detail: str | None = None

    def __str__(self) -> str:
        """The check, the day, and what was found."""
        if self.outcome is Outcome.ERROR:
            found = self.detail
        else:
            found = f"{self.violations:,} of {self.checked:,}"
            found += "".join(f", {each}" for each in (self.example, self.detail) if each)
        return f"{self.check} {self.day} {self.outcome} ({self.check.says}): {found}"


def run(
    settings: LakehouseSettings,
    checks: Iterable[Check],
    day: date,
    horizons: Mapping[str, date] | None = None,
) -> tuple[Result, ...]:
    """Run every check, in order, whatever becomes of the others; it only reads.

    :param horizons: since when the tables that have let days go are whole
    :raises ServerUnreachable: Trino does not answer, which says nothing about the data.
    """
    return tuple(_run(settings, check, day, horizons or {}) for check in checks)


def judge(results: Iterable[Result]) -> None:
    """Raise unless every check was run, and those that must hold do.

    :raises ChecksNotRun: some could not be run.
    :raises ChecksViolated: all were run, and some that must hold do not.
    """
    by_outcome: dict[Outcome, list[str]] = {each: [] for each in Outcome}
    for result in results:
        by_outcome[result.outcome].append(str(result))
    failed, violated = by_outcome[Outcome.ERROR], by_outcome[Outcome.FAIL]
    if failed:
        raise ChecksNotRun(failed, violated)
    if violated:
        raise ChecksViolated(violated)


def verdict(check: Check, day: date, answers: Sequence[Answer], duration_seconds: float) -> Result:
    """Say what the answers of all parts mean; one that is no count of violations is an error."""
    violations, checked, examples = 0, 0, list[tuple[int, str | None]]()
    for answer in answers:
        if not _counts_violations(answer):
            told = f"it must give one row of {', '.join(COLUMNS)}; "
            told += f"it gave {answer.columns} {answer.rows}"
            return Result(check, day, Outcome.ERROR, duration_seconds, detail=told)
        [(violations_of_part, checked_of_part, example)] = answer.rows
        violations += violations_of_part
        checked += checked_of_part
        examples.append((violations_of_part, example))
    return Result(
        check,
        day,
        Outcome(check.severity) if violations else Outcome.PASS,
        duration_seconds,
        violations,
        checked,
        max(examples, key=itemgetter(0))[1] if violations else None,
    )


def _run(
    settings: LakehouseSettings, check: Check, day: date, horizons: Mapping[str, date]
) -> Result:
    since = check.kept_since(horizons)

    def ask(part: int, parts: int) -> Answer:
        with session(settings) as trino:
            return trino.ask(check.sql, check.values(day, since, part, parts))

    began = time.monotonic()
    try:
        answers = in_parts(f"{check} {day}", ask) if check.is_divisible else (ask(0, 1),)
    except QueryFailed as error:
        spent = time.monotonic() - began
        return Result(check, day, Outcome.ERROR, spent, detail=str(error))
    found = verdict(check, day, answers, time.monotonic() - began)
    gone = [
        f"{name} is kept since {first}"
        for name, first in sorted(horizons.items())
        if name in check.tables and day < first
    ]
    if not gone or found.outcome is Outcome.ERROR:
        return found
    return replace(found, detail=f"not all of the day is left: {', '.join(gone)}")


def _counts_violations(answer: Answer) -> bool:
    return (
        answer.columns == COLUMNS
        and len(answer.rows) == 1
        and all(_is_count(value) for value in answer.rows[0][:2])
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
