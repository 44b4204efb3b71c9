"""The zip's rules: each is seen to refuse something, and odd but legal zips pass."""

from __future__ import annotations

import io
import os
import stat
import struct
import subprocess
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.archive import ZipLimits, content, extract, inspect, pack, read_text
from contracts.errors import Invalid


@dataclass(frozen=True)
class Made:
    """One entry as it shall be written, true or lying; None takes the true value."""

    name: str | bytes = "app.py"
    data: bytes = b"print('hello')\n"
    method: int = 8
    flags: int = 0x800
    mode: int = stat.S_IFREG | 0o644
    packed: bytes | None = None
    size: int | None = None
    crc: int | None = None
    offset: int | None = None
    local_name: str | bytes | None = None
    local_size: int | None = None
    local_method: int | None = None
    extra: bytes = b""
    local_extra: bytes = b""
    descriptor: bytes | None = None


def deflated(data: bytes) -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return squeeze.compress(data) + squeeze.flush()


def raw(name: str | bytes) -> bytes:
    return name.encode() if isinstance(name, str) else name


def made(*entries: Made, before: bytes = b"", gap: bytes = b"", comment: bytes = b"", after: bytes = b"",
         count: int | None = None, shift: int = 0) -> io.BytesIO:  # fmt: skip
    """A zip by struct: entries, a gap before the central directory, the end record, a comment, trailing bytes."""
    body, table = bytearray(before), bytearray()
    for one in entries:
        packed = one.packed if one.packed is not None else deflated(one.data) if one.method == 8 else one.data
        size = len(one.data) if one.size is None else one.size
        crc = zlib.crc32(one.data) if one.crc is None else one.crc
        at = len(body) if one.offset is None else one.offset
        name, local = raw(one.name), raw(one.name if one.local_name is None else one.local_name)
        late = one.flags & 8
        local_size = one.local_size if one.local_size is not None else 0 if late else size
        method = one.method if one.local_method is None else one.local_method
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, one.flags, method, 0, 33, 0 if late else crc,
                            0 if late else len(packed), local_size, len(local), len(one.local_extra))  # fmt: skip
        body += local + one.local_extra + packed
        if late:
            true = struct.pack("<4s3L", b"PK\7\x08", crc, len(packed), size)
            body += true if one.descriptor is None else one.descriptor
        table += struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x031E, 20, one.flags, one.method, 0, 33, crc, len(packed), size,
                             len(name), len(one.extra), 0, 0, 0, one.mode << 16, at)  # fmt: skip
        table += name + one.extra
    body += gap
    number = len(entries) if count is None else count
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, number, number, len(table), len(body) - shift, len(comment))
    return io.BytesIO(bytes(body + table) + end + comment + after)


LIMITS = ZipLimits()


def refused(file: io.BytesIO, limits: ZipLimits = LIMITS) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as error:
        inspect(file, limits)
    assert error.value.problems
    assert all(problem.rule.endswith(".") and problem.hint.endswith(".") for problem in error.value.problems)
    return [(problem.path, problem.rule) for problem in error.value.problems]


def names(file: io.BytesIO) -> list[str]:
    return [entry.name for entry in inspect(file).entries]


def test_a_plain_zip_is_sound_and_read() -> None:
    folder = Made("src/", b"", method=0, mode=stat.S_IFDIR | 0o755)
    archive = inspect(made(Made(), folder, Made("src/run.sh", b"x" * 5000, mode=stat.S_IFREG | 0o755)))
    assert [(e.name, e.folder, e.executable) for e in archive.entries] == [
        ("app.py", False, False), ("src", True, True), ("src/run.sh", False, True)]  # fmt: skip
    assert archive.files == {"app.py", "src/run.sh"}
    assert archive.total == 5015
    assert read_text(archive, "app.py") == "print('hello')\n"


@pytest.mark.parametrize("name", [
    "+page.svelte", "with space.txt", "größe/ä.txt", "日本/メモ.md", "[slug]/(group)/page.tsx", "a..b", "...", ".env", "-rf", "~",
    "trailing.", "C", "emoji 👩‍🚀.txt", "a" * 255, "semi;colon&and", "%2e%2e", "CON"])  # fmt: skip
def test_odd_but_legal_names_pass(name: str) -> None:
    assert names(made(Made(name))) == [name]


@pytest.mark.parametrize(("name", "said"), [
    ("../evil.py", "leads out"), ("a/../../evil.py", "leads out"), ("..", "leads out"), ("/etc/passwd", "root or a drive"),
    ("C:/x", "root or a drive"), ("c:x", "root or a drive"), ("a\\b", "backslash"), ("a\x00b", "control"),
    ("a\nb", "control"), ("a\x7fb", "control"), ("a\u202eb", "control"), ("./a", "'.'"), ("a//b", "empty part"),
    ("a/./b", "'.'"), ("", "no name"), (unicodedata.normalize("NFD", "ä.txt"), "NFC"), ("a" * 256, "longer"),
    ("/".join("a" * 33), "deep"), ("/".join(["b" * 200] * 6), "longer")])  # fmt: skip
def test_names_that_are_refused(name: str, said: str) -> None:
    assert any(said in rule for _, rule in refused(made(Made(name))))


def test_a_name_that_is_not_utf8_is_refused_and_the_rest_is_still_judged() -> None:
    found = refused(made(Made(b"gr\x94\xe1e.txt", flags=0), Made("../x")))
    assert any("not UTF-8" in rule for _, rule in found)
    assert any("leads out" in rule for _, rule in found)


def test_a_second_name_must_be_the_first() -> None:
    def second(name: bytes) -> bytes:
        return struct.pack("<2HBL", 0x7075, 5 + len(name), 1, 0) + name

    assert names(made(Made("ä", flags=0, extra=second("ä".encode())))) == ["ä"]
    assert "second" in refused(made(Made("ä", flags=0, extra=second(b"evil"))))[0][1]


@pytest.mark.parametrize(("pair", "said"), [
    (("a.py", "a.py"), "twice"), (("README.md", "readme.md"), "one name"), (("straße", "STRASSE"), "one name"),
    (("Src/a", "src/b"), "one name"), (("a", "a/b"), "file and a folder"), (("a/b", "a"), "file and a folder"),
    (("a/", "a"), "file and a folder")])  # fmt: skip
def test_two_names_that_collide(pair: tuple[str, str], said: str) -> None:
    entries = [Made(n, b"" if n.endswith("/") else b"x", 0, mode=0) for n in pair]
    assert any(said in rule for _, rule in refused(made(*entries)))


@pytest.mark.parametrize(("mode", "said"), [
    (stat.S_IFLNK | 0o777, "symbolic link"), (stat.S_IFCHR | 0o600, "neither"), (stat.S_IFIFO | 0o600, "neither"),
    (stat.S_IFSOCK | 0o600, "neither"), (stat.S_IFBLK, "neither"), (stat.S_IFDIR | 0o755, "by its name")])  # fmt: skip
def test_only_files_and_folders(mode: int, said: str) -> None:
    assert said in refused(made(Made(mode=mode)))[0][1]


@pytest.mark.parametrize("flags", [0x1, 0x40, 0x2000])
def test_encryption(flags: int) -> None:
    assert "encrypted" in refused(made(Made(flags=flags)))[0][1]
    assert "encrypted" in refused(made(Made(method=99)))[0][1]


@pytest.mark.parametrize("method", [1, 6, 9, 12, 14, 93, 95])
def test_only_stored_and_deflated(method: int) -> None:
    assert f"method {method}" in refused(made(Made(method=method)))[0][1]


def test_patched_and_reserved_flags() -> None:
    for bit in (4, 5, 7, 8, 9, 10, 12, 14, 15):
        assert "flags" in refused(made(Made(flags=1 << bit)))[0][1]


def test_a_bomb_of_200_megabytes_in_204_kilobytes() -> None:
    bomb = made(Made("zeros", bytes(200_000_000)))
    assert len(bomb.getvalue()) < 204_000
    assert [rule for _, rule in refused(bomb) if "over 100 times" in rule]


def test_a_bomb_that_lies_about_its_size_is_stopped_at_what_it_declares(tmp_path: Path) -> None:
    archive = inspect(made(Made("zeros", packed=deflated(bytes(50_000_000)), size=100)))
    seen = 0
    with pytest.raises(Invalid, match="damaged"):
        for piece in content(archive, archive.entries[0]):
            seen += len(piece)
    assert seen <= 100


def test_many_small_bombs_are_one_bomb() -> None:
    file = made(*(Made(f"z{n}", bytes(15 << 20)) for n in range(3)))
    assert refused(file)[0][0] == "the zip"


def test_overlaps() -> None:
    quoted = made(Made("a", b"x" * 100, 0), Made("b", b"x" * 100, 0, offset=0))
    assert any("contradict" in rule or "overlaps" in rule for _, rule in refused(quoted))
    same = made(Made("a", b"x" * 100, 0), Made("a", b"x" * 100, 0, offset=0), Made("c"))
    assert any("overlaps" in rule for _, rule in refused(same))


def test_an_entry_within_another() -> None:
    inner = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0x800, 0, 0, 33, zlib.crc32(b"evil"), 4, 4, 1, 0) + b"b" + b"evil"
    file = made(Made("a", inner, 0, flags=0x800), Made("b", b"evil", 0, offset=31))
    found = refused(file)
    assert any("overlaps" in rule for _, rule in found)


@pytest.mark.parametrize(("lie", "said"), [
    (Made(local_name="other.py"), "contradict"), (Made(local_size=3), "contradict"), (Made(local_method=0), "contradict"),
    (Made(method=0, packed=b"abc"), "two sizes"), (Made(offset=7), "contradict|No entry|ends before"),
    (Made(offset=0xFFFFFFFE), "ends before"), (Made(offset=0xFFFFFFFF), "zip64")])  # fmt: skip
def test_the_table_against_the_entrys_own_header(lie: Made, said: str) -> None:
    assert any(part in rule for part in said.split("|") for _, rule in refused(made(lie)))


def test_nothing_stands_before_between_or_after() -> None:
    assert "before the first" in refused(made(Made(), before=b"MZ stub"))[0][1]
    assert "many" in refused(made(Made(), before=b"MZ stub", shift=7))[0][1]
    assert "belong to none" in refused(made(Made(), gap=b"hidden"))[0][1]
    assert "follow the end" in refused(made(Made(), after=b"tail"))[0][1]
    assert "follow the end" in refused(made(Made(), after=b"\n"))[0][1]


def test_a_comment_is_legal_but_not_one_that_hides_an_end() -> None:
    assert names(made(Made(), comment=b"0f3c" * 10)) == ["app.py"]
    evil = made(Made("evil.py")).getvalue()
    assert refused(made(Made(), comment=evil))
    assert refused(made(Made(), comment=b"PK\5\6"))


@pytest.mark.parametrize("data", [b"", b"PK", b"hello world, no zip at all, really", b"PK\5\6" + bytes(10)])
def test_what_is_no_zip(data: bytes) -> None:
    refused(io.BytesIO(data))


def test_an_empty_zip_is_refused() -> None:
    assert "empty" in refused(made())[0][1]


@pytest.mark.parametrize("count", [0, 2, 0xFFFF])
def test_the_count_of_entries_must_be_true(count: int) -> None:
    refused(made(Made(), count=count))


def test_limits() -> None:
    one = made(Made("a/b/c.txt", b"x" * 1000, 0))
    assert "bytes" in refused(one, ZipLimits(size=100))[0][1]
    assert "entries" in refused(made(Made("a"), Made("b")), ZipLimits(entries=1))[0][1]
    assert "The file has" in refused(one, ZipLimits(file=999))[0][1]
    assert "unpacks to 1000" in refused(one, ZipLimits(total=999))[0][1]
    assert "deep" in refused(one, ZipLimits(depth=2))[0][1]
    assert inspect(one, ZipLimits(file=1000, total=1000, depth=3)).total == 1000


def test_ten_thousand_entries_pass_and_one_more_does_not() -> None:
    entries = [Made(f"f{n}", b"", 0) for n in range(10_001)]
    assert len(inspect(made(*entries[:-1])).entries) == 10_000
    assert "10001 entries" in refused(made(*entries))[0][1]


def test_data_descriptors_of_every_length() -> None:
    one = Made(flags=0x808)
    crc, packed, size = zlib.crc32(one.data), len(deflated(one.data)), len(one.data)
    for form, parts in (("<3L", ()), ("<4s3L", (b"PK\7\x08",)), ("<L2Q", ()), ("<4sL2Q", (b"PK\7\x08",))):
        assert names(made(replace(one, descriptor=struct.pack(form, *parts, crc, packed, size)))) == ["app.py"]
    assert "contradict" in refused(made(replace(one, descriptor=struct.pack("<3L", 1, packed, size))))[0][1]
    assert "missing" in refused(made(replace(one, descriptor=b"")))[0][1]
    assert "right one" in refused(made(replace(one, descriptor=bytes(16))))[0][1]


def test_zip64_where_it_is_legal() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out, out.open("app.py", "w", force_zip64=True) as entry:
        entry.write(b"wide")
    assert read_text(inspect(buffer), "app.py") == "wide"
    plain = made(Made()).getvalue()
    end = plain.rindex(b"PK\5\6")
    _, _, _, count, _, size, offset, _ = struct.unpack_from("<4s4H2LH", plain, end)

    def wide(
        count: int = count, size: int = size, offset: int = offset, at: int = end, narrow: bool = False
    ) -> io.BytesIO:
        record = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, offset)
        locator = struct.pack("<4sLQL", b"PK\6\7", 0, at, 1)
        full = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
        return io.BytesIO(plain[:end] + record + locator + (plain[end:] if narrow else full))

    assert names(wide()) == names(wide(narrow=True)) == ["app.py"]
    for lie in (wide(count=2), wide(size=size + 1), wide(offset=0), wide(at=end - 1), wide(count=9, narrow=True)):
        refused(lie)


def test_a_lone_zip64_field_and_one_that_does_not_fit() -> None:
    assert "zip64" in refused(made(Made(extra=struct.pack("<2HQ", 1, 8, 5))))[0][1]
    assert "extra field" in refused(made(Made(extra=struct.pack("<2H", 9, 500))))[0][1]
    twice = struct.pack("<2HB", 0x7075, 1, 0) * 2
    assert "twice" in refused(made(Made(extra=twice)))[0][1]


def test_a_folder_has_no_content() -> None:
    assert "content" in refused(made(Made("a/", b"x", mode=0)))[0][1]


def test_every_problem_is_said_at_once_by_entry() -> None:
    found = refused(made(Made("../a"), Made("b", mode=stat.S_IFLNK), Made("c", flags=1), Made("d", local_name="e")))
    assert [path for path, _ in found] == ["../a", "b", "c", "d"]


def test_extracting_writes_what_was_packed_and_only_there(tmp_path: Path) -> None:
    zipped = tmp_path / "app.zip"
    zipped.write_bytes(made(Made(), Made("a/b/run", b"#!/bin/sh\n", mode=stat.S_IFREG | 0o4755)).getvalue())
    archive = extract(zipped, tmp_path / "out")
    assert archive.files == {"app.py", "a/b/run"}
    assert (tmp_path / "out/app.py").read_bytes() == b"print('hello')\n"
    mode = (tmp_path / "out/a/b/run").stat().st_mode
    assert mode & 0o100
    assert not mode & 0o7000
    with pytest.raises(FileExistsError):
        extract(zipped, tmp_path / "out")


@pytest.mark.parametrize("lie", [
    Made(crc=1), Made(size=3, data=b"print('hello')\n"), Made(packed=b"\xff\xff\xff"), Made(size=99),
    Made(packed=deflated(b"print('hello')\n") + b"tail"), Made(packed=deflated(b"x" * 99)[:-1], data=b"x" * 99),
    Made(method=0, crc=7), Made(packed=b"", size=5)])  # fmt: skip
def test_damaged_bytes_leave_nothing_behind(lie: Made, tmp_path: Path) -> None:
    zipped = tmp_path / "app.zip"
    zipped.write_bytes(made(lie, Made("good.py")).getvalue())
    with pytest.raises(Invalid) as error:
        extract(zipped, tmp_path / "out")
    assert [problem.path for problem in error.value.problems] == ["app.py"]
    assert not (tmp_path / "out").exists()
    (tmp_path / "kept").mkdir()
    with pytest.raises(Invalid):
        extract(zipped, tmp_path / "kept")
    assert list((tmp_path / "kept").iterdir()) == []


@pytest.mark.parametrize(("entries", "hint"), [
    (("my-app/berth.yml", "my-app/app.py", "__MACOSX/berth.yml"),
     "berth.yml is in my-app/; zip the folder's contents, not the folder."),
    (("berth.yaml",), "There is berth.yaml; rename it to berth.yml."),
    (("Berth.yml",), "There is Berth.yml; rename it to berth.yml."),
    (("app.py",), "Add berth.yml; `berth init` writes one.")])  # fmt: skip
def test_where_the_manifest_is_instead(entries: tuple[str, ...], hint: str) -> None:
    with pytest.raises(Invalid) as error:
        read_text(inspect(made(*map(Made, entries))), "berth.yml")
    assert [problem.hint for problem in error.value.problems] == [hint]


def test_reading_text() -> None:
    archive = inspect(
        made(Made("bom", b"\xef\xbb\xbfberth: 1"), Made("bad", b"a\nb\xff\n"), Made("big", b"x" * 300_000))
    )
    assert read_text(archive, "bom") == "berth: 1"
    with pytest.raises(Invalid) as error:
        read_text(archive, "bad")
    assert error.value.problems[0].line == 2
    with pytest.raises(Invalid, match="300000 bytes"):
        read_text(archive, "big")


def tree(folder: Path, *files: str) -> None:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)


def packed(folder: Path) -> io.BytesIO:
    buffer = io.BytesIO()
    pack(folder, buffer)
    return buffer


def test_packing_is_the_same_each_time_and_leaves_out_what_nobody_sends(tmp_path: Path) -> None:
    tree(tmp_path, "berth.yml", "app.py", "src/+page.svelte", ".git/config", "src/__pycache__/a.pyc", ".venv/x",
         "node_modules/y/z", "data/big.csv", "secret.key", "src/deep/secret.key", "build", "lib/build/x", ".env")  # fmt: skip
    (tmp_path / ".berthignore").write_text("# comment\n\n*.key\ndata/\nbuild/\n/.env\n")
    os.chmod(tmp_path / "app.py", 0o700)
    first = packed(tmp_path)
    os.utime(tmp_path / "app.py", (1, 1))
    assert packed(tmp_path).getvalue() == first.getvalue()
    archive = inspect(first)
    assert [entry.name for entry in archive.entries] == ["app.py", "berth.yml", "build", "src/+page.svelte"]
    assert [entry.name for entry in archive.entries if entry.executable] == ["app.py"]
    assert read_text(archive, "berth.yml") == "berth.yml"


def test_packing_composes_names_and_refuses_links(tmp_path: Path) -> None:
    tree(tmp_path, unicodedata.normalize("NFD", "größe.txt"))
    assert names(packed(tmp_path)) == ["größe.txt"]
    (tmp_path / "link").symlink_to("/etc/passwd")
    with pytest.raises(Invalid) as error:
        packed(tmp_path)
    assert [problem.path for problem in error.value.problems] == ["link"]
    (tmp_path / ".berthignore").write_text("link")
    assert names(packed(tmp_path)) == ["größe.txt"]


@pytest.mark.parametrize("command", [
    "zip -qr ../a.zip .", "zip -qr - . > ../a.zip", "zip -qr -fz ../a.zip .", "jar -cMf ../a.zip .", "zip -q0r ../a.zip .",
    "git init -q && git add . && git -c user.name=a -c user.email=a@b commit -qm a && git archive -o ../a.zip HEAD",
    "python3 -m zipfile -c ../a.zip app.py ä"])  # fmt: skip
def test_what_ordinary_tools_make_passes(command: str, tmp_path: Path) -> None:
    if subprocess.run(["sh", "-c", f"command -v {command.split()[0]}"], capture_output=True).returncode:
        pytest.skip(f"{command.split()[0]} is not here")
    tree(tmp_path / "app", "app.py", "ä/b c.txt", "static/x.css")
    subprocess.run(["sh", "-ec", command], cwd=tmp_path / "app", check=True)
    archive = extract(tmp_path / "a.zip", tmp_path / "out")
    assert "ä/b c.txt" in archive.files
    assert (tmp_path / "out/ä/b c.txt").read_text() == "ä/b c.txt"


@given(st.dictionaries(st.text("abcä +.", min_size=1, max_size=8).map(lambda t: "n" + t), st.binary(max_size=300), min_size=1),
       st.booleans())  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_what_zipfile_writes_comes_back(files: dict[str, bytes], squeezed: bool) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED if squeezed else zipfile.ZIP_STORED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    archive = inspect(buffer)
    assert {entry.name: b"".join(content(archive, entry)) for entry in archive.entries} == files


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_a_changed_byte_never_escapes_and_never_crashes(data: st.DataObject) -> None:
    good = bytearray(made(Made(), Made("src/a.txt", b"a" * 50), Made("z", b"z", 0)).getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        good[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    try:
        archive = inspect(io.BytesIO(bytes(good)))
        for entry in archive.entries:
            assert not entry.name.startswith("/")
            assert ".." not in entry.name.split("/")
            if not entry.folder:
                assert sum(map(len, content(archive, entry))) == entry.size
    except Invalid as error:
        assert error.problems
