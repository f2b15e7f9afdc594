"""Vision in a container of a Docker engine."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.providers.docker.exceptions import DockerContainerFailedException
from airflow.providers.docker.operators.docker import DockerOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.types import Mount
from requests.exceptions import RequestException

from store_pipeline.errors import InputUnusable
from store_pipeline.settings import PipelineSettings
from store_pipeline.vision import VisionTask
from store_pipeline.vision_command import VisionRun

if TYPE_CHECKING:
    from airflow.sdk import Context

INTERPRETER = ("python", "-m", "vision")
STOP_SECONDS = 3
"""How long vision may take to finish its frame when the task is killed; Airflow waits for 5."""

_STATUS_CODE = re.compile(r"'StatusCode': (\d+)")


class VisionInContainer(VisionTask, DockerOperator):  # type: ignore[misc]
    """Run vision in a container, by the same command line as in its environment.

    The engine's container is given the folders that Airflow reads and writes, under the paths by
    which Airflow knows them, and runs as Airflow's user. It is named after the task instance: what
    a dead worker has left running is removed before the next try, which would else be refused the
    output. It is removed when it has ended.

    A camera's address that an Airflow Variable holds is an environment variable of the container:
    it is in no command line, no label and no log, but who may use the engine can read it by
    `docker inspect` while the container is there.

    :param inputs: options of `python -m vision extract`, by their names with _. (templated)
    :param image: the image; default: `RVA_VISION_IMAGE`. (templated)
    :param volumes: `source:target[:ro]` each; default: `RVA_VISION_VOLUMES`, or the folders of the
        data, the video and the weights.
    :param python: not used: with it, a DAG suits both ways.
    :param kwargs: what `DockerOperator` takes, such as `docker_url` (default: `DOCKER_HOST`),
        `network_mode`, `device_requests` for a GPU.
    """

    template_fields: Sequence[str] = (*DockerOperator.template_fields, "inputs")
    template_fields_renderers = {  # noqa: RUF012 - Airflow's
        **DockerOperator.template_fields_renderers,
        "inputs": "json",
    }
    custom_operator_name = "VisionOperator"

    def __init__(
        self,
        *,
        inputs: Any,
        image: str | None = None,
        volumes: Sequence[str] | None = None,
        python: str | None = None,  # noqa: ARG002 - see above
        **kwargs: Any,
    ) -> None:
        settings = PipelineSettings.from_env()
        super().__init__(
            inputs=inputs,
            image=image or settings.vision_image,
            multiple_outputs=True,
            **{
                "auto_remove": "force",
                "mount_tmp_dir": False,
                # else what it writes on a bind mount is root's
                "user": f"{os.getuid()}:{os.getgid()}",
                **kwargs,
            },
        )
        self.volumes = tuple(settings.vision_volumes if volumes is None else volumes)

    def on_kill(self) -> None:
        """Ask vision to stop, and take the container away."""
        if not self.hook.client_created or self.container is None:
            return
        with contextlib.suppress(DockerException, RequestException):
            self.cli.stop(self.container["Id"], timeout=STOP_SECONDS)
        with contextlib.suppress(DockerException, RequestException):
            self.cli.remove_container(self.container["Id"], force=True)

    def _run(self, run: VisionRun, context: Context) -> tuple[int | None, str]:
        self.command = [*INTERPRETER, *run.arguments]
        self.container_name = container_name(context)
        self._private_environment = {**environment(), **self._private_environment, **run.secrets}
        run.output.parent.mkdir(parents=True, exist_ok=True)
        try:
            self.mounts = [*self.mounts, *mounts(self.volumes, run, self.inputs)]
            self._remove_earlier()
            DockerOperator.execute(self, context)
        except InputUnusable as error:
            raise AirflowFailException(str(error)) from error
        except DockerContainerFailedException as error:
            found = _STATUS_CODE.search(str(error))
            lines = [str(line) for line in error.logs or [] if str(line).strip()]
            return int(found[1]) if found else None, lines[-1] if lines else ""
        except (ImageNotFound, NotFound) as error:
            raise AirflowFailException(
                f"the Docker engine at {self.docker_url} has no image {self.image}, or cannot get "
                f"it ({_one_line(error)}): build it with `docker compose build vision`, or correct "
                "RVA_VISION_IMAGE; where that is empty, vision runs in its environment"
            ) from error
        except APIError as error:
            told = f"the Docker engine at {self.docker_url} refuses ({_one_line(error)})"
            if error.is_client_error():
                raise AirflowFailException(
                    f"{told}: RVA_VISION_VOLUMES says what the container is given"
                ) from error
            raise AirflowException(told) from error
        except (DockerException, RequestException, OSError) as error:
            raise AirflowException(
                f"the Docker engine at {self.docker_url} does not answer any more "
                f"({_one_line(error)})"
            ) from error
        except AirflowException as error:
            if self.hook.client_created:
                raise
            raise AirflowException(
                f"the Docker engine at {self.docker_url} does not answer: start it, or set "
                "DOCKER_HOST; where RVA_VISION_IMAGE is empty, vision runs in its environment"
            ) from error
        return 0, ""

    def _remove_earlier(self) -> None:
        with contextlib.suppress(NotFound):
            self.cli.remove_container(self.container_name, force=True)
            self.log.warning("Removed %s, which an earlier try has left", self.container_name)


def container_name(context: Context) -> str:
    """Name the container of a task instance, whichever try it is."""
    task: Any = context["ti"]
    of = f"{task.dag_id}\0{task.run_id}\0{task.task_id}\0{task.map_index}"
    return f"rva-vision-{hashlib.sha256(of.encode()).hexdigest()[:20]}"


def environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """What vision reads from its environment: where weights are, and where they are kept."""
    environ = os.environ if environ is None else environ
    data_dir = PipelineSettings.from_env(environ).data_dir
    return {
        "RVA_DATA_DIR": str(data_dir),
        # in the container only what is mounted lasts
        "RVA_CACHE_DIR": str(data_dir / "cache"),
        "HOME": "/tmp",  # noqa: S108 - the container's
        **{name: environ[name] for name in ("RVA_WEIGHTS", "YOLO_OFFLINE") if environ.get(name)},
    }


def mounts(volumes: Sequence[str], run: VisionRun, inputs: Mapping[str, Any]) -> list[Mount]:
    """Return what the container is given.

    :raises InputUnusable: a volume is not written as one.
    """
    if volumes:
        return [_mount(volume) for volume in volumes]
    data_dir = PipelineSettings.from_env().data_dir
    writable = list(dict.fromkeys([data_dir.absolute(), run.output.parent.absolute()]))
    given = [Path(str(inputs.get(name) or "")) for name in ("input", "weights")]
    given.append(Path(os.environ.get("RVA_WEIGHTS", "")))
    readable = [path.absolute().parent for path in given if path.name and path.exists()]
    found = [Mount(str(path), str(path), type="bind") for path in _outermost(writable, [])]
    for path in _outermost(readable, writable):
        found.append(Mount(str(path), str(path), type="bind", read_only=True))
    return found


def _outermost(paths: Sequence[Path], within: Sequence[Path]) -> list[Path]:
    """Leave out what lies in another one."""
    others = [*within, *paths]
    return list(
        dict.fromkeys(
            path
            for path in paths
            if path not in within and not any(other in path.parents for other in others)
        )
    )


def _mount(volume: str) -> Mount:
    source, _, rest = volume.partition(":")
    target, _, mode = rest.partition(":")
    if not source or not target.startswith("/") or mode not in ("", "ro", "rw"):
        raise InputUnusable(
            "RVA_VISION_VOLUMES", volume, "write source:target or source:target:ro, comma separated"
        )
    kind = "bind" if source.startswith("/") else "volume"
    return Mount(target, source, type=kind, read_only=mode == "ro")


def _one_line(error: Exception) -> str:
    text = str(getattr(error, "explanation", None) or error)
    return " ".join(text.split())[:300]
