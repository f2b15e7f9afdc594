"""The useful part of Java stack traces and of what a failing Python job printed."""

from __future__ import annotations

import re

_CAUSED_BY = "Caused by: "
_DRIVER_LINE = re.compile(r"PythonDriver\s+(?:\[[^]]*\] )?- (?P<text>.*)$")
_STARTED = "Python Process Started"
_EXITED = "Python Process Exited"
_FRAME = re.compile(r"\s+(at |\.\.\. \d+ more)")
_OUTPUT_LINES = 60
"""How much of a job's output an error shows: a Python traceback and its causes fit."""


def root_cause(stack_trace: str) -> str:
    """Return the innermost cause of a Java stack trace, with a Python traceback when it has one."""
    innermost = stack_trace.rsplit(_CAUSED_BY, maxsplit=1)[-1]
    return condense(innermost) or "no cause was given"


def condense(output: str) -> str:
    """Drop Java's stack frames and blank lines, keep the last lines of the rest."""
    lines = [
        line.rstrip() for line in output.splitlines() if line.strip() and not _FRAME.match(line)
    ]
    return "\n".join(lines[-_OUTPUT_LINES:])


def python_output(jobmanager_log: str) -> str:
    """Return what the last Python job printed, from the JobManager's log; empty if it has none.

    Only PythonDriver's own lines are taken: the log beside them holds the environment of the
    process, with its secrets.
    """
    printed: list[str] = []
    for line in jobmanager_log.splitlines():
        match = _DRIVER_LINE.search(line)
        if match is None:
            continue
        text = match["text"]
        if _STARTED in text:
            printed.clear()
        elif _EXITED in text:
            continue
        elif text != "Run python process failed":
            printed.append(text)
    return condense("\n".join(printed))
