import subprocess
import sys
from pathlib import Path

import pytest

from local_stack import preflight
from local_stack.settings import CHECKOUT

GIB = 1024**3


def lines(*problems: preflight.Problem, apt: bool = True, root: bool = False) -> str:
    which = (
        (lambda name: "/usr/bin/apt-get" if name == "apt-get" else None)
        if apt
        else (lambda _: None)
    )
    return "\n".join(preflight.report(list(problems), which, root))


def versions(version: str, *, has_venv: bool = True) -> preflight.Run:
    def run(command: list[str]) -> tuple[int, str]:
        if "version_info" in command[-1]:
            return 0, f"{version}\n"
        return (0, "") if has_venv else (1, "")

    return run


def test_python_of_the_right_version_passes() -> None:
    assert list(preflight.check_python("python3.11", versions("3.11.7"))) == []


def test_wrong_python_is_named_with_what_mends_it() -> None:
    text = lines(*preflight.check_python("python3", versions("3.12.1")))
    assert "python3 is Python 3.12.1; 3.11 is needed" in text
    assert "sudo apt-get install -y python3.11 python3.11-venv" in text
    assert "make PYTHON=/path/to/python3.11" in text


def test_missing_python_is_named() -> None:
    text = lines(*preflight.check_python("python3.11", lambda _: (127, "")))
    assert "python3.11 was not found" in text


def test_python_without_venv_is_named_with_its_package() -> None:
    text = lines(*preflight.check_python("python3.11", versions("3.11.2", has_venv=False)))
    assert "sudo apt-get install -y python3.11-venv" in text


def test_missing_library_is_named_with_who_needs_it_and_its_package() -> None:
    def load(name: str) -> None:
        if name == "libGL.so.1":
            raise OSError(name)

    text = lines(*preflight.check_libraries(load))
    assert "error: the library libGL.so.1 is missing, which OpenCV needs" in text
    assert "mend it with: sudo apt-get install -y libgl1" in text


def test_packages_of_several_problems_make_one_command() -> None:
    def load(name: str) -> None:
        raise OSError(name)

    text = lines(*preflight.check_libraries(load), root=True)
    assert text.count("apt-get install") == 1
    assert "apt-get update && apt-get install -y libgl1 libglib2.0-0" in text
    assert "sudo" not in text


def test_without_a_known_package_manager_the_packages_are_named() -> None:
    problem = preflight.Problem("x is missing", debian="libgl1", fedora="mesa-libGL")
    assert "install libgl1 with your system's package manager" in lines(problem, apt=False)


@pytest.mark.parametrize(
    ("system", "machine", "libc", "named"),
    [
        ("Darwin", "arm64", "", "docker compose up"),
        ("Linux", "riscv64", "glibc", "riscv64"),
        ("Linux", "x86_64", "", "Alpine"),
    ],
)
def test_system_without_wheels_is_refused(system: str, machine: str, libc: str, named: str) -> None:
    assert named in lines(*preflight.check_system(system, machine, libc))


def test_path_with_a_space_is_refused() -> None:
    assert "has a space in it: /my code/rva" in lines(*preflight.check_place("/my code/rva"))


def test_full_disk_is_told_with_what_is_free_and_what_is_needed(tmp_path: Path) -> None:
    checkout, cache = tmp_path / "checkout", tmp_path / "cache"
    checkout.mkdir()
    text = lines(*preflight.check_disk(str(checkout), str(cache), lambda _: 3 * GIB))
    assert "3.0 GB are free" in text
    assert "RVA_CACHE_DIR" in text


def test_what_is_there_already_needs_no_room(tmp_path: Path) -> None:
    checkout, cache = tmp_path / "checkout", tmp_path / "cache"
    cold = sum(preflight.needed_disk(str(checkout), str(cache)))
    for name in preflight.ENVIRONMENTS:
        (checkout / ".venvs" / name).mkdir(parents=True)
        (checkout / ".venvs" / name / ".synced").touch()
    (cache / "unpacked").mkdir(parents=True)
    (cache / "bin").mkdir(parents=True)
    warm = sum(preflight.needed_disk(str(checkout), str(cache)))
    assert cold > 10
    assert warm == preflight.RUN_GIB


def test_little_memory_is_told() -> None:
    assert "4.0 GB of memory; 7 GB are needed" in lines(*preflight.check_memory(4 * GIB))
    assert list(preflight.check_memory(8 * GIB)) == []


def test_machine_of_4_gb_is_told_of_the_small_profile_and_enough_for_it() -> None:
    nearly_4 = int(3.8 * GIB)
    assert "SMALL=1" in lines(*preflight.check_memory(nearly_4))
    assert list(preflight.check_memory(nearly_4, small=True)) == []
    assert "2.0 GB of memory; 3.6 GB are needed" in lines(
        *preflight.check_memory(2 * GIB, small=True)
    )


def test_small_profile_is_read_from_env_file_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RVA_SMALL=1\n")
    assert preflight.chosen("RVA_SMALL", str(tmp_path), {}) == "1"
    assert preflight.chosen("RVA_SMALL", str(tmp_path), {"RVA_SMALL": "0"}) == "0"
    assert preflight.chosen("RVA_SMALL", str(tmp_path / "none"), {}) is None


def test_cache_folder_is_read_from_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("RVA_CACHE_DIR='/big disk'\n")
    assert preflight.cache_folder(str(tmp_path), {}) == "/big disk"
    assert preflight.cache_folder(str(tmp_path), {"RVA_CACHE_DIR": "/x"}) == "/x"


def test_script_runs_with_nothing_installed_and_fails_in_one_go(tmp_path: Path) -> None:
    script = CHECKOUT / "include" / "local_stack" / "preflight.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(script), "--python", str(tmp_path / "python3.11")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "was not found or does not run" in done.stderr
    assert "Traceback" not in done.stderr


def test_script_is_readable_for_python_3_6() -> None:
    import ast

    source = (CHECKOUT / "include" / "local_stack" / "preflight.py").read_text(encoding="utf-8")
    assert source.isascii()
    ast.parse(source, feature_version=(3, 6))
