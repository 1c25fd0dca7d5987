"""The kit: one ZIP, whole, the same each time, that leads a trainer by the hand."""

import os
import re
import shutil
import subprocess
import sys
from datetime import date
from itertools import pairwise
from pathlib import Path
from zipfile import ZipFile

import pytest
from bs4 import BeautifulSoup
from click.testing import CliRunner
from playwright.sync_api import Browser

from culture_d import kit
from culture_d.cli import cli
from culture_d.curriculum import load_curriculum, modules
from culture_d.errors import KitError, SlidesError
from culture_d.pdf import Printed, reproducible
from culture_d.project import Project
from culture_d.sessions import load_preparation, load_sessions
from culture_d.sheets import sheet_path
from culture_d.slides import reveal
from culture_d.slides.check import opened
from culture_d.stick import built_on

SLUG = "moyenne-mediane"
HOUR = (SLUG, "bonnes-questions")
"""The modules of the session that the first text prepares."""


def make(project: Project, target: Path, *modules_: str) -> str:
    command = [sys.executable, "-m", "culture_d.cli", "kit", *modules_, "--fichier", str(target)]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def kit_archive(
    project: Project, site: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, str]:
    """The kit of the hour's modules, made by the command, and what it said."""
    target = tmp_path_factory.mktemp("dossier") / "à emporter" / "un.zip"
    return target, make(project, target, *HOUR)


@pytest.fixture(scope="session")
def kit_folder(kit_archive: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("Dossier de la formatrice n° 1")
    with ZipFile(kit_archive[0]) as content:
        content.extractall(place)
    return place / kit.FOLDER


def test_the_command_says_where_and_how_heavy(kit_archive: tuple[Path, str]) -> None:
    path, said = kit_archive
    assert str(path) in said and "LISEZ-MOI.txt" in said
    assert re.search(r"\(\d+(,\d)?\sMo\)", said)
    assert path.stat().st_size < kit.MOST_BYTES == 60_000_000


def test_the_same_files_give_the_same_bytes_at_another_hour(
    kit_archive: tuple[Path, str], kit_folder: Path, project: Project, tmp_path: Path
) -> None:
    for path in kit_folder.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    kit._zip(kit_folder, tmp_path / "deux.zip", built_on(project))
    assert (tmp_path / "deux.zip").read_bytes() == kit_archive[0].read_bytes()


def test_it_holds_all_that_it_must(project: Project, kit_folder: Path) -> None:
    expected = {
        *(f"{kit.SESSIONS}/{one.id}.pdf" for one in load_sessions(project)),
        f"{kit.SESSIONS}/liste-de-controle.pdf",
        f"{kit.SHEETS}/{SLUG}.pdf",
        *(f"{kit.SLIDES}/{SLUG}.{suffix}" for suffix in ("html", "pdf")),
        *(f"{kit.SLIDES}/reveal/{name}" for name in ("reveal.js", "notes.js", "slides.css")),
        f"{kit.SHEETS}/{kit.TO_KEEP}{SLUG}.pdf",
        f"{kit.CARDS}/{SLUG}.pdf",
        *(f"{kit.PAPERS}/{name}.pdf" for name in ("emargement", "evaluation", "presence")),
        f"{kit.NOTEBOOKS}/notebooks/comprendre/{SLUG}.ipynb",
        f"{kit.NOTEBOOKS}/datasets/communes/communes.csv",
        f"{kit.COURSE}/index.html",
        "LISEZ-MOI.txt",
    }
    found = {
        path.relative_to(kit_folder).as_posix() for path in kit_folder.rglob("*") if path.is_file()
    }
    assert expected <= found


def test_every_pdf_is_tagged_french_and_a4(kit_folder: Path) -> None:
    for path in kit_folder.rglob("*.pdf"):
        printed = Printed(path.read_bytes())
        assert printed.tagged and printed.language == "fr" and printed.title, path.name
        if path.parent.name != kit.SLIDES:
            for size in printed.sizes():
                assert sorted(size) == pytest.approx([210, 297], abs=0.5), path.name


def test_what_is_signed_holds_on_one_sheet(kit_folder: Path) -> None:
    for path in (kit_folder / kit.PAPERS).glob("*.pdf"):
        assert Printed(path.read_bytes()).pages() == 1, path.name


def test_no_file_leads_to_the_machine_that_made_it(project: Project, kit_folder: Path) -> None:
    places = (b"file:", str(project.root).encode())
    for path in kit_folder.rglob("*"):
        if path.suffix in {".pdf", ".html", ".txt"}:
            assert not any(place in path.read_bytes() for place in places), path


def test_the_slides_lead_to_the_lesson_beside(browser: Browser, kit_folder: Path) -> None:
    with opened(browser, kit_folder / kit.SLIDES / f"{SLUG}.html") as page:
        address = page.locator(".outil a").first.evaluate("(one) => one.href")
        assert address.endswith("#essayez")
        page.goto(address)
        assert page.locator("#essayez").evaluate("(one) => one.getBoundingClientRect().top") < 200
        assert page.locator("main h1").inner_text().startswith("Moyenne ou médiane")
        assert page.evaluate("window.Reveal = {isReady: () => true}")


def test_the_first_text_prepares_an_hour_in_forty_five_minutes(
    project: Project, kit_folder: Path
) -> None:
    """Its list is timed, adds up, and names files that are there."""
    content = (kit_folder / "LISEZ-MOI.txt").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf") and b"\r\n" in content
    text = content.decode("utf-8-sig").replace("\u00a0", " ")
    spans = [(int(a), int(b)) for a, b in re.findall(r"^ +(\d+) à +(\d+) min ", text, re.MULTILINE)]
    assert spans[0][0] == 0 and spans[-1][1] == 45
    assert all(before[1] == after[0] for before, after in pairwise(spans))
    assert len(spans) == len(load_preparation(project).steps)
    listed = text.partition("CE QUE CONTIENT")[0]
    assert len(re.findall(r"« [\w-]+/[\w./-]+ »", listed)) >= 12
    assert not [line for line in listed.splitlines() if len(line) > kit.WIDTH]


def test_a_file_named_otherwise_is_missed(
    project: Project, kit_folder: Path, tmp_path: Path
) -> None:
    """What the texts name is there under that very name; renamed, the kit is refused."""
    texts = [
        (kit_folder / "LISEZ-MOI.txt").read_text("utf-8-sig"),
        *(sheet_path(project, slug).read_text("utf-8") for slug in HOUR),
    ]
    for text in texts:
        kit.check_named(text, kit_folder)
    folder = Path(shutil.copytree(kit_folder, tmp_path / "copie"))
    (folder / kit.PAPERS / "emargement.pdf").rename(folder / kit.PAPERS / "Emargement-1.pdf")
    with pytest.raises(KitError, match=r"n'a pas : 5-a-signer/emargement\.pdf\. Corrigez"):
        kit.check_named(texts[0], folder)


def test_what_is_printed_of_the_hour_holds_on_two_pages(kit_folder: Path) -> None:
    for name in (f"{kit.SESSIONS}/une-heure", *(f"{kit.SHEETS}/{slug}" for slug in HOUR)):
        assert Printed((kit_folder / f"{name}.pdf").read_bytes()).pages() == 2, name


def test_a_kit_without_the_hour_s_modules_does_not_prepare_it(project: Project) -> None:
    """Its list would send the trainer to files that are not there."""
    found = [one for one in modules(load_curriculum(project)) if one.slug == SLUG]
    day = date(2026, 11, 22)
    text = kit.read_me(day, day, load_preparation(project), found)
    assert "n’a pas tous les modules" in text and "Suivez cette liste" not in text


def test_only_the_modules_asked_for(project: Project, kit_folder: Path) -> None:
    assert {path.stem for path in (kit_folder / kit.SLIDES).glob("*.html")} == set(HOUR)
    with pytest.raises(KitError, match="Module inconnu : nulle-part"):
        kit.make_kit(project, kit_folder / "a.zip", ["nulle-part"])


def test_a_fault_writes_nothing(
    project: Project, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> None:
        raise SlidesError("pas de réseau")

    monkeypatch.setattr(reveal, "put_beside", fails)
    result = CliRunner().invoke(cli, ["kit", SLUG, "--fichier", str(tmp_path / "a.zip")])
    assert result.exit_code == 1 and "pas de réseau" in result.output
    assert list(tmp_path.iterdir()) == [] and not list(project.build.glob("kit-*"))
    with pytest.raises(KitError, match="dans le site lui-même"):
        kit.make_kit(project, site / "a.zip")


def _refuses(target: Path, folder: Path, said: str) -> None:
    with pytest.raises(KitError, match=said):
        kit._zip(folder, target, date(2026, 11, 22))
    assert not target.exists()


def test_too_heavy_or_a_name_that_windows_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dossier").mkdir()
    (tmp_path / "dossier" / "a.txt").write_text("x" * 5000)
    monkeypatch.setattr(kit, "MOST_BYTES", 20)
    _refuses(tmp_path / "a.zip", tmp_path / "dossier", "au lieu de")
    (tmp_path / "dossier" / "aux.txt").write_text("x")
    _refuses(tmp_path / "a.zip", tmp_path / "dossier", "Windows refuserait")


def test_a_pdf_printed_at_another_hour_is_the_same() -> None:
    def pdf(day: bytes, node: int) -> bytes:
        return b"/CreationDate (D:%s+00'00') /ID (node%08d) /P (node%08d)" % (day, node, node + 2)

    one = reproducible(pdf(b"20261122101354", 12), date(2026, 11, 22))
    assert one == reproducible(pdf(b"20261123000000", 99), date(2026, 11, 22))
    assert len(one) == len(pdf(b"20261122101354", 12)) and b"(node00000002)" in one


def test_a_pdf_whose_nodes_were_numbered_in_another_order_is_the_same() -> None:
    def pdf(first: int, second: int) -> bytes:
        tree = sorted([(first, 9), (second, 47)])
        return b"9 0 obj /ID (node%08d) 47 0 obj /ID (node%08d) /Limits %s\n/Names [%s]" % (
            first,
            second,
            b"[(node%08d) (node%08d)]" % (tree[0][0], tree[1][0]),
            b" ".join(b"(node%08d) %d 0 R" % entry for entry in tree),
        )

    assert reproducible(pdf(30, 5), date(2026, 11, 22)) == pdf(1, 2)
    assert reproducible(pdf(5, 30), date(2026, 11, 22)) == pdf(1, 2)


@pytest.mark.long
def test_the_whole_kit_is_the_same_twice(project: Project, site: Path, tmp_path: Path) -> None:
    make(project, tmp_path / "tout.zip")
    make(project, tmp_path / "encore.zip")
    made = [ZipFile(tmp_path / name) for name in ("tout.zip", "encore.zip")]
    # By file first: two archives of some megabytes take pytest an hour to compare in words.
    one, other = ({each.filename: each.CRC for each in zipped.infolist()} for zipped in made)
    assert [name for name in one if one[name] != other.get(name)] == []
    same = (tmp_path / "tout.zip").read_bytes() == (tmp_path / "encore.zip").read_bytes()
    assert same
    assert (tmp_path / "tout.zip").stat().st_size < kit.MOST_BYTES
    names = ZipFile(tmp_path / "tout.zip").namelist()
    for module in modules(load_curriculum(project)):
        if module.published:
            for place, suffix in ((kit.SLIDES, "html"), (kit.SLIDES, "pdf"), (kit.SHEETS, "pdf")):
                assert f"{kit.FOLDER}/{place}/{module.slug}.{suffix}" in names


@pytest.mark.parametrize("name", ["emargement", "evaluation", "presence", "liste-de-controle"])
def test_papers_are_read_in_order_and_labelled(site: Path, name: str) -> None:
    path = site / "book" / "formateurs" / "documents" / f"{name}.html"
    soup = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    for label in soup.select(".cd-champ"):
        assert label.get_text(strip=True).endswith(":") and label.select(".cd-trait[aria-hidden]")
    for table in soup.select("main table"):
        assert table.select_one("caption") and all(th.get("scope") for th in table.select("th"))
    if name == "liste-de-controle":
        headings = [one.get_text() for one in soup.select("main h2")]
        assert headings == [
            "Quatre semaines avant",
            "Une semaine avant",
            "La veille",
            "Le jour même",
            "Après",
        ]
        assert len(soup.select(".cd-a-cocher > li")) > 25
