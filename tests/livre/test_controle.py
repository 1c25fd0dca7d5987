"""The audit of the built pages sees what is broken on purpose."""

import shutil
from pathlib import Path

import pytest

from culture_d.book.audit import audit, page_faults
from culture_d.errors import BookError

LESSON = "notebooks/comprendre/moyenne-mediane.html"


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site, tmp_path / "html"))


def test_the_site_passes(site: Path) -> None:
    audit(site)


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ("</head>", '<script src="https://cdn.example.org/x.js"></script></head>', "autre site"),
        ("</head>", '<link rel="stylesheet" href="//example.org/x.css"></head>', "autre site"),
        ("</head>", "<style>@import 'https://example.org/f.css';</style></head>", "autre site"),
        ("</main>", '<img src="http://example.org/a.png" alt="Une carte"></main>', "autre site"),
        ("</main>", "<p>Click here to search</p></main>", "anglais"),
        ("</main>", '<button aria-label="Toggle the menu">≡</button></main>', "anglais"),
        ('lang="fr"', 'lang="en"', "ne se dit pas en français"),
        ("</main>", '<a href="absent.html">ici</a></main>', "page absente"),
        ("</main>", '<a href="#nulle-part">ici</a></main>', "endroit absent"),
        ("</main>", '<img src="../../_static/favicon.svg"></main>', "sans texte"),
        ("</main>", '<img src="../../_static/favicon.svg" alt="a/b.png"></main>', "sans texte"),
        ("</main>", "<h1>Encore un titre</h1></main>", "titres de premier niveau"),
        ('<meta name="description"', '<meta name="autre"', "pas de description"),
    ],
)
def test_the_audit_sees(copy: Path, before: str, after: str, fault: str) -> None:
    page = copy / LESSON
    text = page.read_text(encoding="utf-8")
    assert before in text
    page.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert any(fault in found for found in page_faults(page, copy))
    with pytest.raises(BookError, match=fault):
        audit(copy)


def test_the_audit_sees_a_style_that_calls_elsewhere(copy: Path) -> None:
    style = copy / "_static" / "culture-d.css"
    style.write_text(style.read_text(encoding="utf-8") + "@import url(//example.org/f.css);")
    with pytest.raises(BookError, match="ce style appelle un autre site"):
        audit(copy)


def test_words_said_to_be_english_are_let_through(copy: Path) -> None:
    page = copy / LESSON
    text = page.read_text(encoding="utf-8")
    said = '<p lang="en">Click here</p><pre>for the name in names</pre></main>'
    page.write_text(text.replace("</main>", said, 1), encoding="utf-8")
    audit(copy)
