"""What the search knows: everything that a reader can read, and nothing else."""

import gzip
import json
import re
import shutil
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from culture_d.book.audit import audit, page_faults
from culture_d.book.search import ENGINE, INDEX, PageText, Section, index_script, page_text
from culture_d.errors import BookError

# Bytes, gzipped: what a reader on a phone waits for, once. A course of forty pages holds.
INDEX_BYTES = 150_000
ENGINE_BYTES = 8_000
READ = ":is(p, li, dt, dd, caption, legend, label, summary, h1, h2, h3, h4)"
# The words of a button are what one does, not what one reads; the answers of a quiz come later.
NOT_READ = (
    ":is(pre, script, style, noscript, button, textarea, .cd-code, [hidden], "
    ".cd-sans-script, .cd-quiz-corrige, .cd-intuition > details)"
)
WORD = re.compile(r"[^\W\d_]{2,}")


def index_of(site: Path) -> dict[str, tuple[str, list[list[str]]]]:
    """The index as the browser receives it: page → title, sections."""
    text = (site / INDEX).read_text(encoding="utf-8")
    written = re.fullmatch(r"cultureD\.recherche\((.*)\);\n", text, re.DOTALL)
    assert written
    pages = json.loads(written[1])["pages"]
    return {address: (title, sections) for address, title, sections in pages}


def not_found(site: Path) -> list[str]:
    """Words of the paragraphs, lists, titles and captions of the pages that the index lacks."""
    index = index_of(site)
    faults = []
    for path in sorted(site.rglob("*.html")):
        name = path.relative_to(site).as_posix()
        if name in {"index.html", "search.html"}:
            continue
        known = set(WORD.findall(json.dumps(index.get(name, ""), ensure_ascii=False)))
        page = BeautifulSoup(path.read_bytes(), "html.parser")
        for tag in page.select(f"main {NOT_READ}, main a.headerlink"):
            tag.decompose()
        for span in page.select("main :not(code, code *) + span"):
            span.insert_before(" ")
        for block in page.select(READ):
            block.insert_before(" ")
            block.append(" ")
        words = {w for tag in page.select(f"main {READ}") for w in WORD.findall(tag.get_text())}
        lacking = sorted(words - known)
        if lacking:
            faults.append(f"{name} : {', '.join(lacking[:5])}")
    return faults


def test_every_word_of_every_page_is_in_the_index(site: Path) -> None:
    assert not_found(site) == []


def test_a_page_or_a_word_that_the_index_lacks_is_seen(site: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(site, tmp_path / "html"))
    glossary = copy / "book" / "glossaire.html"
    text = glossary.read_text(encoding="utf-8")
    (copy / "book" / "oubliee.html").write_text(text, encoding="utf-8")
    glossary.write_text(text.replace("</main>", "<p>hapax</p></main>"), encoding="utf-8")
    faults = not_found(copy)
    assert "book/glossaire.html : hapax" in faults
    assert len(faults) == 2 and faults[1].startswith("book/oubliee.html : ")


def test_the_answers_of_a_quiz_are_not_in_the_index_but_its_questions_are(site: Path) -> None:
    for path in sorted(site.rglob("*.html")):
        page = BeautifulSoup(path.read_bytes(), "html.parser")
        said = page_text(path.name, str(page))
        texts = " ".join(section.text for section in said.sections) if said else ""
        known = " ".join(texts.split())
        for question in page.select(".cd-quiz-enonce > span:last-child"):
            assert " ".join(question.get_text().split()) in known, path
        for why in page.select(".cd-quiz-car, .cd-intuition details p"):
            assert " ".join(why.get_text().split()) not in known, path
    lesson = index_of(site)["notebooks/comprendre/moyenne-mediane.html"]
    assert "Quelle est leur médiane" in json.dumps(lesson, ensure_ascii=False)


def test_every_result_leads_somewhere(site: Path) -> None:
    for address, (_, sections) in index_of(site).items():
        page = BeautifulSoup((site / address).read_bytes(), "html.parser")
        ids = {str(tag["id"]) for tag in page.find_all(id=True)}
        anchors = {anchor for anchor, _, _ in sections if anchor}
        assert anchors <= ids, address
        assert all(title for _, title, _ in sections), address


def test_code_and_bare_numbers_are_not_in_the_index(site: Path) -> None:
    text = (site / INDEX).read_text(encoding="utf-8")
    pages = " ".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    assert "read_csv" in BeautifulSoup(pages, "html.parser").get_text()
    assert "read_csv" not in text
    assert "¶" not in text


def test_the_index_stays_light(site: Path) -> None:
    weights = {
        name: len(gzip.compress((site / name).read_bytes(), 6, mtime=0))
        for name in (INDEX, f"_static/{ENGINE}")
    }
    assert weights[INDEX] <= INDEX_BYTES
    assert weights[f"_static/{ENGINE}"] <= ENGINE_BYTES


def test_the_index_of_a_large_course_would_be_seen(site: Path) -> None:
    """The budget is not so large that nothing would go beyond it."""
    words = WORD.findall((site / INDEX).read_text(encoding="utf-8"))
    pages = [
        PageText(f"p{n}.html", "P", [Section("", "P", " ".join(f"{w}{n}" for w in words))])
        for n in range(40)
    ]
    assert len(gzip.compress(index_script(pages).encode(), 6, mtime=0)) > INDEX_BYTES


def test_nothing_of_sphinx_own_search_is_left(site: Path) -> None:
    left = {path.name for path in site.rglob("*.js")}
    assert not left & {"searchtools.js", "searchindex.js", "language_data.js", "doctools.js"}
    assert not left & {"sphinx_highlight.js", "translations.js", "documentation_options.js"}


PAGE = """
<html><head></head><body><nav>menu</nav><main>
<section id="la-page"><h1>La <em>page</em><a class="headerlink" href="#la-page">¶</a></h1>
<!-- commentaire --><p>Un <code>mot</code> en
deux&nbsp;lignes<b>collé</b></p><pre>x = 1</pre><details class="cd-code"><p>caché</p></details>
<section id="partie"><h2>Partie</h2><p>Dedans.</p><p>Après</p></section>
<p>Encore la page : https://example.org/a//b</p>
<table><caption>Légende</caption><tr><th>Nom</th><td>12,5 %</td><td>8 km</td></tr></table>
<script>alert(1)</script><button>Bouton</button><h3>Titre libre</h3>
<p class="cd-sans-script">Sans script</p><dl><div><dt>Seuil</dt><dd>Aucun</dd></div></dl>
<p><a href="b">Formation</a><span>Arrêté</span> du <code><span>a</span><span>b</span></code></p>
<div class="cd-quiz"><p>Question</p><details class="cd-quiz-corrige"><p>Réponse</p></details></div>
<div class="cd-intuition"><p>Combien ?</p><details><summary>50</summary><p>Non.</p></details></div>
</section>
<dl class="glossary"><dt id="t-a">alpha</dt><dd><p>Première.</p></dd><dt id="t-b">bêta</dt>
<dd>Seconde.</dd></dl>
</main></body></html>"""


def test_a_page_is_read_section_by_section() -> None:
    page = page_text("a.html", PAGE)
    assert page == PageText(
        "a.html",
        "La page",
        [
            Section(
                "",
                "La page",
                "Un mot en deux\u00a0lignescollé · Encore la page : example.org/ab · "
                "Légende · Nom · 8 km · Titre libre · Seuil · Aucun · Formation Arrêté du ab · "
                "Question · Combien ?",
            ),
            Section("partie", "Partie", "Dedans. Après"),
            Section("t-a", "alpha", "Première."),
            Section("t-b", "bêta", "Seconde."),
        ],
    )


@pytest.mark.parametrize(
    "page",
    [
        "<html><body>renvoi</body></html>",
        '<meta name="robots" content="noindex"><main><h1>Recherche</h1></main>',
    ],
)
def test_some_pages_are_not_to_be_found(page: str) -> None:
    assert page_text("a.html", page) is None


def test_addresses_that_a_page_shows_do_not_make_the_index_call_them(tmp_path: Path) -> None:
    shown = (
        "Voir https://example.org, wss://a.b/c, //example.org/x, http:example.org, "
        r"\\serveur\partage, « file:///C:/a », HTTPS://EXAMPLE.ORG, ftp://x/y."
    )
    page = page_text("a.html", f"<main><section id='a'><h1>A</h1><p>{shown}</p></section></main>")
    assert page
    assert "example.org" in page.sections[0].text
    (tmp_path / "recherche.js").write_text(index_script([page]), encoding="utf-8")
    audit(tmp_path)
    raw = page._replace(sections=[Section("", "A", shown)])
    (tmp_path / "recherche.js").write_text(index_script([raw]), encoding="utf-8")
    with pytest.raises(BookError, match="appelle un autre site"):
        audit(tmp_path)


def test_every_page_has_the_same_policy(site: Path) -> None:
    policies = set()
    for path in site.rglob("*.html"):
        page = BeautifulSoup(path.read_bytes(), "html.parser")
        found = page.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
        if path != site / "index.html":
            assert found, path
            policies.add(str(found["content"]))
    (policy,) = policies
    assert "unsafe-eval" not in policy
    assert page_faults(site / "search.html", site) == []
