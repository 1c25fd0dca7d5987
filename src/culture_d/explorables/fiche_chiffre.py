"""The identity card of a figure: unveil it line by line, and see which sentences still hold."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import traitlets

from culture_d.catalogue import Dataset, load_dataset
from culture_d.explorables import Explorable, ExplorableError, Table, module_source
from culture_d.french import date_longue, nombre
from culture_d.project import Project

LINES: Mapping[str, str] = {
    "date": "Date des faits",
    "producteur": "Producteur",
    "perimetre": "Périmètre",
    "definition": "Définition",
}
"""The four lines of an identity card: key and label."""

HOLDS, FALLS, OPEN = "tient", "tombe", "à vérifier"


@dataclass(frozen=True)
class Sentence:
    """Something one would like to say of a figure.

    `line` is the key of the line of the card that refutes it; "" when the whole card
    is needed, and the sentence then holds.
    """

    texte: str
    line: str
    pourquoi: str

    def verdict(self, read: Sequence[str]) -> str:
        """Return what can be said of the sentence once the lines `read` are known."""
        if self.line:
            return FALLS if self.line in read else OPEN
        return HOLDS if set(LINES) <= set(read) else OPEN


@dataclass(frozen=True)
class Figure:
    """A figure of the national file, its identity card and five sentences about it."""

    code: str
    nom: str
    valeur: int
    carte: Mapping[str, str]
    phrases: tuple[Sentence, ...]

    def holding(self) -> Sentence:
        """Return the one sentence that holds once the whole card is read."""
        return next(one for one in self.phrases if not one.line)


class FicheChiffre(Explorable):
    """Three figures of the same column, and what their identity cards let one say.

    Args:
        chiffre: code of the commune whose figure is shown first.

    Raises:
        ExplorableError: `chiffre` is not one of the three communes.
        DatasetError: the data of the course are missing or were changed.
    """

    name: ClassVar[str] = "fiche-chiffre"
    _esm = module_source(name)

    chiffres: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    lignes: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    choisi = traitlets.Unicode().tag(sync=True, etat=True)
    lues = traitlets.List(traitlets.Unicode()).tag(sync=True, etat=True)
    credit = traitlets.Unicode().tag(sync=True, etat=True)

    def __init__(self, chiffre: str = "97603") -> None:
        dataset = load_dataset(Project.find().datasets / "communes")
        dataset.verify()
        self.figures = _figures(dataset)
        if chiffre not in self.figures:
            raise ExplorableError(
                f"« chiffre » attend le code de l'une des communes montrées, "
                f"{', '.join(self.figures)}. Reçu : « {chiffre} »."
            )
        super().__init__(
            titre="Quelles phrases ce chiffre permet-il ?",
            chiffres=[asdict(figure) for figure in self.figures.values()],
            lignes=[list(line) for line in LINES.items()],
            choisi=chiffre,
            credit=f"Source : {dataset.producer}, {dataset.vintage}. "
            f"À remplacer après le {date_longue(dataset.valid_until)}.",
            _url=["choisi", "lues"],
        )

    def sentence(self) -> str:
        """Say what becomes of the five sentences once the whole card is read."""
        figure = self.figures[self.choisi]
        return (
            f"Le chiffre de {figure.nom} : {nombre(figure.valeur)}. Seul, il ne permet rien. "
            f"{status(figure, tuple(LINES))} Celle qui tient : {figure.holding().texte}"
        )

    def static_tables(self) -> Sequence[Table]:
        """Return the first figure's card and five verdicts, then what the others let one say."""
        shown = self.figures[self.choisi]
        others = [one for one in self.figures.values() if one is not shown]
        return [
            Table(
                caption=f"{shown.nom} : {nombre(shown.valeur)}. La fiche, puis cinq phrases",
                columns=("À lire, à dire", "Réponse"),
                rows=[
                    *((label, shown.carte[key]) for key, label in LINES.items()),
                    *(
                        (one.texte, f"{one.verdict(tuple(LINES)).capitalize()}. {one.pourquoi}")
                        for one in shown.phrases
                    ),
                ],
            ),
            Table(
                caption="Deux autres chiffres, et la seule phrase qui tient",
                columns=("Chiffre", "Phrase"),
                rows=[(f"{one.nom} : {nombre(one.valeur)}", one.holding().texte) for one in others],
            ),
        ]

    def source(self) -> str:
        """Name the source and vintage of the three figures."""
        return self.credit


def status(figure: Figure, read: Sequence[str]) -> str:
    """Count the sentences that fall, hold or wait, as the module's live sentence does."""
    verdicts = [one.verdict(read) for one in figure.phrases]
    fallen, waiting = verdicts.count(FALLS), verdicts.count(OPEN)
    wait = f"{waiting} reste{'nt' if waiting > 1 else ''} à vérifier"
    fall = f"{fallen} phrase{'s tombent' if fallen > 1 else ' tombe'}"
    if not read:
        return f"Rien n'est encore lu : {len(verdicts)} phrases à vérifier."
    if not waiting:
        return f"Tout est lu : {fall}, {verdicts.count(HOLDS)} tient."
    lines = f"{len(read)} ligne{'s' if len(read) > 1 else ''} sur {len(LINES)}"
    return f"{lines} : {fall}, {wait}."


def _figures(dataset: Dataset) -> dict[str, Figure]:
    """Return the three figures by code of commune."""
    with dataset.resources[0].path.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file)}
    bandrele, mana, beaumont = (rows[code] for code in ("97603", "97306", "55039"))
    found = (
        _figure(bandrele, "Recensement de 2017, à Mayotte.", _of_bandrele(bandrele)),
        _figure(mana, "1er janvier 2023.", _of_mana(mana, bandrele)),
        _figure(beaumont, "1er janvier 2023.", _of_beaumont(beaumont)),
    )
    return {figure.code: figure for figure in found}


def _figure(row: Mapping[str, str], date: str, sentences: tuple[Sentence, ...]) -> Figure:
    card = {
        "date": date,
        "producteur": "L'Insee, qui organise le recensement avec les communes.",
        "perimetre": f"La commune de {row['nom']}, et elle seule.",
        "definition": "Population municipale : qui habite la commune, compté une fois.",
    }
    return Figure(row["code"], row["nom"], int(row["population"]), card, sentences)


def _of_bandrele(row: Mapping[str, str]) -> tuple[Sentence, ...]:
    number = nombre(int(row["population"]))
    return (
        Sentence(
            f"« Bandrele compte aujourd'hui {number} habitants. »",
            "date",
            "Le chiffre parle de 2017. Il ne dit rien d'aujourd'hui.",
        ),
        Sentence(
            f"« Selon notre comité de jumelage, ils sont {number}. »",
            "producteur",
            "Citez qui a compté : l'Insee. Le comité n'a fait que répéter.",
        ),
        Sentence(
            f"« L'intercommunalité de Bandrele réunit {number} habitants. »",
            "perimetre",
            "C'est la commune seule, sans ses voisines.",
        ),
        Sentence(
            f"« {number} électeurs de Bandrele nous attendent. »",
            "definition",
            "On compte tous les habitants, enfants compris. Ce ne sont pas des électeurs.",
        ),
        Sentence(
            f"« Au recensement de 2017, la commune de Bandrele comptait {number} habitants (Insee). »",
            "",
            "La phrase dit la date, le producteur, le lieu et ce que l'on compte.",
        ),
    )


def _of_mana(row: Mapping[str, str], other: Mapping[str, str]) -> tuple[Sentence, ...]:
    number = nombre(int(row["population"]))
    return (
        Sentence(
            f"« Mana compte aujourd'hui {number} habitants. »",
            "date",
            "Le chiffre est en vigueur en 2026. Mais il parle du 1er janvier 2023.",
        ),
        Sentence(
            f"« Mana est plus peuplée que {other['nom']} : "
            f"{number} habitants contre {nombre(int(other['population']))}. »",
            "date",
            "Les deux chiffres n'ont pas la même date : 2023 ici, 2017 là-bas.",
        ),
        Sentence(
            f"« Selon la presse, Mana a {number} habitants. »",
            "producteur",
            "Remontez à qui a compté. La presse a repris l'Insee.",
        ),
        Sentence(
            f"« Mana a {number} logements à desservir. »",
            "definition",
            "On compte des habitants, pas des logements.",
        ),
        Sentence(
            f"« Au 1er janvier 2023, la commune de Mana comptait {number} habitants (Insee). »",
            "",
            "La phrase dit la date, le producteur, le lieu et ce que l'on compte.",
        ),
    )


def _of_beaumont(row: Mapping[str, str]) -> tuple[Sentence, ...]:
    name = row["nom"]
    return (
        Sentence(
            f"« Personne n'a jamais habité {name}. »",
            "date",
            "Le zéro parle du 1er janvier 2023, pas du passé. Le village a été détruit en 1916.",
        ),
        Sentence(
            "« Ce zéro est une faute de frappe de la mairie. »",
            "producteur",
            "L'Insee publie ce zéro, année après année. Ce n'est pas une faute.",
        ),
        Sentence(
            "« Il n'y a plus d'habitants dans ce coin de la Meuse. »",
            "perimetre",
            "Le zéro vaut pour cette commune seule, pas pour ses voisines.",
        ),
        Sentence(
            "« La case est vide : il manque une donnée. »",
            "definition",
            "Zéro est une réponse : aucun habitant. Une case vide n'en serait pas une.",
        ),
        Sentence(
            f"« Au 1er janvier 2023, la commune de {name} n'avait aucun habitant (Insee). »",
            "",
            "La phrase dit la date, le producteur, le lieu et ce que l'on compte.",
        ),
    )
