"""The store page in a real browser and by its API, over a morning that came the whole way."""

from __future__ import annotations

import csv
import io
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from frame_contract import encode, stills
from integration import shop, walkers
from integration.airflow_servers import AirflowServers, running
from integration.conftest import ANSWER_SECONDS, Deployment, wait_until
from integration.cut_line import Line, line_to
from lakehouse.schema import TABLES

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    # it disturbs nobody: it is there for the two stacks of `make test` to take as long
    pytest.mark.alone,
    pytest.mark.timeout(1800),
]

PATIENCE_MS = 180_000
PASSING = (502, 503, 504)
"""Answers of servers that are too slow: as the page does, a test asks again."""
expect.set_options(timeout=PATIENCE_MS)
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1360, "height": 900}
CHOICE = {"store": shop.STORE, "camera": shop.CAMERA, "first": shop.DAY}
OF_CAMERA = f"store_id = '{shop.STORE}' AND camera_id = '{shop.CAMERA}'"
ROUTES: dict[str, dict[str, str]] = {
    "choices": {},
    "people": CHOICE,
    "totals": CHOICE,
    "zones": CHOICE,
    "dwell": CHOICE,
    "tracks": {**CHOICE, "page": "1", "size": "10", "order": "newest"},
    "path": {
        **CHOICE,
        "run": "r",
        "track": "1",
        "begin": f"{shop.DAY}T09:00:00Z",
        "end": f"{shop.DAY}T10:00:00Z",
    },
    "jobs": {},
    "health": CHOICE,
    "download": {**CHOICE, "what": "people", "file": "csv"},
    "still": {"store": shop.STORE, "camera": shop.CAMERA},
}
HOSTILE = (
    "' OR '1'='1",
    "x'; DROP TABLE gold_people_per_minute; --",
    "') UNION SELECT payload, message_id FROM bronze_raw --",
    "../../../../etc/passwd",
    "{database}",
    ":store",
    "<script>alert(1)</script>",
    "%00\x00",
    "٣",
    "9" * 400,
    f"{'0' * 11}1{'0' * 99}",
    "0" * 5000,
    "9999-12-31T23:59:59-14:00",
    "",
)
UNSPEAKABLE = ("Traceback", "SELECT", "lakehouse.", "minioadmin", "root:", "<script")
FOCUSED = "() => document.activeElement.id || document.activeElement.ariaLabel"
FLOOR = """<body style="margin:0"><svg width="1280" height="720" viewBox="0 0 1280 720">
<rect width="1280" height="720" fill="#b9b3a8"/>
<path d="M0 250 L1280 250 L1280 720 L0 720Z" fill="#cfc9bd"/>
<g fill="#8c9aa5" stroke="#6b7882" stroke-width="3"><path d="M120 120h220v150h-220z"/>
<path d="M470 90h260v130h-260z"/><path d="M860 110h280v170h-280z"/><path d="M60 430h180v230h-180z"/>
<path d="M420 500h380v140h-380z"/></g></svg></body>"""


@dataclass
class Shown:
    """The page's Airflow, and the lines by which it reaches Trino and Flink."""

    servers: AirflowServers
    trino: Line
    flink: Line
    stills: Path

    @property
    def url(self) -> str:
        return f"{self.servers.url}/store/"

    def token(self, user: str) -> str:
        login = {"username": user, "password": self.servers.password(user)}
        answer = httpx.post(
            f"{self.servers.url}/auth/token", json=login, timeout=ANSWER_SECONDS, trust_env=False
        )
        return str(answer.raise_for_status().json()["access_token"])

    def client(self, user: str | None = "admin") -> httpx.Client:
        headers = {} if user is None else {"Authorization": f"Bearer {self.token(user)}"}
        return httpx.Client(
            base_url=f"{self.url}api/", headers=headers, timeout=180, trust_env=False
        )


@pytest.fixture(scope="module")
def opened(deployment: Deployment) -> Deployment:
    shop.open_shop(deployment)
    return deployment


@pytest.fixture(scope="module")
def shown(opened: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    folder = tmp_path_factory.mktemp("airflow")
    kept = folder / "stills"
    with (
        line_to(opened.variables["RVA_TRINO_URL"]) as to_trino,
        line_to(opened.variables["RVA_FLINK_URL"]) as to_flink,
        running(
            folder,
            {
                **opened.variables,
                "RVA_TRINO_URL": to_trino.url,
                "RVA_FLINK_URL": to_flink.url,
                "RVA_STILLS_DIR": str(kept),
            },
            components=("airflow-api-server",),
            AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS="admin:admin,watcher:viewer,guest:",
        ) as servers,
    ):
        yield Shown(servers, to_trino, to_flink, kept)


@pytest.fixture(scope="module")
def api(shown: Shown) -> Iterator[httpx.Client]:
    with shown.client("watcher") as client:
        yield client


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        # as root, Chromium has no sandbox; it opens our own pages only
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def page(shown: Shown, browser: Browser) -> Iterator[Page]:
    """The page, of somebody who has logged in by the form."""
    context = browser.new_context(viewport=DESK, accept_downloads=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    opened_page = context.new_page()
    log_in(opened_page, shown)
    yield opened_page
    context.close()


def log_in(page: Page, shown: Shown, user: str = "watcher") -> None:
    page.goto(shown.url)
    page.fill("input[name=username]", user)
    page.fill("input[name=password]", shown.servers.password(user))
    page.keyboard.press("Enter")
    page.wait_for_url("**/store/**")


def ready(page: Page) -> None:
    page.locator("#people-chart canvas").wait_for()
    page.locator("#identity-rows li").first.wait_for()
    expect(page.locator(".waits")).to_have_count(0)


def picture(page: Page, name: str, folder: Path) -> None:
    """A screenshot; in docs/images where RVA_SCREENSHOTS says so (`make screenshots`)."""
    page.screenshot(path=Path(os.environ.get("RVA_SCREENSHOTS") or folder) / f"store-{name}.png")


def answered(
    api: httpx.Client,
    route: str,
    params: Mapping[str, str] | None = None,
    passing: tuple[int, ...] = PASSING,
) -> httpx.Response:
    """The answer, asked for again while it is one that passes."""
    give_up_at = time.monotonic() + PATIENCE_MS / 1000
    while True:
        answer = api.get(route, params=params)
        if answer.status_code not in passing or time.monotonic() > give_up_at:
            return answer
        time.sleep(1)


def told(answer: httpx.Response, status: int) -> str:
    """The message of a refusal, of which nothing may be told that is not for everybody."""
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"code", "message"}
    assert not [word for word in UNSPEAKABLE if word in answer.text]
    return str(answer.json()["message"])


# --- who may


@pytest.mark.parametrize("route", ROUTES)
def test_strangers_are_refused_and_so_is_who_may_not_read_the_dag(shown: Shown, route: str) -> None:
    with shown.client(None) as stranger:
        assert "log in" in told(stranger.get(route, params=ROUTES[route]), 401)
        assert "log in" in told(stranger.get(route), 401), "even before its parameters are read"
        forged = {"Authorization": "Bearer e30.e30.e30"}
        told(stranger.get(route, params=ROUTES[route], headers=forged), 401)
    with shown.client("guest") as guest:
        assert "permission" in told(guest.get(route, params=ROUTES[route]), 403)


def test_page_leads_strangers_to_the_login_and_back(shown: Shown) -> None:
    answer = httpx.get(shown.url, timeout=ANSWER_SECONDS, trust_env=False)
    assert answer.status_code == 307
    assert "/auth/login?next=" in answer.headers["location"]


def test_who_may_not_is_told_on_the_page(shown: Shown, browser: Browser) -> None:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    log_in(context.new_page(), shown, "guest")
    expect(context.pages[0].locator("#notice")).to_contain_text("You may not see the stores")
    context.close()


def test_nothing_can_be_written(api: httpx.Client) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        told(api.request(method, "people", params=CHOICE), 405)


def test_page_may_load_nothing_from_elsewhere(shown: Shown, api: httpx.Client) -> None:
    answer = api.get(shown.url)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert "http://" not in answer.text.replace("http://www.w3.org", "")
    assert "https://" not in answer.text


# --- numbers


def test_choices_are_the_cameras_of_gold_with_their_span(
    api: httpx.Client, opened: Deployment
) -> None:
    cameras = answered(api, "choices").json()["cameras"]
    expected = opened.query(
        "SELECT store_id, camera_id, min(ts_minute) FROM gold_people_per_minute GROUP BY 1, 2 "
        "ORDER BY 1, 2"
    )
    assert len(cameras) == 3
    assert [
        [each["store_id"], each["camera_id"], datetime.fromisoformat(each["data_from"])]
        for each in cameras
    ] == expected


def test_numbers_are_those_that_trino_gives(api: httpx.Client, opened: Deployment) -> None:
    people = answered(api, "people", CHOICE).json()
    assert [
        list(row)
        for row in zip(people["minute"], people["unique_people"], people["detections"], strict=True)
    ] == opened.query(
        "SELECT CAST(to_unixtime(ts_minute) AS bigint), unique_people, detections "
        f"FROM gold_people_per_minute WHERE {OF_CAMERA} ORDER BY 1"
    )
    assert len(people["minute"]) > 100
    totals = answered(api, "totals", CHOICE).json()
    ((detections, peak, minutes),) = opened.query(
        "SELECT sum(detections), max(unique_people), count(*) "
        f"FROM gold_people_per_minute WHERE {OF_CAMERA}"
    )
    assert (totals["detections"], totals["peak_people"]) == (detections, peak)
    assert totals["minutes_with_people"] == minutes
    zones = answered(api, "zones", CHOICE).json()
    hits = opened.query(f"SELECT sum(hits) FROM gold_zone_heatmap WHERE {OF_CAMERA}")[0][0]
    assert sum(zones["hits"]) == hits == detections
    dwell = answered(api, "dwell", CHOICE).json()["zones"]
    ((seconds, visits),) = opened.query(
        f"SELECT sum(total_dwell_seconds), sum(visits) FROM gold_zone_dwell WHERE {OF_CAMERA}"
    )
    assert sum(zone["total_dwell_seconds"] for zone in dwell) == pytest.approx(seconds)
    assert sum(zone["visits"] for zone in dwell) == visits
    assert sum(zones["total_dwell_seconds"]) == pytest.approx(seconds)


def test_pages_of_tracks_make_up_all_of_them_each_once(
    api: httpx.Client, opened: Deployment
) -> None:
    asked = {**CHOICE, "size": "200", "order": "longest"}
    first = answered(api, "tracks", asked).json()
    pages = [
        answered(api, "tracks", {**asked, "page": str(page)}).json()["tracks"]
        for page in range(1, first["all_tracks"] // 200 + 2)
    ]
    found = [track for page in pages for track in page]
    (count,) = opened.query(f"SELECT count(*) FROM gold_track_summary WHERE {OF_CAMERA}")[0]
    assert len(found) == first["all_tracks"] == count
    assert (
        len({(track["run_id"], track["track_id"], track["start_ts"]) for track in found}) == count
    )
    stays = [track["duration_seconds"] for track in found]
    assert stays == sorted(stays, reverse=True)
    beyond = answered(api, "tracks", {**asked, "page": "99"}).json()
    assert (beyond["tracks"], beyond["all_tracks"]) == ([], count)


def test_path_begins_and_ends_with_the_track(api: httpx.Client, opened: Deployment) -> None:
    (track,) = answered(api, "tracks", {**CHOICE, "size": "1", "order": "longest"}).json()["tracks"]
    asked = {"run": track["run_id"], "track": str(track["track_id"])}
    times = {"begin": track["start_ts"], "end": track["end_ts"]}
    path = answered(api, "path", {**CHOICE, **asked, **times}).json()
    assert (path["capture_ts"][0], path["capture_ts"][-1]) == (track["start_ts"], track["end_ts"])
    assert 10 < len(path["x"]) <= track["frames"]
    assert all(0 <= share <= 1 for share in path["x"] + path["y"])
    gone = {**CHOICE, **asked, **times, "track": "123456789"}
    assert "no detections of this track" in told(answered(api, "path", gone), 404)


@pytest.mark.parametrize("what", ["people", "tracks", "dwell", "heatmap"])
def test_download_has_the_rows_and_columns_of_the_table(
    api: httpx.Client, opened: Deployment, what: str
) -> None:
    from store_page.downloads import TABLES as DOWNLOADS

    table = DOWNLOADS[what]
    expected = [
        row
        for row in opened.rows(table)
        if (row["store_id"], row["camera_id"]) == (shop.STORE, shop.CAMERA)
    ]
    key = [name for name in TABLES[table].key if name not in ("store_id", "camera_id")]
    expected.sort(key=lambda row: [str(row[name]) for name in key])
    assert len(expected) > 20
    parquet = answered(api, "download", {**CHOICE, "what": what, "file": "parquet"})
    assert (
        f'filename="{what}-{shop.STORE}-{shop.CAMERA}-{shop.DAY}.parquet"'
        in (parquet.headers["content-disposition"])
    )
    read = pq.read_table(io.BytesIO(parquet.content))
    assert read.column_names == [column.name for column in TABLES[table].columns]
    found = sorted(read.to_pylist(), key=lambda row: [str(row[name]) for name in key])
    assert found == expected
    text = answered(api, "download", {**CHOICE, "what": what, "file": "csv"}).text
    lines = list(csv.DictReader(io.StringIO(text)))
    assert list(lines[0]) == read.column_names
    assert len(lines) == len(expected)
    number = next(field.name for field in read.schema if str(field.type) == "int64")
    assert sorted(line[number] for line in lines) == sorted(str(row[number]) for row in expected)


def test_health_tells_jobs_freshness_quarantine_and_that_the_numbers_add_up(
    api: httpx.Client, opened: Deployment
) -> None:
    jobs = answered(api, "jobs").json()["jobs"]
    assert [job["name"] for job in jobs] == ["bronze_ingest", "silver_detections", "gold_streaming"]
    assert all(job["is_running"] and job["checkpoints"] > 0 for job in jobs)
    health = answered(api, "health", CHOICE).json()
    assert [each["camera_id"] for each in health["freshness"]] == ["aisle", "entrance"]
    newest = opened.query(f"SELECT max(capture_ts) FROM silver_detection WHERE {OF_CAMERA}")[0][0]
    assert datetime.fromisoformat(health["freshness"][0]["in_silver"]) == newest
    assert datetime.fromisoformat(health["freshness"][0]["in_bronze"]) >= newest  # type: ignore[operator]
    reasons = opened.query("SELECT reason, count(*) FROM silver_quarantine GROUP BY 1")
    assert sorted([each["reason"], each["quarantined"]] for each in health["quarantine"]) == sorted(
        reasons
    )
    assert [each["verdict"] for each in health["identities"]] == ["holds", "holds"]
    silver = opened.query(f"SELECT count(*) FROM silver_detection WHERE {OF_CAMERA}")[0][0]
    assert {each["expected"] for each in health["identities"]} == {silver}


# --- bad input


def test_times_that_cannot_be_are_refused_plainly(api: httpx.Client) -> None:
    of = {"store": shop.STORE, "camera": shop.CAMERA}
    for given, said in (
        ({"first": "2026-01-01", "last": "2026-12-31"}, "at most 31 days"),
        ({"first": "2026-11-23", "last": "2026-11-22"}, "before the first"),
        ({"first": "2026-02-30"}, "no day"),
        ({"first": "0001-01-01"}, "no day"),
        ({"first": "20261123"}, "no day"),
        ({"first": shop.DAY, "live": "60"}, "not both"),
        ({"live": "0"}, "from 1 to"),
        ({}, "Choose a day"),
    ):
        assert said in told(answered(api, "people", {**of, **given}), 422)
    assert "missing: camera" in told(answered(api, "people", {"store": shop.STORE}), 422)


def test_unknown_store_camera_and_address_are_not_there(api: httpx.Client) -> None:
    assert "no such store" in told(answered(api, "people", {**CHOICE, "store": "x"}), 404)
    other = {**CHOICE, "store": shop.OTHER_STORE}
    assert "no such camera" in told(answered(api, "people", other), 404)
    assert told(answered(api, "no-such-thing"), 404) == "Not Found"
    assert "no still" in told(answered(api, "still", {"store": "x", "camera": "y"}), 404)


def test_day_without_data_is_empty_and_no_error(api: httpx.Client) -> None:
    empty = {**CHOICE, "first": "2026-11-20"}
    assert answered(api, "people", empty).json()["minute"] == []
    assert answered(api, "totals", empty).json()["detections"] == 0
    assert answered(api, "tracks", empty).json()["all_tracks"] == 0
    assert answered(api, "health", empty).json()["quality"] == []
    lines = answered(api, "download", {**empty, "what": "people", "file": "csv"}).text.splitlines()
    assert lines == ["store_id,camera_id,ts_minute,detections,unique_people"]


@pytest.mark.parametrize("route", [route for route, given in ROUTES.items() if given])
def test_hostile_text_in_any_parameter_is_refused_and_does_nothing(
    api: httpx.Client, opened: Deployment, route: str
) -> None:
    for parameter in ROUTES[route]:
        for text in HOSTILE:
            hostile = {**ROUTES[route], parameter: text}
            # a query that Trino refuses would be a 502
            answer = answered(api, route, hostile, passing=(503, 504))
            message = told(answer, answer.status_code)
            assert answer.status_code in (404, 422), f"{parameter}={text!r}: {answer.status_code}"
            assert message.endswith("."), message
    assert opened.query("SELECT count(*) > 0 FROM gold_people_per_minute") == [[True]]


def test_trino_that_goes_in_the_middle_of_queries_is_told_plainly_and_comes_back(
    api: httpx.Client, shown: Shown
) -> None:
    answers: list[httpx.Response] = []

    def ask(day: int) -> None:
        of_day = {**CHOICE, "first": f"2026-10-{day:02d}"}
        answers.append(api.get("zones", params=of_day))

    askers = [threading.Thread(target=ask, args=(day,)) for day in range(1, 13)]
    taken = shown.trino.taken
    for asker in askers:
        asker.start()
    # some have begun, and none can have ended: each takes several answers of Trino
    while shown.trino.taken < taken + 4:
        time.sleep(0.002)
    shown.trino.cut()
    try:
        for asker in askers:
            asker.join()
        ask(13)
    finally:
        shown.trino.mend()
    refused = [answer for answer in answers if answer.status_code != 200]
    assert len(refused) >= 4, "those in the middle, and the one after"
    for answer in refused:
        assert told(answer, 503).startswith("Trino does not answer")
    file = {**CHOICE, "what": "tracks", "file": "parquet"}
    assert api.get("download", params=file).status_code == 200
    assert api.get("zones", params={**CHOICE, "first": "2026-10-13"}).status_code == 200


# --- seen


def test_manager_chooses_sees_scrubs_draws_and_downloads(
    page: Page, shown: Shown, opened: Deployment, browser: Browser, tmp_path: Path
) -> None:
    still(browser, shown)
    page.reload()
    ready(page)
    page.select_option("[name=store]", shop.OTHER_STORE)
    expect(page.locator("[name=camera] option")).to_have_count(1)
    page.select_option("[name=store]", shop.STORE)
    page.select_option("[name=camera]", shop.CAMERA)
    ready(page)
    assert page.input_value("[name=first]") == shop.DAY
    ((peak, minutes, detections),) = opened.query(
        "SELECT max(unique_people), count(*), sum(detections) "
        f"FROM gold_people_per_minute WHERE {OF_CAMERA}"
    )
    expect(page.locator("[data-total=peak_people]")).to_have_text(str(peak))
    expect(page.locator("[data-total=minutes_with_people]")).to_have_text(str(minutes))
    expect(page.locator("[data-total=detections]")).to_have_text(f"{detections:,} detections")
    expect(page.locator("#people-said")).to_contain_text(f"{minutes} minutes with people")
    expect(page.locator("#heat-map image")).to_have_count(1)
    expect(page.locator("#quarantine-rows tr")).to_have_count(len(shop.UNREADABLE))
    expect(page.locator("#identity-rows li[data-kind=good]")).to_have_count(2)
    expect(page.locator("#job-rows .good[title='in order']").first).to_be_visible()
    picture(page, "people", tmp_path)

    hours = opened.query(
        f"SELECT ts_hour, sum(hits) FROM gold_zone_heatmap WHERE {OF_CAMERA} GROUP BY 1 ORDER BY 1"
    )
    page.focus("#heat-hour")
    for hour, hits in hours:
        page.keyboard.press("ArrowRight")
        expect(page.locator("#heat-said")).to_contain_text(f"{hour:%Y-%m-%d %H:%M}")
        expect(page.locator("#heat-said")).to_contain_text(f"{hits:,} detections")
        assert sum(cells(page)) == hits
    page.select_option("#heat-measure", "total_dwell_seconds")
    dwelt = (
        f"SELECT sum(total_dwell_seconds) FROM gold_zone_dwell WHERE {OF_CAMERA} AND ts_hour = ?"
    )
    assert sum(cells(page)) == pytest.approx(opened.query(dwelt, [hours[-1][0]])[0][0])
    page.uncheck("#still-on")
    expect(page.locator("#heat-map image")).to_have_count(0)
    page.check("#still-on")
    page.select_option("#heat-measure", "hits")
    page.focus("#heat-hour")
    page.keyboard.press("Home")

    page.select_option("#tracks-order", "longest")
    ((stay,),) = opened.query(
        f"SELECT max(duration_seconds) FROM gold_track_summary WHERE {OF_CAMERA}"
    )
    assert isinstance(stay, float)
    first = page.locator("#track-rows tr").first
    expect(first).to_contain_text(f"{stay // 60:.0f} min {stay % 60:.0f} s")
    expect(page.locator("#track-rows tr")).to_have_count(25)
    for place in (0, 1):
        page.locator("#track-rows button").nth(place).click()
        expect(page.locator("#heat-map .path")).to_have_count(place + 1)
    page.locator("#heat").scroll_into_view_if_needed()
    picture(page, "zones", tmp_path)
    page.click("#page-on")
    expect(page.locator("#page-said")).to_contain_text("Page 2 of")
    page.locator("#health").scroll_into_view_if_needed()
    picture(page, "health", tmp_path)

    with page.expect_download() as begun:
        page.get_by_role("link", name="people as csv").click()
    downloaded = begun.value.path().read_text().splitlines()
    assert len(downloaded) == minutes + 1  # type: ignore[operator]


def cells(page: Page) -> list[float]:
    return [
        float(cell.get_attribute("data-value") or "nan")
        for cell in page.locator("#heat-map .cell").all()
    ]


def still(browser: Browser, shown: Shown) -> None:
    """A picture of the camera's empty floor, where the page looks for it."""
    path = stills.path_of(shown.stills, shop.STORE, shop.CAMERA)
    path.parent.mkdir(exist_ok=True)
    drawn = browser.new_page(viewport={"width": 1280, "height": 720})
    drawn.set_default_timeout(PATIENCE_MS)
    drawn.set_content(FLOOR)
    drawn.screenshot(path=path, type="jpeg")
    drawn.close()


def test_page_is_in_the_menu_of_airflow(page: Page, shown: Shown) -> None:
    page.goto(shown.servers.url)
    page.get_by_role("link", name="Store", exact=True).click()
    inside = page.frame_locator("iframe[title=Store]")
    expect(inside.locator("#people-chart canvas")).to_have_count(1)
    with page.expect_download() as begun:
        inside.get_by_role("link", name="dwell as parquet").click()
    assert pq.read_table(begun.value.path()).num_rows > 20


def test_dark_and_phone_fit_and_have_no_serious_finding_of_axe(
    shown: Shown, browser: Browser, tmp_path: Path
) -> None:
    # axe is a script of the test's, which the page's own policy would keep out
    context = browser.new_context(viewport=DESK, bypass_csp=True)  # type: ignore[arg-type]
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    log_in(page, shown)
    found: dict[str, list[Any]] = {}
    for look in ("desk", "dark", "phone"):
        if look == "phone":
            page.set_viewport_size(PHONE)  # type: ignore[arg-type]
            page.reload()
        if look == "dark":
            page.click("#theme")
            expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        ready(page)
        picture(page, look, tmp_path)
        violations = Axe().run(page).response["violations"]
        found[look] = [
            (each["id"], each["impact"], [node["html"] for node in each["nodes"]][:3])
            for each in violations
            if each["impact"] in ("serious", "critical")
        ]
        width = page.evaluate("() => document.documentElement.scrollWidth")
        assert width <= page.viewport_size["width"], look  # type: ignore[index]
    context.close()
    assert found == {"desk": [], "dark": [], "phone": []}


def test_keyboard_alone_reaches_everything_and_skips_to_the_numbers(page: Page) -> None:
    ready(page)
    page.reload()
    ready(page)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    reached = set()
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(
            page.evaluate("() => document.activeElement.id || document.activeElement.ariaLabel")
        )
    assert {"heat-measure", "heat-play", "heat-hour", "tracks-order", "page-on"} <= reached
    assert any("Draw the path" in str(name) for name in reached)
    assert any("as parquet" in str(name) for name in reached)


def test_what_cannot_be_shown_is_said_on_the_page(page: Page, shown: Shown) -> None:
    notice = page.locator("#notice")
    page.goto("about:blank")
    page.goto(f"{shown.url}#store=nowhere&camera=none")
    expect(notice).to_contain_text("names a store or a camera that Gold does not know")
    page.goto(
        f"{shown.url}#store={shop.STORE}&camera={shop.CAMERA}&first=2026-01-01&last=2026-12-31"
    )
    expect(notice).to_contain_text("Choose at most 31 days at once.")
    page.fill("[name=last]", "2026-01-01")
    expect(notice).to_be_hidden()
    expect(page.locator("#people-chart")).to_contain_text("Nobody was counted in this time.")
    expect(page.locator("#people-chart")).to_contain_text(f"from {shop.DAY}")
    expect(page.locator("#track-rows")).to_contain_text("No tracks start in this time.")
    page.context.clear_cookies()
    page.fill("[name=first]", "2025-12-31")
    expect(notice).to_contain_text("Your login has ended")
    expect(notice.get_by_role("link", name="Log in")).to_be_visible()


def test_server_that_goes_is_said_and_its_coming_back_is_seen(page: Page, shown: Shown) -> None:
    from store_page.numbers import MOVING_SECONDS

    notice = page.locator("#notice")
    ready(page)
    # days of which nothing was asked before
    for line, name, day in (
        (shown.trino, "Trino", "2026-11-19"),
        (shown.flink, "Flink", "2026-11-18"),
    ):
        line.cut()
        try:
            # what Flink was asked just before is kept for some seconds, whatever the day
            time.sleep(MOVING_SECONDS + 1)
            page.fill("[name=first]", day)
            expect(notice).to_contain_text(f"{name} does not answer")
        finally:
            line.mend()
        # nobody touches it: it asks again by itself
        expect(notice).to_be_hidden()
    ready(page)


def test_live_shows_what_a_camera_sees_now_without_a_touch(page: Page, opened: Deployment) -> None:
    ready(page)
    page.check("[value=live]")
    expect(page.locator("#people-chart")).to_contain_text("Nobody was counted in this time.")
    now = datetime.now(UTC).replace(microsecond=0)
    seen = [
        frame
        for run, start in enumerate((now - timedelta(minutes=6), now))
        for frame in walkers.frames(shop.CAMERA, start=start, seconds=20, seed=5, run=f"live{run}")
    ]
    with opened.producer() as producer:
        for frame in seen:
            producer.send(encode(frame), partition_key=f"{shop.STORE}/{shop.CAMERA}")
    expect(page.locator("#people-chart canvas")).to_have_count(1, timeout=3 * PATIENCE_MS)

    by_snapshot: dict[int | None, str] = {}

    def says_what_trino_says() -> bool:
        newest = opened.newest_snapshot("gold_people_per_minute")
        if newest not in by_snapshot:
            ((detections,),) = opened.query(
                "SELECT sum(detections) FROM gold_people_per_minute "
                f"WHERE {OF_CAMERA} AND ts_minute > ?",
                [now - timedelta(hours=1)],
            )
            by_snapshot[newest] = f"{detections:,} detections"
        return page.text_content("[data-total=detections]") == by_snapshot[newest]

    wait_until("the page says what Trino says", says_what_trino_says)
    wait_until("the address tells it", lambda: "live=60" in page.url)
