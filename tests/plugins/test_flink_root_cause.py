from __future__ import annotations

import pytest

from flink_rest.root_cause import python_output, root_cause


def test_root_cause_is_the_innermost_without_stack_frames() -> None:
    trace = (
        "java.lang.RuntimeException: outer\n\tat a.B.c(B.java:1)\n"
        "Caused by: middle\n\t... 3 more\n"
        "Caused by: java.lang.ArithmeticException: / by zero\n\tat d.E.f(E.java:2)\n\t... 9 more\n"
    )
    assert root_cause(trace) == "java.lang.ArithmeticException: / by zero"


def test_root_cause_keeps_a_python_traceback() -> None:
    trace = (
        "java.lang.RuntimeException: Error received from SDK harness: Traceback (most recent call "
        'last):\n  File "f.py", line 1, in parse\n    raise KeyError("x")\nKeyError: \'x\'\n'
        "\tat org.apache.beam.Harness.run(Harness.java:1)\n"
    )
    assert root_cause(trace).endswith("KeyError: 'x'")
    assert "Harness.java" not in root_cause(trace)


def test_root_cause_of_nothing_says_so() -> None:
    assert root_cause("") == "no cause was given"


LONG = "2026-11-24 05:51:54,657 INFO  org.apache.flink.client.python.PythonDriver   [] - "
SHORT = "2026-11-24 05:51:54,657 INFO  o.a.f.c.p.PythonDriver - "


@pytest.mark.parametrize("prefix", [pytest.param(LONG, id="long"), pytest.param(SHORT, id="short")])
def test_output_is_that_of_the_last_python_job_and_nothing_else(prefix: str) -> None:
    log = "\n".join(
        [
            f"{prefix}--- Python Process Started ---",
            f"{prefix}ValueError: of an earlier job",
            f"{prefix}--- Python Process Exited ---",
            "2026-11-24 INFO o.a.f.c.p.PythonEnvUtils - environment {AWS_SECRET_ACCESS_KEY=secret}",
            f"{prefix}--- Python Process Started ---",
            f"{prefix}Traceback (most recent call last):",
            "2026-11-24 INFO o.a.f.r.checkpoint.Coordinator - something else",
            f"{prefix}ValueError: the answer is not 42",
            f"{prefix}--- Python Process Exited ---",
            f"{prefix}Run python process failed",
        ]
    )
    assert python_output(log) == (
        "Traceback (most recent call last):\nValueError: the answer is not 42"
    )


def test_log_without_a_python_job_gives_nothing() -> None:
    assert python_output("2026-11-24 INFO o.a.f.r.Dispatcher - started\n") == ""
