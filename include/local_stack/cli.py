"""`python -m local_stack`: the servers of this checkout, without Docker."""

from __future__ import annotations

import argparse
import logging
import shlex
import sys

from local_stack import stack, supervision
from local_stack.errors import StackError
from local_stack.fetch import fetch_all
from local_stack.servers import SERVERS
from local_stack.settings import StackSettings

BAD_INPUT = 2
INTERRUPTED = 130
MIB = 1024 * 1024
LOG_LINES = 100


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for noisy in ("httpx", "httpcore", "filelock", "trino", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        settings = StackSettings.load()
        return int(options.run(settings, options) or 0)
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print(f"\ninterrupted; {options.interrupted}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: object, text: str, interrupted: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run, interrupted=interrupted)
        return made

    again = "the same command goes on where it stopped"
    command("fetch", _fetch, "bring the servers' files into the cache", again)
    command(
        "up",
        _up,
        "start what does not run; returns when each server answers",
        "servers that were started go on: `make up` waits for them, `make down` stops them",
    )
    command("down", _down, "stop everything, leave no process", "run `make down` again")
    command("status", _status, "what runs, where, with how much memory", "")
    logs = command("logs", _logs, "show a server's log", "")
    logs.add_argument("name", choices=[s.name for s in SERVERS] + ["supervisord", stack.AIRFLOW])
    logs.add_argument("-f", "--follow", action="store_true", help="wait for more")
    logs.add_argument("-n", "--lines", type=int, default=LOG_LINES, help="(default: %(default)s)")
    reset = command("reset", _reset, "delete what the servers have stored", "")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    env = command("env", _env, "print every RVA_… variable as KEY=VALUE", "")
    env.add_argument("--shell", action="store_true", help="as `export` commands, quoted")
    return parser


def _fetch(settings: StackSettings, _: argparse.Namespace) -> None:
    fetch_all(settings)
    logging.info("all files of the servers are in %s", settings.cache_dir)


def _up(settings: StackSettings, _: argparse.Namespace) -> None:
    stack.up(settings)


def _down(settings: StackSettings, _: argparse.Namespace) -> None:
    count = stack.down(settings)
    logging.info("stopped %d processes" if count else "nothing was running", *[count][:count])


def _status(settings: StackSettings, _: argparse.Namespace) -> None:
    rows = stack.status(settings)
    print(f"{'SERVER':<18} {'PID':>8} {'PORT':>6} {'MEMORY':>9} {'UPTIME':>9}  STATE")
    for row in rows:
        memory = f"{row.memory_bytes // MIB} MB" if row.memory_bytes else "-"
        uptime = _duration(row.uptime_seconds) if row.pid else "-"
        print(
            f"{row.name:<18} {row.pid or '-':>8} {row.port:>6} {memory:>9} {uptime:>9}  {row.state}"
        )
    total = sum(row.memory_bytes for row in rows)
    print(f"{'all':<18} {'':>8} {'':>6} {total // MIB:>6} MB")


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _logs(settings: StackSettings, options: argparse.Namespace) -> None:
    path = supervision.log_path(settings, options.name)
    if not path.is_file():
        raise StackError(f"there is no log of {options.name} yet: start it with `make up`")
    for line in stack.tail(path, options.lines):
        print(line)
    if options.follow:
        for line in stack.follow(path):
            print(line, end="", flush=True)


def _reset(settings: StackSettings, options: argparse.Namespace) -> int:
    folders = stack.reset_folders(settings)
    if not folders:
        logging.info("there is nothing to delete")
        return 0
    if not options.yes:
        print("This stops the stack and deletes:")
        for folder in folders:
            print(f"  {folder}")
        if not sys.stdin.isatty():
            raise StackError("reset asks before it deletes: add --yes to answer beforehand")
        if input("Delete them? Type yes: ").strip().lower() != "yes":
            print("nothing was deleted")
            return 1
    stack.reset(settings)
    logging.info("deleted; `make up` starts with empty tables")
    return 0


def _env(settings: StackSettings, options: argparse.Namespace) -> None:
    for key, value in settings.environment().items():
        print(f"export {key}={shlex.quote(value)}" if options.shell else f"{key}={value}")
