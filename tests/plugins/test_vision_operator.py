"""Vision as a task, in a container and in its environment: what both promise, and what each does.

The engine and the interpreter are the tests' own here; the real command runs in
tests/integration/test_vision_operator.py.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.providers.standard.operators.python import ExternalPythonOperator
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.serialization.serialized_objects import DagSerialization
from fake_docker import Container, FakeEngine, engine, free_port

from store_pipeline.errors import InputUnusable
from store_pipeline.settings import PipelineSettings
from store_pipeline.vision import MAP_INDEX_TEMPLATE, VisionInEnvironment, vision_operator
from store_pipeline.vision_command import vision_run
from store_pipeline.vision_container import VisionInContainer, mounts
from store_pipeline.vision_outcome import result_of

PASSWORD = "tr0ub4dor"
ADDRESS = f"rtsp://admin:{PASSWORD}@10.0.0.7/stream"
SUMMARY = {"run_id": "r1", "frames": 7, "output": "video.jsonl"}
DONE = {"code": 0, "error": None, "kind": None, "may_heal": False}


WITHOUT_AIRFLOW = str(Path(sys.base_prefix) / "bin" / "python3")
"""An interpreter without Airflow, as that of vision's environment is."""


def told_on(capfd: pytest.CaptureFixture[str]) -> str:
    printed = capfd.readouterr()
    return printed.out + printed.err


def failed(kind: str, error: str, *, may_heal: bool = False) -> dict[str, Any]:
    return {"code": 2, "error": error, "kind": kind, "may_heal": may_heal}


def context(map_index: int = -1, run_id: str = "manual__1") -> Any:
    task = SimpleNamespace(
        dag_id="retail", run_id=run_id, task_id="extract", map_index=map_index, bundle_instance=None
    )
    return {"ti": task, "run_id": run_id}


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Any]:
    """A file whose name a shell would take apart."""
    folder = tmp_path / "videos"
    folder.mkdir()
    video = folder / "a video; rm -rf $HOME.mp4"
    video.write_bytes(b"video")
    return {
        "input": str(video),
        "output": str(tmp_path / "data" / "metadata" / "video.jsonl"),
        "store_id": "store_01",
        "camera_id": "cam_01",
        "start_time": None,
        "max_frames": 5,
        "accept_damage": True,
    }


class Ran:
    """One way of running vision, and what it was given the last time."""

    def __init__(self, operate: Callable[..., Any]) -> None:
        self.operate = operate
        self.arguments: list[str] = []
        self.environment: dict[str, str] = {}

    def __call__(self, inputs: Any, *left: dict[str, Any] | None, code: int = 0) -> Any:
        """Run; vision leaves an outcome, and a summary where it read something."""
        return self.operate(self, inputs, left[0] if left else DONE, code)


FAKE_VISION = """
    import json, os, sys
    from pathlib import Path
    script = json.loads(Path(os.environ["SCRIPT"]).read_text())
    told = {"arguments": sys.argv[1:], "environment": dict(os.environ)}
    Path(script["told"]).write_text(json.dumps(told))
    options = dict(each.split("=", 1) for each in sys.argv[2:] if "=" in each)
    output = Path(options["--output"])
    output.parent.mkdir(parents=True, exist_ok=True)
    if script["left"] is not None:
        Path(options["--outcome"]).write_text(json.dumps(script["left"]))
        summary = output.with_name(output.stem + ".summary.json")
        summary.write_text(json.dumps(script["summary"]))
    print("error: the last words", file=sys.stderr)
    if script["code"] < 0:
        os.kill(os.getpid(), -script["code"])
    sys.exit(script["code"])
"""


def in_environment(tmp_path: Path) -> Ran:
    package = tmp_path / "fake" / "vision"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(textwrap.dedent(FAKE_VISION))
    script, told = tmp_path / "script.json", tmp_path / "told.json"

    def operate(ran: Ran, inputs: Any, left: Any, code: int) -> Any:
        script.write_text(
            json.dumps({"left": left, "code": code, "summary": SUMMARY, "told": str(told)})
        )
        operator = VisionInEnvironment(
            task_id="extract",
            inputs=inputs,
            python=WITHOUT_AIRFLOW,
            env_vars={"PYTHONPATH": str(package.parent), "SCRIPT": str(script)},
            dag=DAG("vision", schedule=None),
        )
        try:
            return operator.execute(context())
        finally:
            if told.exists():
                found = json.loads(told.read_text())
                ran.arguments, ran.environment = found["arguments"], found["environment"]

    return Ran(operate)


def in_container(stack: ExitStack, tmp_path: Path) -> Ran:
    wanted: dict[str, Any] = {}

    def run(container: Container) -> tuple[list[str], int]:
        options = dict(each.split("=", 1) for each in container.command[3:] if "=" in each)
        output = Path(options["--output"])
        if wanted["left"] is not None:
            Path(options["--outcome"]).write_text(json.dumps(wanted["left"]))
            output.with_name(f"{output.stem}.summary.json").write_text(json.dumps(SUMMARY))
        return ["3 of 7 frames", "error: the last words"], wanted["code"]

    # a path of a socket is short
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    fake = stack.enter_context(engine(run, at=folder))

    def operate(ran: Ran, inputs: Any, left: Any, code: int) -> Any:
        wanted.update(left=left, code=code)
        try:
            return docker_operator(fake, inputs).execute(context())
        finally:
            for container in fake.made:
                ran.arguments = container.command[3:]
                ran.environment = container.environment

    return Ran(operate)


def docker_operator(fake: FakeEngine, inputs: Any, **told: Any) -> VisionInContainer:
    return VisionInContainer(
        task_id="extract", inputs=inputs, image="rva/vision:1", docker_url=fake.url, **told
    )


@pytest.fixture(params=["container", "environment"])
def ran(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ran]:
    with ExitStack() as stack:
        if request.param == "container":
            yield in_container(stack, tmp_path)
        else:
            yield in_environment(tmp_path)


# what both ways promise


def test_command_line_is_a_list_of_arguments_and_the_summary_comes_back(
    ran: Ran, inputs: dict[str, Any]
) -> None:
    assert ran(inputs) == SUMMARY
    assert ran.arguments == [
        "extract",
        f"--input={inputs['input']}",
        f"--output={inputs['output']}",
        "--store-id=store_01",
        "--camera-id=cam_01",
        "--max-frames=5",
        "--accept-damage",
        f"--outcome={inputs['output'].removesuffix('.jsonl')}.outcome.json",
    ]


def test_lost_camera_goes_on_with_a_warning(
    ran: Ran, inputs: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    lost = failed("SourceLostError", "camera 0 stopped giving frames; the 7 until then are kept")
    assert ran(inputs, lost, code=2) == SUMMARY
    assert "the 7 until then are kept. Going on with the frames read" in told_on(capfd)


@pytest.mark.parametrize("may_heal", [True, False])
def test_error_is_one_line_and_tried_again_only_if_it_may_heal(
    ran: Ran, inputs: dict[str, Any], may_heal: bool
) -> None:
    left = failed("SourceError", "no such camera: 0; is it plugged in?", may_heal=may_heal)
    with pytest.raises(AirflowException, match=r"^no such camera: 0; is it plugged in\?$") as told:
        ran(inputs, left, code=2)
    assert isinstance(told.value, AirflowFailException) is not may_heal


def test_crash_is_told_with_its_code_and_what_an_earlier_run_left_is_not_taken_for_it(
    ran: Ran, inputs: dict[str, Any]
) -> None:
    ran(inputs)
    with pytest.raises(AirflowException, match="vision ended with code 139 and left no") as told:
        ran(inputs, None, code=139)
    assert not isinstance(told.value, AirflowFailException)


def test_run_that_was_stopped_is_no_success(ran: Ran, inputs: dict[str, Any]) -> None:
    with pytest.raises(AirflowException, match="was stopped"):
        ran(inputs, DONE | {"code": 143}, code=143)


def test_address_of_a_variable_is_in_the_environment_and_in_nothing_that_is_stored(
    ran: Ran,
    inputs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    masked: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.append)
    monkeypatch.setenv("AIRFLOW_VAR_FRONT_DOOR", ADDRESS)
    assert ran(inputs | {"input": "variable:front_door"}) == SUMMARY
    assert "--input=${RVA_CAMERA_ADDRESS}" in ran.arguments
    assert ran.environment["RVA_CAMERA_ADDRESS"] == ADDRESS
    assert PASSWORD not in " ".join(ran.arguments)
    assert PASSWORD not in told_on(capfd)
    assert masked == [PASSWORD]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"input": "variable:nowhere"}, "AIRFLOW_VAR_NOWHERE"),
        ({"output": ""}, "name the file"),
        ({"max_frames": {"a": 1}}, "max_frames"),
    ],
)
def test_wrong_input_fails_for_good_before_anything_runs(
    ran: Ran, inputs: dict[str, Any], changed: dict[str, Any], told: str
) -> None:
    with pytest.raises(AirflowFailException, match=told):
        ran(inputs | changed)
    assert ran.arguments == []


# one name for both


@pytest.mark.parametrize(
    ("environ", "kind", "base"),
    [
        ({}, VisionInEnvironment, ExternalPythonOperator),
        ({"RVA_VISION_IMAGE": " "}, VisionInEnvironment, ExternalPythonOperator),
        ({"RVA_VISION_IMAGE": "rva/vision:1"}, VisionInContainer, DockerOperator),
    ],
)
def test_one_setting_says_where_vision_runs(
    environ: dict[str, str], kind: type[Any], base: type[Any]
) -> None:
    chosen = vision_operator(PipelineSettings.from_env(environ))
    assert chosen is kind
    assert issubclass(chosen, base)


@pytest.mark.parametrize("image", ["", "rva/vision:1"])
def test_name_that_dags_import_follows_the_setting_and_docker_is_imported_only_for_it(
    image: str,
) -> None:
    code = (
        "import sys; from store_pipeline.vision import VisionOperator as v; "
        "print(v.__name__, 'docker' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "RVA_VISION_IMAGE": image, "PYTHONPATH": os.pathsep.join(sys.path)},
    ).stdout
    expected = "VisionInContainer True" if image else "VisionInEnvironment False"
    assert printed.splitlines()[-1] == expected


@pytest.mark.parametrize("kind", [VisionInEnvironment, VisionInContainer])
def test_several_cameras_are_mapped_and_named_by_store_and_camera(kind: type[Any]) -> None:
    of_cameras = [
        {"store_id": "store_01", "camera_id": f"cam_{n}", "input": "0", "output": f"{n}.jsonl"}
        for n in range(2)
    ]
    with DAG("cameras", schedule=None, start_date=datetime(2026, 11, 24)) as dag:
        mapped = kind.partial(task_id="extract", pool="vision").expand(inputs=of_cameras)
    assert mapped.map_index_template == MAP_INDEX_TEMPLATE
    assert mapped.pool == "vision"
    (stored,) = DagSerialization.from_dict(DagSerialization.to_dict(dag)).tasks
    assert stored.is_mapped
    assert stored.task_type == kind.__name__
    one = mapped.unmap({"inputs": of_cameras[1]})
    assert one.inputs["camera_id"] == "cam_1"
    assert one.multiple_outputs
    rendered = dag.get_template_env().from_string(MAP_INDEX_TEMPLATE).render(task=one)
    assert rendered == "store_01/cam_1"


@pytest.mark.parametrize("kind", [VisionInEnvironment, VisionInContainer])
def test_dag_may_name_its_mapped_tasks_itself(kind: type[Any]) -> None:
    with DAG("cameras", schedule=None):
        mapped = kind.partial(task_id="extract", map_index_template="x").expand(inputs=[{}])
    assert mapped.map_index_template == "x"


@pytest.mark.parametrize("kind", [VisionInEnvironment, VisionInContainer])
def test_inputs_are_templated_and_what_is_secret_is_not_among_what_is_rendered(
    kind: type[Any],
) -> None:
    assert "inputs" in kind.template_fields
    assert not {"env_vars", "_private_environment"} & set(kind.template_fields)
    assert kind.custom_operator_name == "VisionOperator"


# the command line


@pytest.mark.parametrize(
    ("value", "argument"),
    [
        ("-x", ["--classes=-x"]),
        (["person", "dog"], ["--classes=person,dog"]),
        ([[[0, 0], [0.5, 0], [0.5, 1]]], ["--classes=[[[0, 0], [0.5, 0], [0.5, 1]]]"]),
        (0, ["--classes=0"]),
        (0.5, ["--classes=0.5"]),
        (True, ["--classes"]),
        (False, []),
        (None, []),
    ],
)
def test_option_is_one_argument(inputs: dict[str, Any], value: Any, argument: list[str]) -> None:
    told = vision_run(inputs | {"classes": value}, inputs["input"])
    assert [each for each in told.arguments if each.startswith("--classes")] == argument


def test_run_does_not_show_its_secrets(inputs: dict[str, Any]) -> None:
    assert PASSWORD not in repr(vision_run(inputs, ADDRESS))


def test_summary_is_where_the_inputs_say(inputs: dict[str, Any], tmp_path: Path) -> None:
    told = vision_run(inputs | {"summary": str(tmp_path / "s.json")}, inputs["input"])
    told.outcome.parent.mkdir(parents=True)
    told.outcome.write_text(json.dumps(DONE))
    (tmp_path / "s.json").write_text('{"frames": 3}')
    assert result_of(told, 0).summary == {"frames": 3}


@pytest.mark.parametrize(("code", "told"), [(137, "want of memory"), (0, "RVA_VISION_VOLUMES")])
def test_end_without_an_outcome_says_what_may_be_the_reason(
    inputs: dict[str, Any], code: int, told: str
) -> None:
    with pytest.raises(AirflowException, match=told):
        result_of(vision_run(inputs, inputs["input"]), code)


# in the environment


def test_interpreter_that_is_not_there_is_told_once_and_for_good(inputs: dict[str, Any]) -> None:
    operator = VisionInEnvironment(task_id="extract", inputs=inputs, python="/nowhere/python")
    with pytest.raises(AirflowFailException, match="RVA_VISION_PYTHON"):
        operator.execute(context())


def test_end_by_a_signal_is_told_as_a_shell_and_a_container_tell_it(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(AirflowException, match=r"code 137.*want of memory"):
        in_environment(tmp_path)(inputs, None, code=-signal.SIGKILL)


SLOW_VISION = """
    import os, signal, sys, time
    from pathlib import Path
    place = Path(os.environ["PLACE"])
    def stop(number, frame):
        (place / "stopped").write_text("as asked")
        sys.exit(143)
    signal.signal(signal.SIGTERM, stop)
    (place / "started").write_text(str(os.getpid()))
    deadline = time.monotonic() + 600
    while not (place / "over").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
"""
PATIENT_SECONDS = 120


def appears(path: Path) -> bool:
    deadline = time.monotonic() + PATIENT_SECONDS
    while time.monotonic() < deadline:
        if path.exists() and path.read_text():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def slow_vision(tmp_path: Path) -> Iterator[dict[str, str]]:
    package = tmp_path / "fake" / "vision"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(textwrap.dedent(SLOW_VISION))
    yield {"PYTHONPATH": str(package.parent), "PLACE": str(tmp_path)}
    (tmp_path / "over").touch()


def test_killed_task_stops_vision(
    inputs: dict[str, Any], slow_vision: dict[str, str], tmp_path: Path
) -> None:
    operator = VisionInEnvironment(
        task_id="extract",
        inputs=inputs,
        python=WITHOUT_AIRFLOW,
        env_vars=slow_vision,
        dag=DAG("vision", schedule=None),
    )
    failures: list[Exception] = []

    def run() -> None:
        try:
            operator.execute(context())
        except AirflowException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert appears(tmp_path / "started")
    # whoever starts it writes it down behind its start
    assert operator._pid_file is not None
    assert appears(operator._pid_file)
    operator.on_kill()
    thread.join(PATIENT_SECONDS)
    assert (tmp_path / "stopped").read_text() == "as asked"
    assert "code 143" in str(failures[0])


def test_vision_stops_when_its_worker_was_killed(
    inputs: dict[str, Any], slow_vision: dict[str, str], tmp_path: Path
) -> None:
    code = textwrap.dedent(
        """
        import json, sys
        from types import SimpleNamespace
        from airflow.sdk import DAG
        from store_pipeline.vision import VisionInEnvironment
        inputs, env, python = json.loads(sys.argv[1])
        ti = SimpleNamespace(dag_id="d", run_id="r", task_id="t", map_index=-1)
        VisionInEnvironment(
            task_id="t", inputs=inputs, python=python, env_vars=env,
            dag=DAG("vision", schedule=None),
        ).execute({"ti": ti, "run_id": "r"})
        """
    )
    worker = subprocess.Popen(
        [sys.executable, "-c", code, json.dumps([inputs, slow_vision, WITHOUT_AIRFLOW])],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        assert appears(tmp_path / "started")
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait(PATIENT_SECONDS)
    assert appears(tmp_path / "stopped")


def test_task_that_runs_nothing_yet_can_be_killed(inputs: dict[str, Any]) -> None:
    VisionInEnvironment(task_id="extract", inputs=inputs, python=sys.executable).on_kill()
    VisionInContainer(task_id="extract", inputs=inputs, image="rva/vision:1").on_kill()


# in a container


def leave(container: Container, left: dict[str, Any] = DONE) -> None:
    options = dict(each.split("=", 1) for each in container.command[3:] if "=" in each)
    output = Path(options["--output"])
    Path(options["--outcome"]).write_text(json.dumps(left))
    output.with_name(f"{output.stem}.summary.json").write_text(json.dumps(SUMMARY))


def done(container: Container) -> tuple[list[str], int]:
    leave(container)
    return ["7 frames"], 0


def test_container_is_given_the_folders_under_their_own_paths_and_runs_as_airflow_s_user(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVA_DATA_DIR", str(tmp_path / "data"))
    weights = tmp_path / "weights" / "yolo.pt"
    weights.parent.mkdir()
    weights.write_bytes(b"w")
    monkeypatch.setenv("RVA_WEIGHTS", str(weights))
    with engine(done) as fake:
        docker_operator(fake, inputs).execute(context())
    (container,) = fake.made
    data, videos = str(tmp_path / "data"), str(tmp_path / "videos")
    assert container.mounts == {
        data: ("bind", data, False),
        videos: ("bind", videos, True),
        str(weights.parent): ("bind", str(weights.parent), True),
    }
    assert container.command[:4] == ["python", "-m", "vision", "extract"]
    assert container.spec["User"] == f"{os.getuid()}:{os.getgid()}"
    assert container.spec["Image"] == "rva/vision:1"
    assert container.environment["RVA_WEIGHTS"] == str(weights)
    assert container.environment["RVA_CACHE_DIR"] == f"{data}/cache"


def test_video_within_the_data_needs_no_folder_of_its_own(
    inputs: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVA_DATA_DIR", str(tmp_path))
    run = vision_run(inputs, inputs["input"])
    assert [each["Target"] for each in mounts((), run, inputs)] == [str(tmp_path)]


def test_volumes_are_told_by_the_setting(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    volumes = "pipeline-data:/opt/rva/data, /srv/in:/opt/rva/input:ro"
    monkeypatch.setenv("RVA_VISION_VOLUMES", volumes)
    with engine(done) as fake:
        docker_operator(fake, inputs).execute(context())
    assert fake.made[0].mounts == {
        "/opt/rva/data": ("volume", "pipeline-data", False),
        "/opt/rva/input": ("bind", "/srv/in", True),
    }


@pytest.mark.parametrize("volume", ["data", ":/a", "a:b", "a:/b:rx"])
def test_volume_that_is_none_is_told_for_good(inputs: dict[str, Any], volume: str) -> None:
    with pytest.raises(InputUnusable, match="RVA_VISION_VOLUMES"):
        mounts((volume,), vision_run(inputs, inputs["input"]), inputs)
    with engine(done) as fake, pytest.raises(AirflowFailException, match="RVA_VISION_VOLUMES"):
        docker_operator(fake, inputs, volumes=[volume]).execute(context())
    assert fake.made == []


def test_container_is_removed_when_it_has_ended_also_by_an_error(inputs: dict[str, Any]) -> None:
    def fail(container: Container) -> tuple[list[str], int]:
        leave(container, failed("WeightsError", "no weights"))
        return [], 2

    with engine(fail) as fake, pytest.raises(AirflowFailException, match="no weights"):
        docker_operator(fake, inputs).execute(context())
    assert fake.containers == {}
    # one that still runs, as after a broken connection, is removed by force only
    assert fake.removed_by_force == [True]


def test_container_s_log_is_the_task_s_and_its_last_line_tells_a_crash(
    inputs: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    crashed = (["3 of 7 frames", "Segmentation fault", ""], 139)
    with (
        engine(lambda _: crashed) as fake,
        pytest.raises(AirflowException, match=r"code 139.*Segmentation fault"),
    ):
        docker_operator(fake, inputs).execute(context())
    assert "3 of 7 frames" in told_on(capfd)


def test_container_that_a_dead_worker_left_is_removed_first(inputs: dict[str, Any]) -> None:
    with engine(done) as fake:
        operator = docker_operator(fake, inputs)
        operator.execute(context())
        name = fake.made[0].name
        fake.containers["old"] = Container(name, {})
        docker_operator(fake, inputs).execute(context())
        assert fake.containers == {}
        names = [each.name for each in fake.made]
        docker_operator(fake, inputs).execute(context(map_index=1))
        docker_operator(fake, inputs).execute(context(run_id="manual__2"))
    assert names == [name, name]
    # of another camera or run it is another's
    assert len({each.name for each in fake.made}) == 3


def test_killed_task_stops_the_container_and_removes_it(inputs: dict[str, Any]) -> None:
    def run(container: Container) -> tuple[list[str], int]:
        was_stopped = container.is_stopped.wait(PATIENT_SECONDS)
        leave(container, DONE | {"code": 143})
        return [], 143 if was_stopped else 1

    failures: list[Exception] = []
    with engine(run) as fake:
        operator = docker_operator(fake, inputs)

        def execute() -> None:
            try:
                operator.execute(context())
            except AirflowException as error:
                failures.append(error)

        thread = threading.Thread(target=execute)
        thread.start()
        deadline = time.monotonic() + PATIENT_SECONDS
        while not (fake.made and fake.made[0].is_running) and time.monotonic() < deadline:
            time.sleep(0.01)
        operator.on_kill()
        thread.join(PATIENT_SECONDS)
        assert "POST /containers/c1/stop" in fake.asked
        assert fake.containers == {}
    assert len(failures) == 1


def test_password_is_in_one_variable_of_the_container_and_nowhere_else(
    inputs: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_FRONT_DOOR", ADDRESS)
    with engine(done) as fake:
        operator = docker_operator(fake, inputs | {"input": "variable:front_door"})
        operator.execute(context())
        rendered = {name: getattr(operator, name) for name in operator.template_fields}
        assert PASSWORD not in str(rendered)
    spec = dict(fake.made[0].spec)
    spec["Env"] = [each for each in spec["Env"] if not each.startswith("RVA_CAMERA_ADDRESS=")]
    assert PASSWORD not in json.dumps(spec)
    assert PASSWORD not in fake.made[0].name


@pytest.mark.parametrize(
    ("refusal", "told", "for_good"),
    [
        pytest.param(
            {"POST /containers/create": (404, "No such image: rva/vision:1")},
            "has no image rva/vision:1.*docker compose build vision",
            True,
            id="no image",
        ),
        pytest.param(
            {"POST /containers/create": (400, "bind source path does not exist: /nowhere")},
            "bind source path does not exist: /nowhere.*RVA_VISION_VOLUMES",
            True,
            id="no folder",
        ),
        pytest.param(
            {"POST /containers/c1/start": (500, "no space left on device")},
            "no space left on device",
            False,
            id="the engine's trouble",
        ),
    ],
)
def test_refusal_of_the_engine_is_one_line(
    inputs: dict[str, Any], refusal: dict[str, tuple[int, str]], told: str, for_good: bool
) -> None:
    with (
        engine(done, refusals=refusal) as fake,
        pytest.raises(AirflowException, match=f"(?s)^[^\n]*{told}[^\n]*$") as caught,
    ):
        docker_operator(fake, inputs).execute(context())
    assert isinstance(caught.value, AirflowFailException) is for_good


def test_image_that_is_nowhere_to_be_had_is_told_for_good(inputs: dict[str, Any]) -> None:
    refusals = {"POST /images/create": (404, "pull access denied for rva/vision")}
    with (
        engine(done, images=[], refusals=refusals) as fake,
        pytest.raises(AirflowFailException, match="pull access denied"),
    ):
        docker_operator(fake, inputs).execute(context())


def test_engine_that_does_not_answer_is_told_and_asked_again(inputs: dict[str, Any]) -> None:
    fake = FakeEngine(done, url=f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(AirflowException, match="start it, or set DOCKER_HOST") as caught:
        docker_operator(fake, inputs).execute(context())
    assert not isinstance(caught.value, AirflowFailException)


def test_engine_is_asked_at_a_port_as_at_a_socket(inputs: dict[str, Any]) -> None:
    with engine(done) as fake:
        assert fake.url.startswith("tcp://")
        assert docker_operator(fake, inputs).execute(context()) == SUMMARY
