"""`python -m vision annotate`: a JSONL drawn over its video, for people to look at."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from frame_contract import Frame
from vision import progress
from vision.boxes import Image, clip_box
from vision.drawing import draw_banner, draw_box, draw_trail, track_colour
from vision.errors import SettingsError, SourceError
from vision.folder import check_folder
from vision.mp4 import Mp4File
from vision.parser import OneLineParser
from vision.reading import RecordedRun, open_run
from vision.settings import PERSON
from vision.sources import FolderSource, RecordedSource, check_reachable, parse_source
from vision.trails import Trails
from vision.video import Video

FALLBACK_FRAME_RATE = Fraction(25)
"""What players are told where one frame alone says nothing about a rate."""

_EPILOG = """\
Colours tell tracks apart; what has no track is grey. The banner says how many people are seen,
how many different tracks there were in this minute so far (as gold_people_per_minute counts), and
when the frame was captured. Frames that have no line in the JSONL are left out.
"""


@dataclass(frozen=True, kw_only=True)
class AnnotateSettings:
    """What to draw. Raises `SettingsError` when it is made with a value that cannot be used."""

    input: str
    """The video, or the folder, that the lines were made from."""

    jsonl: str

    output: str
    """The mp4 to write."""

    run_id: str | None = None
    """The run to draw, where the JSONL has several."""

    from_seconds: float = 0.0

    to_seconds: float | None = None
    """The stretch to draw, in seconds since the run's first frame; None: to its end."""

    trail_seconds: float = 3.0
    """For how long a track's way stays visible behind it, fading; 0: not at all."""

    scale: float = 1.0
    """The size of the output as a multiple of the video's."""

    def __post_init__(self) -> None:
        if not self.from_seconds >= 0:
            raise SettingsError(f"--from must be 0 or more, not {self.from_seconds:g}")
        if self.to_seconds is not None and not self.to_seconds > self.from_seconds:
            raise SettingsError(
                f"--to must be more than --from ({self.from_seconds:g}), not {self.to_seconds:g}"
            )
        if not self.trail_seconds >= 0:
            raise SettingsError(f"--trail-seconds must be 0 or more, not {self.trail_seconds:g}")
        if not 0.1 <= self.scale <= 8:
            raise SettingsError(f"--scale must be from 0.1 to 8, not {self.scale:g}")
        output = Path(self.output).expanduser()
        if output.suffix.lower() != ".mp4":
            raise SettingsError(f"--output must end in .mp4, not {self.output}")
        taken = [Path(name).expanduser().resolve() for name in (self.input, self.jsonl)]
        if output.resolve() in taken:
            raise SettingsError(f"--output would overwrite {self.output}: give another name")
        if output.resolve().parent == taken[0]:
            raise SettingsError(
                f"--output would be one of the videos of {self.input}: put it elsewhere"
            )


def run_annotate(arguments: Sequence[str]) -> int:
    """Draw what the arguments ask for; the exit code."""
    parser = OneLineParser(
        prog="python -m vision annotate",
        description="Draws a JSONL over its video: boxes, track ids, the way that each track has "
        "come, how many people there are, and when. The mp4 (H.264) plays in browsers and phones.",
        epilog=_EPILOG,
    )
    add = parser.add_argument
    add("--input", required=True, metavar="FILE", help="the video, or folder, that was read")
    add("--jsonl", required=True, metavar="FILE", help="the lines that were written")
    add("--output", required=True, metavar="FILE", help="the mp4 to write")
    add(
        "--run-id",
        metavar="ID",
        help="the run to draw, where the JSONL has several (default: the one that there is)",
    )
    add(
        "--from",
        dest="from_seconds",
        type=float,
        default=AnnotateSettings.from_seconds,
        metavar="S",
        help="begin S seconds behind the run's first frame (default: %(default)g)",
    )
    add(
        "--to",
        dest="to_seconds",
        type=float,
        metavar="S",
        help="end S seconds behind the run's first frame (default: its end)",
    )
    add(
        "--trail-seconds",
        type=float,
        default=AnnotateSettings.trail_seconds,
        metavar="S",
        help="show each track's way for S seconds, fading; 0: not at all (default: %(default)g)",
    )
    add(
        "--scale",
        type=float,
        default=AnnotateSettings.scale,
        metavar="X",
        help="make the picture X times as large (default: %(default)g)",
    )
    settings = AnnotateSettings(**vars(parser.parse_args(arguments)))
    frames = annotate(settings)
    print(f"{frames} frames drawn\n{settings.output}")
    return 0


def annotate(settings: AnnotateSettings) -> int:
    """Write the mp4, and say how many frames it has. Raises `VisionError`, leaving no half file."""
    source = recorded_source(settings.input)
    run = open_run(Path(settings.jsonl).expanduser(), settings.run_id)
    lasts = (run.last_capture_ts - run.first_capture_ts).total_seconds()
    if settings.from_seconds > lasts:
        raise SettingsError(
            f"--from {settings.from_seconds:g} is behind the last line, which is "
            f"{lasts:.3f} s after the first"
        )
    check_reachable(source)
    width, height = (even(side * settings.scale) for side in (run.width_px, run.height_px))
    with (
        Video(source, frame_rate=pictures_rate(source, run)) as video,
        Mp4File(
            Path(settings.output).expanduser(),
            width,
            height,
            _frame_rate(run),
        ) as file,
        progress.Progress(_expected_frames(run, settings, lasts)) as shown,
    ):
        picture = _Picture(run, settings.trail_seconds)
        for image, frame in matched_frames(video, run):
            moment = (frame.capture_ts - run.first_capture_ts).total_seconds()
            if settings.to_seconds is not None and moment >= settings.to_seconds:
                break
            picture.follow(frame, moment)
            if moment < settings.from_seconds:
                continue
            resized = _resized(image, width, height)
            picture.draw(resized, frame, moment)
            file.write(resized, round(1000 * (moment - settings.from_seconds)))
            shown.advance()
        if file.frames == 0:
            raise SettingsError("no frame lies between --from and --to: nothing was written")
        file.finish()
    return file.frames


def even(side: float) -> int:
    """The next even number of pixels: H.264 keeps colours for squares of two by two."""
    return max(2, round(side / 2) * 2)


def _resized(image: Image, width: int, height: int) -> Image:
    """A copy to draw on."""
    smaller = width < image.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=how), dtype=np.uint8)


class _Picture:
    """What is drawn on a frame: it knows of the frames before."""

    def __init__(self, run: RecordedRun, trail_seconds: float) -> None:
        self._size = run.width_px, run.height_px
        self._trails = Trails(trail_seconds)
        self._minute: datetime | None = None
        self._tracks_this_minute: set[int] = set()

    def follow(self, frame: Frame, moment: float) -> None:
        """Take in a frame, whether it is drawn or not."""
        self._trails.add(frame, moment)
        minute = frame.capture_ts.replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute = minute
            self._tracks_this_minute = set()
        self._tracks_this_minute.update(
            one.track_id
            for one in frame.detections
            if one.track_id is not None and one.class_name == PERSON
        )

    def draw(self, image: Image, frame: Frame, moment: float) -> None:
        """Draw the frame that was followed last on its image, which may be of another size."""
        height, width = image.shape[:2]
        x, y = width / self._size[0], height / self._size[1]
        for track_id, points, strengths in self._trails.at(moment):
            scaled = [(px * x, py * y) for px, py in points]
            draw_trail(image, scaled, strengths, track_colour(track_id))
        # the grey ones first: who has a track lies on top
        for one in sorted(frame.detections, key=lambda one: one.track_id is not None):
            box = one.bbox
            placed = clip_box((box.x1 * x, box.y1 * y, box.x2 * x, box.y2 * y), width, height)
            if placed is not None:
                label = "" if one.track_id is None else str(one.track_id)
                if one.class_name != PERSON:
                    label = f"{one.class_name} {label}".strip()
                draw_box(image, placed, track_colour(one.track_id), label)
        people = sum(one.class_name == PERSON for one in frame.detections)
        draw_banner(
            image,
            f"{people} {'person' if people == 1 else 'people'}, "
            f"{len(self._tracks_this_minute)} this minute",
            f"{frame.capture_ts:%Y-%m-%d %H:%M:%S}.{frame.capture_ts.microsecond // 1000:03d} UTC",
        )


def recorded_source(text: str) -> RecordedSource:
    """What `--input` names. Raises `SettingsError` for a camera: its frames are gone."""
    source = parse_source(text)
    if not isinstance(source, RecordedSource):
        raise SettingsError(f"--input must be a video file or a folder of them, not {source}")
    return source


def matched_frames(video: Video, run: RecordedRun) -> Iterator[tuple[Image, Frame]]:
    """Each line with its frame. Raises `SourceError` where the video is not that of the lines."""
    lines = iter(run)
    line = next(lines, None)
    unreadable = 0
    for frame in video:
        height, width = frame.image.shape[:2]
        if (width, height) != (run.width_px, run.height_px):
            raise SourceError(
                f"{video.source} is {width}x{height}, but {run.path} was made from a video of "
                f"{run.width_px}x{run.height_px}: give the video that the lines were made from"
            )
        while line is not None and line.frame_index < frame.index:
            unreadable += 1
            line = next(lines, None)
        if line is None:
            break
        if line.frame_index == frame.index:
            yield frame.image, line
            line = next(lines, None)
    if line is not None:
        raise SourceError(
            f"{video.source} ends before frame {line.frame_index}, but {run.path} goes on to "
            f"frame {run.last_frame_index}: give the video that the lines were made from"
        )
    if unreadable:
        progress.warn(f"{unreadable} frames of {run.path} cannot be read in {video.source}")


def pictures_rate(source: RecordedSource, run: RecordedRun) -> Fraction | None:
    """Of pictures, which have none themselves, any that will do: the lines tell the times."""
    if isinstance(source, FolderSource) and check_folder(source.path).are_pictures:
        return _frame_rate(run)
    return None


def _frame_rate(run: RecordedRun) -> Fraction:
    """The usual rate of the lines, in frames a second, to the thousandth."""
    lasts = (run.last_capture_ts - run.first_capture_ts) / timedelta(seconds=1)
    if run.frames < 2 or lasts <= 0:
        return FALLBACK_FRAME_RATE
    return max(Fraction(round(1000 * (run.frames - 1) / lasts), 1000), Fraction(1, 1000))


def _expected_frames(run: RecordedRun, settings: AnnotateSettings, lasts: float) -> int:
    """How many frames will be drawn, about: for the progress alone."""
    to = min(lasts if settings.to_seconds is None else settings.to_seconds, lasts)
    if lasts <= 0:
        return run.frames
    return max(1, round(run.frames * max(to - settings.from_seconds, 0) / lasts))
