"""The ledger: what was done with each submission, read back as it was written."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from culture_d.errors import FeedbackError
from culture_d.grading.ledger import GRADED, Entry, Ledger, entry_of
from culture_d.grading.model import CellScore, Graded

RESULT = Graded(
    "lea",
    "petit",
    {"petit.ipynb": b"{}"},
    (CellScore("petit", "test-a", 2.0, 2.0, False), CellScore("petit", "avis", None, 5.0, True)),
    (("petit", "avis", None), ("petit", "a", "No response.")),
    {"petit": 0.5},
    ("Une cellule a été arrêtée.",),
    1.234,
)


@pytest.fixture
def entry() -> Entry:
    return entry_of(RESULT, "abc", "v1", notes=("Une cellule copiée.",), repaired=True)


def test_an_entry_is_read_back(tmp_path: Path, entry: Entry) -> None:
    book = Ledger(tmp_path)
    book.write(entry)
    assert book.read("petit", "lea") == entry
    assert list(book.entries("petit")) == [entry]
    assert entry.status == GRADED
    assert entry.points == 2
    assert entry.notes == ("Une cellule copiée.", "Une cellule a été arrêtée.")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"learner": "lea"}', b"\xff\xfe"])
def test_a_spoiled_entry_is_as_if_never_written(
    tmp_path: Path, entry: Entry, content: bytes
) -> None:
    book = Ledger(tmp_path)
    book.write(entry)
    path = book.folder / "petit" / "lea.json"
    path.write_bytes(content)
    assert book.read("petit", "lea") is None
    assert list(book.entries("petit")) == []


def test_an_entry_of_another_version_of_ours_is_as_if_never_written(
    tmp_path: Path, entry: Entry
) -> None:
    book = Ledger(tmp_path)
    book.write(entry)
    path = book.folder / "petit" / "lea.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "nouveau": 1}))
    assert book.read("petit", "lea") is None


def test_a_write_that_fails_leaves_the_former_entry(
    tmp_path: Path, entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Ledger(tmp_path)
    book.write(entry)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FeedbackError, match="plus de place"):
        book.write(replace(entry, digest="def"))
    assert book.read("petit", "lea") == entry
    assert [path.name for path in (book.folder / "petit").iterdir()] == ["lea.json"]


def test_an_entry_is_for_its_owner_alone(tmp_path: Path, entry: Entry) -> None:
    book = Ledger(tmp_path)
    book.write(entry)
    assert (book.folder / "petit" / "lea.json").stat().st_mode & 0o077 == 0
