"""`python -m bench.page`: how soon a store manager sees the first chart.

Two shops' morning is brought through the whole pipeline; then the page is opened in Chromium again
and again, each time by a browser that has nothing of it. Once with numbers that the page was asked
for before (warm), once with days that nobody has asked for (cold). Beside it: each of its API's
answers, warm, and what Trino takes for the same queries. What is compared is within this run.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import httpx
from playwright.sync_api import Browser, sync_playwright

from bench.outcome import conclude
from integration import shop
from integration.airflow_servers import AirflowServers, running
from integration.conftest import new_deployment, stack_variables
from lakehouse.settings import LakehouseSettings
from store_page.numbers import Numbers
from store_page.selection import Selection, span

RESULT = "page.json"
LOADS, QUICK_LOADS = 9, 3
FIRST_CHART_SECONDS = 1.5
WARM_ANSWER_SECONDS = 0.3
ROUTES = ("people", "totals", "zones", "dwell", "tracks", "health")
QUERIES = ("people", "totals", "zones", "dwell")
PATIENCE_MS = 60_000
FIRST_CHART = "() => performance.getEntriesByName('first-chart')[0].startTime"


@dataclass(frozen=True, kw_only=True)
class Result:
    """One run; seconds are medians, with the slowest beside them."""

    measured_at: str
    cores: int
    load_average_before: float
    loads: int
    first_chart_seconds: dict[str, tuple[float, float]]
    """warm and cold."""
    warm_answer_seconds: dict[str, tuple[float, float]]
    trino_seconds: dict[str, float]
    """The same queries, asked of Trino each time."""
    trino_times_warm: float
    first_chart_within_target: bool
    """By the medians: the slowest of a shared machine is somebody else's work."""
    warm_answers_within_target: bool


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.page", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few loads, and no result is written")
    quick: bool = parser.parse_args(arguments).quick
    chromium = shutil.which("chromium")
    if chromium is None:
        print("error: Chromium is not installed (Debian: chromium)", file=sys.stderr)
        return 2
    load = os.getloadavg()[0]
    with (
        new_deployment(stack_variables()) as deployment,
        tempfile.TemporaryDirectory(prefix="rva-bench-page-") as folder,
    ):
        print("two shops' morning comes through the pipeline", file=sys.stderr)
        shop.open_shop(deployment)
        server = running(Path(folder), deployment.variables, components=("airflow-api-server",))
        with server as airflow, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            loads = QUICK_LOADS if quick else LOADS
            measured = _measured(
                airflow, browser, LakehouseSettings.from_env(deployment.variables), loads
            )
            browser.close()
    charts, answers, trino = measured
    warm = statistics.median(middle for middle, _ in answers.values())
    result = Result(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        cores=os.cpu_count() or 1,
        load_average_before=round(load, 1),
        loads=loads,
        first_chart_seconds=charts,
        warm_answer_seconds=answers,
        trino_seconds=trino,
        trino_times_warm=round(statistics.median(trino.values()) / warm, 1),
        first_chart_within_target=all(
            middle <= FIRST_CHART_SECONDS for middle, _ in charts.values()
        ),
        warm_answers_within_target=all(
            middle <= WARM_ANSWER_SECONDS for middle, _ in answers.values()
        ),
    )
    is_good = result.first_chart_within_target and result.warm_answers_within_target
    return conclude(result, RESULT, is_good=is_good, keep=not quick)


def _measured(
    airflow: AirflowServers, browser: Browser, settings: LakehouseSettings, loads: int
) -> tuple[dict[str, tuple[float, float]], dict[str, tuple[float, float]], dict[str, float]]:
    token = _token(airflow)
    warm_choice = {"store": shop.STORE, "camera": shop.CAMERA, "first": shop.DAY, "last": shop.DAY}
    day = date.fromisoformat(shop.DAY)
    cold = [
        warm_choice | {"first": str(day - timedelta(days=number))} for number in range(1, loads + 1)
    ]
    # what is asked for the first time in the process's life is neither
    _first_chart(airflow, browser, token, warm_choice)
    charts = {
        "cold": _spread([_first_chart(airflow, browser, token, choice) for choice in cold]),
        "warm": _spread([_first_chart(airflow, browser, token, warm_choice) for _ in range(loads)]),
    }
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{airflow.url}/store/api/", headers=headers, timeout=60) as client:
        answers = {route: _answers(client, route, warm_choice, loads) for route in ROUTES}
    chosen = Selection(shop.STORE, shop.CAMERA, span(shop.DAY, None, None, datetime.now(UTC)))
    return charts, answers, {query: _trino(settings, query, chosen, loads) for query in QUERIES}


def _token(airflow: AirflowServers) -> str:
    user, password = airflow.login()
    login = {"username": user, "password": password}
    answer = httpx.post(f"{airflow.url}/auth/token", json=login).raise_for_status()
    return str(answer.json()["access_token"])


def _first_chart(
    airflow: AirflowServers, browser: Browser, token: str, choice: dict[str, str]
) -> float:
    """Seconds from the navigation to the first chart, in a browser with nothing kept."""
    context = browser.new_context(extra_http_headers={"Authorization": f"Bearer {token}"})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(f"{airflow.url}/store/#{urlencode(choice)}")
    page.locator("#people-chart canvas").wait_for()
    # the mark is set with the next picture
    page.locator("#identity-rows li").first.wait_for()
    milliseconds = float(page.evaluate(FIRST_CHART))
    context.close()
    return milliseconds / 1000


def _answers(
    client: httpx.Client, route: str, choice: dict[str, str], loads: int
) -> tuple[float, float]:
    taken = []
    for _ in range(loads + 1):
        begun = time.perf_counter()
        client.get(route, params=choice).raise_for_status()
        taken.append(time.perf_counter() - begun)
    return _spread(taken[1:])


def _trino(settings: LakehouseSettings, query: str, chosen: Selection, loads: int) -> float:
    taken = []
    for _ in range(loads):
        begun = time.perf_counter()
        Numbers(settings).ask(query, chosen.values)
        taken.append(time.perf_counter() - begun)
    return round(statistics.median(taken), 3)


def _spread(seconds: Sequence[float]) -> tuple[float, float]:
    return round(statistics.median(seconds), 3), round(max(seconds), 3)


if __name__ == "__main__":
    sys.exit(main())
