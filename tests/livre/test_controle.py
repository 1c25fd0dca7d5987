"""The audit of the built pages sees what is broken on purpose, and nothing else."""

import base64
import csv
from pathlib import Path

import pytest

from culture_d.book.audit import ENGLISH, audit, page_faults
from culture_d.errors import BookError
from culture_d.project import Project

PAGE = """<!doctype html>
<html lang="fr"><head><meta charset="utf-8"><title>Une leçon</title>
<link rel="stylesheet" href="_static/a.css?v=1"><link rel="next" href="b.html">
<meta name="description" content="Une leçon sur la moyenne.">
</head><body><nav><a href="b.html#la-suite">La suite</a></nav>
<main id="contenu"><h1>La moyenne</h1><p>Le maire est content.</p></main>
</body></html>
"""
STYLE = "/* https://example.org */ a::before { content: '→'; background: url('dessin.svg') }\n"
SCRIPT = "// https://example.org\nconst a = /['\"]/; /* https://example.org */\n"
DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg"><!-- https://example.org --><path d="M0 0"/></svg>'
)
ENCODED = base64.b64encode(b"<script src='https://example.org/a.js'></script>").decode()


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A site of two pages and a redirect, without any fault."""
    files = {
        "index.html": '<meta http-equiv="Refresh" content="0; url=a.html" />\n',
        "a.html": PAGE,
        "b.html": PAGE.replace("<h1>", '<h1 id="la-suite">'),
        "_static/a.css": STYLE,
        "_static/a.js": SCRIPT,
        "_static/dessin.svg": DRAWING,
    }
    for name, text in files.items():
        path = tmp_path / "html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "html"


def with_body(site: Path, extra: str, before: str = "</main>") -> Path:
    page = site / "a.html"
    page.write_text(PAGE.replace(before, extra + before, 1), encoding="utf-8")
    return page


def test_the_site_passes(site: Path) -> None:
    audit(site)


def test_the_small_site_passes(small: Path) -> None:
    audit(small)


@pytest.mark.parametrize(
    "extra",
    [
        '<script src="https://example.org/x.js"></script>',
        '<script src="HTTPS://example.org/x.js"></script>',
        r'<script src="\\example.org\x.js"></script>',
        r'<script src="/\example.org/x.js"></script>',
        '<script src=" \n//example.org/x.js"></script>',
        '<script src="ht\ntps://example.org/x.js"></script>',
        '<script src="https:example.org/x.js"></script>',
        '<script src="https://example.org/x.js" src="_static/a.js"></script>',
        '<link rel="stylesheet" href="//example.org/x.css">',
        '<link rel="stylesheet next" href="https://example.org/x.css">',
        '<link rel="canonical stylesheet" href="https://example.org/x.css">',
        '<link rel="next" href="https://example.org/b.html">',
        '<link rel="preload" as="image" imagesrcset="https://example.org/a.png 2x">',
        '<img src="http://example.org/a.png" alt="Une carte de la Somme">',
        '<img srcset="_static/dessin.svg 1x, https://example.org/a.png 2x" alt="Neuf communes">',
        '<img srcset="_static/dessin.svg,//example.org/a.png 2x" alt="Neuf communes">',
        '<source srcset="https://example.org/a.png">',
        '<video poster="https://example.org/a.png"></video>',
        '<track src="https://example.org/a.vtt">',
        '<iframe src="https://example.org/" title="Une carte"></iframe>',
        """<iframe srcdoc="<img src='https://example.org/a.png'>" title="Une carte"></iframe>""",
        '<iframe srcdoc="<img src=//example.org/a.png>" title="Une carte"></iframe>',
        f'<iframe src="data:text/html;base64,{ENCODED}" title="Une carte"></iframe>',
        '<object data="https://example.org/a.svg"></object>',
        '<embed src="https://example.org/a.svg">',
        '<svg><use href="https://example.org/a.svg#b"/></svg>',
        '<svg><image href="https://example.org/a.png"/></svg>',
        '<svg><image xlink:href="https://example.org/a.png"/></svg>',
        '<form action="https://example.org/"><button>Chercher</button></form>',
        '<button formaction="https://example.org/">Chercher</button>',
        '<input type="image" src="https://example.org/a.png" alt="Chercher une commune">',
        '<table background="https://example.org/a.png"></table>',
        '<meta property="og:image" content="https://example.org/a.png">',
        '<meta http-equiv="refresh" content="0; url=https://example.org/">',
        """<p style="background:url(https://example.org/a.png)">Oui.</p>""",
        """<p style="background:URL(HTTPS://example.org/a.png)">Oui.</p>""",
        """<p style="background:image-set('//example.org/a.png' 1x)">Oui.</p>""",
        """<p style="background:url(\\68ttps://example.org/a.png)">Oui.</p>""",
        """<button onclick="fetch('https://example.org/')">Chercher</button>""",
        '<a href="b.html" ping="https://example.org/">La suite</a>',
        "<style>@import 'https://example.org/f.css';</style>",
        "<style>@import url( //example.org/f.css );</style>",
        "<style>a { content: '/*'; background: URL(HTTPS://example.org/a.png) } /* */</style>",
        '<script>fetch("https://example.org/x")</script>',
        '<script>import("//example.org/x.js")</script>',
        r'<script>fetch("https:\/\/example.org/x")</script>',
        r'<script>fetch("\x68ttps://example.org/x")</script>',
        '<script>const h = "example.org"; fetch("//" + h)</script>',
        "<script>const a = \"/*\"; fetch(`https://${h}/x`); const b = '*/';</script>",
        '<script>const a = /"/; fetch("//example.org/x"); const b = /"/;</script>',
        '<script>new WebSocket("wss://example.org/")</script>',
    ],
)
def test_a_page_that_calls_another_host(small: Path, extra: str) -> None:
    page = with_body(small, extra)
    assert any("appelle un autre site" in fault for fault in page_faults(page, small))
    with pytest.raises(BookError, match=r"a\.html : .*appelle un autre site"):
        audit(small)


@pytest.mark.parametrize(
    ("name", "extra", "fault"),
    [
        ("a.css", "@import url(//example.org/f.css);", "ce style appelle un autre site"),
        ("a.css", "a { background: URL(HTTPS://example.org/a) }", "ce style appelle un autre"),
        ("a.css", "a { background: image-set('https://example.org/a' 1x) }", "ce style appelle"),
        ("a.css", "a { background: url(absent.png) }", "ce style : fichier absent : absent.png"),
        ("a.css", "a::after { content: 'Read more' }", "ce style écrit en anglais : « Read more »"),
        ("a.css", 'a::after { content: "\\43lose" }', "ce style écrit en anglais : « Close »"),
        ("a.css", ":root { --suite: 'Expand all' }", "ce style écrit en anglais"),
        ("a.js", 'fetch("https://example.org/x");', "ce script appelle un autre site"),
        ("a.js", "image.src = '//example.org/x.png';", "ce script appelle un autre site"),
        ("dessin.svg", '<image href="https://example.org/a.png"/>', "cette image appelle"),
        ("dessin.svg", '<image xlink:href="//example.org/a.png"/>', "cette image appelle"),
        ("dessin.svg", "<style>@import 'https://example.org/f.css';</style>", "cette image"),
        ("dessin.svg", '<?xml-stylesheet href="https://example.org/f.css"?>', "cette image"),
    ],
)
def test_a_file_of_the_site(small: Path, name: str, extra: str, fault: str) -> None:
    path = small / "_static" / name
    path.write_text(path.read_text(encoding="utf-8") + extra, encoding="utf-8")
    with pytest.raises(BookError, match=rf"_static/{name} : {fault}"):
        audit(small)


@pytest.mark.parametrize(
    ("extra", "fault"),
    [
        ('<base href="_static/">', "élément « base »"),
        ('<img src="absent.png" alt="Une carte de la Somme">', "fichier absent"),
        ('<img srcset="_static/dessin.svg 1x, absent.png 2x" alt="Neuf communes">', "absent"),
        ('<script src="absent.js?v=1"></script>', "fichier absent"),
        ('<script src="../../secret.js"></script>', "fichier absent"),
        ('<link rel="stylesheet" href="absent.css">', "fichier absent"),
        ('<source src="absent.mp4">', "fichier absent"),
        ('<p style="background:url(absent.png)">Oui.</p>', "fichier absent"),
        ("<style>a { background: url('absent.png') }</style>", "fichier absent"),
        ('<form action="absent.html"></form>', "fichier absent"),
        ('<iframe src="javascript:alert(1)" title="Une carte"></iframe>', "adresse refusée"),
        ('<iframe src="data:text/html,Oui" title="Une carte"></iframe>', "page cachée"),
        ('<meta http-equiv="refresh" content="0; url=b.html">', "la page renvoie ailleurs"),
        ('<a href="absent.html">ici</a>', "page absente"),
        ('<a href="#nulle-part">ici</a>', "endroit absent"),
        ('<a href="b.html#nulle-part">ici</a>', "endroit absent"),
        ('<a href="../secret.html">ici</a>', "hors du site"),
        ('<a href="javascript:alert(1)">ici</a>', "genre refusé"),
        ('<a href=" JavaScript:alert(1)">ici</a>', "genre refusé"),
        ('<a href="java\nscript:alert(1)">ici</a>', "genre refusé"),
        ('<a href="file:///etc/passwd">ici</a>', "genre refusé"),
        ('<a href="data:text/html,Oui">ici</a>', "genre refusé"),
        ('<area href="ftp://example.org/" alt="La Somme">', "genre refusé"),
        ('<svg><a xlink:href="javascript:alert(1)">ici</a></svg>', "genre refusé"),
        ('<a href="//example.org/">ici</a>', "sans « https: »"),
        (r'<a href="\\example.org\">ici</a>', "sans « https: »"),
        ('<a href="https:///a">ici</a>', "sans nom de site"),
        ('<a href="http://127.0.0.1:8000/">ici</a>', "machine privée"),
        ('<a href="http://127.1/">ici</a>', "machine privée"),
        ('<a href="http://localhost/">ici</a>', "machine privée"),
        ('<a href="https://192.168.1.1/">ici</a>', "machine privée"),
        ('<a href="http://[::1]/">ici</a>', "machine privée"),
        ('<a href="http://intranet/">ici</a>', "machine privée"),
        ('<img src="_static/dessin.svg">', "sans texte de remplacement"),
        ('<img src="_static/dessin.svg" alt="a/b.png">', "sans texte de remplacement"),
        ('<img src="_static/dessin.svg" alt="image">', "sans texte de remplacement"),
        ('<img src="_static/dessin.svg" alt="Figure 3">', "sans texte de remplacement"),
        ('<img src="_static/dessin.svg" alt="Un graphique.">', "sans texte de remplacement"),
        ("<h1>Encore un titre</h1>", "2 titres de premier niveau"),
        ('<div lang="en"><h2>Results</h2></div>', "se dit en « en »"),
        ('<section lang="en"><p>Read more</p></section>', "se dit en « en »"),
    ],
)
def test_a_page_at_fault(small: Path, extra: str, fault: str) -> None:
    page = with_body(small, extra)
    assert any(fault in found for found in page_faults(page, small))


@pytest.mark.parametrize(
    ("before", "after", "fault"),
    [
        ('lang="fr"', 'lang="en"', "ne se dit pas en français"),
        ("<main", '<main lang="en"', "se dit en « en » : <main>"),
        ('name="description"', 'name="autre"', "pas de description"),
        ('content="Une leçon sur la moyenne."', 'content=" "', "pas de description"),
        ("Une leçon sur la moyenne.", "A lesson about averages.", "attribut description"),
        ("<title>Une leçon", "<title>Search results", "anglais"),
    ],
)
def test_a_page_changed(small: Path, before: str, after: str, fault: str) -> None:
    page = small / "a.html"
    page.write_text(PAGE.replace(before, after, 1), encoding="utf-8")
    assert any(fault in found for found in page_faults(page, small))


def test_main_in_english_is_still_read(small: Path) -> None:
    page = small / "a.html"
    text = PAGE.replace("<main", '<main lang="en"').replace("Le maire est", "Read more:")
    page.write_text(text, encoding="utf-8")
    assert any("Read more" in fault for fault in page_faults(page, small))


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("https://example.org/", "appelle un autre site"),
        ("//example.org/", "appelle un autre site"),
        ("absente.html", "ne mène pas à une page"),
        ("_static/a.css", "ne mène pas à une page"),
        ("javascript:alert(1)", "ne mène pas à une page"),
        ("", "ne mène pas à une page"),
    ],
)
def test_the_redirect_must_lead_to_a_page(small: Path, target: str, fault: str) -> None:
    text = f'<meta http-equiv="Refresh" content="0; url={target}" />'
    (small / "index.html").write_text(text, encoding="utf-8")
    with pytest.raises(BookError, match=rf"index\.html : .*{fault}"):
        audit(small)


def test_a_redirect_that_shows_something_is_a_page(small: Path) -> None:
    text = '<meta http-equiv="Refresh" content="0; url=a.html" /><p>Bonjour.</p>'
    (small / "index.html").write_text(text, encoding="utf-8")
    assert any("attribut lang" in fault for fault in page_faults(small / "index.html", small))


@pytest.mark.parametrize(
    "extra",
    [
        "<p>Loading…</p>",
        "<p>No results found.</p>",
        "<p>Read more</p>",
        "<p>Download</p>",
        "<p>Average population by département</p>",
        "<p>Population by département</p>",
        "<p>Click here to search</p>",
        "<p>The <b>communes</b></p>",
        "<th>Unnamed: 0</th>",
        "<button>Close</button>",
        "<button>Close ×</button>",
        "<button>Expand all</button>",
        "<button>Show code</button>",
        "<p>Error</p>",
        "<h2>Contents</h2>",
        "<p>© Copyright 2026</p>",
        "<p>Don’t panic</p>",
        "<template><p>Loading…</p></template>",
        "<noscript>Please enable JavaScript</noscript>",
        '<input type="submit" value="Search">',
        '<button value="Download">Oui</button>',
        '<button aria-label="Toggle the menu">≡</button>',
        '<p aria-description="Sorted by name">Oui</p>',
        '<p title="Permalink to this heading">Oui</p>',
        '<input placeholder="Search">',
        '<img src="_static/dessin.svg" alt="Bar chart of towns">',
        '<meta property="og:title" content="The average">',
        "<style>a::after { content: 'Loading…' }</style>",
    ],
)
def test_english_is_seen(small: Path, extra: str) -> None:
    page = with_body(small, extra)
    assert any("anglais" in fault for fault in page_faults(page, small))


@pytest.mark.parametrize(
    "extra",
    [
        '<p><span lang="en">Read more</span></p>',
        "<pre>for the name in names</pre><p><code>the.average()</code></p>",
        "<p><a href='https://www.insee.fr/fr/information/2560452'>La source</a></p>",
        "<p><a href='mailto:mairie@example.org'>Écrire</a></p>",
        '<blockquote cite="https://www.insee.fr/">Une phrase.</blockquote>',
        '<link rel="canonical" href="https://cours.example.org/a.html">',
        '<p lang="fr-FR">Bonjour.</p>',
        '<input type="hidden" name="q" value="search">',
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
        '<script>document.createElementNS("http://www.w3.org/2000/svg", "g") // https://a.fr</script>',
        r'<script>const a = new RegExp("\\d+"), b = c / d; /* //example.org */</script>',
        """<style>a { background: url("data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>") }</style>""",
        '<img src="data:image/png;base64,//uQxAAA" alt="Une carte de la Somme">',
        '<p title="https://www.insee.fr/">Oui</p>',
        '<a href="#contenu">Aller au contenu</a><a href="">Ici</a>',
        '<img src="_static/dessin.svg" alt="Carte des 34 875 communes, de la plus petite à Paris.">',
        "<!-- Generated with Sphinx -->",
    ],
)
def test_what_is_let_through(small: Path, extra: str) -> None:
    page = with_body(small, extra)
    assert page_faults(page, small) == []


@pytest.mark.parametrize(
    "sentence",
    [
        "Le maire est content, les élus sont contents.",
        "Content",
        "L'enquête est close ; la liste reste ouverte.",
        "En son for intérieur, elle doute.",
        "Il faut en user sans excès, et tenir au courant les us et coutumes.",
        "La file d'attente, le milieu de la file, les files.",
        "Une note, une page, une table, un index, une figure, une section.",
        "Ce sort est visible ; il sort, on rate, tu rates, il use, elle plot.",
        "Un are fait cent mètres carrés ; un hectare, cent ares.",
        "Or on as-tu vu l'or ? Si, mais sans but.",
        "Le fichier pèse 3 Go, données ouvertes (open data), en format CSV.",
        "Une plus-value, un week-end, une start-up, le back-office, la high-tech.",
        "Le making-of, un best-seller, un must, un show, un top 10, un clic.",
        "Le maire de Us, d'Is-sur-Tille, de By et de Our.",
        "Les habitants de His, de Many, de Hours et de This.",
        "Premier, second, dernier : les seconds aussi.",
        "Sous licence Creative Commons BY 4.0 : le copyright reste à l'auteur.",
        "In fine, a priori, in situ, et cætera.",
        "Moyenne, médiane, effectif, total, population, district, date, source.",
        "Une somme de 820 €, soit 12 % du total, no 5.",
        "L'as-tu lu ? Qu'on l'ait lu ou non, c'est l'une des règles.",
        "Menu, Thème automatique, Thème clair, Chercher, Aller au contenu.",
        "Le département 2A, la région Île-de-France, l'EPCI.",
        "Type, Description, Question, Important, Attention, Exercice, Module, Notes",
        "Elle lit la chute, le chat dort, six pains, dix coins, une main, un four.",
        "Quatre communes me concernent ; à part celle-ci, rien à dire.",
        "Écrivez à la mairie : mairie@valmorin.example.org.",
    ],
)
def test_french_is_let_through(sentence: str) -> None:
    assert ENGLISH.search(sentence) is None


def test_names_of_places_are_let_through(project: Project) -> None:
    caught = set()
    for path in project.datasets.glob("*/*.csv"):
        if path.parent.name == "formats":  # one table in every encoding, on purpose
            continue
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            caught |= {value for row in rows for value in row.values() if ENGLISH.search(value)}
    assert caught == set()
