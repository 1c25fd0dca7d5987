"""Mean and median: move a commune, and see which of the two follows it."""

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import traitlets

from culture_d.catalogue import load_dataset
from culture_d.errors import UnknownDepartement
from culture_d.explorables import Explorable, ExplorableError, Table, module_source, resources
from culture_d.fictitious import POPULATIONS
from culture_d.french import NO_BREAK_SPACE, date_longue, nombre, pourcent
from culture_d.project import Project

EXEMPLE: Mapping[str, int] = {
    nom: population for nom, population in POPULATIONS.items() if nom != "Valmorin"
}
"""Simulated inhabitants of the nine neighbours of the commune of the scene, which do not exist."""

MAXIMUM = 10_000_000
"""Largest population that can be given, in inhabitants."""


@dataclass(frozen=True)
class Summary:
    """What a list of populations comes to (inhabitants; `below` counts communes)."""

    count: int
    mean: float
    median: float
    below: int


def summarise(populations: Sequence[int]) -> Summary:
    """Compute mean, median, and how many communes are strictly below the mean."""
    mean = statistics.fmean(populations)
    return Summary(
        count=len(populations),
        mean=mean,
        median=statistics.median(populations),
        below=sum(population < mean for population in populations),
    )


class MoyenneMediane(Explorable):
    """Communes on an axis of inhabitants, with their mean and their median.

    Args:
        departement: code of the département to start on; the simulated example if None.
        valeurs: the simulated example, inhabitants by name of commune.

    Raises:
        UnknownDepartement: `departement` is not the code of a département.
        ExplorableError: `valeurs` is empty or holds something else than whole numbers
            from 0 to 10 million.
        DatasetError: the data of the course are missing or were changed.
    """

    name: ClassVar[str] = "moyenne-mediane"
    _esm = module_source(name)

    exemple = traitlets.Dict().tag(sync=True, etat=True)
    departements: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    sources = traitlets.Dict().tag(sync=True, etat=True)
    departement = traitlets.Unicode().tag(sync=True, etat=True)
    modifications = traitlets.Dict().tag(sync=True, etat=True)
    retirees = traitlets.List(traitlets.Unicode()).tag(sync=True, etat=True)
    choisie = traitlets.Unicode().tag(sync=True, etat=True)
    axe = traitlets.Unicode().tag(sync=True, etat=True)
    maximum = traitlets.Int(MAXIMUM).tag(sync=True, etat=True)
    communes = traitlets.Dict().tag(sync=True)

    def __init__(
        self,
        departement: str | None = None,
        valeurs: Mapping[str, int] | Iterable[tuple[str, int]] = EXEMPLE,
    ) -> None:
        exemple = sorted(_checked(dict(valeurs)).items(), key=lambda item: -item[1])
        departements: list[list[str]] = resources.departements()
        if departement and departement not in dict(departements):
            raise UnknownDepartement(
                f"Le département « {departement} » n'existe pas. Un code de département est un "
                "texte : « 01 », « 2A », « 80 » ou « 974 »."
            )
        super().__init__(
            titre="Moyenne ou médiane : laquelle suit la plus grande commune ?",
            exemple={
                "noms": [nom for nom, _ in exemple],
                "populations": [population for _, population in exemple],
            },
            departements=departements,
            departement=departement or "",
            sources={"exemple": _simulated_source(len(exemple)), "reel": _real_source()},
            _url=["departement", "modifications", "retirees", "choisie", "axe"],
            _ressources={
                "departement": {
                    "parmi": "departements",
                    "cible": "communes",
                    "chemin": "communes/{}",
                    "inconnu": "Le département « {} » n'existe pas : choisissez-le dans la liste.",
                    "echec": "Les communes du département {} n'ont pas pu être chargées. "
                    "Choisissez-le de nouveau.",
                }
            },
        )

    def sentence(self) -> str:
        """Say where mean and median stand, and what the largest commune does to them."""
        communes = self._shown()
        populations = [population for _, population in communes]
        whole = summarise(populations)
        if whole.count == 1:
            return (
                f"{self._place()} n'a qu'une commune : la moyenne et la médiane sont égales, "
                f"{_inhabitants(whole.median, 1)}."
            )
        without = summarise(populations[1:])
        return (
            f"{self._place()} : {whole.count} communes, {_inhabitants(whole.mean)} en moyenne, "
            f"{_median(whole)} pour la médiane. {_below(whole)} "
            f"Sans {communes[0][0]}, la moyenne passe de {_mean(whole)} à "
            f"{_inhabitants(without.mean)} ; la médiane "
            + (
                f"reste à {_median(without)}."
                if _median(whole) == _median(without)
                else f"passe de {_median(whole)} à {_median(without)}."
            )
        )

    def static_tables(self) -> Sequence[Table]:
        """Return what happens without the largest communes, and the example's values."""
        communes = self._shown()
        rows = []
        for removed in range(min(4, len(communes))):
            summary = summarise([population for _, population in communes[removed:]])
            rows.append(
                (
                    _removal_label(communes, removed),
                    _mean(summary),
                    _median(summary),
                    _share(summary),
                )
            )
        effect = Table(
            caption=f"{self._place()} : moyenne et médiane, en habitants, "
            "quand on retire les plus grandes communes",
            columns=("Communes", "Moyenne", "Médiane", "Sous la moyenne"),
            rows=rows,
        )
        if self.departement:
            return (effect,)
        values = Table(
            caption="Les communes de l'exemple simulé",
            columns=("Commune", "Habitants"),
            rows=[(nom, nombre(population)) for nom, population in communes],
        )
        return (effect, values)

    def source(self) -> str:
        """Name the source of the département's data, or say « données simulées »."""
        if not self.departement:
            return str(self.sources["exemple"])
        return " ".join(filter(None, (self.sources["reel"], self.communes["note"])))

    def _place(self) -> str:
        if not self.departement:
            return "Exemple simulé"
        return f"{dict(self.departements)[self.departement]} ({self.departement})"

    def _shown(self) -> list[tuple[str, int]]:
        """Return the communes as they stand, moved and removed ones included, largest first."""
        data: dict[str, Any] = self.communes if self.departement else self.exemple
        populations = dict(zip(data["noms"], data["populations"], strict=True))
        populations.update((n, p) for n, p in self.modifications.items() if n in populations)
        removed = self.retirees[: len(populations) - 1]
        kept = [(n, p) for n, p in populations.items() if n not in removed]
        return sorted(kept, key=lambda item: -item[1])


def _checked(valeurs: dict[str, int]) -> dict[str, int]:
    wrong = [
        f"« {nom} » : {population!r}"
        for nom, population in valeurs.items()
        if type(population) is not int or not 0 <= population <= MAXIMUM
    ]
    if wrong or not valeurs:
        raise ExplorableError(
            "« valeurs » attend au moins une commune et, pour chacune, un nombre entier "
            f"d'habitants, de 0 à {nombre(MAXIMUM)}. Reçu : {', '.join(wrong) or 'aucune commune'}."
        )
    return valeurs


def _simulated_source(count: int) -> str:
    return (
        f"Données simulées : {count} communes imaginaires, réunies dans une communauté "
        "de communes qui n'existe pas."
    )


def _real_source() -> str:
    dataset = load_dataset(Project.find().datasets / "communes")
    return (
        f"Source : {dataset.producer}, {dataset.vintage}. "
        f"À remplacer après le {date_longue(dataset.valid_until)}."
    )


def _mean(summary: Summary) -> str:
    return nombre(summary.mean, 0 if summary.mean >= 100 else 1)


def _median(summary: Summary) -> str:
    return nombre(summary.median, 1)


def _inhabitants(value: float, decimales: int | None = None) -> str:
    if decimales is None:
        decimales = 0 if value >= 100 else 1
    noun = "habitant" if value < 2 else "habitants"
    return nombre(value, decimales) + NO_BREAK_SPACE + noun


def _share(summary: Summary) -> str:
    """Write the share below the mean, never rounded up to the whole."""
    share = pourcent(summary.below / summary.count)
    whole = summary.below < summary.count and share.startswith("100")
    return "plus de 99\u202f%" if whole else share


def _below(summary: Summary) -> str:
    noun = "commune" if summary.below < 2 else "communes"
    return (
        f"Sous la moyenne : {nombre(summary.below)} {noun} sur {nombre(summary.count)}, "
        f"soit {_share(summary)}."
    )


def _removal_label(communes: Sequence[tuple[str, int]], removed: int) -> str:
    if removed == 0:
        return f"Toutes ({nombre(len(communes))})"
    if removed == 1:
        return f"Sans {communes[0][0]}"
    return f"Sans les {removed} plus grandes"
