"""The catalogue: what each dataset is, how old, until when it may be quoted.

Everything said of a dataset (catalogue page, badge under a figure, freshness
check) is read from its one `datasets/<name>/datapackage.json`, a Frictionless
Data Package (v1 profile) with the properties of the course: kind, producer,
vintage, collected, published, updateFrequency, validUntil, notebooks, traps.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from culture_d.errors import DatasetError, DatasetExpired, ManifestError
from culture_d.french import date_longue
from culture_d.project import Project

KINDS = {
    "réel": "données réelles",
    "officiel saisi": "chiffres officiels, saisis à la main",
    "simulé": "données simulées",
}
REQUIRED = (
    "name",
    "title",
    "description",
    "kind",
    "producer",
    "vintage",
    "collected",
    "published",
    "licenses",
    "sources",
    "notebooks",
    "resources",
)
_PERIOD = re.compile(r"^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?$")


@dataclass(frozen=True)
class Resource:
    """One data file of a dataset."""

    path: Path
    sha256: str

    def verify(self) -> None:
        """Check that the file is there and is the one described.

        Raises:
            DatasetError: missing, or another content than the manifest's sha256.
        """
        if not self.path.is_file():
            raise DatasetError(
                f"Le fichier de données « {self.path} » est introuvable. Reprenez-le dans le dépôt "
                f"du cours, ou relancez « python {self.path.parent / 'build.py'} »."
            )
        found = hashlib.sha256(self.path.read_bytes()).hexdigest()
        if found != self.sha256:
            raise DatasetError(
                f"Le fichier de données « {self.path} » a changé ou est tronqué : empreinte "
                f"{found[:12]}…, attendue {self.sha256[:12]}…. Reprenez-le dans le dépôt du cours ; "
                "si le changement est voulu, mettez à jour « hash » et les dates dans "
                "« datapackage.json »."
            )


@dataclass(frozen=True)
class Dataset:
    """What the manifest of a dataset says. Dates are calendar days."""

    folder: Path
    name: str
    title: str
    description: str
    kind: str
    producer: str
    vintage: str
    collected: date
    published: date
    valid_until: date
    valid_until_reason: str
    frequency: str
    licence: str
    licence_url: str
    sources: tuple[tuple[str, str], ...]
    notebooks: tuple[str, ...]
    traps: tuple[str, ...]
    resources: tuple[Resource, ...]
    fields: tuple[Mapping[str, Any], ...]

    def expired(self, today: date) -> bool:
        """Whether `today` is past the last day of validity."""
        return today > self.valid_until

    def age(self, today: date) -> int:
        """Days since the data were published."""
        return (today - self.published).days

    def verify(self) -> None:
        """Check every data file against its sha256 (see `Resource.verify`)."""
        for resource in self.resources:
            resource.verify()


def load_dataset(folder: Path) -> Dataset:
    """Read the manifest of the dataset in `folder`.

    Raises:
        ManifestError: missing, not JSON, or incomplete.
    """
    path = folder / "datapackage.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(
            f"« {path} » est introuvable : chaque jeu de données a un fichier « datapackage.json »."
        ) from None
    except ValueError as error:
        raise ManifestError(f"« {path} » n'est pas un fichier JSON lisible : {error}.") from None
    missing = [key for key in REQUIRED if key not in manifest]
    if missing:
        raise ManifestError(f"« {path} » est incomplet : il manque {', '.join(missing)}.")
    if manifest["kind"] not in KINDS:
        raise ManifestError(
            f"« {path} » : le genre « {manifest['kind']} » est inconnu. "
            f"Genres admis : {', '.join(KINDS)}."
        )
    if manifest["name"] != folder.name:
        raise ManifestError(
            f"« {path} » : le nom « {manifest['name']} » diffère de celui du dossier."
        )
    published = _day(manifest, "published", path)
    collected = _day(manifest, "collected", path)
    valid_until = _valid_until(manifest, published, path)
    resources, fields = [], []
    for entry in manifest["resources"]:
        algorithm, _, digest = str(entry.get("hash", "")).partition(":")
        if algorithm != "sha256" or len(digest) != 64:
            raise ManifestError(
                f"« {path} » : la ressource « {entry.get('path')} » n'a pas d'empreinte "
                "« sha256:… » dans « hash »."
            )
        resources.append(Resource(folder / entry["path"], digest))
        fields.extend(entry.get("schema", {}).get("fields", ()))
    licence = manifest["licenses"][0]
    return Dataset(
        folder=folder,
        name=manifest["name"],
        title=manifest["title"],
        description=manifest["description"],
        kind=manifest["kind"],
        producer=manifest["producer"],
        vintage=manifest["vintage"]["label"],
        collected=collected,
        published=published,
        valid_until=valid_until,
        valid_until_reason=manifest.get("validUntilReason", ""),
        frequency=manifest.get("updateFrequency", ""),
        licence=licence["title"],
        licence_url=licence.get("path", ""),
        sources=tuple((source["title"], source.get("path", "")) for source in manifest["sources"]),
        notebooks=tuple(manifest["notebooks"]),
        traps=tuple(manifest.get("traps", ())),
        resources=tuple(resources),
        fields=tuple(fields),
    )


def load_catalogue(project: Project | None = None) -> tuple[Dataset, ...]:
    """Read every dataset of the course, in the order of their names."""
    root = (project or Project.find()).datasets
    folders = (path for path in sorted(root.iterdir()) if path.is_dir())
    return tuple(load_dataset(path) for path in folders if not path.name.startswith((".", "_")))


def check_freshness(datasets: tuple[Dataset, ...], today: date) -> None:
    """Fail when a dataset is past its date.

    Raises:
        DatasetExpired: names each expired dataset and its date.
    """
    expired = [dataset for dataset in datasets if dataset.expired(today)]
    if expired:
        names = " ; ".join(
            f"« {dataset.name} » depuis le {date_longue(dataset.valid_until)}"
            for dataset in expired
        )
        raise DatasetExpired(
            f"Au {date_longue(today)}, des données ont expiré : {names}. Cherchez le millésime "
            "suivant chez le producteur, puis mettez à jour « build.py » et « datapackage.json »."
        )


def limit_label(dataset: Dataset) -> str:
    """Write what the date of expiry of a dataset means: where nothing will follow, a review."""
    return "en vigueur jusqu'au" if dataset.frequency else "à relire au plus tard le"


def frequency_label(period: str) -> str:
    """Write an ISO 8601 period in French: « P1Y » gives « chaque année »."""
    labels = {
        "P1D": "chaque jour",
        "P1W": "chaque semaine",
        "P1M": "chaque mois",
        "P3M": "chaque trimestre",
        "P1Y": "chaque année",
        "": "aucune mise à jour prévue",
    }
    return labels.get(period, period)


def _check_order(collected: date, published: date, limit: date, latest: date, path: Path) -> None:
    """Check that facts come before publication, and expiry after it but not too late."""
    if not collected <= published < limit:
        raise ManifestError(
            f"« {path} » : les dates doivent se suivre, et l'on y trouve collected {collected}, "
            f"published {published}, validUntil {limit}."
        )
    if limit > latest:
        raise ManifestError(
            f"« {path} » : « validUntil » ({limit}) dépasse la date de publication plus un rythme "
            f"de mise à jour ({latest})."
        )


def _valid_until(manifest: Mapping[str, Any], published: date, path: Path) -> date:
    match = _PERIOD.match(manifest.get("updateFrequency", ""))
    periodic = bool(match and any(match.groups()))
    if "validUntil" in manifest:
        said = _day(manifest, "validUntil", path)
        latest = next_update(manifest["updateFrequency"], published) if periodic else date.max
        _check_order(_day(manifest, "collected", path), published, said, latest, path)
        return said
    if not periodic:
        raise ManifestError(
            f"« {path} » ne dit pas jusqu'à quand les données valent : ajoutez « validUntil » "
            "(AAAA-MM-JJ) ou « updateFrequency » (par exemple « P1Y » pour un an)."
        )
    limit = next_update(manifest["updateFrequency"], published)
    _check_order(_day(manifest, "collected", path), published, limit, limit, path)
    return limit


def next_update(period: str, published: date) -> date:
    """Add an ISO 8601 period in years, months, weeks and days to a date."""
    match = _PERIOD.match(period)
    assert match
    years, months, weeks, days = (int(group or 0) for group in match.groups())
    month = published.month - 1 + months + 12 * years
    year, month = published.year + month // 12, month % 12 + 1
    first = date(year, month, 1)
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return first.replace(day=min(published.day, last)) + timedelta(days=7 * weeks + days)


def _day(manifest: Mapping[str, Any], key: str, path: Path) -> date:
    try:
        return date.fromisoformat(manifest[key])
    except (TypeError, ValueError):
        raise ManifestError(
            f"« {path} » : « {key} » doit être une date AAAA-MM-JJ, et vaut « {manifest[key]} »."
        ) from None
