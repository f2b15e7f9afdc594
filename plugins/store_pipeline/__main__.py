"""`python -m store_pipeline`: the streaming jobs without Airflow."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from dataclasses import replace

from flink_rest.client import FlinkClient
from flink_rest.errors import FlinkRestError
from flink_rest.settings import FlinkSettings
from store_pipeline.errors import InputUnusable
from store_pipeline.settings import PipelineSettings
from store_pipeline.streams import STREAMS, ensure_streams

BAD_INPUT = 2
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 2 bad input, a server is down, or a job cannot be brought up."""
    options = _parser().parse_args(argv)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return _ensure(options)
    except KeyboardInterrupt:
        print("\ninterrupted: run it again; it adopts what was started", file=sys.stderr)
        return INTERRUPTED
    except (FlinkRestError, InputUnusable) as error:
        told = str(error)
    except Exception as error:
        from pyiceberg.exceptions import RESTError

        from lakehouse.errors import LakehouseError

        if not isinstance(error, (LakehouseError, RESTError, OSError)):
            raise
        told = str(error).partition("\n")[0] or type(error).__name__
    print(f"error: {told}", file=sys.stderr)
    return BAD_INPUT


def _ensure(options: argparse.Namespace) -> int:
    code = 0
    settings, flink = PipelineSettings.from_env(), FlinkSettings.from_env()
    if options.database:
        settings = replace(settings, database=options.database)
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
    ensure.add_argument("--database", help="default: RVA_DATABASE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
