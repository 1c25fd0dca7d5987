"""One ZIP file, the same for the same site, that any machine can hold."""

import json
import random
import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path
from zipfile import ZipFile

import pytest
from click.testing import CliRunner

from culture_d import __version__
from culture_d.catalogue import load_catalogue
from culture_d.cli import cli
from culture_d.errors import StickError
from culture_d.french import date_longue
from culture_d.project import Project
from culture_d.stick import LONGEST_PATH, MOST_BYTES, make_archive, name_faults, read_me


@pytest.fixture
def small(course: Project, site: Path) -> Project:
    """A course whose site in place is one page, said to be built on 3 March 2026."""
    course.site.mkdir(parents=True)
    shutil.copy(site / "index.html", course.site)
    stamp = {"inputs": "", "built": "2026-03-03"}
    (course.build / "site.json").write_text(json.dumps(stamp), encoding="utf-8")
    return course


def test_every_page_and_what_it_needs_are_in_one_folder(archive: Path, site: Path) -> None:
    with ZipFile(archive) as content:
        assert content.testzip() is None
        names = content.namelist()
    assert {name.split("/")[0] for name in names} == {"culture-d"}
    inside = {name.removeprefix("culture-d/") for name in names}
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert pages <= inside
    assert len(inside) == len(names)
    left_out = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert {Path(name).suffix or name for name in left_out - inside} <= {
        ".buildinfo",
        ".inv",
        ".map",
    }
    assert inside - left_out == {"LISEZ-MOI.txt"}


def test_the_file_is_light(archive: Path) -> None:
    assert archive.stat().st_size <= MOST_BYTES / 2


def test_the_same_site_gives_the_same_bytes(small: Project, tmp_path: Path) -> None:
    first, second = tmp_path / "a.zip", tmp_path / "b.zip"
    make_archive(small, first)
    page = small.site / "index.html"
    shutil.copy(page, page.with_name("z.html"))
    page.unlink()
    shutil.move(page.with_name("z.html"), page)
    make_archive(small, second)
    assert first.read_bytes() == second.read_bytes()
    page.write_text("autre", encoding="utf-8")
    make_archive(small, second)
    assert first.read_bytes() != second.read_bytes()


def test_the_text_beside_the_page_says_what_to_do(archive: Path, project: Project) -> None:
    with ZipFile(archive) as content:
        raw = content.read("culture-d/LISEZ-MOI.txt")
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\n") == raw.count(b"\r\n") > 10
    text = raw.decode("utf-8-sig")
    limit = min(dataset.valid_until for dataset in load_catalogue(project))
    assert "double-cliquez sur «\u00a0index.html\u00a0»" in text
    assert f"Version {__version__}, construite le " in text
    assert f"valables jusqu’au {date_longue(limit)}." in text
    assert "'" not in text
    for line in text.splitlines():
        for sentence in re.split(r"(?<=[.!?])\s", line):
            assert len(sentence.split()) <= 22, sentence


def test_a_site_built_on_expired_data_says_so() -> None:
    limit = date(2026, 12, 31)
    assert "Attention\u00a0: des données ont expiré le 31 décembre 2026." in read_me(
        date(2027, 1, 1), limit
    )
    assert "Attention" not in read_me(limit, limit)


def test_the_day_of_the_build_is_that_of_the_site(small: Project, tmp_path: Path) -> None:
    target = tmp_path / "a.zip"
    make_archive(small, target)
    with ZipFile(target) as content:
        assert "construite le 3 mars 2026" in content.read("culture-d/LISEZ-MOI.txt").decode()
        assert {entry.date_time for entry in content.infolist()} == {(2026, 3, 3, 0, 0, 0)}


def test_every_name_of_the_course_suits_windows(archive: Path) -> None:
    with ZipFile(archive) as content:
        names = [name.removeprefix("culture-d/") for name in content.namelist()]
    assert name_faults(names) == []


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["a/" + "b" * LONGEST_PATH], "trop long"),
        (["a:b.html"], "caractère refusé"),
        (["a\\b.html"], "caractère refusé"),
        (["q?.html"], "caractère refusé"),
        (["a\x07.html"], "caractère refusé"),
        (["médiane.html"], "caractère refusé ou mal lu"),
        (["dossier./a.html"], "un point ou une espace à la fin"),
        (["a.html "], "un point ou une espace à la fin"),
        (["con.html"], "réservé par Windows"),
        (["book/AUX/a.html"], "réservé par Windows"),
        (["lpt1"], "réservé par Windows"),
        (["Page.html", "page.html"], "le même nom que « Page.html »"),
        (["Images/a.png", "images/b.png"], "le même nom que « Images »"),
    ],
)
def test_a_name_that_windows_cannot_hold_is_refused(names: list[str], fault: str) -> None:
    (found,) = name_faults(names)
    assert fault in found


@pytest.mark.parametrize("name", ["console.html", "comprendre/aux-urnes.html", ".a/b", "lpt10.js"])
def test_ordinary_names_are_left_alone(name: str) -> None:
    assert name_faults([name]) == []


def test_a_refused_name_stops_everything(small: Project, tmp_path: Path) -> None:
    (small.site / "aux.html").write_text("x", encoding="utf-8")
    target = tmp_path / "nouveau" / "a.zip"
    with pytest.raises(StickError, match=r"aux\.html : « aux\.html » est un nom réservé"):
        make_archive(small, target)
    assert not target.exists()


def test_a_course_too_heavy_is_refused_and_its_heaviest_files_named(
    small: Project, tmp_path: Path
) -> None:
    (small.site / "film.mp4").write_bytes(random.Random(0).randbytes(MOST_BYTES))
    (small.site / "petit.png").write_bytes(random.Random(1).randbytes(200_000))
    target = tmp_path / "a.zip"
    target.write_bytes(b"avant")
    with pytest.raises(StickError) as caught:
        make_archive(small, target)
    message = str(caught.value).replace("\u00a0", " ")
    assert "au lieu de 10 Mo au plus" in message
    assert re.search(r"film\.mp4 : 10 Mo\n  petit\.png : 0,2 Mo", message), message
    assert [path.name for path in tmp_path.glob("*.zip")] == ["a.zip"]
    assert target.read_bytes() == b"avant"


def test_a_place_that_cannot_be_written_is_told(small: Project, tmp_path: Path) -> None:
    (tmp_path / "fichier").write_text("x", encoding="utf-8")
    with pytest.raises(StickError, match="n'a pas pu être écrit"):
        make_archive(small, tmp_path / "fichier" / "a.zip")
    with pytest.raises(StickError, match="dans le site lui-même"):
        make_archive(small, small.site / "a.zip")


def test_the_command_writes_where_it_is_told(site: Path, archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "sous dossier" / "cours.zip"
    result = CliRunner().invoke(cli, ["cle", "--fichier", str(target)])
    assert result.exit_code == 0, result.output
    assert f"Prêt pour la clé USB : « {target} »" in result.output
    assert target.read_bytes() == archive.read_bytes()


def test_the_command_builds_a_site_that_is_not_up_to_date(
    site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = []
    monkeypatch.setattr("culture_d.site.is_fresh", lambda project: False)
    monkeypatch.setattr("culture_d.site.build", lambda project, progress: built.append(project))
    result = CliRunner().invoke(cli, ["cle", "--fichier", str(tmp_path / "a.zip")])
    assert result.exit_code == 0, result.output
    assert len(built) == 1


def test_another_program_opens_it(archive: Path, tmp_path: Path) -> None:
    """Python's own reader in another process; and « unzip », where it is."""
    command = [sys.executable, "-m", "zipfile", "-e", str(archive), str(tmp_path)]
    unzip = shutil.which("unzip")
    if unzip:
        command = [unzip, "-q", str(archive), "-d", str(tmp_path)]
    subprocess.run(command, check=True)
    assert (tmp_path / "culture-d" / "index.html").is_file()
