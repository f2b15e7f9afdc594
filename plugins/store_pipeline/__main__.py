"""`python -m store_pipeline`: the streaming jobs without Airflow, and the end of a replay."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError
from flink_rest.settings import FlinkSettings
from store_pipeline.errors import EndAhead, InputUnusable, NothingToFinish, StreamNotRunning
from store_pipeline.finishing import WAIT_SECONDS, finish
from store_pipeline.settings import PipelineSettings
from store_pipeline.streams import STREAMS, ensure_streams

BAD_INPUT = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 bad input, a server is down, or a job cannot be brought up."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        code: int = options.run(options)
        return code
    except KeyboardInterrupt:
        print("\ninterrupted: run it again; it goes on with what was done", file=sys.stderr)
        return INTERRUPTED
    except (
        FlinkRestError,
        InputUnusable,
        StreamNotRunning,
        NothingToFinish,
        EndAhead,
    ) as error:
        told = str(error)
    except Exception as error:
        from pyiceberg.exceptions import RESTError

        from lakehouse.errors import LakehouseError
        from replay.errors import ReplayError

        if not isinstance(error, (LakehouseError, ReplayError, RESTError, OSError)):
            raise
        told = str(error).partition("\n")[0] or type(error).__name__
    print(f"error: {told}", file=sys.stderr)
    return BAD_INPUT


def _ensure(options: argparse.Namespace) -> int:
    code = 0
    settings, flink = _settings(options), FlinkSettings.from_env()
    with FlinkClient(flink.url, python_jar=flink.python_jar) as client:
        for told in ensure_streams(
            client,
            settings,
            flink,
            wanted=options.jobs or tuple(STREAMS),
            resume_only=options.resume_only,
        ):
            if isinstance(told, FlinkRestError):
                print(f"error: {told}", file=sys.stderr)
                code = BAD_INPUT
            else:
                print(told, flush=True)
    return code


def _finish(options: argparse.Namespace) -> int:
    settings, flink = _settings(options), FlinkSettings.from_env()
    with FlinkClient(flink.url) as client:
        for told in finish(
            client, settings, flink, ahead=options.ahead, wait_seconds=options.wait_seconds
        ):
            print(told, flush=True)
    return 0


def _settings(options: argparse.Namespace) -> PipelineSettings:
    settings = PipelineSettings.from_env()
    return replace(settings, database=options.database) if options.database else settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m store_pipeline", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ensure = commands.add_parser(
        "ensure",
        help="adopt, resume or start the streaming jobs, and wait until they run",
        description="Adopt each job that runs, resume it from its newest checkpoint, or start it; "
        "return when all run.",
    )
    ensure.add_argument(
        "jobs", nargs="*", metavar="JOB", choices=[*STREAMS, []], help=f"of {', '.join(STREAMS)}"
    )
    ensure.add_argument(
        "--resume-only",
        action="store_true",
        help="leave alone what nobody has started yet, or somebody has cancelled",
    )
    ensure.set_defaults(run=_ensure)
    ended = commands.add_parser(
        "finish",
        help="after a replay: have streaming Gold close what the last captures keep open",
        description="Wait until streaming Gold has read all that was published, and have it close "
        "the minutes, hours, tracks and visits that the last captures keep open. Frames of before "
        "that end that are published later are late: they are counted in gold_late_events, and the "
        "next rebuild of the day puts them in.",
    )
    ended.add_argument(
        "--ahead",
        action="store_true",
        help="also where the last hour or track reaches into the future",
    )
    ended.add_argument(
        "--wait-seconds",
        type=float,
        default=WAIT_SECONDS,
        help="how long each layer may take to have all of the one before (default: %(default).0f)",
    )
    ended.set_defaults(run=_finish)
    for command in (ensure, ended):
        command.add_argument("--database", help="default: RVA_DATABASE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
