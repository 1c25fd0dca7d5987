"""Expiry: move « today », and watch devices and datasets pass their day."""

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar

import traitlets

from culture_d import expiry
from culture_d.expiry import AHEAD, EXPIRED, MISSING, NEAR, SOON, Item, by_urgency, counts, jour
from culture_d.explorables import Explorable, Table, module_source
from culture_d.french import NO_BREAK_SPACE, accord, date_longue

DAY = date(2026, 11, 22)
"""The day of the lesson's scene."""

LATER = (
    DAY,
    date(2026, 12, 22),
    date(2027, 2, 22),
    date(2027, 5, 22),
    date(2027, 11, 22),
    date(2028, 11, 22),
)
"""Days of the table read without script."""

WARNING = "Une date à venir ne prouve pas que l'appareil fonctionne. Il faut aller le voir."


class Peremption(Explorable):
    """Devices, or datasets, on a line of time with « today » that the reader moves.

    Args:
        aujourdhui: the day to start on, as `culture_d.expiry.jour` reads it.

    Raises:
        UnknownDay: `aujourdhui` is no day, or is out of the simulated data.
        DatasetError: the data of the course are missing or were changed.
    """

    name: ClassVar[str] = "peremption"
    _esm = module_source(name)

    jour = traitlets.Unicode().tag(sync=True, etat=True)
    choix = traitlets.Unicode("appareils").tag(sync=True, etat=True)
    depart = traitlets.Unicode().tag(sync=True, etat=True)
    bornes: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    bientot = traitlets.Int(SOON).tag(sync=True, etat=True)
    appareils: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    donnees: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    avertissement = traitlets.Unicode(WARNING).tag(sync=True, etat=True)
    origine = traitlets.Unicode().tag(sync=True, etat=True)

    def __init__(self, aujourdhui: str | date = DAY) -> None:
        self._start = jour(aujourdhui)
        self._devices, self._datasets = expiry.defibrillators(), expiry.datasets()
        day = self._start.isoformat()
        super().__init__(
            titre="Avancez le jour : quel appareil dépasse son échéance ?",
            jour=day,
            depart=day,
            bornes=[expiry.FIRST.isoformat(), expiry.LAST.isoformat()],
            appareils=[_plain(item) for item in self._devices],
            donnees=[_plain(item) for item in self._datasets],
            origine=self.source(),
            _url=["choix", "jour"],
        )

    def sentence(self) -> str:
        """Say how many devices have a part out of date on the starting day."""
        return summary(self._devices, self._start)

    def static_tables(self) -> Sequence[Table]:
        """Return the counts on several days, and what is past its day on the starting day."""
        days = sorted({self._start, *LATER})
        rows = []
        for day in days:
            found = counts(self._devices, day)
            states = (EXPIRED, MISSING, NEAR, AHEAD)
            label = date_longue(day).replace(" ", NO_BREAK_SPACE)
            rows.append((label, *(str(found[state]) for state in states)))
        said = date_longue(self._start)
        return (
            Table(
                f"Échéance la plus proche des {len(self._devices)} défibrillateurs, selon le jour",
                ("Jour", "Dépassée", "Manquante", f"Sous {SOON} jours", "Plus tard"),
                rows,
            ),
            Table(
                f"Appareils à la date dépassée, {said}",
                ("Appareil", "Échéance"),
                _expired(self._devices, self._start),
            ),
            Table(
                f"Jeux à la date dépassée, {said}",
                ("Jeu", "Mise à jour attendue"),
                _expired(self._datasets, self._start),
            ),
        )

    def source(self) -> str:
        """Say that it is simulated."""
        return (
            f"Données simulées : {len(self._devices)} défibrillateurs et {len(self._datasets)} jeux "
            "de données d'un territoire qui n'existe pas."
        )


def summary(items: Sequence[Item], today: date, noun: str = "défibrillateur") -> str:
    """Say how many stand in each state on a day."""
    found = counts(items, today)
    expired = found[EXPIRED]
    verb = "aucun n'a" if not expired else f"{expired} ont" if expired > 1 else "1 a"
    return (
        f"Le {date_longue(today)}, sur {accord(len(items), noun)} : {verb} "
        f"{'de' if not expired else 'une'} date dépassée. Date manquante : {found[MISSING]}. "
        f"Dernier jour dans les {SOON} jours : {found[NEAR]}."
    )


def _expired(items: Sequence[Item], today: date) -> list[tuple[str, str]]:
    """Return what is past its day, the longest ago first, with that day."""
    found = []
    for item in by_urgency(items, today):
        if item.first and item.state(today) == EXPIRED:
            found.append((item.name, date_longue(item.first[1])))
    return found


def _plain(item: Item) -> list[Any]:
    return [item.name, [[name, day.isoformat()] for name, day in item.parts], list(item.missing)]
