"""Days of expiry: read a day as people write it, and say until when a thing holds."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from culture_d.catalogue import load_dataset, next_update
from culture_d.errors import UnknownDay
from culture_d.french import date_longue
from culture_d.project import Project

FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)
"""Days that the simulated data can be looked at from."""

SOON = 60
"""Days before an expiry from which the course says that it is near."""

PERIODS: Mapping[str, str] = {
    "Hebdomadaire ou plusieurs fois par semaine": "P1W",
    "Mensuelle ou plusieurs fois par mois": "P1M",
    "Bimestrielle": "P2M",
    "Trimestrielle": "P3M",
    "Semestrielle": "P6M",
    "Annuelle": "P1Y",
    "Biennale": "P2Y",
    "Triennale": "P3Y",
    "Quinquennale": "P5Y",
}
"""ISO 8601 period of the words of FREQ_MAJ (schema « catalogue » 0.1.3) that are a duration."""

EXPIRED, MISSING, NEAR, AHEAD = "périmé", "date manquante", "bientôt", "à venir"

_MONTHS = [
    "janvier",
    "fevrier",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "aout",
    "septembre",
    "octobre",
    "novembre",
    "decembre",
]
_WRITINGS = (
    (re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})"), (0, 1, 2)),
    (re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})"), (2, 1, 0)),
    (re.compile(rf"(\d{{1,2}})(?:er)? ({'|'.join(_MONTHS)}) (\d{{4}})"), (2, 1, 0)),
)


class Item(NamedTuple):
    """Something that expires: the last day of each of its parts, and the parts without a day."""

    name: str
    parts: tuple[tuple[str, date], ...]
    missing: tuple[str, ...]

    @property
    def first(self) -> tuple[str, date] | None:
        """The part whose day comes first, None if no day is known."""
        return min(self.parts, key=lambda part: part[1], default=None)

    def state(self, today: date) -> str:
        """Say how it stands: a part counts as expired from the day after its last day."""
        first = self.first
        if first and first[1] < today:
            return EXPIRED
        if self.missing or not first:
            return MISSING
        return NEAR if (first[1] - today).days <= SOON else AHEAD


def jour(texte: str | date) -> date:
    """Read a day: « 22 novembre 2026 », « 22/11/2026 » or « 2026-11-22 ».

    Raises:
        UnknownDay: not a day, a day that no calendar has, or out of `FIRST` and `LAST`.
    """
    day = texte if isinstance(texte, date) else _read(texte)
    if not FIRST <= day <= LAST:
        raise UnknownDay(
            f"Le {date_longue(day)} est hors des données simulées. Choisissez un jour "
            f"entre le {date_longue(FIRST)} et le {date_longue(LAST)}."
        )
    return day


def last_day(updated: date, frequency: str) -> date | None:
    """Return the day one period of `frequency` after `updated`; None if it is no duration."""
    period = PERIODS.get(frequency)
    return next_update(period, updated) if period else None


def defibrillators(project: Project | None = None) -> tuple[Item, ...]:
    """Return the defibrillators of the fictitious territory, in the order of the file.

    Raises:
        DatasetError: the file is missing or is not the one described.
    """
    return tuple(_device(row) for row in _rows("defibrillateurs", project))


def datasets(project: Project | None = None) -> tuple[Item, ...]:
    """Return the datasets of its catalogue, each with the day its next update was due.

    Raises:
        DatasetError: the file is missing or is not the one described.
    """
    return tuple(_listed(row) for row in _rows("jeux", project))


def by_urgency(items: Iterable[Item], today: date) -> list[Item]:
    """Sort: expired first, the longest ago first, then without day, then by day to come."""
    order = (EXPIRED, MISSING, NEAR, AHEAD)
    return sorted(
        items,
        key=lambda item: (
            order.index(item.state(today)),
            item.first[1] if item.first else date.min,
        ),
    )


def counts(items: Sequence[Item], today: date) -> dict[str, int]:
    """Count the items in each state."""
    states = [item.state(today) for item in items]
    return {state: states.count(state) for state in (EXPIRED, MISSING, NEAR, AHEAD)}


def _read(texte: object) -> date:
    text = unicodedata.normalize("NFKD", str(texte)).strip().lower()
    text = " ".join("".join(one for one in text if not unicodedata.combining(one)).split())
    text = re.sub(r"^(?:le )?(?:lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche)? ?", "", text)
    for writing, places in _WRITINGS:
        found = writing.fullmatch(text)
        if not found:
            continue
        year, month, day = (found[1 + place] for place in places)
        number = _MONTHS.index(month) + 1 if month in _MONTHS else int(month)
        try:
            return date(int(year), number, int(day))
        except ValueError:
            raise UnknownDay(
                f"Le jour « {texte} » n'existe dans aucun calendrier. "
                "Écrivez-le ainsi : « 22 novembre 2026 » ou « 22/11/2026 »."
            ) from None
    raise UnknownDay(
        f"« {texte} » n'est pas un jour que l'on sait lire. "
        "Écrivez-le ainsi : « 22 novembre 2026 », « 22/11/2026 » ou « 2026-11-22 »."
    )


def _rows(name: str, project: Project | None) -> Iterator[dict[str, str]]:
    dataset = load_dataset((project or Project.find()).datasets / name)
    dataset.verify()
    with dataset.resources[0].path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _device(row: Mapping[str, str]) -> Item:
    fields = {"électrodes pour adultes": "dtpr_lcad", "batterie": "dtpr_bat"}
    if row["lc_ped"] == "oui":
        fields["électrodes pour enfants"] = "dtpr_lcped"
    known = ((part, row[field]) for part, field in fields.items() if row[field])
    return Item(
        row["nom"],
        tuple((part, date.fromisoformat(text)) for part, text in known),
        tuple(part for part, field in fields.items() if not row[field]),
    )


def _listed(row: Mapping[str, str]) -> Item:
    part = "mise à jour attendue"
    updated = row["DATE_MAJ"]
    day = last_day(date.fromisoformat(updated), row["FREQ_MAJ"]) if updated else None
    return Item(row["TITRE"], ((part, day),) if day else (), () if day else (part,))
