"""HTTP to Flink's REST API: typed answers, errors with their root cause, bounded repeats."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import httpx

from flink_rest.errors import (
    FlinkAnswerUnusable,
    FlinkRequestFailed,
    FlinkUnreachable,
    JobNotFound,
)
from flink_rest.root_cause import condense, root_cause

_Record = TypeVar("_Record")
AWAY = frozenset(
    {
        httpx.codes.TOO_MANY_REQUESTS,
        httpx.codes.BAD_GATEWAY,
        httpx.codes.SERVICE_UNAVAILABLE,
        httpx.codes.GATEWAY_TIMEOUT,
    }
)
"""Answers in place of a server that is not there just now: a proxy's, or Flink's own while it
elects a leader."""
_ERROR_CHARACTERS = 10_000
"""How much is read of an error page that is not Flink's JSON."""


class Rest:
    """One server's REST API.

    :param attempts: how often a repeatable call is tried on connection errors
    :param backoff_seconds: pause before the second attempt, doubled before each further one
    :param headers: sent with each request
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float,
        attempts: int,
        backoff_seconds: float,
        auth: tuple[str, str] | None,
        headers: Mapping[str, str],
        verify: bool | ssl.SSLContext,
        transport: httpx.BaseTransport | None,
    ) -> None:
        self.url = url.rstrip("/")
        self._attempts = attempts
        self._backoff_seconds = backoff_seconds
        self._http = httpx.Client(
            base_url=self.url,
            timeout=timeout_seconds,
            auth=auth,
            headers=dict(headers),
            verify=verify,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def read(
        self,
        method: str,
        path: str,
        make: Callable[[Any], _Record],
        *,
        job_id: str | None = None,
        body: Mapping[str, Any] | None = None,
        repeat: bool = False,
    ) -> _Record:
        """Ask and make a record of the answer; GET is repeatable, others say so by `repeat`.

        :param job_id: the job that the path is about, for JobNotFound
        """
        try:
            answer = self.send(method, path, body=body, repeat=repeat or method == "GET")
        except FlinkRequestFailed as error:
            if job_id is not None and error.status == httpx.codes.NOT_FOUND:
                raise JobNotFound(job_id) from error
            raise
        return self.parse(answer, make)

    def parse(self, answer: httpx.Response, make: Callable[[Any], _Record]) -> _Record:
        """Make a record of an answer.

        :raises FlinkAnswerUnusable: it is not what Flink answers.
        """
        request = f"{answer.request.method} {answer.request.url.path}"
        try:
            return make(answer.json())
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            detail = f"{type(error).__name__}: {error}"
            raise FlinkAnswerUnusable(self.url, request, detail) from error

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
        repeat: bool = False,
        timeout_seconds: float | None = None,
        on_error: Callable[[int, str], Exception] | None = None,
    ) -> httpx.Response:
        """Ask; an answer that is an error raises what `on_error` makes of its code and trace.

        :raises FlinkUnreachable: no answer came, or one of `AWAY`.
        :raises FlinkRequestFailed: the answer is an error.
        """
        options: dict[str, Any] = {} if timeout_seconds is None else {"timeout": timeout_seconds}
        attempts = self._attempts if repeat else 1
        for attempt in range(1, attempts + 1):
            try:
                answer = self._http.request(method, path, json=body, files=files, **options)
            except httpx.HTTPError as error:
                if attempt == attempts:
                    cause = f"{type(error).__name__}: {error}".rstrip(": ")
                    raise FlinkUnreachable(self.url, cause) from error
            else:
                if answer.status_code not in AWAY:
                    break
                if attempt == attempts:
                    cause = f"{answer.status_code}: {_cause_of(_errors_of(answer))}"
                    raise FlinkUnreachable(self.url, cause)
            time.sleep(self._backoff_seconds * 2 ** (attempt - 1))
        if answer.is_success:
            return answer
        trace = _errors_of(answer)
        if on_error is not None:
            raise on_error(answer.status_code, trace)
        raise FlinkRequestFailed(f"{method} {path}", answer.status_code, _cause_of(trace))

    def tail(self, path: str, max_bytes: int) -> str:
        """Return the end of a text; empty when it cannot be had."""
        end = b""
        try:
            with self._http.stream("GET", path) as answer:
                if answer.is_success:
                    for chunk in answer.iter_bytes():
                        end = (end + chunk)[-max_bytes:]
        except httpx.HTTPError:
            return ""
        return end.decode(errors="replace")


def _cause_of(trace: str) -> str:
    return root_cause(trace) if trace else "no reason"


def _errors_of(answer: httpx.Response) -> str:
    try:
        return "\n".join(str(error) for error in answer.json()["errors"])
    except (ValueError, KeyError, TypeError):
        return condense(answer.text[:_ERROR_CHARACTERS])
