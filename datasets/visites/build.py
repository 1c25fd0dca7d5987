"""Build the simulated round of an agent who went to see twelve of the defibrillators."""

from pathlib import Path

from culture_d.territory import write_csv

COLUMNS = ("nom", "date_visite", "constat", "remarque")
VISITS = (
    (
        "Mairie de Grandvoie",
        "2026-11-17",
        "conforme",
        "En place, témoin vert, mêmes dates que le fichier.",
    ),
    (
        "Siège de l'intercommunalité",
        "2026-11-17",
        "conforme",
        "En place, témoin vert, mêmes dates que le fichier.",
    ),
    (
        "École Les Tilleuls",
        "2026-11-17",
        "conforme",
        "En place, témoin vert, mêmes dates que le fichier.",
    ),
    (
        "Salle des fêtes de Grandvoie",
        "2026-11-17",
        "introuvable",
        "Boîtier vide. L'appareil a été déplacé à la médiathèque.",
    ),
    (
        "Mairie de Chantebrise",
        "2026-11-18",
        "conforme",
        "En place. Les électrodes sont périmées, comme le dit le fichier.",
    ),
    (
        "Stade de Chantebrise",
        "2026-11-18",
        "inaccessible",
        "Stade fermé pour travaux depuis septembre. Portail verrouillé.",
    ),
    (
        "Mairie de Beaupéran",
        "2026-11-18",
        "témoin éteint",
        "Dates à venir, mais le témoin est éteint. Exploitant prévenu.",
    ),
    (
        "École de la Fontaine",
        "2026-11-19",
        "date différente",
        "Batterie : 30 juin 2026 sur l'étiquette, 2062 dans le fichier.",
    ),
    (
        "Salle communale de Clairvannes",
        "2026-11-19",
        "conforme",
        "En place, témoin vert, mêmes dates que le fichier.",
    ),
    (
        "École de l'Orme",
        "2026-11-20",
        "date différente",
        "Électrodes remplacées : 30 novembre 2028 sur l'étiquette.",
    ),
    (
        "Mairie des Orvettes",
        "2026-11-20",
        "introuvable",
        "Boîtier vide. L'appareil est à la salle communale.",
    ),
    (
        "Piscine intercommunale",
        "2026-11-20",
        "conforme",
        "En place, témoin vert, mêmes dates que le fichier.",
    ),
)


def build(folder: Path) -> None:
    """Write `visites.csv` in `folder`."""
    write_csv(folder / "visites.csv", COLUMNS, VISITS)


if __name__ == "__main__":
    build(Path(__file__).parent)
