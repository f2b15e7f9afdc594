# ruff: noqa: E501 (Airflow's own lines)
import pytest

from local_stack.dag_run import Steps, checked_video
from local_stack.errors import StackError

LOG = """\
2026-11-24T06:32:11.84Z [info     ] DAG bundles loaded: dags-folder [airflow.dag_processing.bundles] loc=manager.py:304
2026-11-24T06:32:12.18Z [warning  ] GitWildMatchPattern is deprecated. [py.warnings] category=DeprecationWarning
2026-11-24T06:32:16.85Z [info     ] [DAG TEST] starting task_id=extract map_index=-1 [airflow.sdk.definitions.dag] loc=dag.py:1501
2026-11-24T06:32:16.93Z [info     ] Executing cmd: /python /tmp/script.py [airflow.providers.standard.utils.python_virtualenv] loc=python_virtualenv.py:140
2026-11-24T06:32:23.56Z [info     ] 38 of 200 frames, 7.4 frames/s, 0:22 left [airflow.providers.standard.utils.python_virtualenv] loc=python_virtualenv.py:161
2026-11-24T06:32:47.96Z [info     ] [DAG TEST] end task task_id=extract map_index=-1 [airflow.sdk.definitions.dag] loc=dag.py:1563
2026-11-24T06:33:15.00Z [info     ] [DAG TEST] starting task_id=rebuild_gold map_index=1 [airflow.sdk.definitions.dag] loc=dag.py:1501
2026-11-24T06:33:16.00Z [error    ] XCom not found                 [airflow.sdk.api.client] dag_id=d detail={'reason': 'not_found'}
2026-11-24T06:33:20.62Z [info     ] gold_batch: job 16adc7 [airflow.task.operators.flink_rest.operators.FlinkRunJobOperator] loc=operators.py:233
2026-11-24T06:33:21.00Z [info     ] [DAG TEST] end task task_id=rebuild_gold map_index=1 [airflow.sdk.definitions.dag] loc=dag.py:1563
"""

FAILURE = """\
2026-11-24T06:32:16.85Z [info     ] [DAG TEST] starting task_id=bronze_rows map_index=-1 [airflow.sdk.definitions.dag] loc=dag.py:1501
2026-11-24T06:32:23.56Z [error    ] Task failed with exception     [task] loc=task_runner.py:1
Traceback (most recent call last):
  File "/x.py", line 1, in <module>
trino_checks.errors.RowCountMismatch: rva.bronze_raw has 199 rows, 200 were expected
2026-11-24T06:32:23.90Z [info     ] Task instance state updated    [airflow.api_fastapi.execution_api.routes.task_instances] loc=task_instances.py:485 new_state={state} rows_affected=1
2026-11-24T06:32:24.00Z [info     ] [DAG TEST] end task task_id=bronze_rows map_index=-1 [airflow.sdk.definitions.dag] loc=dag.py:1563
2026-11-24T06:32:25.00Z [warning  ] No tasks to run. unrunnable tasks: {{...}} [airflow.sdk.definitions.dag]
"""


def told(text: str) -> tuple[list[str], list[str]]:
    said: list[str] = []
    seconds = iter(range(0, 1000, 31))
    steps = Steps(say=said.append, clock=lambda: float(next(seconds)))
    for line in text.splitlines():
        steps.read(line)
    return said, steps.failed


def test_steps_are_shown_with_their_progress_and_seconds() -> None:
    said, failed = told(LOG)
    assert said == [
        "  extract",
        "      38 of 200 frames, 7.4 frames/s, 0:22 left",
        "      31 s",
        "  rebuild_gold 2",
        "      gold_batch: job 16adc7",
        "      31 s",
    ]
    assert failed == []


def test_failed_step_is_named_with_its_exception_and_without_its_traceback() -> None:
    said, failed = told(FAILURE.format(state="failed"))
    assert failed == ["bronze_rows"]
    assert said == [
        "  bronze_rows",
        "      Task failed with exception",
        "      trino_checks.errors.RowCountMismatch: rva.bronze_raw has 199 rows, 200 were expected",
        "      31 s",
    ]


def test_step_that_is_tried_again_has_not_failed() -> None:
    _, failed = told(FAILURE.format(state="up_for_retry"))
    assert failed == []


def test_video_that_is_not_there_is_named() -> None:
    with pytest.raises(StackError, match=r"no video .*nowhere\.mp4: correct VIDEO="):
        checked_video("nowhere.mp4")


@pytest.mark.parametrize("source", ["rtsp://camera/1", "0"])
def test_camera_is_taken_as_it_is(source: str) -> None:
    assert checked_video(source, frames=9) == source
