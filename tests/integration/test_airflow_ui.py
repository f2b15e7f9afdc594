"""Airflow's UI in a real browser: the form is filled, and the run goes to green."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from integration.airflow_servers import AirflowServers, running
from integration.conftest import ROOT, Deployment
from lakehouse.schema import DAILY_GOLD

CHROMIUM = shutil.which("chromium")

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: chromium)"),
]

DAG = "retail_video_analytics"
FRAMES = 40
PATIENCE_MS = 180_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def airflow(
    deployment: Deployment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AirflowServers]:
    """Airflow with the DAG alone: nothing that is scheduled runs beside it."""
    folder = tmp_path_factory.mktemp("airflow")
    variables = {**deployment.variables, "RVA_DATA_DIR": str(folder / "data")}
    with running(
        folder,
        variables,
        ROOT / "dags" / f"{DAG}.py",
        # no worker is killed here, so that one of which nothing is heard is only slow
        AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT="300",
    ) as made:
        made.wait_for_dag(DAG)
        yield made


@pytest.fixture(scope="module")
def video(airflow: AirflowServers) -> Path:
    path = Path(airflow.environment["RVA_DATA_DIR"]) / "sample" / "sample.mp4"
    command = [airflow.environment["RVA_VISION_PYTHON"], "-m", "vision", "sample"]
    subprocess.run([*command, "--output", str(path)], check=True, cwd=ROOT)
    return path


@pytest.fixture
def page(airflow: AirflowServers) -> Iterator[Page]:
    """The DAG's page, of somebody who has logged in."""
    with sync_playwright() as playwright:
        # as root, Chromium has no sandbox; it opens our own pages only
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1400, "height": 1200})
        opened.set_default_timeout(PATIENCE_MS)
        opened.goto(f"{airflow.url}/dags/{DAG}")
        user, password = airflow.login()
        opened.fill("input[name=username]", user)
        opened.fill("input[name=password]", password)
        opened.keyboard.press("Enter")
        yield opened
        browser.close()


def form_of(page: Page) -> Locator:
    page.get_by_role("button", name="Trigger").first.click()
    form = page.get_by_role("dialog")
    form.locator("[name=element_video]").wait_for()
    return form


def number(form: Locator, name: str) -> Locator:
    inside = form.locator(f"[id='number-input:element_{name}:inc']")
    return inside.locator("xpath=ancestor::*[@data-part='root'][1]//input")


def fill(field: Locator, value: str) -> None:
    field.fill(value)
    field.press("Tab")


def test_value_that_cannot_be_is_told_in_the_form_and_no_run_begins(
    airflow: AirflowServers, page: Page
) -> None:
    form = form_of(page)
    fill(form.locator("[name=element_store_id]"), "a store; rm -rf /")
    form.get_by_test_id("trigger-dag-submit").click()
    told = page.get_by_text("Invalid input for param store_id").first
    expect(told).to_be_visible()
    assert airflow.ask("GET", f"dags/{DAG}/dagRuns")["total_entries"] == 0


def test_form_that_is_filled_runs_to_green(
    airflow: AirflowServers, deployment: Deployment, page: Page, video: Path
) -> None:
    form = form_of(page)
    fill(form.locator("[name=element_video]"), str(video))
    fill(form.locator("[name=element_camera_id]"), "cam_ui")
    fill(number(form, "fps"), "0")
    fill(number(form, "max_frames"), str(FRAMES))
    form.get_by_test_id("trigger-dag-submit").click()
    page.wait_for_url("**/runs/manual__*")
    run_id = unquote(page.url.rpartition("/")[2])
    assert airflow.wait_for_run(DAG, run_id, seconds=1500) == "success"
    page.reload()
    expect(page.get_by_text("Success").first).to_be_visible()
    run = airflow.ask("GET", f"dags/{DAG}/dagRuns/{run_id}")
    assert (run["conf"]["fps"], run["conf"]["camera_id"]) == (0, "cam_ui")
    counted = "SELECT count(DISTINCT frame_index) FROM bronze_raw WHERE camera_id = 'cam_ui'"
    assert deployment.query(counted) == [[FRAMES]]
    assert all(deployment.rows(table) for table in DAILY_GOLD)
    job_id = airflow.xcom(DAG, run_id, "ensure_bronze", "job_id")
    of_job = link_of_task(airflow, page, run_id, "ensure_bronze", "Flink job")
    assert of_job == f"{deployment.flink.url}/#/job/running/{job_id}/overview"
    query_id = airflow.xcom(DAG, run_id, "gold_equals_silver", "trino_query_id", map_index=0)
    of_query = link_of_task(airflow, page, run_id, "gold_equals_silver/mapped/0", "Trino query")
    assert of_query.endswith(f"/ui/query.html?{query_id}")


def link_of_task(airflow: AirflowServers, page: Page, run_id: str, task: str, name: str) -> str:
    """Where a task's page leads to, by the link of this name."""
    page.goto(f"{airflow.url}/dags/{DAG}/runs/{quote(run_id)}/tasks/{task}/details")
    return page.get_by_role("link", name=name).get_attribute("href") or ""


def test_connection_to_flink_is_made_in_its_form_and_tested(
    airflow: AirflowServers, deployment: Deployment, page: Page
) -> None:
    expect(page.get_by_role("button", name="Trigger").first).to_be_visible()
    page.goto(f"{airflow.url}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.locator("[name=connection_id]").fill("by_hand")
    form.get_by_role("combobox").fill("Flink")
    form.get_by_role("combobox").press("Enter")
    flink = httpx.URL(deployment.flink.url)
    form.locator("[name=host]").fill(flink.host)
    form.locator("[name=port]").fill(str(flink.port))
    form.get_by_text("Extra Fields", exact=True).click()
    expect(form.get_by_text("Address for browsers")).to_be_visible()
    form.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Test Connection").click()
    told = f"Flink 1.20.5 answers at {deployment.flink.url}"
    expect(page.get_by_text(told)).to_be_visible()
