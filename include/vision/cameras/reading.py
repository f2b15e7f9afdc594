"""From `cameras.yaml` to cameras, every mistake in it told with its line.

    store: store_01
    defaults: {fps_limit: 10}
    cameras:
      - camera: entrance
        source: rtsp://viewer:${CAM_PASSWORD}@10.0.0.7/ch1

docs/cameras.yaml is the whole of it, annotated.
"""

import datetime
import difflib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from vision.cameras.camera import Camera
from vision.cameras.located import LocatedYaml, Step
from vision.environment import data_directory
from vision.errors import SettingsError, SourceError
from vision.paths import telling, user_path
from vision.publishing import parse_destination
from vision.run_files import files_read
from vision.settings import ExtractSettings
from vision.sources import RecordedSource, parse_source
from vision.timestamps import parse_start_time

TOP_KEYS = ("store", "defaults", "cameras")
NOT_OPTIONS = {"input", "output", "summary", "store_id", "camera_id", "stream_id", "run_id"} | {
    "show",
    "resume",
}
"""Settings of an extraction that `cameras.yaml` names otherwise, or that are the command's."""
OWN_KEYS = {"camera": str, "source": str | int, "stream": str, "output": str, "run_id": str}
"""What a camera has for itself and `defaults` cannot have, and its type."""

_HINTS = get_type_hints(ExtractSettings)
OPTIONS: dict[str, Any] = {
    each.name: _HINTS[each.name] for each in fields(ExtractSettings) if each.name not in NOT_OPTIONS
} | {
    "frame_rate": str | int | float | None,
    "reconnect_seconds": float | str | None,
}
"""Every other setting, and the type that YAML may give it in."""

SUMMARY_NAME = "cameras.summary.json"
"""What all cameras of the file together have done, in the output folder."""

_FILE_NAME = re.compile(r"[^/\\\x00]+")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


@dataclass(frozen=True, kw_only=True)
class CamerasFile:
    """The cameras of one store."""

    path: Path
    store: str
    cameras: tuple[Camera, ...]


def read_cameras(
    path: Path,
    *,
    output_dir: Path | None = None,
    to: str | None = None,
    environ: Mapping[str, str] = os.environ,
) -> CamerasFile:
    """The cameras of the file, checked as far as can be without touching them.

    Raises `SettingsError`, one line, for the first thing that is wrong.

    :param output_dir: where the JSONL files go; None: to `default_output_dir`, of the cameras that
        are not published, or that have an `output`
    :param to: where to publish, in place of what the file says
    """
    return _Reader(LocatedYaml(path), output_dir, to, environ).read()


def default_output_dir() -> Path:
    """`metadata/cameras` in the data directory."""
    return data_directory() / "metadata" / "cameras"


class _Reader:
    """Reads one file."""

    def __init__(
        self, file: LocatedYaml, output_dir: Path | None, to: str | None, environ: Mapping[str, str]
    ) -> None:
        self._file, self._to, self._environ = file, to, environ
        self._output_dir = output_dir

    def read(self) -> CamerasFile:
        top = self._file.data
        if top is None:
            raise self._file.error((), "it is empty: write store: and cameras:")
        self._check_keys((), top, TOP_KEYS)
        for key in ("store", "cameras"):
            if key not in top:
                raise self._file.error((), f"{key}: is missing")
        store = self._convert(("store",), top["store"], str)
        defaults = {} if top.get("defaults") is None else top["defaults"]
        self._check_keys(("defaults",), defaults, OPTIONS)
        given = {key: self._option(("defaults", key), value) for key, value in defaults.items()}
        entries = top["cameras"]
        if not isinstance(entries, list) or not entries:
            raise self._file.error(("cameras",), "cameras: lists no camera: begin one with a -")
        cameras = tuple(
            self._camera(store, given, place, entry) for place, entry in enumerate(entries)
        )
        self._refuse_shared(cameras)
        return CamerasFile(path=self._file.path, store=store, cameras=cameras)

    def _camera(self, store: str, defaults: Mapping[str, Any], place: int, entry: object) -> Camera:
        at: tuple[Step, ...] = ("cameras", place)
        if not isinstance(entry, dict):
            raise self._file.error(at, "a camera is given by camera: and source:")
        self._check_keys(at, entry, (*OWN_KEYS, *OPTIONS))
        for key in ("camera", "source"):
            if key not in entry:
                raise self._file.error(at, f"{key}: is missing")
        own = {
            key: self._convert((*at, key), entry[key], kind)
            for key, kind in OWN_KEYS.items()
            if key in entry
        }
        overrides = {
            key: self._option((*at, key), value)
            for key, value in entry.items()
            if key not in OWN_KEYS
        }
        name = own["camera"]
        if not _FILE_NAME.fullmatch(name) or name.startswith("."):
            raise self._file.error(
                (*at, "camera"), f"{name!r} cannot name a file, as a camera's name does"
            )
        options = {**defaults, **overrides}
        if self._to is not None:
            options["to"] = self._to
        source = self._source((*at, "source"), str(own["source"]))
        output = own.get("output")
        if output is None and (self._output_dir is not None or options.get("to") is None):
            output = f"{name}.jsonl"
        folder = self._output_dir or default_output_dir()
        try:
            if output is not None:
                output = str(folder / user_path(output, SettingsError, "output"))
            beside = folder / name if output is None else Path(output).with_suffix("")
            settings = ExtractSettings(
                **{"reconnect_seconds": None, **options},
                input=source,
                output=output,
                summary=f"{beside}.summary.json",
                store_id=store,
                camera_id=name,
                stream_id=own.get("stream", ExtractSettings.stream_id),
                run_id=own.get("run_id"),
            )
            if settings.to is not None:
                parse_destination(settings.to)
            parse_start_time(settings.start_time)
        except SettingsError as error:
            raise self._file.error(at, f"{name}: {error}") from None
        camera = Camera(settings=settings, line=self._file.line(at))
        for key in ("run_id", "start_time"):
            if camera.is_live and getattr(settings, key) is not None:
                where = (*at, key) if key in entry else ("defaults", key)
                raise self._file.error(
                    where,
                    f"{key} is for files: the frames of {name} are timed when they arrive, and its "
                    "run is named after its start",
                )
        return camera

    def _source(self, at: tuple[Step, ...], text: str) -> str:
        """The source with what the environment holds in it; a file from here, or from the YAML."""

        def value(found: re.Match[str]) -> str:
            name = found[1]
            if name not in self._environ:
                raise self._file.error(at, f"source: ${{{name}}} is not set in the environment")
            return self._environ[name]

        text = _VARIABLE.sub(value, text)
        if not text:
            raise self._file.error(at, "source: is empty: give a file, a camera's index, rtsp://…")
        try:
            source = parse_source(text)
            if isinstance(source, RecordedSource):
                with telling(SourceError, f"cannot read {text}"):
                    beside = self._file.path.parent / source.path
                    if not source.path.exists() and beside.exists():
                        return str(beside)
        except SourceError as error:
            raise self._file.error(at, f"source: {error}") from None
        return text

    def _option(self, at: tuple[Step, ...], value: object) -> Any:
        """One option's value as `ExtractSettings` takes it."""
        name = str(at[-1])
        if name == "start_time" and isinstance(value, datetime.date):
            # YAML's own type for 2026-11-24T10:15:00Z without quotes
            return value.isoformat()
        converted = self._convert(at, value, OPTIONS[name])
        if name == "frame_rate" and converted is not None:
            return str(converted)
        if name == "reconnect_seconds" and isinstance(converted, str):
            if converted != "ever":
                raise self._file.error(at, f"{name}: give seconds, or `ever`, not {converted!r}")
            return None
        return converted

    def _convert(self, at: tuple[Step, ...], value: object, kind: Any) -> Any:
        """The value in its type, without bending it: a number in quotes is a text."""
        if is_dataclass(kind) and isinstance(value, dict):
            self._check_keys(at, value, [each.name for each in fields(kind)])
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            told = str(error).replace("`", "").replace(" - at $", ", at ")
            hint = ": put it in quotes" if kind is str and isinstance(value, int | float) else ""
            raise self._file.error(at, f"{at[-1]}: {told[:1].lower()}{told[1:]}{hint}") from None

    def _check_keys(self, at: tuple[Step, ...], mapping: object, known: Iterable[str]) -> None:
        """Refuse what nobody would read, with the name that was probably meant."""
        known = list(known)
        if not isinstance(mapping, dict):
            what = f"{at[-1]}: " if at else ""
            raise self._file.error(at, f"{what}write `name: value`, with one of {_listed(known)}")
        for key in mapping:
            if key not in known:
                near = difflib.get_close_matches(str(key).replace("-", "_"), known, n=1)
                meant = f"did you mean {near[0]}?" if near else f"known are {_listed(known)}"
                raise self._file.error((*at, key), f"{key} is not known here: {meant}")

    def _refuse_shared(self, cameras: Sequence[Camera]) -> None:
        """Raise for two cameras of one name, and for a file that is written twice, or read too."""
        names: dict[str, Camera] = {}
        files: dict[str, Camera] = {}
        videos = {
            _as_found(video): camera for camera in cameras for video in files_read(camera.source)
        }
        ours = (self._output_dir or default_output_dir()) / SUMMARY_NAME
        for place, camera in enumerate(cameras):
            at: tuple[Step, ...] = ("cameras", place)
            # as file systems that do not tell A from a see it
            other = names.setdefault(camera.name.casefold(), camera)
            if other is not camera:
                raise self._file.error(
                    (*at, "camera"),
                    f"there is a camera named {other.name} in line {other.line} already",
                )
            for path in camera.files:
                found = _as_found(path)
                if found == _as_found(ours):
                    raise self._file.error((*at, "camera"), f"{path} is the summary of all cameras")
                if found in videos:
                    raise self._file.error(
                        (*at, "output"),
                        f"{camera.name} would overwrite {path}, which {videos[found].name} reads",
                    )
                other = files.setdefault(found, camera)
                if other is not camera:
                    raise self._file.error(
                        (*at, "output"),
                        f"{camera.name} would write {path}, and so would {other.name} "
                        f"(line {other.line})",
                    )


def with_threads(camera: Camera, threads: int) -> Camera:
    """The camera with so many threads, unless the file says how many."""
    if camera.settings.threads is not None:
        return camera
    return replace(camera, settings=replace(camera.settings, threads=threads))


def _as_found(path: Path) -> str:
    """One text for all names of a file, also where file systems do not tell A from a."""
    with telling(SettingsError, f"cannot use {path}"):
        return str(path.resolve()).casefold()


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
