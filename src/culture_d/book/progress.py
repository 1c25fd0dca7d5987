"""What the reader's own progress hangs on: marks, sums, the end of a lesson, its two pages.

Nothing here knows what a reader has done: `components/progress.js` fills these places from
what the browser keeps. Without script they stay empty, or say so.
"""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import cast

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from culture_d.book.course import CourseDirective, module_link, raw
from culture_d.curriculum import Module, Part, first_lesson, load_curriculum, modules
from culture_d.french import accord, typeset
from culture_d.project import Project

PROGRESS_PAGE = "book/progression"
SIGNATURE_DOTS = 40


def mark(module: Module) -> nodes.raw:
    """Return the place where a list says that the reader has finished a module."""
    return raw(f'<span class="cd-fait" data-module="{escape(module.slug)}"></span>')


def summary(ready: Iterable[Module], always: bool = False) -> nodes.raw:
    """Return the place of the sum: how many of these modules are finished, in how many minutes.

    `always`: say it of no module too; its place is kept, so that the text does not move.
    """
    pairs = " ".join(f"{module.slug}:{module.minutes}" for module in ready)
    kept = " data-toujours" if always else ""
    return raw(f'<p class="cd-bilan" data-bilan="{escape(pairs)}"{kept}></p>')


class ProgressDirective(CourseDirective):
    """`{progression}`: the modules to tick, and how to save, load and erase them."""

    def run(self) -> list[nodes.Node]:
        """Return the controls that `on_page/progression.js` brings to life."""
        self.depends_on(self.project.curriculum)
        ready = [module for module in modules(load_curriculum(self.project)) if module.published]
        here = (self.env.app, self.env.docname)
        boxes = "".join(_box(module, _address(*here, module.document)) for module in ready)
        sections = [
            _section("vos-modules", "Vos modules", _LIST.format(modules=boxes)),
            _section("emporter", "Emporter sa progression", _EXPORT),
            _section("reprendre", "Reprendre sa progression", _IMPORT),
            _section("effacer", "Tout effacer", _ERASE),
        ]
        sections[0].insert(1, summary(ready, always=True))
        return [raw(_WITHOUT_SCRIPT), raw(_NOTICES), *sections]


class CertificateDirective(CourseDirective):
    """`{attestation}`: a certificate filled from the progress, and one to fill by hand."""

    def run(self) -> list[nodes.Node]:
        """Return the form, the sheet that the script fills, and the blank sheet."""
        self.depends_on(self.project.curriculum)
        parts = load_curriculum(self.project)
        lesson = first_lesson(self.project)
        first = nodes.paragraph("", "", module_link(lesson, typeset(_first_words(lesson))))
        return [
            raw(typeset(_FORM)),
            first,
            raw(typeset(_AFTER_FORM)),
            raw(_sheet(parts, blank=False)),
            raw(_sheet(parts, blank=True)),
        ]


def _first_words(module: Module) -> str:
    return f"Commencer par « {module.title} » ({accord(module.minutes, 'minute')})"


def _section(name: str, title: str, html: str) -> nodes.section:
    section = nodes.section("", nodes.title("", title), ids=[name])
    section += raw(typeset(html))
    return section


def _box(module: Module, address: str) -> str:
    slug, title = escape(module.slug), escape(module.title)
    return (
        f'<li><label><input type="checkbox" data-module="{slug}" autocomplete="off" disabled> '
        f"{title} · {accord(module.minutes, 'minute')}</label> "
        f'<a href="{escape(address)}">Ouvrir<span class="cd-cache"> « {title} »</span></a>'
        f'<span class="cd-fait" data-module="{slug}"></span></li>'
    )


_WITHOUT_SCRIPT = typeset(
    '<p class="cd-sans-script">Ici, JavaScript est coupé : cette page ne peut rien noter. '
    "Vous pouvez tout de même lire le cours, et remplir à la main l'attestation imprimée.</p>"
)
_NOTICES = '<div class="cd-avis" role="status"></div>'
_LIST = """<ul class="cd-cases">{modules}</ul>
<p class="cd-avec-script" id="cd-note-etat" role="status"></p>"""
_EXPORT = """<div class="cd-avec-script">
<p>Changez d'appareil ou de navigateur sans rien perdre. Le fichier ne contient que les modules terminés et leurs dates.</p>
<p><button type="button" class="cd-action" id="cd-exporter">Enregistrer dans un fichier</button></p>
<p id="cd-export-etat" role="status"></p>
<details><summary>Le fichier ne s'enregistre pas ?</summary>
<p>Copiez ce texte, puis envoyez-le vous par courriel.</p>
<p><label for="cd-texte">Votre progression, en texte</label>
<textarea id="cd-texte" rows="8" readonly spellcheck="false"></textarea></p>
<p><button type="button" class="cd-action" id="cd-copier">Copier le texte</button></p>
</details></div>"""
_IMPORT = """<div class="cd-avec-script">
<p>Ce que vous reprenez s'ajoute à ce qui est déjà noté. Rien n'est retiré. Pour un même module, la date la plus ancienne est gardée.</p>
<p><label for="cd-fichier">Choisir un fichier de progression</label>
<input type="file" id="cd-fichier" accept=".json,application/json,text/plain"></p>
<details><summary>Coller un texte plutôt qu'un fichier</summary>
<p><label for="cd-colle">Le texte copié sur l'autre appareil</label>
<textarea id="cd-colle" rows="8" spellcheck="false" autocomplete="off"></textarea></p>
<p><button type="button" class="cd-action" id="cd-reprendre">Reprendre ce texte</button></p>
</details>
<div id="cd-import-etat" role="status"></div></div>"""
_ERASE = """<div class="cd-avec-script">
<p>Ce navigateur oubliera les modules terminés. Vos fichiers enregistrés ne changent pas.</p>
<p><button type="button" class="cd-action" id="cd-effacer">Effacer ma progression</button></p>
<div id="cd-confirmation" role="group" aria-labelledby="cd-question" hidden>
<p id="cd-question"></p>
<p><button type="button" class="cd-action" id="cd-garder">Non, garder</button>
<button type="button" class="cd-action" id="cd-oui">Oui, effacer</button></p></div>
<p id="cd-efface-etat" role="status" tabindex="-1"></p></div>"""
_FORM = """<div class="cd-formulaire">
<p class="cd-sans-script">Ici, JavaScript est coupé : cette page ne peut pas remplir l'attestation. Imprimez-la vierge, puis cochez et signez à la main.</p>
<div class="cd-si-termine" hidden>
<p><label for="cd-nom">Votre prénom et votre nom</label>
<input type="text" id="cd-nom" maxlength="80" autocomplete="name" spellcheck="false" aria-describedby="cd-nom-aide"></p>
<p id="cd-nom-aide">Votre nom n'est ni gardé ni envoyé : il disparaît quand vous quittez cette page.</p>
<p><button type="button" class="cd-action" id="cd-imprimer">Imprimer l'attestation</button></p>
</div></div>
<div class="cd-si-rien cd-reserve" hidden>
<p>Aucun module n'est encore noté comme terminé dans ce navigateur. L'attestation se remplit à mesure que vous les notez.</p>"""
_AFTER_FORM = """</div>
<p class="cd-avec-script cd-hors-papier"><button type="button" class="cd-bascule" id="cd-vierge">Imprimer une attestation vierge</button></p>"""


def _sheet(parts: tuple[Part, ...], *, blank: bool) -> str:
    """Write one sheet of paper: every ready module, to be shown or ticked."""
    rows = "".join(
        f'<tr data-module="{escape(module.slug)}" data-minutes="{module.minutes}">'
        f'<th scope="row">{"☐ " if blank else ""}{escape(module.title)}</th>'
        f"<td>{escape(part.title)}</td>"
        f'<td class="nombre">{module.minutes}\u00a0min</td><td class="cd-jour"></td></tr>'
        for part in parts
        for module in part.modules
        if module.published
    )
    dots = f'<span class="cd-pointilles">{"." * SIGNATURE_DOTS}</span>'
    kind = "cd-vierge" if blank else "cd-remplie"
    hidden = "" if blank else " hidden"
    which = "cochés ci-dessous" if blank else "suivants"
    said = f"déclare avoir suivi et terminé les modules {which} du cours Culture D."
    name = dots if blank else '<strong class="cd-nom"></strong>'
    day = dots if blank else '<span class="cd-date"></span>'
    total = "" if blank else '<p class="cd-total"></p>'
    return typeset(
        f'<article class="cd-attestation {kind}" aria-label="Attestation"{hidden}>'
        '<p class="cd-enseigne">Culture D <span>cours libre de culture de la donnée</span></p>'
        "<h2>Attestation de suivi</h2>"
        f'<p class="cd-declarant"><span>La personne soussignée,</span> {name}</p>'
        f"<p>{said}</p>"
        '<div class="cd-tableau" role="region" tabindex="0" aria-label="Modules terminés"><table>'
        "<caption>Modules terminés</caption>"
        '<thead><tr><th scope="col">Module</th><th scope="col">Partie</th>'
        '<th scope="col" class="nombre">Durée indicative</th><th scope="col">Terminé le</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>{total}"
        f'<p class="cd-signature"><span>Fait le {day}</span> <span>Signature {dots}</span></p>'
        '<p class="cd-portee">Cette attestation est déclarée par la personne elle-même. '
        "Personne n'a vérifié ni évalué ce qu'elle dit. Ce n'est pas un diplôme, et elle n'ouvre "
        "aucun droit.</p></article>"
    )


def _address(app: Sphinx, page: str, target: str) -> str:
    """Return the address of a page, as written in another one."""
    return cast(StandaloneHTMLBuilder, app.builder).get_relative_uri(page, target)


def _end_of_lesson(app: Sphinx, doctree: nodes.document) -> None:
    """Close a module's page with the button that says it is finished."""
    project = Project(Path(app.srcdir))
    for module in modules(load_curriculum(project)):
        if module.document != app.env.docname:
            continue
        address = _address(app, module.document, PROGRESS_PAGE)
        title = next(doctree.findall(nodes.title))
        title.parent += raw(
            f'<div class="cd-fin" data-module="{escape(module.slug)}" role="group" '
            'aria-label="Votre progression" hidden>'
            '<button type="button" class="cd-action">J’ai terminé ce module</button>'
            f'<p role="status"></p><a href="{escape(address)}">Ma progression</a></div>'
        )


DIRECTIVES: dict[str, type[Directive]] = {
    "progression": ProgressDirective,
    "attestation": CertificateDirective,
}


def setup(app: Sphinx) -> None:
    """Register the directives, and the end of each lesson."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("doctree-read", _end_of_lesson)
