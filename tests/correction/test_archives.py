"""Archives: what is listed, what is refused, and how much is read of what lies."""

import io
import os
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culture_d.errors import IntakeError
from culture_d.grading import archive, intake
from culture_d.grading.archive import BadEntry, Entry, entries_of, open_source
from tests.correction.depots import zipped


def listed(data: bytes) -> dict[str, str]:
    return {entry.shown: entry.problem for entry in entries_of(data)}


def only(data: bytes) -> Entry:
    (entry,) = entries_of(data)
    return entry


@pytest.mark.parametrize(
    ("name", "path", "problem"),
    [
        ("a/b.ipynb", ("a", "b.ipynb"), ""),
        ("./a//b.ipynb", ("a", "b.ipynb"), ""),
        ("a\\b.ipynb", ("a", "b.ipynb"), ""),
        ("e\u0301te\u0301.ipynb", ("été.ipynb",), ""),
        ("A: mon devoir.ipynb", ("A: mon devoir.ipynb",), ""),
        ("..hidden/x", ("..hidden", "x"), ""),
        ("/etc/passwd", (), "machine"),
        ("\\\\serveur\\x", (), "machine"),
        ("c:x", (), "machine"),
        ("C:/x", (), "machine"),
        ("a/../../x", ("a",), "sort du dossier"),
        ("a\\..\\x", ("a",), "sort du dossier"),
        ("a/\x00x", ("a",), "contrôle"),
        ("a/\u202excod.\u200fipynb", ("a", "xcod.ipynb"), ""),
        ("Léa\x1b[2J_7_x/b.ipynb", ("Léa\ufffd[2J_7_x",), "contrôle"),
        ("a/" + "b" * 201, ("a",), "trop long"),
        ("a/" * 21 + "b", ("a",), "trop long"),
        ("é" * 101, ("é" * 100,), "trop long"),
        ("\x00/x", ("\ufffd",), "contrôle"),
        ("", (), "vide"),
        (".", (), "vide"),
    ],
)
def test_a_name_is_split_or_refused(name: str, path: tuple[str, ...], problem: str) -> None:
    found, said = archive._path(name)
    assert found == path
    assert problem in said
    assert bool(problem) == bool(said)


def test_a_name_without_the_mark_of_utf_8_is_read_as_it_was_written() -> None:
    for raw in ("Élodie.ipynb".encode(), "Élodie.ipynb".encode("cp850")):
        info = zipfile.ZipInfo("x")
        info.orig_filename = raw.decode("cp437")
        info.flag_bits = 0
        assert archive._zip_name(info) == "Élodie.ipynb"


def test_what_systems_leave_behind_is_not_listed() -> None:
    data = zipped(
        {
            "a.ipynb": b"1",
            "__MACOSX/._a.ipynb": b"x",
            ".ipynb_checkpoints/a.ipynb": b"x",
            "._a.ipynb": b"x",
            ".~a.ipynb": b"x",
            ".a.txt": b"x",
            ".ipynb": b"2",
            "venv/lib/python": b"x",
            "__pycache__/a.pyc": b"x",
        }
    )
    assert listed(data) == {"a.ipynb": "", ".ipynb": ""}


def test_no_more_is_read_than_the_limit_whatever_is_announced() -> None:
    """The directory says 10 bytes; the content unfolds to 50 MB."""
    data = bytearray(zipped({"a.ipynb": bytes(50 << 20)}))
    directory = data.rindex(b"PK\x01\x02")
    data[directory + 24 : directory + 28] = struct.pack("<L", 10)
    entry = only(bytes(data))
    assert entry.size == 10
    with pytest.raises(BadEntry):
        entry.read(1 << 20)


def test_a_file_beyond_the_limit_is_not_kept() -> None:
    entry = only(zipped({"a.csv": os.urandom(3 << 20)}))
    assert len(entry.read(4 << 20)) == 3 << 20
    with pytest.raises(BadEntry, match="dépasse 2 Mo"):
        entry.read(2 << 20)


def test_a_bomb_is_known_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SUSPECT_SIZE", 4 << 20)
    (entry,) = entries_of(zipped({"a.ipynb": bytes(10 << 20)}))
    assert "piégée" in entry.problem
    assert entry.hostile
    (honest,) = entries_of(zipped({"a.csv": b"1,2,3\n" * 100_000}))
    assert not honest.problem


def test_entries_that_share_bytes_are_refused_and_the_others_kept() -> None:
    data = bytearray(zipped({"a": b"1" * 50, "b": b"2" * 50, "c": b"3" * 50}))
    places = [at for at in range(len(data)) if data[at : at + 4] == b"PK\x01\x02"]
    data[places[1] + 42 : places[1] + 46] = struct.pack("<L", 0)
    problems = listed(bytes(data))
    assert "piégée" in problems["a"]
    assert "piégée" in problems["b"]
    assert not problems["c"]


def test_too_many_entries_are_not_even_listed() -> None:
    with pytest.raises(BadEntry, match="trop de fichiers"):
        entries_of(zipped({f"{n}": b"" for n in range(archive.MAX_NESTED_ENTRIES + 1)}))


def test_an_unknown_compression_is_said() -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_LZMA) as bundle:
        bundle.writestr("a.ipynb", b"{}" * 50)
    assert "inconnue" in only(made.getvalue()).problem


@pytest.mark.parametrize("cut", [1, 10, 22, 60])
def test_a_truncated_archive_is_damaged(cut: int) -> None:
    with pytest.raises(BadEntry, match="abîmée"):
        entries_of(zipped({"a.ipynb": b"{}"})[:-cut])


def test_damage_costs_its_entry_alone() -> None:
    data = bytearray(zipped({"a": b"1" * 500, "b": b"2" * 500}))
    data[33] ^= 0xFF
    found = {entry.shown: entry for entry in entries_of(bytes(data))}
    with pytest.raises(BadEntry, match="abîmé"):
        found["a"].read(1000)
    assert found["b"].read(1000) == b"2" * 500


def tarred(*members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as bundle:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            bundle.addfile(info, io.BytesIO(data))
    return made.getvalue()


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2"])
def test_a_tar_is_read_in_any_order(mode: str) -> None:
    data = tarred(
        (tarfile.TarInfo("a/x.ipynb"), b"1"), (tarfile.TarInfo("b.ipynb"), b"22"), mode=mode
    )
    first, second = entries_of(data)
    assert (second.read(10), first.read(10)) == (b"22", b"1")
    assert first.path == ("a", "x.ipynb")


def test_links_and_devices_of_a_tar_are_refused() -> None:
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    for kind in kinds:
        info = tarfile.TarInfo("x.ipynb")
        info.type, info.linkname = kind, "/etc/passwd"
        entry = only(tarred((info, b"")))
        assert "lien" in entry.problem
        assert entry.hostile


def test_a_tar_whose_header_is_a_bomb_is_damaged() -> None:
    """A pax header of 40 MB, which tarfile alone would read whole."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 40 << 20
    squeezed = zlib.compress(info.tobuf(tarfile.USTAR_FORMAT) + bytes(41 << 20), 9, 31)
    with pytest.raises(BadEntry, match="abîmée"):
        entries_of(squeezed)


def test_a_folder_is_listed_without_following_anything(tmp_path: Path) -> None:
    root, outside = tmp_path / "classe", tmp_path / "secret"
    outside.mkdir()
    (outside / "a.txt").write_bytes(b"secret")
    (root / "lea").mkdir(parents=True)
    (root / "lea" / "a.ipynb").write_bytes(b"1")
    os.link(root / "lea" / "a.ipynb", root / "lea" / "b.ipynb")
    os.link(outside / "a.txt", root / "dur.ipynb")
    (root / "dossier").symlink_to(outside)
    (root / "fichier.ipynb").symlink_to(outside / "a.txt")
    (root / "casse.ipynb").symlink_to("nulle-part")
    os.mkfifo(root / "tube.ipynb")
    with open_source(root) as entries:
        problems = {entry.shown: entry.problem for entry in entries}
        assert not problems.pop("lea/a.ipynb")
        assert not problems.pop("lea/b.ipynb")
        assert set(problems) == {
            "casse.ipynb",
            "dossier",
            "dur.ipynb",
            "fichier.ipynb",
            "tube.ipynb",
        }
        assert all("lien" in said or "ordinaire" in said for said in problems.values())
        for entry in entries:
            if entry.shown in ("fichier.ipynb", "tube.ipynb", "casse.ipynb"):
                with pytest.raises(BadEntry):
                    entry.read(100)


def misnamed() -> bytes:
    """Mark as UTF-8 a name that is not."""
    return zipped({"é.ipynb": b"1"}).replace("é".encode(), b"\xff\xfe")


@pytest.mark.parametrize(
    "data",
    [
        misnamed(),
        b"PK\x03\x04 coupe",
        b"PK\x05\x06",
        b"\x1f\x8b\x08 coupe",
        zlib.compress(bytes(5000), 9, 31)[:20],
    ],
    ids=["nom", "zip", "fin", "gzip", "gzip-coupe"],
)
def test_an_archive_that_cannot_be_listed_is_an_error(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    path.write_bytes(data)
    with pytest.raises(IntakeError, match="tronquée"), open_source(path):
        pass


@settings(max_examples=300, deadline=3000, derandomize=True)
@given(
    st.sampled_from(["zip", "tar", "tgz"]),
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 30), st.binary(max_size=8)),
        min_size=1,
        max_size=5,
    ),
)
def test_any_change_of_an_archive_is_listed_or_refused(
    kind: str, changes: list[tuple[float, int, bytes]]
) -> None:
    data = made(kind)
    for place, cut, added in changes:
        at = int(place * len(data))
        data = data[:at] + added + data[at + cut :]
    try:
        entries = entries_of(data)
    except BadEntry:
        return
    for entry in entries:
        assert entry.problem or ".." not in entry.path
        try:
            assert len(entry.read(1 << 20)) <= 1 << 20
        except BadEntry as error:
            assert str(error)


def made(kind: str) -> bytes:
    files = {"a/x.ipynb": b"{}" * 300, "été.csv": b"1,2\n" * 50, "b.txt": b""}
    if kind == "zip":
        return zipped(files)
    members = [(tarfile.TarInfo(name), data) for name, data in files.items()]
    return tarred(*members, mode="w" if kind == "tar" else "w:gz")


@pytest.mark.parametrize(
    "stamp",
    [
        "hier",
        "",
        "x" * 5000,
        "a b /etc/passwd",
        "a b ../../x",
        "0001-01-01 00:00:00 +2300",
        "\0",
        "é",
    ],
)
def test_a_date_that_nbgrader_cannot_read_is_none(stamp: str) -> None:
    assert intake._timestamp(stamp.encode()) is None


@pytest.mark.parametrize(
    "stamp",
    [
        "2015-02-02 15:58:23.948203 UTC",
        "2026-03-01 12:00:00 Europe/Paris",
        "2026-03-01T12:00:00+01:00",
    ],
)
def test_a_date_that_nbgrader_can_read_is_kept(stamp: str) -> None:
    assert intake._timestamp(f"{stamp}\n".encode()) == stamp


def test_what_fails_while_reading_is_not_taken_for_the_source(tmp_path: Path) -> None:
    """An error of the caller's own goes through as it is."""
    with pytest.raises(OSError, match="disque"), open_source(tmp_path):
        raise OSError("disque plein")
