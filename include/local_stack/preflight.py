"""Looks, before anything long starts, for what the machine lacks; says the command that mends it.

Run as a script by whatever Python there is (3.6 or later), with nothing installed:
`python3 include/local_stack/preflight.py --python python3.11`. Exit status 0, or 2 with one line
for each thing that is missing. Written for Python 3.6, so that a wrong Python can be named.
"""

import argparse
import ctypes
import os
import platform
import shutil
import subprocess
import sys
from typing import Any, Callable, Iterable, Iterator, List, Mapping, Optional, Tuple

NEEDED_PYTHON = (3, 11)
GIB = 1024**3

# GiB on disk, measured: an environment's files, or its downloads if they lie elsewhere
ENVIRONMENTS = {"vision": 6.0, "orchestration": 1.2, "flink": 0.8}
SERVERS_GIB = 2.0
MINIO_BUILD_GIB = 2.5
RUN_GIB = 1.0
# the servers' 4.5 GB at work, and vision or Airflow beside them
NEEDED_MEMORY_GIB = 7.0
# with RVA_SMALL=1; a machine of 4 GB shows some less
NEEDED_MEMORY_SMALL_GIB = 3.6

# what the wheels leave to the system: library -> (Debian's package, Fedora's, who needs it)
LIBRARIES = {
    "libGL.so.1": ("libgl1", "mesa-libGL", "OpenCV"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2", "OpenCV"),
    "libxcb.so.1": ("libxcb1", "libxcb", "OpenCV"),
    "libstdc++.so.6": ("libstdc++6", "libstdc++", "PyTorch and Java"),
    "libz.so.1": ("zlib1g", "zlib", "PyTorch"),
}
# what the servers' start scripts call
COMMANDS = {
    "git": ("git", "git"),
    "make": ("make", "make"),
    "bash": ("bash", "bash"),
    "find": ("findutils", "findutils"),
    "sed": ("sed", "sed"),
    "grep": ("grep", "grep"),
}


Which = Callable[[str], Optional[str]]
Run = Callable[[List[str]], Tuple[int, str]]


class Problem:
    """Something that is missing, and what mends it: packages, or a sentence."""

    def __init__(self, text: str, mend: str = "", debian: str = "", fedora: str = "") -> None:
        self.text = text
        self.mend = mend
        self.debian = debian
        self.fedora = fedora


def install_command(
    debian: List[str], fedora: List[str], which: Which = shutil.which, root: Optional[bool] = None
) -> str:
    """The command that installs packages here, for the package manager that is there."""
    is_root = os.geteuid() == 0 if root is None else root
    sudo = "" if is_root else "sudo "
    if which("apt-get"):
        update = "{0}apt-get update && ".format(sudo) if is_root else ""
        return "{0}{1}apt-get install -y {2}".format(update, sudo, " ".join(debian))
    if which("dnf"):
        return "{0}dnf install -y {1}".format(sudo, " ".join(fedora))
    return "install {0} with your system's package manager".format(", ".join(debian))


def check_system(
    system: Optional[str] = None, machine: Optional[str] = None, libc: Optional[str] = None
) -> Iterator[Problem]:
    """Linux with glibc on x86-64 or ARM: the wheels of Java and PyTorch are made for these."""
    system = system or platform.system()
    machine = machine or platform.machine()
    libc = platform.libc_ver()[0] if libc is None else libc
    if system != "Linux":
        yield Problem(
            "the local stack runs on Linux, not on {0}".format(system),
            "use `docker compose up` instead (README.md, docker-compose.yaml)",
        )
    elif machine not in ("x86_64", "aarch64"):
        yield Problem("there are no Java wheels for {0}".format(machine), "use x86-64 or ARM 64")
    elif libc != "glibc":
        yield Problem(
            "this Linux has no glibc (Alpine?), which the wheels need",
            "use a glibc distribution such as Debian, or `docker compose up`",
        )


def check_place(checkout: str) -> Iterator[Problem]:
    """A path that make and Flink's scripts can live with."""
    if any(character.isspace() for character in checkout):
        yield Problem(
            "the path of this checkout has a space in it: {0}".format(checkout),
            "move it to one without (make and Flink's scripts cannot live with it)",
        )


def check_python(command: str, run: Optional[Run] = None) -> Iterator[Problem]:
    """Python 3.11 with venv and pip."""
    run = run or _run
    code = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
    status, output = run([command, "-c", code])
    if status != 0:
        mine = ".".join(str(n) for n in sys.version_info[:3])
        yield Problem(
            "{0} was not found or does not run (the Python that looks for it is {1})".format(
                command, mine
            ),
            "or name one that is elsewhere: `make PYTHON=/path/to/python3.11 ...`; "
            "`pyenv install 3.11` also gives one",
            debian="python3.11 python3.11-venv",
            fedora="python3.11",
        )
        return
    version = output.strip().splitlines()[-1]
    if tuple(int(n) for n in version.split(".")[:2]) != NEEDED_PYTHON:
        yield Problem(
            "{0} is Python {1}; 3.11 is needed (PyFlink has no later one)".format(command, version),
            "or name one that is elsewhere: `make PYTHON=/path/to/python3.11 ...`",
            debian="python3.11 python3.11-venv",
            fedora="python3.11",
        )
        return
    status, _ = run([command, "-c", "import venv, ensurepip, ssl, sqlite3, ctypes, bz2, lzma"])
    if status != 0:
        yield Problem(
            "{0} lacks venv, pip, ssl or sqlite".format(command),
            debian="python3.11-venv",
            fedora="python3.11",
        )


def check_commands(which: Which = shutil.which) -> Iterator[Problem]:
    """Commands that set-up and the servers' scripts call."""
    for name in sorted(COMMANDS):
        if not which(name):
            debian, fedora = COMMANDS[name]
            yield Problem("`{0}` was not found".format(name), debian=debian, fedora=fedora)


def check_libraries(load: Optional[Callable[[str], Any]] = None) -> Iterator[Problem]:
    """Shared libraries that the wheels leave to the system."""
    load = load or ctypes.CDLL
    for name in sorted(LIBRARIES):
        debian, fedora, user = LIBRARIES[name]
        try:
            load(name)
        except OSError:
            yield Problem(
                "the library {0} is missing, which {1} needs".format(name, user),
                debian=debian,
                fedora=fedora,
            )


def chosen(name: str, checkout: str, environ: Optional[Mapping[str, str]] = None) -> Optional[str]:
    """A setting, as `settings.py` has it: of the environment, then of .env; None if unset."""
    environ = os.environ if environ is None else environ
    value = environ.get(name)
    try:
        with open(os.path.join(checkout, ".env")) as lines:
            for line in lines:
                if line.strip().startswith(name + "=") and not value:
                    value = line.split("=", 1)[1].strip().strip("\"'")
    except OSError:
        pass
    return value or None


def cache_folder(checkout: str, environ: Optional[Mapping[str, str]] = None) -> str:
    """Where downloads go."""
    environ = os.environ if environ is None else environ
    folder = chosen("RVA_CACHE_DIR", checkout, environ)
    if folder:
        return os.path.join(checkout, os.path.expanduser(folder))
    home = environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return os.path.join(home, "retail-video-analytics")


def needed_disk(checkout: str, cache: str) -> Tuple[float, float]:
    """GiB that set-up has still to write, by folder: the checkout's and the cache's."""
    environments = sum(
        size
        for name, size in ENVIRONMENTS.items()
        if not os.path.exists(os.path.join(checkout, ".venvs", name, ".synced"))
    )
    servers = 0.0
    if not os.path.isdir(os.path.join(cache, "unpacked")):
        servers += SERVERS_GIB
    if not os.path.isdir(os.path.join(cache, "bin")) and not shutil.which("minio"):
        servers += MINIO_BUILD_GIB
    return environments + RUN_GIB, servers


def check_disk(
    checkout: str, cache: str, free: Optional[Callable[[str], int]] = None
) -> Iterator[Problem]:
    """Room for what is still to be fetched, built and stored."""
    free = free or _free_bytes
    here, there = needed_disk(checkout, cache)
    places = [(checkout, here), (cache, there)]
    if _device(checkout) == _device(cache):
        places = [(checkout, here + there)]
    for folder, needed in places:
        available = free(_existing(folder)) / GIB
        if needed and available < needed:
            yield Problem(
                "{0:.1f} GB are free on the disk of {1}; {2:.1f} GB are needed".format(
                    available, folder, needed
                ),
                "free some space (`df -h` shows the disks), or set RVA_CACHE_DIR to a folder on "
                "another disk",
            )


def check_memory(total: Optional[int] = None, small: bool = False) -> Iterator[Problem]:
    """Enough memory for the servers and vision together."""
    total = _memory_bytes() if total is None else total
    needed = NEEDED_MEMORY_SMALL_GIB if small else NEEDED_MEMORY_GIB
    if total and total / GIB < needed:
        less = "" if small else "take less with SMALL=1 (a machine of 4 GB), "
        yield Problem(
            "{0:.1f} GB of memory; {1:.{2}f} GB are needed".format(total / GIB, needed, int(small)),
            less + "use a larger machine, or go on all the same with RVA_SKIP_PREFLIGHT=1",
        )


def report(
    problems: List[Problem], which: Which = shutil.which, root: Optional[bool] = None
) -> List[str]:
    """What is missing, as lines for a person; the packages together in one command."""
    lines = []
    for problem in problems:
        lines.append("error: {0}".format(problem.text))
        if problem.mend and not problem.debian:
            lines.append("       {0}".format(problem.mend))
    debian = _unique(word for p in problems for word in p.debian.split())
    fedora = _unique(word for p in problems for word in p.fedora.split())
    if debian:
        lines.append("mend it with: {0}".format(install_command(debian, fedora, which, root)))
        lines.extend(_unique("({0})".format(p.mend) for p in problems if p.debian and p.mend))
    lines.append("nothing was started; RVA_SKIP_PREFLIGHT=1 skips this look")
    return lines


def main(arguments: Optional[List[str]] = None) -> int:
    """Look at everything; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--python", default="python3.11", help="the Python to build with")
    options = parser.parse_args(arguments)
    if os.environ.get("RVA_SKIP_PREFLIGHT"):
        return 0
    here = os.path.dirname(os.path.abspath(__file__))
    checkout = os.path.dirname(os.path.dirname(here))
    cache = cache_folder(checkout)
    problems = list(check_system())
    if not problems:
        problems += check_place(checkout)
        problems += check_python(options.python)
        problems += check_commands()
        problems += check_libraries()
        problems += check_disk(checkout, cache)
        problems += check_memory(small=chosen("RVA_SMALL", checkout) == "1")
    if not problems:
        return 0
    for line in report(problems):
        print(line, file=sys.stderr)
    return 2


def _run(command: List[str]) -> Tuple[int, str]:
    try:
        output = subprocess.check_output(command, stderr=subprocess.STDOUT)
    except subprocess.CalledProcessError as error:
        return error.returncode, ""
    except OSError:
        return 127, ""
    return 0, output.decode("utf-8", "replace")


def _unique(words: Iterable[str]) -> List[str]:
    seen = []  # type: List[str]
    for word in words:
        if word not in seen:
            seen.append(word)
    return seen


def _existing(folder: str) -> str:
    while not os.path.exists(folder):
        folder = os.path.dirname(folder)
    return folder


def _device(folder: str) -> int:
    return os.stat(_existing(folder)).st_dev


def _free_bytes(folder: str) -> int:
    return shutil.disk_usage(folder).free


def _memory_bytes() -> int:
    """Of the machine, or of the container if that is less; 0 when it cannot be known."""
    sizes = []
    try:
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (OSError, ValueError):
        pass
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            with open(path) as limit:
                sizes.append(int(limit.read()))
        except (OSError, ValueError):
            pass
    return min(sizes) if sizes else 0


if __name__ == "__main__":
    sys.exit(main())
