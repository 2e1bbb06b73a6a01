"""Zips and file names from outside: what is honest arrives, everything else is a sentence and nothing lands beside the folder."""

import io
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from annotator.errors import BadInput
from annotator.flow.unpacking import SentFile, on_disk, own_name

Files = dict[str, bytes]


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are unpacked: a folder of this test's own."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))  # what TMPDIR says, which is read once for a process
    return folder


def packed(files: Files, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as into:
        for name, content in files.items():
            into.writestr(name, content)
    return made.getvalue()


def arrives(*files: SentFile) -> list[Files]:
    """What each path to import holds: relative name → content."""
    with on_disk(files) as paths:
        return [
            {str(one.relative_to(path)): one.read_bytes() for one in path.rglob("*") if one.is_file()}
            if path.is_dir() else {path.name: path.read_bytes()}
            for path in paths
        ]  # fmt: skip


def refused(content: bytes, name: str = "folder.zip") -> str:
    with pytest.raises(BadInput) as caught, on_disk([SentFile(name, content)]):
        pass
    return str(caught.value)


def special(change: Callable[[zipfile.ZipInfo], None], name: str = "a.txt") -> bytes:
    made = io.BytesIO()
    entry = zipfile.ZipInfo(name)
    change(entry)
    with zipfile.ZipFile(made, "w") as into:
        into.writestr(entry, b"/etc/passwd")
    return made.getvalue()


# works


def test_plain_files_arrive_under_their_names_and_are_gone_afterwards(temporary: Path) -> None:
    assert arrives(SentFile("a.txt", b"1"), SentFile("<img onerror>.json", b"2")) == [{"a.txt": b"1"}, {"<img onerror>.json": b"2"}]
    assert list(temporary.iterdir()) == []


def test_a_zip_of_a_folder_is_that_folder() -> None:
    assert arrives(SentFile("v.zip", packed({"vogue/a.json": b"1", "vogue/b/c.json": b"2"}))) == [{"a.json": b"1", "b/c.json": b"2"}]


def test_a_zip_of_many_things_is_a_folder_called_as_the_zip() -> None:
    with on_disk([SentFile("v.zip", packed({"a.json": b"1", "b/c.json": b"2"}))]) as (path,):
        assert (path.name, sorted(one.name for one in path.iterdir())) == ("v.zip", ["a.json", "b"])


def test_a_zip_of_one_file_is_that_file() -> None:
    assert arrives(SentFile("labels.zip", packed({"labels.csv": b"1"}))) == [{"labels.csv": b"1"}]


def test_what_macos_adds_is_passed_over() -> None:
    added = {"v/a.json": b"1", "v/.DS_Store": b"x", "__MACOSX/v/._a.json": b"x", "__MACOSX/._v": b"x"}
    assert arrives(SentFile("v.ZIP", packed(added))) == [{"a.json": b"1"}]


def test_backslashes_of_windows_are_folders() -> None:
    assert arrives(SentFile("v.zip", packed({"v\\b\\a.json": b"1", "v\\c.json": b"2"}))) == [{"b/a.json": b"1", "c.json": b"2"}]


def test_companions_above_what_was_sent_are_out_of_reach(temporary: Path) -> None:
    with on_disk([SentFile("a.json", b"{}")]) as (path,):
        assert path.parent.parent.parent.parent == temporary
        assert path.parent.parent.parent != temporary


# names


@pytest.mark.parametrize(
    ("name", "own"),
    [("../../x.json", "x.json"), ("/etc/passwd", "passwd"), ("C:\\a\\x.json", "x.json"), ("a/..x", "..x"), ("naïve.csv", "naïve.csv")],
)
def test_only_the_own_name_of_a_file_counts(name: str, own: str, temporary: Path) -> None:
    assert own_name(name) == own
    assert arrives(SentFile(name, b"1")) == [{own: b"1"}]


@pytest.mark.parametrize("name", ["", ".", "..", "a/", "a/..", "a\0.json", "a\n.json", "\u202ea.json", "x" * 201 + ".json", "é" * 101])
def test_a_name_that_cannot_be_is_a_sentence(name: str) -> None:
    with pytest.raises(BadInput, match="cannot be the name of a file here"):
        arrives(SentFile(name, b"1"))


# zips that mean no good

LEADS_OUT = ["../x.json", "a/../../x.json", "/x.json", "..\\x.json", "\\x.json", "C:\\x.json", "c:x.json", "a/..", "//server/x"]


@pytest.mark.parametrize("path", LEADS_OUT)
def test_a_path_out_of_the_folder_is_refused(path: str, temporary: Path) -> None:
    said = refused(packed({"good.json": b"1", path: b"evil"}))
    assert "folder.zip holds the path" in said
    assert "leads out of its folder" in said
    assert list(temporary.iterdir()) == []
    assert list(temporary.parent.rglob("*.json")) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind: int) -> None:
    assert "is a link and no file" in refused(special(lambda entry: setattr(entry, "external_attr", (kind | 0o777) << 16)))


def test_an_encrypted_zip_is_refused() -> None:
    content = bytearray(packed({"a.txt": b"1"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert refused(bytes(content)) == "folder.zip is encrypted. Pack the folder again without a password."


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_ways_of_packing_that_unpack_without_bounds_are_refused(method: int) -> None:
    assert "packed in a way that is not read here" in refused(packed({"a.txt": b"1"}, method))


def test_a_bomb_is_refused_by_what_it_says_of_its_size_before_it_is_unpacked() -> None:
    """It says 600 MB and holds one byte: unpacked, it would be called broken instead."""
    content = bytearray(packed({"a.txt": b"1"}))
    at = content.index(b"PK\x01\x02") + 24
    content[at : at + 4] = struct.pack("<I", 600 * 1024 * 1024)
    assert "holds more than 20,000 files or 512 MB" in refused(bytes(content))


def test_a_bomb_that_lies_about_its_size_gives_no_more_than_it_said() -> None:
    content = bytearray(packed({"a.txt": bytes(1024 * 1024)}))
    for at in (content.index(b"PK\x03\x04") + 22, content.index(b"PK\x01\x02") + 24):
        content[at : at + 4] = struct.pack("<I", 10)
    assert "damaged" in refused(bytes(content))


@pytest.mark.parametrize("number", [20_001, 100_001])
def test_too_many_files_are_refused(number: int) -> None:
    assert "holds more than 20,000 files" in refused(packed({f"{one}.txt": b"" for one in range(number)}, zipfile.ZIP_STORED))


def test_a_path_that_is_there_twice_is_refused() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as into:
        into.writestr("a.txt", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            into.writestr("a.txt", b"2")
    assert refused(made.getvalue()) == "folder.zip holds a.txt twice. Pack the folder again."


@pytest.mark.parametrize("files", [{"a": b"1", "a/b": b"2"}, {"a/b": b"1", "a": b"2"}, {"x" * 300: b"1"}, {".": b"1"}])
def test_paths_that_no_disk_can_hold_are_a_sentence(files: Files) -> None:
    assert "cannot be stored under its name" in refused(packed(files))


@pytest.mark.parametrize("made", [lambda: b"", lambda: b"PK", lambda: b"PK\x03\x04" + bytes(99), lambda: packed({"a": bytes(999)})[:-30]])
def test_what_is_no_zip_is_a_sentence(made: Callable[[], bytes]) -> None:
    content = made()
    assert refused(content).startswith("folder.zip is not a zip file that can be unpacked, or it is damaged")


def test_no_damage_is_more_than_a_sentence() -> None:
    whole = packed({"a/b.json": b'{"conversation_content": []}' * 9, "a/c.txt": b"Seeker: Hi."})
    for at in range(len(whole)):
        for value in (0, 0x7F, 0xFF, whole[at] ^ 1):
            try:
                arrives(SentFile("v.zip", whole[:at] + bytes([value]) + whole[at + 1 :]))
            except BadInput as error:
                assert "v.zip" in str(error)
