"""The page's addresses: its HTML, its scripts, and the API that they read. None writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from flink_rest.client import FlinkClient
from flink_rest.settings import FlinkSettings
from frame_contract import stills
from lakehouse.settings import LakehouseSettings
from store_page.access import DAG, AllowedUser, allowed_user, login_url
from store_page.downloads import download
from store_page.errors import (
    ChoiceUnusable,
    NotAllowed,
    NotThere,
    PageError,
    Stranger,
    TooManyAtOnce,
)
from store_page.identities import identities
from store_page.jobs import ANSWER_SECONDS, Jobs
from store_page.numbers import Cameras, Numbers, Table
from store_page.selection import Selection, in_sql, moment, name, span, whole
from store_pipeline.jobs import job_name
from trino_checks.query import Value

log = logging.getLogger(__name__)

STATIC = Path(__file__).with_name("static")
TRACKS_A_PAGE = 25
MAX_TRACKS_A_PAGE = 200
MAX_PAGE = 100_000
PATH_POINTS = 400
"""Points of a track's path that are drawn."""
HEALTH_DAYS = 7
"""How far back the quarantine and the cameras are looked at."""
ORDERS = ("newest", "longest")
AT_ONCE = 24
"""Requests to the API at once, of the 40 threads of the API server; a page asks up to nine."""
TURN_SECONDS = 15.0
"""How long one waits for its turn, which takes no thread."""
PATH_HOURS = 48
"""The longest track whose path is drawn."""
HEADERS = {
    # nothing from elsewhere, no script in the HTML, and shown in Airflow's own frame only
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
NOT_KEPT = {"Cache-Control": "private, no-store"}
"""Numbers are for who is logged in."""


@asynccontextmanager
async def ready_for_the_first(_: FastAPI) -> AsyncIterator[None]:
    """Ask for the cameras while nobody waits: the first query of a process takes seconds."""
    Thread(target=_ask_for_cameras, name="first query", daemon=True).start()
    yield


def _ask_for_cameras() -> None:
    try:
        cameras().table()
    except PageError as error:
        log.info("no cameras yet: %s", error)


app = FastAPI(
    title="Store page",
    lifespan=ready_for_the_first,
    docs_url=None,
    redoc_url=None,
    openapi_url=None,
)
app.mount("/static", StaticFiles(directory=STATIC), name="static")

at_work = asyncio.Semaphore(AT_ONCE)


@app.middleware("http")
async def guard(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
    """Keep browsers from more than the page needs, and the page from the whole API server.

    Airflow's own answers are made by the same threads: a silent Trino must not hold them all.
    """
    if "/api/" not in request.url.path:
        response = await answer(request)
    else:
        try:
            await asyncio.wait_for(at_work.acquire(), TURN_SECONDS)
        except TimeoutError:
            told = TooManyAtOnce()
            return _refusal(told.status, told.code, told.message)
        try:
            response = await answer(request)
        finally:
            at_work.release()
    # scripts are asked for again when they have changed
    kept = {"Cache-Control": "no-cache"} if "/static/" in request.url.path else NOT_KEPT
    for header, value in (HEADERS | kept).items():
        response.headers.setdefault(header, value)
    return response


@app.exception_handler(PageError)
async def tell(_: Request, error: PageError) -> JSONResponse:
    """Say it plainly."""
    return _refusal(error.status, error.code, error.message)


@app.exception_handler(RequestValidationError)
async def tell_parameter(_: Request, error: RequestValidationError) -> JSONResponse:
    """Name the parameter, not what was given for it."""
    names = ", ".join(sorted({str(each["loc"][-1]) for each in error.errors()}))
    told = ChoiceUnusable(f"This cannot be used, or is missing: {names}.")
    return _refusal(told.status, told.code, told.message)


@app.exception_handler(HTTPException)
async def tell_http(_: Request, error: HTTPException) -> JSONResponse:
    """Say that there is no such address, or no such method."""
    return _refusal(error.status_code, "http", HTTPStatus(error.status_code).phrase)


@app.exception_handler(Exception)
async def tell_nothing(request: Request, error: Exception) -> JSONResponse:
    """Keep what nobody expected in the log."""
    log.error("%s failed", request.url.path, exc_info=error)
    told = PageError("Something went wrong here. What it was stands in the API server's log.")
    return _refusal(told.status, told.code, told.message)


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    # the one for what nobody expected does not come by `guard`
    return JSONResponse(
        {"code": code, "message": message}, status_code=status, headers=HEADERS | NOT_KEPT
    )


@cache
def lakehouse_settings() -> LakehouseSettings:
    """Return where the tables are, from the RVA_* variables of the API server."""
    return LakehouseSettings.from_env()


@cache
def numbers() -> Numbers:
    """Return what answers from Trino."""
    return Numbers(lakehouse_settings())


@cache
def cameras() -> Cameras:
    """Return what knows the cameras."""
    return Cameras(numbers())


@cache
def jobs() -> Jobs:
    """Return what answers from Flink."""
    url = FlinkSettings.from_env().url
    client = partial(FlinkClient, url, timeout_seconds=ANSWER_SECONDS, attempts=1)
    return Jobs(client, partial(job_name, database=lakehouse_settings().database))


def selection(
    store: Annotated[str, Query()],
    camera: Annotated[str, Query()],
    first: str | None = None,
    last: str | None = None,
    live: str | None = None,
) -> Selection:
    """Read what the request is about, and refuse a camera that there is not.

    :raises ChoiceUnusable: a value cannot be used.
    :raises NotThere: no such store, or no such camera in it.
    """
    chosen = Selection(
        name("store", store), name("camera", camera), span(first, last, live, datetime.now(UTC))
    )
    if cameras().has(chosen.store, chosen.camera):
        return chosen
    if any(row[0] == chosen.store for row in cameras().table().rows):
        raise NotThere("Gold knows no such camera in this store.")
    raise NotThere("Gold knows no such store.")


Selected = Annotated[Selection, Depends(selection)]


def _ask(query: str, chosen: Selection, **more: Value) -> Table:
    closed = chosen.span.is_closed(datetime.now(UTC))
    values: dict[str, Value] = {**chosen.values, **more}
    return numbers().ask(query, values, closed=closed)


def _json(value: Any) -> Any:
    """Write what JSON has no type for: times in UTC, and decimals."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else value


def _records(table: Table) -> list[dict[str, Any]]:
    return [{key: _json(value) for key, value in record.items()} for record in table.records]


def _by_column(table: Table) -> dict[str, list[Any]]:
    columns = zip(*table.rows, strict=True) if table.rows else ((),) * len(table.columns)
    return {
        key: [_json(value) for value in column]
        for key, column in zip(table.columns, columns, strict=True)
    }


def _answer(content: dict[str, Any]) -> JSONResponse:
    """Write it here, in the request's own thread: FastAPI would in the one that all share."""
    return JSONResponse(content)


@app.get("/", include_in_schema=False)
async def page(request: Request) -> Response:
    """Give the page, or the way to the login."""
    try:
        await allowed_user(request)
    except Stranger:
        return RedirectResponse(login_url(str(request.url)))
    except NotAllowed:
        # the page says it, as its API does
        log.info("a user who may not read %s opened the page", DAG)
    return FileResponse(STATIC / "index.html")


@app.get("/api/choices")
def choices(_: AllowedUser) -> JSONResponse:
    """List the cameras, each with the span that Gold has of it, and whether there is a still."""
    return _answer(
        {
            "cameras": [
                camera
                | {"has_still": _still_of(camera["store_id"], camera["camera_id"]) is not None}
                for camera in _records(cameras().table())
            ]
        }
    )


def _still_of(store: str, camera: str) -> Path | None:
    return stills.found(stills.folder(), store, camera)


@app.get("/api/people")
def people(_: AllowedUser, chosen: Selected) -> JSONResponse:
    """Give people and detections by minute, in columns; minutes without people are not there."""
    return _answer(_by_column(_ask("people", chosen)))


@app.get("/api/totals")
def totals(_: AllowedUser, chosen: Selected) -> JSONResponse:
    """Give the time's few most asked-for numbers."""
    return _answer(_records(_ask("totals", chosen))[0])


@app.get("/api/zones")
def zones(_: AllowedUser, chosen: Selected) -> JSONResponse:
    """Give hits and dwell by hour and grid cell, in columns; cells without are not there."""
    return _answer(_by_column(_ask("zones", chosen)))


@app.get("/api/dwell")
def dwell(_: AllowedUser, chosen: Selected) -> JSONResponse:
    """Give dwell by grid cell over the whole time, the longest first."""
    return _answer({"zones": _records(_ask("dwell", chosen))})


@app.get("/api/tracks")
def tracks(
    _: AllowedUser,
    chosen: Selected,
    page: str | None = None,
    size: str | None = None,
    order: str = ORDERS[0],
) -> JSONResponse:
    """Give one page of the tracks, and how many there are."""
    if order not in ORDERS:
        raise ChoiceUnusable(f"Choose one of {', '.join(ORDERS)} as the order.")
    limit = whole("size", size, TRACKS_A_PAGE, MAX_TRACKS_A_PAGE)
    number = whole("page", page, 1, MAX_PAGE)
    found = _records(_ask("tracks", chosen, order=order, offset=(number - 1) * limit, limit=limit))
    return _answer(
        {
            "page": number,
            "size": limit,
            "all_tracks": found[0]["all_tracks"],
            "tracks": [
                {key: value for key, value in track.items() if key != "all_tracks"}
                for track in found
                if track["start_ts"] is not None
            ],
        }
    )


@app.get("/api/path")
def path(
    _: AllowedUser, chosen: Selected, run: str, track: str, begin: str, end: str
) -> JSONResponse:
    """Give where a track went: box centres as shares of the image, by time."""
    since, until = moment("begin", begin), moment("end", end)
    if not timedelta() <= until - since <= timedelta(hours=PATH_HOURS):
        raise ChoiceUnusable(f"A path has an end, at most {PATH_HOURS} hours later.")
    found = _ask(
        "path",
        chosen,
        begin=in_sql(since),
        end=in_sql(until),
        run=name("run", run),
        track=whole("track", track, 0, 2**63 - 1, least=-(2**63)),
        points=PATH_POINTS,
    )
    if not found.rows:
        raise NotThere(
            "Silver has no detections of this track any more, so its path cannot be drawn."
        )
    return _answer(_by_column(found))


@app.get("/api/jobs")
def job_states(_: AllowedUser) -> JSONResponse:
    """Give the streaming jobs' states, and the clock that their ages are against."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    return _answer({"now_ms": now_ms, "jobs": [asdict(state) for state in jobs().states()]})


@app.get("/api/health")
def health(_: AllowedUser, chosen: Selected) -> JSONResponse:
    """Give freshness, quarantine, identities and the newest results of the checks."""
    now = datetime.now(UTC)
    days = {"first": str(chosen.span.first_day), "last": str(chosen.span.last_day)}
    of_camera: dict[str, Value] = {"store": chosen.store, "camera": chosen.camera}
    # together: each is a scan, and none waits for another
    with ThreadPoolExecutor() as pool:
        ask = pool.submit
        counts = ask(_ask, "identities", chosen)
        of_store: dict[str, Value] = {"store": chosen.store, "days": HEALTH_DAYS}
        freshness = ask(numbers().ask, "freshness", of_store)
        quarantine = ask(numbers().ask, "quarantine", of_camera | {"days": HEALTH_DAYS})
        quality = ask(numbers().ask, "quality", days)
    return _answer(
        {
            "now": _json(now),
            "health_days": HEALTH_DAYS,
            "freshness": _records(freshness.result()),
            "quarantine": _records(quarantine.result()),
            "identities": [asdict(each) for each in identities(counts.result().records[0], now)],
            "quality": _records(quality.result()),
        }
    )


@app.get("/api/download")
def download_table(_: AllowedUser, chosen: Selected, what: str, file: str) -> StreamingResponse:
    """Give the camera's rows of a Gold table as a file."""
    made = download(lakehouse_settings(), what, file, chosen)
    return StreamingResponse(
        made.pieces(),
        media_type=made.media_type,
        headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
    )


@app.get("/api/still")
def still(_: AllowedUser, store: str, camera: str) -> FileResponse:
    """Give the camera's still, where there is one."""
    found = _still_of(name("store", store), name("camera", camera))
    if found is None:
        raise NotThere("There is no still of this camera: the grid stands alone.")
    return FileResponse(found, media_type="image/jpeg")
