"""`python -m local_stack`: the servers of this checkout, without Docker."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import fields
from datetime import date

from local_stack import demo, logs, processes, stack, status, supervision
from local_stack.errors import StackError, explain
from local_stack.fetch import fetch_all
from local_stack.ports import free_ports
from local_stack.servers import ALL_SERVERS, airflow
from local_stack.settings import Ports, StackSettings

BAD_INPUT = 2
INTERRUPTED = 130
TERMINATED = 143
MIB = 1024 * 1024
LOG_LINES = 100
NAMES = [server.name for server in ALL_SERVERS]
GROUPS = {
    "flink": [name for name in NAMES if name.startswith("flink-")],
    "airflow": [name for name in NAMES if name.startswith("airflow-")],
}
"""Names that stand for several servers."""

Run = Callable[[StackSettings, argparse.Namespace], int | None]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    for noisy in ("httpx", "httpcore", "filelock", "trino", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # `nohup` ignores SIGHUP
    ours = [s for s in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(s) is not signal.SIG_IGN]
    earlier = {each: signal.signal(each, _terminate) for each in ours}
    try:
        settings = StackSettings.load()
        # a proxy of the user's shell must not stand between us and the servers
        os.environ.update(NO_PROXY=settings.no_proxy, no_proxy=settings.no_proxy)
        run: Run = options.run
        return run(settings, options) or 0
    except StackError as error:
        print(f"error: {error}", file=sys.stderr)
        return BAD_INPUT
    except BrokenPipeError:
        # who reads our output has seen enough; Python must not try to flush at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt as interrupt:
        print(f"\ninterrupted{options.interrupted}", file=sys.stderr)
        return TERMINATED if isinstance(interrupt, _Terminated) else INTERRUPTED
    finally:
        for each, handler in earlier.items():
            signal.signal(each, handler)


class _Terminated(KeyboardInterrupt):
    """SIGTERM or a closed terminal: what a command has started ends with it, as by Ctrl-C."""


def _terminate(*_: object) -> None:
    raise _Terminated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local_stack", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Run, text: str, interrupted: str = "") -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(run=run, interrupted=interrupted)
        return made

    again = ": run it again; what is done already is not done twice"
    started = ": what was started goes on; `make up` waits for it, `make down` stops it"
    fetch = command(
        "fetch",
        _fetch,
        "bring the servers' files into the cache",
        ": run it again, and it goes on with what is missing",
    )
    fetch.add_argument("--quiet", action="store_true", help="say nothing when all is there")
    command("up", _up, "start what does not run; returns when each server answers", started)
    down = command("down", _down, "stop everything and leave no process")
    down.add_argument(
        "names", nargs="*", choices=[*NAMES, *GROUPS, []], help="only these", metavar="NAME"
    )
    restart = command("restart", _restart, "stop some servers and start them again", started)
    restart.add_argument(
        "names", nargs="+", choices=[*NAMES, *GROUPS], metavar="NAME", help="which"
    )
    command("status", _status, "what runs, where, with how much memory")
    show = command("logs", _logs, "show a server's log")
    show.add_argument("name", choices=[*NAMES, "supervisord"], metavar="NAME", help="which")
    show.add_argument("-f", "--follow", action="store_true", help="wait for more")
    show.add_argument("-n", "--lines", type=int, default=LOG_LINES, help="(default: %(default)s)")
    reset = command("reset", _reset, "stop everything and delete what the servers have stored")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    env = command("env", _env, "print every RVA_ variable, and NO_PROXY, as KEY=VALUE")
    env.add_argument("--shell", action="store_true", help="as `export` commands, quoted")
    command("airflow", _airflow, "start Airflow's UI over the running stack", started)
    command("airflow-init", _airflow_init, "make Airflow's database and pools")
    show_demo = command("demo", _demo, "one video through the whole way", again)
    show_demo.add_argument("--video", help="a file (default: a sample), rtsp://… or a camera")
    show_demo.add_argument("--weights", help="YOLO weights, such as yolo11n.pt")
    show_demo.add_argument("--fps", type=float, help="frames a second into Pulsar")
    show_demo.add_argument(
        "--frames", type=_count, help="take at most so many frames; a camera needs it"
    )
    backfill = command("backfill", _backfill, "rebuild the Gold of one or more days", again)
    backfill.add_argument("--day", type=_day, help="one UTC day, such as 2026-11-24")
    backfill.add_argument("--from", dest="first", type=_day, help="the first of several days")
    backfill.add_argument("--to", dest="last", type=_day, help="the last of them")
    execute = command("exec", _exec, "run a command with the RVA_ variables and Airflow's settings")
    execute.add_argument("command", nargs=argparse.REMAINDER)
    during = command(
        "during", _during, "start the stack, run a command, leave the stack as it was found"
    )
    during.add_argument(
        "--apart",
        action="store_true",
        help="a second stack beside the usual one, with free ports and new data (in data/apart)",
    )
    during.add_argument("command", nargs=argparse.REMAINDER)
    return parser


def _fetch(settings: StackSettings, options: argparse.Namespace) -> None:
    fetch_all(settings)
    if not options.quiet:
        logging.info("the servers' files are in %s", settings.cache_dir)


def _up(settings: StackSettings, _: argparse.Namespace) -> None:
    stack.up(settings)


def _down(settings: StackSettings, options: argparse.Namespace) -> None:
    if options.names:
        names = _names_of(options)
        stack.stop(settings, names)
        logging.info("stopped: %s", ", ".join(names))
        return
    count = stack.down(settings)
    logging.info(f"stopped: {count} processes have ended" if count else "nothing was running")


def _restart(settings: StackSettings, options: argparse.Namespace) -> None:
    stack.restart(settings, _names_of(options))


def _status(settings: StackSettings, _: argparse.Namespace) -> None:
    rows = status.status(settings)
    print(f"{'SERVER':<22} {'PID':>8} {'PORT':>6} {'MEMORY':>9} {'UPTIME':>9}  STATE")
    for row in rows:
        memory = f"{row.memory_bytes // MIB} MB" if row.memory_bytes else "-"
        uptime = _duration(row.uptime_seconds) if row.pid else "-"
        print(
            f"{row.name:<22} {row.pid or '-':>8} {row.port or '-':>6} {memory:>9} {uptime:>9}  "
            f"{row.state}"
        )
    total = sum(row.memory_bytes for row in rows)
    print(f"{'all':<22} {'':>8} {'':>6} {total // MIB:>6} MB")


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}"


def _logs(settings: StackSettings, options: argparse.Namespace) -> None:
    path = supervision.log_path(settings, options.name)
    if not path.is_file():
        raise StackError(f"there is no log of {options.name} yet: it has not been started here")
    for line in logs.tail(path, options.lines):
        print(line)
    if options.follow:
        for line in logs.follow(path):
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


def _airflow(settings: StackSettings, _: argparse.Namespace) -> None:
    stack.airflow_up(settings)
    user, password = airflow.login(settings)
    url = airflow.base_url(settings)
    print(f"\nAirflow   {url}\nstore     {url}/store/\nlogin     {user}\npassword  {password}")
    print("\nIt runs until `make down`.")


def _airflow_init(settings: StackSettings, _: argparse.Namespace) -> None:
    airflow.initialise(settings)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no day: write it as 2026-11-24") from None


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is no number of frames: write it as 300")
    return int(text)


def _demo(settings: StackSettings, options: argparse.Namespace) -> None:
    demo.demo(
        settings,
        demo.DemoInput(
            video=options.video, weights=options.weights, fps=options.fps, frames=options.frames
        ),
    )


def _backfill(settings: StackSettings, options: argparse.Namespace) -> None:
    first, last = options.day or options.first, options.day or options.last
    if not first or not last:
        raise StackError("say which days: DAY=2026-11-24, or FROM=2026-11-01 TO=2026-11-24")
    demo.backfill(settings, first, last)


def _exec(settings: StackSettings, options: argparse.Namespace) -> None:
    command = _command_of(options)
    try:
        variables = airflow.environment(settings, settings.environment())
        os.execvpe(command[0], command, os.environ | variables)  # noqa: S606
    except OSError as error:
        raise StackError(f"{command[0]} cannot be run: {error.strerror}") from error


def _during(settings: StackSettings, options: argparse.Namespace) -> int:
    command = _command_of(options)
    if not shutil.which(command[0]):
        raise StackError(f"{command[0]} cannot be run: there is no such command")
    if options.apart:
        settings = _apart(settings)
    was_up = stack.is_up(settings)
    try:
        stack.up(settings)
        return processes.run(command, os.environ | settings.environment())
    finally:
        if not was_up:
            stack.down(settings)


def _apart(settings: StackSettings) -> StackSettings:
    """Settings of a stack beside this one, which holds nothing of an earlier one."""
    names = [each.name for each in fields(Ports)]
    ports = zip(names, free_ports(len(names)), strict=True)
    folder = settings.data_dir / "apart"
    chosen = {
        **{f"RVA_PORT_{name.upper()}": str(port) for name, port in ports},
        "RVA_DATA_DIR": str(folder),
        "RVA_CHECKPOINT_DIR": str(folder / "stack" / "flink" / "checkpoints"),
    }
    made = StackSettings.load(os.environ | chosen)
    # what was set by hand is about the usual one
    made = StackSettings.load(os.environ | chosen | made.addresses())
    stack.down(made)
    shutil.rmtree(folder, ignore_errors=True)
    return made


def _command_of(options: argparse.Namespace) -> list[str]:
    words: list[str] = options.command
    command = words[1:] if words[:1] == ["--"] else words
    if not command:
        raise StackError("say which command to run")
    return command


def _names_of(options: argparse.Namespace) -> list[str]:
    return [server for name in options.names for server in GROUPS.get(name, [name])]
