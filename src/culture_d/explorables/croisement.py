"""Join two real tables on a key of one's choice, and count what is lost, doubled or wrong."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import traitlets

from culture_d.catalogue import Dataset, load_dataset
from culture_d.explorables import Explorable, ExplorableError, Table, module_source
from culture_d.french import accord, nombre
from culture_d.project import Project

EXEMPLES: Mapping[str, tuple[str, str]] = {
    "247300528": ("Val Guiers", "73"),
    "200006930": ("Haut Allier Margeride", "48"),
    "241200641": ("Conques-Marcillac", "12"),
}
"""Three small intercommunalities, real, that show between them every way to fail."""

CLES: Mapping[str, str] = {
    "nom": "Nom",
    "postal": "Postal",
    "code": "Code",
    "passage": "Passage",
}
"""The keys, and how each is named in a table."""


class Commune(NamedTuple):
    """A commune of today."""

    code: str
    name: str
    postal: str


class Rate(NamedTuple):
    """A line of the tax file of 2017 (percent), and the code of the commune of today."""

    code: str
    name: str
    postal: str
    rate: float
    today: str


@dataclass(frozen=True)
class Count:
    """What a join comes to.

    `rows` and `wrong` count lines of the result; `lost_communes` and `doubled`, communes of
    today without a rate and with several; `lost_rates`, lines of 2017 of these communes that
    found none.
    """

    rows: int
    lost_communes: int
    lost_rates: int
    doubled: int
    wrong: int


def matches(key: str, commune: Commune, rate: Rate) -> bool:
    """Say whether a line of 2017 goes to a commune of today, by the key chosen."""
    if key == "nom":
        return commune.name == rate.name
    if key == "postal":
        return commune.postal == rate.postal
    return commune.code == (rate.today if key == "passage" else rate.code)


def count(key: str, communes: Sequence[Commune], rates: Sequence[Rate]) -> Count:
    """Join the two tables by the key, and count."""
    pairs = [(c, r) for c in communes for r in rates if matches(key, c, r)]
    found = {r.code for _, r in pairs}
    lines = [sum(1 for c, _ in pairs if c == commune) for commune in communes]
    here = {commune.code for commune in communes}
    return Count(
        rows=len(pairs),
        lost_communes=sum(n == 0 for n in lines),
        lost_rates=sum(r.today in here and r.code not in found for r in rates),
        doubled=sum(n > 1 for n in lines),
        wrong=sum(r.today != c.code for c, r in pairs),
    )


class Croisement(Explorable):
    """The communes of an intercommunality and the tax file of 2017, joined line by line.

    Args:
        exemple: SIREN of the intercommunality to start on, one of `EXEMPLES`.
        cle: the key to start on, one of `CLES`.

    Raises:
        ExplorableError: another example or another key.
        DatasetError: the data of the course are missing or were changed.
    """

    name: ClassVar[str] = "croisement"
    _esm = module_source(name)

    exemples: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    provenance = traitlets.Unicode().tag(sync=True, etat=True)
    exemple = traitlets.Unicode().tag(sync=True, etat=True)
    cle = traitlets.Unicode().tag(sync=True, etat=True)
    suivie = traitlets.Unicode().tag(sync=True, etat=True)

    def __init__(self, exemple: str = next(iter(EXEMPLES)), cle: str = next(iter(CLES))) -> None:
        for value, known, what in ((exemple, EXEMPLES, "exemple"), (cle, CLES, "cle")):
            if value not in known:
                raise ExplorableError(
                    f"« {what} » vaut « {value} ». Valeurs admises : {', '.join(known)}."
                )
        self._tables = dict(_tables())
        super().__init__(
            titre="Selon la clé, qui disparaît, et qui compte deux fois ?",
            exemples=[
                [code, self._place(code), *(list(map(list, table)) for table in tables)]
                for code, tables in self._tables.items()
            ],
            provenance=_source(),
            exemple=exemple,
            cle=cle,
            _url=["exemple", "cle", "suivie"],
        )

    def sentence(self) -> str:
        """Say what each key makes of the example shown."""
        communes, rates = self._tables[self.exemple]
        by_name, by_postal, by_code, by_passage = (count(key, communes, rates) for key in CLES)
        return (
            f"{self._place(self.exemple)} : {accord(len(communes), 'commune')} aujourd'hui. "
            f"Par le nom, on obtient {accord(by_name.rows, 'ligne')}, dont {nombre(by_name.wrong)} "
            f"avec le taux d'une autre commune. Par le code postal, {nombre(by_postal.rows)} "
            f"lignes, dont {nombre(by_postal.wrong)} fausses. Par le code, "
            f"{accord(by_code.lost_rates, 'taux', 'taux')} de 2017 se perdent ; avec la table de "
            f"passage, {nombre(by_passage.lost_rates) if by_passage.lost_rates else 'aucun'}."
        )

    def static_tables(self) -> Sequence[Table]:
        """Return what each key gives to each example."""
        return [
            Table(
                caption=f"{self._place(code)} : ce que donne chaque clé",
                columns=("Clé", "Lignes", "Perdues (communes et taux)", "Doublées", "Fausses"),
                rows=[
                    (label, *(nombre(value) for value in values))
                    for key, label in CLES.items()
                    for one in [count(key, communes, rates)]
                    for values in [
                        (one.rows, one.lost_communes + one.lost_rates, one.doubled, one.wrong)
                    ]
                ],
            )
            for code, (communes, rates) in self._tables.items()
        ]

    def source(self) -> str:
        """Name the source of both tables, and how the postal code came there."""
        return self.provenance

    def _place(self, code: str) -> str:
        name, departement = EXEMPLES[code]
        return f"{name} ({departement})"


def _tables() -> Iterator[tuple[str, tuple[list[Commune], list[Rate]]]]:
    """Yield, for each example, its communes and the lines of 2017 that some key gives them.

    Its own lines come first, in the order of its communes.
    """
    rows = _read("communes")
    today = {row["code"]: _commune(row) for row in rows}
    heir = {row["ancien_code"]: row["commune_actuelle"] for row in _read("anciennes-communes")}
    rates = [
        Rate(row["code"], row["nom"], today[code].postal, float(row["taux"]), code)
        for row in _read("taxes")
        for code in [row["code"] if row["code"] in today else heir.get(row["code"], "")]
        if code
    ]
    for epci in EXEMPLES:
        communes = [today[row["code"]] for row in rows if row["epci"] == epci]
        communes.sort(key=lambda one: one.name)
        place = {commune.code: rank for rank, commune in enumerate(communes)}
        names, postals = {c.name for c in communes}, {c.postal for c in communes}
        kept = [r for r in rates if r.today in place or r.name in names or r.postal in postals]
        kept.sort(key=lambda r: (place.get(r.today, len(place)), r.code != r.today, r.name))
        yield epci, (communes, kept)


def _commune(row: Mapping[str, str]) -> Commune:
    """Keep of a commune its first postal code: a join needs one value a line."""
    return Commune(row["code"], row["nom"], row["codes_postaux"].split()[0])


def _dataset(name: str) -> Dataset:
    dataset = load_dataset(Project.find().datasets / name)
    dataset.verify()
    return dataset


def _read(name: str) -> list[dict[str, str]]:
    with _dataset(name).resources[0].path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _source() -> str:
    return (
        "Sources : communes de 2026 et anciennes communes, Institut national de la statistique et "
        "des études économiques (Insee) ; codes postaux, La Poste ; taux communaux de taxe "
        "d'habitation de 2017, direction générale des finances publiques (DGFiP). Le fichier fiscal "
        "n'a pas de code postal. Pour cet essai, on lui prête le "
        "premier code postal de la commune d'aujourd'hui."
    )
