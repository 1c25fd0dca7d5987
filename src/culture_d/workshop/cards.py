"""The cards put on the tables: address, seat, password, how to begin. A4, four a sheet, printed on both sides."""

import tempfile
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path

from culture_d.french import date_longue, typeset
from culture_d.pdf import printer
from culture_d.workshop.model import LOOPBACK, Account, Workshop
from culture_d.workshop.screens import ASSIGNMENT_LIST, ASSIGNMENT_LIST_ALT, ENGLISH_WORDS

CARDS_A_SHEET = 4
_STYLE = """
@page { size: A4; margin: 0 }
* { box-sizing: border-box; margin: 0 }
body { font: 9.5pt/1.4 system-ui, "DejaVu Sans", Arial, sans-serif; color: #111 }
.feuille { width: 210mm; height: 297mm; display: grid; grid-template: repeat(2, 148.5mm) / 1fr 1fr;
  break-after: page }
.feuille:last-child { break-after: auto }
.carte { padding: 10mm 9mm 8mm; border: 0 dashed #777; overflow: hidden; display: flex;
  flex-direction: column; gap: 4mm }
.carte:nth-child(odd) { border-right-width: .3mm }
.carte:nth-child(n + 3) { border-top-width: .3mm }
h2 { font-size: 20pt; line-height: 1.15 }
h2 small { font-size: 9.5pt; font-weight: normal; color: #444; display: block }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 1.5mm 3mm; align-items: baseline;
  border: .4mm solid #0072b2; border-radius: 2mm; padding: 3mm 4mm }
dt { color: #333 }
dd { font: bold 13pt/1.3 "DejaVu Sans Mono", "Liberation Mono", monospace }
dt:first-child, dd.adresse { grid-column: 1 / -1 }
dd.adresse { font-size: 12pt; overflow-wrap: anywhere; margin: -1mm 0 1mm }
ol { padding-left: 6mm }
li + li { margin-top: 1mm }
.dos h2 { font-size: 15pt }
.dos img { width: 100%; border: .3mm solid #999 }
.dos dl { display: block; border: 0; padding: 0 }
.dos dt { font-weight: bold; margin-top: 1.5mm }
.dos dd { font: inherit; margin: 0 }
.note { font-size: 8.5pt; line-height: 1.35; color: #333; margin-top: auto }
"""
_OVERFLOWING = """[...document.querySelectorAll('.carte')]
  .filter((one) => one.scrollHeight > one.clientHeight + 1)
  .map((one) => 'la carte « ' + one.querySelector('h2').firstChild.textContent + ' » déborde')"""


def cards_html(workshop: Workshop, passwords: Mapping[str, str], day: date) -> str:
    """Write the cards of the accounts that were given a password, the trainer's first.

    Args:
        workshop: the workshop; `announced` is the address printed.
        passwords: by name of the hub.
        day: the day of the cards: later ones replace them.
    """
    cards = [
        _card(workshop, account, passwords[account.name], day)
        for account in workshop.accounts
        if account.name in passwords
    ]
    return (
        '<!doctype html><html lang="fr"><head><meta charset="utf-8">'
        f"<title>Culture D, les cartes de l'atelier {escape(workshop.name)}</title>"
        f"<style>{_STYLE}</style></head><body><main>{''.join(_sheets(cards))}</main></body></html>"
    )


def write_cards(workshop: Workshop, passwords: Mapping[str, str], target: Path, day: date) -> Path:
    """Print the cards in a new file that its owner alone can read, and return its path.

    A file of the same name is kept: its cards may be on the tables. The new one is numbered.

    Raises:
        PrintError, ChromiumMissing: they could not be printed.
    """
    with tempfile.TemporaryDirectory(prefix="cartes-") as folder, printer() as chromium:
        page = Path(folder) / "cartes.html"
        page.write_text(cards_html(workshop, passwords, day), encoding="utf-8")
        content = chromium.print(page, _OVERFLOWING)
    number = 1
    while True:
        name = target if number == 1 else target.with_stem(f"{target.stem}-{number}")
        try:
            name.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            number += 1
            continue
        name.write_bytes(content)
        return name


def _sheets(cards: Sequence[str]) -> list[str]:
    return [
        f'<div class="feuille">{"".join(side)}</div>'
        for at in range(0, len(cards), CARDS_A_SHEET)
        for side in (cards[at : at + CARDS_A_SHEET], [_back()] * CARDS_A_SHEET)
    ]


def _back() -> str:
    """Explain, on the back of every card, the list that nbgrader has in English only."""
    picture = b64encode(ASSIGNMENT_LIST.read_bytes()).decode()
    words = "".join(
        f'<dt lang="en">{escape(english)}</dt><dd>{typeset(french)}</dd>'
        for english, french in ENGLISH_WORDS
    )
    return (
        '<section class="carte dos"><h2>La liste des exercices'
        "<small>Elle est en anglais : voici ce que fait chaque bouton.</small></h2>"
        f'<img src="data:image/png;base64,{picture}" alt="{escape(ASSIGNMENT_LIST_ALT)}">'
        f"<dl>{words}</dl></section>"
    )


def _named(workshop: Workshop) -> str:
    """Name the workshop; « atelier » is what one is called that was given no name."""
    return "atelier" if workshop.name == "atelier" else f"atelier {workshop.name}"


def _card(workshop: Workshop, account: Account, password: str, day: date) -> str:
    address = workshop.url_at(workshop.announced or LOOPBACK)
    trainer = account == workshop.trainer
    title = "Animation" if trainer else account.name.replace("place-", "Place ")
    steps = [
        "Ouvrez le navigateur, puis tapez l'adresse écrite au-dessus.",
        *(
            [
                "Le navigateur prévient que le certificat est inconnu : c'est celui de la salle. "
                "Choisissez « Avancé », puis « Continuer »."
            ]
            if address.startswith("https")
            else []
        ),
        "Recopiez la place et le mot de passe. Il ne sert qu'une fois : gardez l'onglet ouvert.",
        "Les exercices à rendre : menu « Nbgrader », puis « Assignment List » "
        "(<i>Fetch</i> : prendre ; <i>Submit</i> : rendre)."
        if not trainer
        else "Les exercices et leur correction : menu « Nbgrader », puis « Formgrader ».",
    ]
    shared = (
        "Cette carte ouvre le carnet de notes : ne la laissez pas sur une table."
        if trainer
        else "La personne qui anime voit vos exercices rendus et vos points. Qui administre cette "
        "machine peut lire tous vos fichiers : n'y mettez rien de confidentiel."
    )
    return (
        f'<section class="carte"><h2>{escape(title)}<small>Culture D, '
        f"{escape(_named(workshop))}, {date_longue(day)}</small></h2>"
        f'<dl><dt>Adresse</dt><dd class="adresse">{escape(address)}</dd>'
        f"<dt>Place</dt><dd>{escape(account.name)}</dd>"
        f"<dt>Mot de passe</dt><dd>{escape(password)}</dd></dl>"
        f"<ol>{''.join(f'<li>{typeset(step)}</li>' for step in steps)}</ol>"
        f'<p class="note">{typeset(shared)}</p></section>'
    )
