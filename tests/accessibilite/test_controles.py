"""Each check sees what is broken on purpose, and names it; none is left unproved."""

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from culture_d.french import NO_BREAK_SPACE

pytestmark = pytest.mark.xdist_group("accessibilite")

HERE = Path(__file__).parent
ADD = "main.insertAdjacentHTML('beforeend', `{}`);"


def add(html: str) -> str:
    return ADD.format(html)


def style(css: str) -> str:
    return f"const s = document.createElement('style'); s.textContent = `{css}`; document.head.append(s);"


# check, what breaks the page, what the fault says, state in which it is looked at
BROKEN = [
    ("headings", add("<h1>Encore</h1>"), "2 titres de niveau 1"),
    ("headings", add("<h2>Deux</h2><h4>Quatre</h4>"), "niveau sauté, de 2 à 4"),
    ("headings", add("<h2> </h2>"), "titre vide"),
    ("landmarks", "document.body.append(document.createElement('main'))", "2 contenu principal"),
    ("landmarks", "document.querySelector('nav').removeAttribute('aria-label')", "sans nom"),
    ("landmarks", "document.body.append('perdu')", "texte hors de toute zone"),
    ("languages", "document.documentElement.lang = 'en'", "langue de la page : « en »"),
    ("languages", add("<p lang='zz-qq'>Quoi</p>"), "code de langue inconnu"),
    ("readingDirection", add("<p dir='rtl'>Sens</p>"), "sens de lecture"),
    ("readingDirection", add("<p>שלום</p>"), "droite à gauche"),
    ("identifiers", add("<p id='contenu'>Deux fois</p>"), "identifiant en double : contenu"),
    ("identifiers", add("<label for='absent'>Nom</label>"), "mène à « absent »"),
    ("presentationMarkup", add("<center>Au milieu</center>"), "balise de présentation"),
    ("presentationMarkup", add("<p align='right'>À droite</p>"), "attribut de présentation"),
    ("presentationMarkup", add("<p>Un<br><br>deux</p>"), "sauts de ligne"),
    ("lists", add("<ul><p>Un</p></ul>"), "<p> dans une liste"),
    ("lists", add("<p>- un point</p>"), "liste écrite à la main"),
    ("lists", add("<dl><dd>Sans terme</dd></dl>"), "définition sans terme"),
    ("quotations", add(f"<p>«{NO_BREAK_SPACE}{'Un mot ' * 12}»</p>"), "blockquote"),
    ("links", add("<p><a href='a.html'>Cliquez ici</a></p>"), "ne dit pas où il mène"),
    ("links", add("<a href='a.html'></a>"), "lien sans nom"),
    ("links", add("<a href='a.html'>La loi</a> <a href='b.html'>La loi</a>"), "deux liens"),
    ("links", add("<a href='a.html' aria-label='Autre'>Loi</a>"), "ne contient pas son texte"),
    ("newWindows", add("<a href='a.html' target='_blank'>La loi</a>"), "autre fenêtre"),
    ("documents", add("<a href='fiche.pdf'>La fiche</a>"), "sans dire son format"),
    ("buttons", add("<button type='button'>×</button>"), "bouton sans nom"),
    ("buttons", add("<button type='button'>OK</button>"), "ne dit pas ce qu'il fait"),
    ("buttons", add("<button aria-label='Fermer'>Ouvrir</button>"), "ne contient pas le texte"),
    (
        "linksInText",
        add("<p>Une longue phrase et <a href='a.html' style='text-decoration:none'>la loi</a>.</p>"),
        "seule sa couleur",
    ),
    ("alternatives", "main.querySelector('img').alt = ''", "déclarée décorative"),
    ("alternatives", "main.querySelector('img').alt = 'figure 1'", "trop courte"),
    ("alternatives", add("<svg width='9' height='9'></svg>"), 'sans role="img"'),
    (
        "alternatives",
        "main.querySelectorAll('img').forEach((image) => { image.alt = 'Un nuage de points serrés.' })",
        "deux images de même alternative",
    ),
    (
        "figureTables",
        "main.querySelector('img').closest('.cell').querySelectorAll('table').forEach((one) => one.remove())",
        "sans le tableau",
    ),
    ("noMedia", add("<video></video>"), "<video>"),
    ("noMedia", add("<iframe title='Carte'></iframe>"), "<iframe>"),
    ("noMedia", add("<canvas></canvas>"), "<canvas>"),
    ("noCaptcha", add("<form><img alt='lettres' src=''></form>"), "épreuve de vérification"),
    ("noCaptcha", add("<p>Je ne suis pas un robot</p>"), "la page parle"),
    ("crypticText", add("<p>Bravo 🎉</p>"), "signe à deviner"),
    ("crypticText", add("<p>Bravo :-)</p>"), "signe à deviner"),
    ("tables", "main.querySelector('caption').remove()", "sans titre"),
    ("tables", "main.querySelector('th').removeAttribute('scope')", "sans scope"),
    (
        "tables",
        "main.querySelector('tbody th').outerHTML = '<td>Ain</td>'",
        "ligne sans en-tête",
    ),
    ("noComplexTable", "main.querySelector('td').colSpan = 2", "cellules fusionnées"),
    ("noComplexTable", "main.querySelector('table').setAttribute('role', 'none')", "mise en forme"),
    ("fields", add("<input type='text'>"), "champ sans étiquette"),
    ("fields", add("<input type='text' aria-label='Nombre'>"), "ne se voit pas"),
    (
        "fields",
        add("<label for='loin'>Loin</label><p style='height:300px'>.</p><input id='loin'>"),
        "loin de son champ",
    ),
    (
        "fieldNames",
        add("<form><label>Nombre <input></label><label>Nombre <input></label></form>"),
        "même étiquette",
    ),
    (
        "fieldGroups",
        add(
            "<label><input type='radio' name='q'> Un</label><label><input type='radio' name='q'> Deux</label>"
        ),
        "hors d'un groupe",
    ),
    ("fieldGroups", add("<fieldset><input aria-label='Un'></fieldset>"), "sans légende"),
    (
        "optionLists",
        add("<select aria-label='Choix'><option>Un</option><option>Un</option></select>"),
        "en double",
    ),
    ("noPersonalField", add("<label>Courriel <input type='email'></label>"), "autocomplete"),
    ("noSending", add("<form method='post'></form>"), "envoie des données"),
    ("noSending", add("<form action='/inscription'></form>"), "envoie des données"),
    ("requiredAndErrors", add("<label>Nombre <input required></label>"), "obligatoire sans le mot"),
    ("requiredAndErrors", add("<input aria-label='Nombre' aria-invalid='true'>"), "erreur sans un mot"),
    ("requiredAndErrors", add("<p class='cd-erreur'>!!!!</p>"), "état sans mot"),
    ("interactiveElements", add("<a href='a.html' tabindex='3'>Loi</a>"), "ordre de tabulation"),
    ("interactiveElements", add("<div role='button'>Ouvrir</div>"), "n'atteint pas"),
    ("interactiveElements", add("<p aria-hidden='true'><a href='#'>Loi</a></p>"), "caché"),
    ("interactiveElements", add("<details><p>Sans titre</p></details>"), "sans titre"),
    (
        "statusRegions",
        "main.querySelectorAll('[role=status]').forEach((one) => one.remove())",
        "sans message d'état",
    ),
    ("statusRegions", add("<p aria-live='assertive'>Attention</p>"), "coupe la parole"),
    ("hiddenContent", add("<p aria-hidden='true'>À lire pourtant</p>"), "caché aux lecteurs"),
    ("noShortcut", add("<a href='#' accesskey='s'>Suite</a>"), "raccourci"),
    (
        "noRefresh",
        "document.head.insertAdjacentHTML('beforeend', '<meta http-equiv=Refresh content=900>')",
        "se recharge",
    ),
    ("titles", add("<p title='Chiffre de 2023'>Chiffre</p>"), "seul attribut title"),
    ("titles", add("<input placeholder='Votre nombre'>"), "champ vide"),
    ("hover", style("main p { opacity: .9 } main p:hover { opacity: 1 }"), "survol"),
    (
        "orientationFree",
        style("@media (orientation: portrait) { main { display: none } }"),
        "orientation",
    ),
    (
        "zoomAllowed",
        "document.querySelector('meta[name=viewport]').content = 'user-scalable=no'",
        "agrandissement empêché",
    ),
    ("informationInStyle", style("main h1::after { content: 'Nouveau' }"), "écrit par le style"),
    ("positionWords", add("<p>Voyez le tableau de droite.</p>"), "donnée par la place"),
    ("positionWords", add("<p>Voyez les points rouges.</p>"), "la couleur"),
    ("pairedColours", style("body { background: transparent !important }"), "couleur de fond"),
    ("pairedColours", style("select { color: #fff !important }"), "se confondent"),
    (
        "shortMovements",
        style("@keyframes a { to { opacity: .5 } } main p { animation: a 1s infinite }"),
        "sans fin",
    ),
    ("textContrast", add("<p style='color:#999'>Gris clair</p>"), "contraste 2,"),
    ("textContrast", add("<p style='color:#222'>Gris sombre</p>"), "contraste 1,", "sombre"),
    ("controlContrast", style("main select { border-color: #eee !important }"), "à peine visible"),
    ("drawingContrast", style("main svg path { stroke: #eee !important; fill: #eee !important }"), "trait"),
    ("focusMarks", style(":focus-visible { outline: none !important }"), "rien ne montre"),
    ("focusMarks", style(":focus-visible { outline-color: #eee !important }"), "à peine visible"),
    (
        "focusMarks",
        style(":focus-visible { outline-color: #222 !important }"),
        "à peine visible",
        "sombre",
    ),
    (
        "forcedColours",
        style("main button { border: 0 !important }"),
        "bord qui disparaît",
        "couleurs imposées",
    ),
    (
        "forcedColours",
        add("<p><a href='a.html' style='text-decoration:none;background:#000'>Commencer</a></p>"),
        "rien ne distingue",
        "couleurs imposées",
    ),
    ("reflow", add("<p style='width:400px'>Large</p>"), "défile en largeur", "zoom à 400 %"),
    ("reflow", add("<p style='width:44em'>Large</p>"), "défile", "texte à 200 %"),
    ("reflow", add("<p style='overflow:auto'><span style='display:block;width:3000px'>x</span></p>"), "à part"),
    (
        "clipped",
        add("<p style='height:1.6em;overflow:hidden'>Deux lignes de texte pour un bloc d'une seule ligne sur un petit écran, donc coupé.</p>"),
        "texte coupé",
        "zoom à 400 %",
    ),
    (
        "clipped",
        add("<p style='height:30px;overflow:hidden'>Un bloc de hauteur fixe</p>"),
        "texte coupé",
        "texte à 200 %",
    ),
    (
        "clipped",
        add("<p style='display:inline-block;width:15.5em;overflow:hidden;white-space:nowrap'>Une largeur faite pour ce texte seul</p>"),
        "texte coupé",
        "texte espacé",
    ),
    ("overlaps", add("<p>Un</p><p style='margin-top:-2.6em'>Deux</p>"), "l'un sur l'autre"),
    (
        "textGrows",
        add("<p style='font-size:16px'>Taille fixe</p>"),
        "ne grandit pas",
        "texte à 200 %",
    ),
    ("targets", style("main button { min-height: 20px !important; padding: 0 !important }"), "44 px"),
    (
        "targets",
        add("<div><a href='a' style='font-size:10px'>Un</a><a href='b' style='font-size:10px'>Deux</a></div>"),
        "moins de 24 px",
    ),
    (
        "visualOrder",
        style("main > section { display: flex; flex-direction: column-reverse }"),
        "montré avant",
        "téléphone",
    ),
    ("stillness", style("main a { transition: color 1s !important }"), "transition", "sans mouvement"),
    ("stillness", style("html { scroll-behavior: smooth !important }"), "défilement", "sans mouvement"),
]  # fmt: skip


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: f"{case[0]}-{case[2][:20]}")
def test_a_fault_is_seen_and_named(case: tuple[str, ...], copied: Any, observe: Any) -> None:
    check, script, expected, *state = case
    page = copied(script)
    faults = observe(page, check, *state)
    assert any(expected in fault for fault in faults), faults


def test_no_check_is_left_unproved() -> None:
    """Each check of `checks.js` runs in a state, is broken here, and has its test."""
    source = (HERE / "checks.js").read_text(encoding="utf-8")
    checks = set(re.findall(r"^  checks\.(\w+) = ", source, re.MULTILINE))
    tests = ast.parse((HERE / "test_pages.py").read_text(encoding="utf-8"))
    asked = {
        str(node.args[0].value)
        for node in ast.walk(tests)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", "") == "faults"
        and isinstance(node.args[0], ast.Constant)
    }
    assert checks == {case[0] for case in BROKEN}
    assert checks <= asked


def test_the_page_before_it_is_broken_has_no_fault(copied: Any, observe: Any) -> None:
    page = copied("")
    looked = sorted({(case[0], *case[3:]) for case in BROKEN})
    found = {check: observe(page, *check) for check in looked}
    assert {check: faults for check, faults in found.items() if faults} == {}


# What presses keys and buttons is proved on small changes, too.


def test_a_control_out_of_reach_is_seen(broken: Any, walk: Any) -> None:
    page = broken(
        "main.querySelector('select').addEventListener('focus', (event) => event.target.blur())"
    )
    assert any("n'atteint pas" in fault for fault in walk(page)["reached"])


def test_a_trap_is_seen(broken: Any, walk: Any) -> None:
    page = broken(
        "main.querySelector('select').addEventListener('keydown', (event) => event.preventDefault())"
    )
    faults = walk(page)
    assert any("ne sort pas" in fault for fault in faults["trap"])


def test_a_trap_on_the_way_back_is_seen(broken: Any, walk: Any) -> None:
    page = broken(
        "main.querySelector('select').addEventListener('keydown',"
        " (event) => { if (event.shiftKey) event.preventDefault(); })"
    )
    assert any("ne revient pas" in fault for fault in walk(page)["trap"])


def test_an_order_that_goes_up_is_seen(broken: Any, walk: Any) -> None:
    page = broken(
        "main.style.position = 'relative';"
        + add("<a href='a.html' style='position:absolute;top:0'>Une loi</a>")
    )
    assert any("Une loi" in fault for fault in walk(page)["order"])


def test_a_page_left_by_the_keyboard_alone_is_seen(broken: Any, walk: Any) -> None:
    page = broken(
        "main.querySelector('select').addEventListener('focus',"
        " () => history.replaceState(null, '', '/autre.html'))"
    )
    assert walk(page)["context"] == ["le clavier seul a changé de page"]


def test_a_change_that_nothing_announces_is_seen(broken: Any, press: Any) -> None:
    page = broken(
        add("<button type='button'>Montrer la suite</button><p id='suite'></p>")
        + "main.lastElementChild.previousElementSibling.addEventListener('click',"
        " () => { document.getElementById('suite').textContent = 'Voici.'; })"
    )
    assert any("Montrer la suite" in fault for fault in press(page))


def test_a_text_lost_without_style_is_seen(broken: Any, bare: Any) -> None:
    page = broken(
        style("main .perdu::after { content: '' } main .perdu { display: block !important }")
        + add("<p class='perdu' hidden>introuvable</p>")
    )
    assert any("introuvable" in fault for fault in bare(page))
