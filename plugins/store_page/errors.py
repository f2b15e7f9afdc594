"""What the page tells when it cannot answer: a plain sentence, a stable code, the HTTP status."""

from __future__ import annotations

from http import HTTPStatus


class PageError(Exception):
    """Base: `message` is for people, and holds no more than they may know."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ChoiceUnusable(PageError):
    """A value of the request cannot be used."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "choice_unusable"


class NotThere(PageError):
    """There is no such store, camera, track or still."""

    status = HTTPStatus.NOT_FOUND
    code = "not_there"


class Stranger(PageError):
    """Nobody is logged in."""

    status = HTTPStatus.UNAUTHORIZED
    code = "login_needed"

    def __init__(self) -> None:
        super().__init__("Your login has ended, or there was none: log in to Airflow.")


class NotAllowed(PageError):
    """Who is logged in may not see stores."""

    status = HTTPStatus.FORBIDDEN
    code = "not_allowed"

    def __init__(self, dag: str) -> None:
        super().__init__(
            f"You may not see the stores: it takes the permission to read the DAG {dag}. "
            "Ask who looks after your Airflow."
        )


class ServerAway(PageError):
    """Trino or Flink does not answer."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self, server: str) -> None:
        super().__init__(
            f"{server} does not answer. Nothing is lost by that: the page goes on when it is back."
        )
        self.code = f"{server.lower()}_away"


class TablesMissing(PageError):
    """Trino answers, and has no such tables."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "tables_missing"

    def __init__(self) -> None:
        super().__init__("The tables are not there yet. The first run of the pipeline makes them.")


class TookTooLong(PageError):
    """A query was ended because of its limit."""

    status = HTTPStatus.GATEWAY_TIMEOUT
    code = "took_too_long"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"This took more than {seconds} s: choose a shorter time.")


class TooManyAtOnce(PageError):
    """The page is asked more than it may take of the API server."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "too_many_at_once"

    def __init__(self) -> None:
        super().__init__("Too much is asked of this page at once. It goes on by itself.")


class NoRoom(PageError):
    """The disk of the API server cannot take a download."""

    status = HTTPStatus.INSUFFICIENT_STORAGE
    code = "no_room"

    def __init__(self) -> None:
        super().__init__("There is no room on the disk of Airflow's API server for this download.")


class CannotAnswer(PageError):
    """A server answered with an error that people of the page can do nothing about."""

    status = HTTPStatus.BAD_GATEWAY
    code = "cannot_answer"

    def __init__(self, server: str) -> None:
        super().__init__(f"{server} could not answer. Why stands in Airflow's API server's log.")
