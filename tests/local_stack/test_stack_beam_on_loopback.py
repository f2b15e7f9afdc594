import zipfile
from pathlib import Path

import pytest

from local_stack.beam_on_loopback import CLASS, read_constants, rewritten, write_jar
from local_stack.errors import StackError
from local_stack.fetch import flink_python_jar


@pytest.fixture(scope="module")
def original() -> bytes:
    with zipfile.ZipFile(flink_python_jar()) as jar:
        return jar.read(CLASS)


def test_class_calls_for_address_with_the_address_itself(original: bytes) -> None:
    before, after = read_constants(original), read_constants(rewritten(original))
    method, name_and_type = before.method(b"forPort")
    assert after.method(b"forAddress")[0] == method
    descriptor = int.from_bytes(after.entries[name_and_type][1][2:], "big")
    assert after.entries[descriptor][1].startswith(b"(Ljava/net/SocketAddress;)Lorg/apache/beam/")


def test_only_the_call_changes_in_the_code(original: bytes) -> None:
    changed = rewritten(original)
    old, new = original[read_constants(original).end :], changed[read_constants(changed).end :]
    assert len(old) == len(new)
    different = [i for i, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    assert len(different) <= 3
    assert {new[i] for i in different} == {0}  # nop


def test_other_class_is_refused(original: bytes) -> None:
    with pytest.raises(ValueError, match="forPort is not in it"):
        rewritten(original.replace(b"forPort", b"forWhat"))


def test_rewritten_class_is_refused_a_second_time(original: bytes) -> None:
    with pytest.raises(ValueError, match="forPort is not called in it"):
        rewritten(rewritten(original))


def test_other_version_of_flink_python_is_named(tmp_path: Path) -> None:
    jar = tmp_path / "flink-python-9.jar"
    with zipfile.ZipFile(jar, "w") as made:
        made.writestr("other.class", b"")
    with pytest.raises(StackError, match=r"flink-python-9\.jar is not the version"):
        write_jar(jar, tmp_path / "out.jar")


def test_jar_holds_the_class_alone(tmp_path: Path) -> None:
    target = tmp_path / "made" / "out.jar"
    write_jar(flink_python_jar(), target)
    with zipfile.ZipFile(target) as jar:
        assert jar.namelist() == [CLASS]
