"""Open a dataset for real: who can be recognised in it, what to coarsen, how to publish it.

French names, since notebooks and agents call these on their own files:

- `risque` counts who is alone in a combination of columns;
- `masquer` and `regrouper` give a copy with fewer or coarser columns;
- `colonnes_personnelles` says which columns seem to speak of a person;
- `preparer_paquet` writes a Frictionless data package, `verifier_paquet` checks one;
- `echeances` gives the days that a request for a document sets running.

Nothing here changes the table it is given, nor writes over a file.
"""

import csv
import difflib
import hashlib
import json
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from culture_d.errors import CultureDError, reason
from culture_d.french import accord, nombre

MINIMUM = 5
"""People in the smallest group that the course accepts: its own choice, not a legal test."""

LICENCES: Mapping[str, Mapping[str, str]] = {
    "Licence Ouverte 2.0": {
        "name": "etalab-2.0",
        "path": "https://www.etalab.gouv.fr/licence-ouverte-open-licence",
    },
    "ODbL 1.0": {
        "name": "ODbL-1.0",
        "path": "https://opendatacommons.org/licenses/odbl/1-0/",
    },
}
"""Licences for data on the list of CRPA D323-2-1 (law card « licences »)."""

FREQUENCES: Mapping[str, str] = {
    "jamais": "",
    "chaque semaine": "P1W",
    "chaque mois": "P1M",
    "chaque trimestre": "P3M",
    "chaque semestre": "P6M",
    "chaque année": "P1Y",
}

# Words of a column name, and what they announce.
_PERSONAL_WORDS: Mapping[str, str] = {
    "nom": "un nom",
    "noms": "un nom",
    "prenom": "un prénom",
    "tel": "un numéro de téléphone",
    "telephone": "un numéro de téléphone",
    "portable": "un numéro de téléphone",
    "courriel": "une adresse électronique",
    "mail": "une adresse électronique",
    "email": "une adresse électronique",
    "adresse": "une adresse",
    "naissance": "une date ou une année de naissance",
    "age": "un âge",
    "nir": "un numéro de sécurité sociale",
    "secu": "un numéro de sécurité sociale",
    "iban": "un compte bancaire",
    "rib": "un compte bancaire",
    "identifiant": "un identifiant de personne",
    "usager": "une personne",
    "usagere": "une personne",
    "habitant": "une personne",
    "habitante": "une personne",
    "demandeur": "une personne",
    "demandeuse": "une personne",
    "agent": "une personne",
    "agente": "une personne",
    "commentaire": "un texte libre",
    "commentaires": "un texte libre",
    "observation": "un texte libre",
    "observations": "un texte libre",
    "remarque": "un texte libre",
    "remarques": "un texte libre",
    "note": "un texte libre",
    "notes": "un texte libre",
}
# « nom_commune » is the name of a place, « adresse_salle » that of a building…
_PLACES = frozenset(
    ["commune", "rue", "voie", "lieu", "salle", "site", "ecole", "batiment", "equipement"]
)
_OF_PLACES = frozenset(["nom", "noms", "adresse", "tel", "telephone", "courriel", "mail", "email"])
# … and « nombre_agents » is a count.
_COUNTS = frozenset(["nombre", "nb", "total", "moyenne", "mediane"])
_CONTENTS = (
    ("une adresse électronique", re.compile(r"[\w.+-]+@[\w-]+\.\w+")),
    ("un numéro de téléphone", re.compile(r"(?<!\d)(?:\+33 ?|0)[1-9](?:[ .-]?\d{2}){4}(?!\d)")),
    ("un compte bancaire", re.compile(r"\bFR\d{2}(?: ?[\dA-Z]{4}){5}")),
    (
        "un numéro de sécurité sociale",
        re.compile(r"(?<!\d)[12] ?\d{2} ?[01]\d ?\d[\dAB](?: ?\d{3}){2}"),
    ),
    ("le nom d'une personne", re.compile(r"\b(?:M\.|Mme|Mlle|Monsieur|Madame) ?[A-ZÀ-Ý]")),
)
_HOUSE_NUMBER = re.compile(r"^\s*\d+\s*(?:bis|ter|quater)?\s*,?\s+", re.IGNORECASE)
_PERIODS = ("jour", "mois", "trimestre", "semestre", "année")
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_LONGEST_ENUM = 12
_SHOWN = 5


class OpeningError(CultureDError):
    """A dataset that cannot be opened as it is asked."""


@dataclass(frozen=True)
class Risque:
    """Who can be singled out by some columns.

    A row is alone when one person only, or one row only if no column says who is who, holds its
    combination of values. `plus_petit` is the size of the smallest group, in people or in rows.
    """

    colonnes: tuple[str, ...]
    lignes: int
    groupes: int
    lignes_seules: int
    personnes_seules: int
    plus_petit: int
    minimum: int
    petits_groupes: int
    lignes_en_petit_groupe: int
    compte_des_personnes: bool

    def phrase(self) -> str:
        """Say the result in French."""
        what = "personne" if self.compte_des_personnes else "ligne"
        return (
            f"Colonnes croisées : {', '.join(self.colonnes) or 'aucune'}. "
            f"{accord(self.lignes_seules, 'ligne')} sur {nombre(self.lignes)} : un seul cas. "
            f"Le plus petit groupe compte {accord(self.plus_petit, what)}. "
            f"Groupes de moins de {self.minimum} : {nombre(self.petits_groupes)}."
        )


def risque(
    table: pd.DataFrame,
    colonnes: Sequence[str],
    personne: str | None = None,
    minimum: int = MINIMUM,
) -> Risque:
    """Count who is alone in the combination of `colonnes`.

    Args:
        table: one row per fact.
        colonnes: what a neighbour may know (street, age, type…); none: a single group.
        personne: column that says who is who (e-mail…), so that ten rows of one person count
            for one. Without it, each row counts for a person, which is optimistic.
        minimum: size under which a group is small, in people or in rows.

    Raises:
        OpeningError: unknown column, empty table, or a minimum that is not 2 or more.
    """
    _need_rows(table)
    _need_columns(table, colonnes)
    _need_columns(table, [personne] if personne else [])
    if isinstance(minimum, bool) or not isinstance(minimum, int) or minimum < 2:
        raise OpeningError(
            f"« minimum » est la taille du plus petit groupe admis : un entier, 2 ou plus. Reçu : {minimum!r}."
        )
    who = table[personne] if personne else pd.Series(range(len(table)), index=table.index)
    keys = [table[colonne] for colonne in colonnes] or [pd.Series(0, index=table.index)]
    grouped = who.groupby(keys, dropna=False)
    sizes, by_row = grouped.nunique(dropna=False), grouped.transform("nunique", dropna=False)
    return Risque(
        colonnes=tuple(colonnes),
        lignes=len(table),
        groupes=len(sizes),
        lignes_seules=int((by_row == 1).sum()),
        personnes_seules=int(who[by_row == 1].nunique(dropna=False)),
        plus_petit=int(sizes.min()),
        minimum=minimum,
        petits_groupes=int((sizes < minimum).sum()),
        lignes_en_petit_groupe=int((by_row < minimum).sum()),
        compte_des_personnes=personne is not None,
    )


def masquer(table: pd.DataFrame, colonnes: Sequence[str]) -> pd.DataFrame:
    """Return a copy without `colonnes`.

    Raises:
        OpeningError: unknown column.
    """
    _need_columns(table, colonnes)
    return table.drop(columns=list(colonnes))


def regrouper(
    table: pd.DataFrame,
    colonne: str,
    vers: str | Mapping[Any, Any],
    nom: str | None = None,
    pas: int = 20,
    annee: int | None = None,
) -> pd.DataFrame:
    """Return a copy where a column is less precise, at the same place.

    Args:
        table: left as it is.
        colonne: the column to coarsen.
        vers: « mois », « trimestre », « semestre » or « année » for dates; « voie » for an
            address (its number goes); « tranche » for a year of birth; or a table of values
            {"Valmorin": "petites communes", …}.
        nom: name of the new column; otherwise the level, or the same name.
        pas: years in an age band.
        annee: year at which ages are counted, needed by « tranche ».

    Raises:
        OpeningError: unknown column or level, value that cannot be read or is not in the table
            of values; the message names the first one and its row.
    """
    _need_columns(table, [colonne])
    values = table[colonne]
    if isinstance(vers, Mapping):
        coarse = values.map(vers)
        _all_read(values, coarse, colonne, "elle n'est pas dans la table de regroupement")
        name = nom or colonne
    elif vers in _PERIODS[1:]:
        coarse, name = _period(values, vers, colonne), nom or _fold(vers)
    elif vers == "voie":
        coarse, name = values.str.replace(_HOUSE_NUMBER, "", regex=True), nom or "voie"
    elif vers == "tranche":
        coarse, name = _band(values, pas, annee, colonne), nom or "tranche_age"
    else:
        raise OpeningError(
            f"« {vers} » n'est pas une façon de regrouper. Choisissez mois, trimestre, semestre, "
            'année, voie ou tranche, ou donnez une table {"ancienne valeur": "nouvelle"}.'
        )
    if name != colonne and name in table.columns:
        raise OpeningError(f"La colonne « {name} » existe déjà : donnez un autre « nom ».")
    return table.assign(**{colonne: coarse}).rename(columns={colonne: name})


def colonnes_personnelles(table: pd.DataFrame) -> dict[str, str]:
    """Return the columns that seem to speak of a person, and why.

    By their name, then by what they hold. It misses some: it helps a reader, and replaces none.
    """
    found = {}
    for column in table.columns:
        why = _why_name(str(column)) or _why_content(table[column])
        if why:
            found[str(column)] = why
    return found


def preparer_paquet(
    table: pd.DataFrame,
    dossier: str | Path,
    titre: str,
    licence: str,
    frequence: str,
    *,
    nom: str,
    description: str,
    producteur: str,
    publie_le: date | str,
    valable_jusqu_au: date | str,
    colonnes: Mapping[str, str],
    admises: Mapping[str, str] | None = None,
    personnes: str | None = None,
    sans_personne: str = "",
    minimum: int = MINIMUM,
) -> Path:
    """Write `table` and its description in a new folder, check both, and return the folder.

    Args:
        table: what is published; left as it is.
        dossier: a folder that does not exist yet, or is empty.
        titre: one line, for people.
        licence: a key of `LICENCES`.
        frequence: a key of `FREQUENCES`.
        nom: name of the data file, in lower case without accents: « signalements-2025 ».
        description: what the file is, and what was taken out of it.
        producteur: who answers for it.
        publie_le: day of publication.
        valable_jusqu_au: last day on which it should be quoted.
        colonnes: what each column means; all of them, in any order.
        admises: columns kept although they seem to speak of a person, each with the reason.
        personnes: for one row per group, the column that counts the people of each group.
        sans_personne: why no row is about a person (equipment, places): nothing is then crossed.
        minimum: people in the smallest group. Without `personnes` nor `sans_personne`, all the
            published columns are crossed, delays and costs too, and rows are counted: a first
            barrier, since one person may have written several. Count people with `risque` before.

    Raises:
        OpeningError: anything missing or unknown, a personal column left in, a small group, a
            folder already used, or a package that does not pass `verifier_paquet`.
    """
    _need_rows(table)
    _need_headers(table)
    descriptor = _descriptor(
        titre, licence, frequence, nom, description, producteur, publie_le, valable_jusqu_au
    )
    _need_descriptions(table, colonnes)
    _refuse_personal(table, admises or {})
    if personnes is not None:
        _refuse_few_people(table, personnes, minimum)
    elif not sans_personne.strip():
        _refuse_small_groups(table, minimum)
    target = _free_folder(Path(dossier))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".paquet-", dir=target.parent) as scratch:
            made = Path(scratch) / "paquet"
            made.mkdir()
            fields = [_field(table[name], colonnes[str(name)]) for name in table.columns]
            path = made / f"{nom}.csv"
            _write_table(table, fields, path)
            content = path.read_bytes()
            descriptor["resources"] = [
                {
                    "name": nom,
                    "path": path.name,
                    "title": titre,
                    "profile": "tabular-data-resource",
                    "format": "csv",
                    "mediatype": "text/csv",
                    "encoding": "utf-8",
                    "bytes": len(content),
                    "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
                    "schema": {"fields": fields, "missingValues": [""]},
                }
            ]
            text = json.dumps(descriptor, ensure_ascii=False, indent=2) + "\n"
            (made / "datapackage.json").write_text(text, encoding="utf-8", newline="\n")
            faults = verifier_paquet(made, admises=tuple(admises or {}))
            if faults:
                raise OpeningError(f"Le paquet n'est pas publiable. {' '.join(faults)}")
            if target.exists():
                target.rmdir()
            shutil.move(made, target)
    except OSError as error:
        raise OpeningError(
            f"Le dossier « {target} » n'a pas pu être écrit : {reason(error)}. "
            "Choisissez un autre dossier."
        ) from error
    return target


def verifier_paquet(dossier: str | Path, admises: Sequence[str] = ()) -> tuple[str, ...]:
    """Check a package with Frictionless and by the rules of the course: French faults, none if valid.

    Args:
        dossier: where `datapackage.json` is.
        admises: columns known to be no one's although they seem so.
    """
    folder = Path(dossier)
    path = folder / "datapackage.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return (f"Il n'y a pas de fichier « datapackage.json » dans « {folder} ».",)
    except (OSError, ValueError):
        return (
            "« datapackage.json » ne se lit pas : ce n'est pas du texte JSON en UTF-8. Reprenez-le.",
        )
    if not isinstance(manifest, dict):
        return ("« datapackage.json » doit contenir un objet JSON, entre accolades.",)
    faults = _missing_metadata(manifest)
    faults += _frictionless_faults(folder)
    resources = manifest.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        faults += _personal_faults(folder, resource, admises)
    return tuple(dict.fromkeys(faults))


def echeances(recue_le: date | str, enregistree_le: date | str | None = None) -> pd.DataFrame:
    """Return the days that a request for a document sets running, counted from date to date.

    The rules are those of the law cards named in column « fiche ». From 31 January, one month
    leads to the last day of February. To the day, the way of counting is to be checked.

    Args:
        recue_le: day on which the administration received the request.
        enregistree_le: day on which the commission (CADA) registered the referral, if there is one.

    Raises:
        OpeningError: a day that cannot be read, or a referral that comes before the refusal.
    """
    start = _day(recue_le, "recue_le")
    refusal = _months_after(start, 1)
    rows = [
        ("Demande reçue", start, "acces-silence"),
        ("Sans réponse, refus", refusal, "acces-silence"),
        ("Dernier jour pour saisir la commission", _months_after(refusal, 2), "acces-cada"),
    ]
    if enregistree_le is not None:
        entry = _day(enregistree_le, "enregistree_le")
        if entry <= start:
            raise OpeningError(
                f"La commission ne peut pas enregistrer la demande le {entry.isoformat()} : "
                f"la mairie l'a reçue le {start.isoformat()}."
            )
        confirmed = _months_after(entry, 2)
        rows += [
            ("Saisine enregistrée par la commission", entry, "acces-cada"),
            ("Avis attendu de la commission", _months_after(entry, 1), "acces-cada"),
            ("Sans réponse de notre part, refus confirmé", confirmed, "acces-refus-confirme"),
            ("Dernier jour pour saisir le tribunal", _months_after(confirmed, 2), "acces-tribunal"),
        ]
    return pd.DataFrame(rows, columns=["etape", "jour", "fiche"])


def _months_after(day: date, months: int) -> date:
    moved: date = (pd.Timestamp(day) + pd.DateOffset(months=months)).date()
    return moved


def _day(value: date | str, name: str) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise OpeningError(
            f"« {name} » attend une date AAAA-MM-JJ, par exemple « 2026-03-05 ». Reçu : {value!r}."
        ) from None


def _need_rows(table: pd.DataFrame) -> None:
    if not isinstance(table, pd.DataFrame):
        raise OpeningError(
            f"On attend un tableau (pandas.DataFrame), et l'on reçoit : {type(table).__name__}. "
            "Lisez d'abord votre fichier."
        )
    if table.empty:
        raise OpeningError("Le tableau est vide : il n'y a rien à compter ni à publier.")


def _need_columns(table: pd.DataFrame, columns: Sequence[str]) -> None:
    if isinstance(columns, str):
        raise OpeningError(f'Donnez une liste de colonnes : ["{columns}"], avec des crochets.')
    names = [str(name) for name in table.columns]
    unknown = [name for name in columns if name not in names]
    if not unknown:
        return
    close = difflib.get_close_matches(unknown[0], names, n=1)
    guess = f" Vouliez-vous dire « {close[0]} » ?" if close else ""
    raise OpeningError(
        f"La colonne « {unknown[0]} » n'est pas dans le tableau.{guess} Colonnes : {', '.join(names)}."
    )


def _need_headers(table: pd.DataFrame) -> None:
    names = [str(name).strip() for name in table.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise OpeningError(f"Deux colonnes s'appellent « {twice} » : renommez-en une.")
    if "" in names or any(name.startswith("Unnamed:") for name in names):
        raise OpeningError("Une colonne n'a pas de titre : nommez-la, ou retirez-la.")


def _need_descriptions(table: pd.DataFrame, said: Mapping[str, str]) -> None:
    missing = [str(name) for name in table.columns if not str(said.get(name, "")).strip()]
    extra = [name for name in said if name not in list(table.columns)]
    if missing:
        raise OpeningError(
            f"Dites en une phrase ce que contient chaque colonne. Il manque : {', '.join(missing)}."
        )
    if extra:
        raise OpeningError(
            f"Vous décrivez des colonnes absentes du tableau : {', '.join(extra)}. Retirez-les."
        )


def _refuse_personal(table: pd.DataFrame, admitted: Mapping[str, str]) -> None:
    _need_columns(table, list(admitted))
    silent = [name for name, why in admitted.items() if not why.strip()]
    if silent:
        raise OpeningError(f"Dites pourquoi vous gardez : {', '.join(silent)}.")
    left = {k: v for k, v in colonnes_personnelles(table).items() if k not in admitted}
    if left:
        listed = " ; ".join(f"« {name} » ({why})" for name, why in left.items())
        raise OpeningError(
            f"Des colonnes semblent parler d'une personne : {listed}. Masquez-les ou regroupez-les. "
            "Si c'est une erreur, nommez-les dans « admises », avec la raison."
        )


def _refuse_few_people(table: pd.DataFrame, column: str, minimum: int) -> None:
    _need_columns(table, [column])
    people = pd.to_numeric(table[column], errors="coerce")
    few = people.isna() | (people < minimum)
    if few.any():
        raise OpeningError(
            f"Colonne « {column} » : {accord(int(few.sum()), 'groupe')} sans nombre, ou de moins de "
            f"{minimum} personnes. Regroupez davantage, puis recomptez."
        )


def _refuse_small_groups(table: pd.DataFrame, minimum: int) -> None:
    found = risque(table, [str(name) for name in table.columns], minimum=minimum)
    if found.petits_groupes:
        raise OpeningError(
            f"En croisant toutes les colonnes, {accord(found.petits_groupes, 'groupe')} de moins de "
            f"{minimum} lignes. Le plus petit en compte {nombre(found.plus_petit)}. Regroupez "
            "davantage, ou publiez une ligne par groupe et nommez dans « personnes » la colonne qui "
            "les compte. Si aucune ligne ne parle d'une personne, dites pourquoi dans « sans_personne »."
        )


def _descriptor(
    title: str,
    licence: str,
    frequency: str,
    name: str,
    description: str,
    producer: str,
    published: date | str,
    valid_until: date | str,
) -> dict[str, Any]:
    for key, text in (("titre", title), ("description", description), ("producteur", producer)):
        if not isinstance(text, str) or not text.strip():
            raise OpeningError(f"« {key} » est vide : écrivez-le en une phrase.")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise OpeningError(
            f"« nom » nomme le fichier : des minuscules sans accent, des chiffres et des tirets, "
            f"comme « signalements-2025 ». Reçu : {name!r}."
        )
    if licence not in LICENCES:
        raise OpeningError(
            f"La licence « {licence} » n'est pas dans la liste : {', '.join(LICENCES)}. "
            "Une autre doit d'abord être approuvée."
        )
    if frequency not in FREQUENCES:
        raise OpeningError(
            f"La fréquence « {frequency} » est inconnue. Choisissez : {', '.join(FREQUENCES)}."
        )
    first, last = _day(published, "publie_le"), _day(valid_until, "valable_jusqu_au")
    if last <= first:
        raise OpeningError(
            f"« valable_jusqu_au » ({last.isoformat()}) doit venir après « publie_le » "
            f"({first.isoformat()})."
        )
    return {
        "profile": "tabular-data-package",
        "name": name,
        "title": title,
        "description": description,
        "created": f"{first.isoformat()}T00:00:00Z",
        "updateFrequency": FREQUENCES[frequency],
        "validUntil": last.isoformat(),
        "licenses": [{**LICENCES[licence], "title": licence}],
        "contributors": [{"title": producer, "role": "publisher"}],
    }


def _free_folder(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OpeningError(
            f"« {folder} » existe déjà et n'est pas vide. Rien n'y a été écrit : "
            "donnez un nouveau dossier."
        )
    return folder.absolute()


def _fold(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in bare if not unicodedata.combining(one))


def _why_name(name: str) -> str:
    # « dateNaissance » and « date_naissance » are the same words.
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])", " ", name)
    words = re.findall(r"[a-z]+", _fold(spaced))
    if _COUNTS & set(words):
        return ""
    harmless = _OF_PLACES if _PLACES & set(words) else frozenset()
    telling = (word for word in words if word in _PERSONAL_WORDS and word not in harmless)
    return next((_PERSONAL_WORDS[word] for word in telling), "")


def _why_content(values: pd.Series) -> str:
    texts = values.dropna()
    if (
        texts.empty
        or pd.api.types.is_numeric_dtype(texts)
        or pd.api.types.is_datetime64_any_dtype(texts)
    ):
        return ""
    texts = texts.astype(str)
    for what, pattern in _CONTENTS:
        if texts.str.contains(pattern).any():
            return what
    words = texts.str.split().str.len()
    if len(texts) >= 20 and words.median() >= 4 and texts.nunique() > _LONGEST_ENUM:
        return "un texte libre"
    return ""


def _period(values: pd.Series, level: str, column: str) -> pd.Series:
    days = _days(values)
    _all_read(values, days, column, "on attend une date AAAA-MM-JJ ou JJ/MM/AAAA")
    year, month = days.dt.strftime("%Y"), days.dt.month
    if level == "mois":
        return days.dt.strftime("%Y-%m").where(days.notna())
    if level == "année":
        return year.where(days.notna())
    letter, size = ("T", 3) if level == "trimestre" else ("S", 6)
    rank = ((month - 1) // size + 1).astype("Int64").astype(str)
    return (year + f"-{letter}" + rank).where(days.notna())


def _days(values: pd.Series) -> pd.Series:
    """Read days as people write them, the hour left out; what is no day is missing."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return values
    texts = values.astype("string").str.strip().str.split(r"[T ]", n=1, regex=True).str[0]
    iso = pd.to_datetime(texts, errors="coerce", format="%Y-%m-%d")
    return iso.fillna(pd.to_datetime(texts, errors="coerce", format="%d/%m/%Y"))


def _band(values: pd.Series, step: int, year: int | None, column: str) -> pd.Series:
    if year is None or step < 2:
        raise OpeningError(
            "Pour une tranche d'âge, donnez « annee », l'année où l'on compte l'âge, et un « pas » "
            "de 2 ans ou plus."
        )
    births = pd.to_numeric(values, errors="coerce")
    _all_read(values, births, column, "ce n'est pas une année de naissance")
    ages = year - births
    wrong = births[(ages < 0) | (ages > 130)]
    if not wrong.empty:
        raise OpeningError(
            f"« {wrong.iloc[0]:g} » n'est pas une année de naissance possible en {year}, "
            f"colonne « {column} », ligne {_row_number(values, wrong.index[0])} du fichier."
        )
    low = (ages // step * step).astype("Int64")
    return ("de " + low.astype(str) + " à " + (low + step - 1).astype(str) + " ans").where(
        births.notna()
    )


def _all_read(before: pd.Series, after: pd.Series, column: str, why: str) -> None:
    wrong = before[after.isna() & before.notna()]
    if not wrong.empty:
        raise OpeningError(
            f"« {wrong.iloc[0]} » ne se regroupe pas : {why}. Colonne « {column} », ligne "
            f"{_row_number(before, wrong.index[0])} du fichier."
        )


def _row_number(values: pd.Series, label: Any) -> int:
    """Return the line of a spreadsheet: titles are on the first one."""
    return list(values.index).index(label) + 2


def _field(values: pd.Series, description: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "name": str(values.name),
        "type": _type(values),
        "description": description.strip(),
    }
    constraints: dict[str, Any] = {}
    if values.notna().all() and not (values.astype(str) == "").any():
        constraints["required"] = True
    if field["type"] == "string" and values.nunique() <= _LONGEST_ENUM < len(values):
        constraints["enum"] = sorted(text for text in values.dropna().astype(str).unique() if text)
    if constraints:
        field["constraints"] = constraints
    return field


def _type(values: pd.Series) -> str:
    known = values.dropna()
    if pd.api.types.is_bool_dtype(known):
        return "boolean"
    if pd.api.types.is_datetime64_any_dtype(known):
        return "date"
    if pd.api.types.is_numeric_dtype(known) and len(known):
        return "integer" if (known == known.round()).all() else "number"
    texts = known.astype(str)
    if len(texts) and texts.str.fullmatch(r"\d{4}-\d{2}-\d{2}").all():
        return "date"
    return "string"


def _write_table(table: pd.DataFrame, fields: Sequence[Mapping[str, Any]], path: Path) -> None:
    columns = [_texts(table[field["name"]], field["type"]) for field in fields]
    with path.open("x", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([field["name"] for field in fields])
        writer.writerows(zip(*columns, strict=True))


def _texts(values: pd.Series, kind: str) -> list[str]:
    def text(value: Any) -> str:
        if pd.isna(value):
            return ""
        if kind == "integer":
            return str(int(value))
        if kind == "boolean":
            return "true" if value else "false"
        if kind == "date" and not isinstance(value, str):
            return str(value.strftime("%Y-%m-%d"))
        return str(value)

    return [text(value) for value in values]


def _missing_metadata(manifest: Mapping[str, Any]) -> list[str]:
    faults = []
    for key, what in (
        ("title", "son titre"),
        ("description", "sa description"),
        ("licenses", "sa licence"),
        ("contributors", "qui le publie"),
        ("validUntil", "jusqu'à quand le citer"),
    ):
        if not manifest.get(key):
            faults.append(
                f"Le paquet ne dit pas {what} : complétez « {key} » dans « datapackage.json »."
            )
    if "updateFrequency" not in manifest:
        faults.append(
            "Le paquet ne dit pas son rythme de mise à jour : complétez « updateFrequency »."
        )
    known = {licence["name"] for licence in LICENCES.values()}
    names = [one.get("name") for one in manifest.get("licenses") or () if isinstance(one, dict)]
    if names and not known & set(names):
        faults.append(
            f"La licence « {names[0]} » n'est pas dans la liste : {', '.join(sorted(known))}."
        )
    return faults


def _personal_faults(folder: Path, resource: Any, admitted: Sequence[str]) -> list[str]:
    path = folder / str(resource.get("path", "")) if isinstance(resource, dict) else folder
    if not path.is_file():
        return []
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=True)
    except (ValueError, UnicodeDecodeError):
        return []
    return [
        f"La colonne « {name} » semble contenir {why} : retirez-la, ou regroupez-la."
        for name, why in colonnes_personnelles(table).items()
        if name not in admitted
    ]


def _frictionless_faults(folder: Path) -> list[str]:
    import frictionless

    try:
        package = frictionless.Package.from_descriptor(str(folder / "datapackage.json"))
        report = package.validate()
    except frictionless.FrictionlessException as error:
        return [_french(one) for one in error.reasons or [error.error]]
    faults = [_french(error) for error in report.errors]
    for task in report.tasks:
        faults += _first_of_each_kind(task.errors)
    return faults


def _first_of_each_kind(errors: Sequence[Any]) -> list[str]:
    """Translate a few errors of each kind; wrong titles make every row wrong: they come alone."""
    titles = [error for error in errors if error.type.endswith("-label")]
    kept: dict[str, list[str]] = {}
    for error in titles or errors:
        kept.setdefault(error.type, []).append(_french(error))
    faults = []
    for texts in kept.values():
        different = list(dict.fromkeys(texts))
        faults += different[:_SHOWN]
        if len(different) > _SHOWN:
            faults.append(
                f"Le même genre d'erreur se répète : {nombre(len(different))} fois en tout."
            )
    return faults


_TYPE_WORDS = {
    "integer": "un nombre entier",
    "number": "un nombre",
    "date": "une date AAAA-MM-JJ",
    "boolean": "« true » ou « false »",
    "string": "un texte",
}
_CONSTRAINT_WORDS = {
    "enum": "cette valeur n'est pas dans la liste du schéma",
    "pattern": "cette valeur n'a pas la forme que dit le schéma",
    "minimum": "cette valeur est sous le minimum du schéma",
    "maximum": "cette valeur dépasse le maximum du schéma",
    "unique": "cette valeur est déjà dans une autre ligne",
}
_FRENCH_ERRORS = {
    "source-error": "Le fichier de données est vide ou ne se lit pas comme un tableau.",
    "scheme-error": "Le fichier de données est introuvable. Est-il bien à côté de « datapackage.json » ?",
    "format-error": "Le format du fichier de données n'est pas reconnu : on attend du CSV.",
    "encoding-error": "Le fichier n'est pas en UTF-8 : enregistrez-le de nouveau dans ce codage.",
    "hash-count": "Le fichier a changé depuis sa description : son empreinte n'est plus la même.",
    "byte-count": "Le fichier a changé depuis sa description : sa taille n'est plus la même.",
    "blank-header": "La ligne des titres est vide.",
    "blank-label": "La colonne n° {field_number} n'a pas de titre.",
    "duplicate-label": "Deux colonnes s'appellent « {label} ».",
    "missing-label": "Il manque la colonne « {label} », que le schéma annonce.",
    "extra-label": "La colonne « {label} » n'est pas dans le schéma.",
    "incorrect-label": "Le titre « {label} » n'est pas celui qu'annonce le schéma. Les colonnes sont-elles dans l'ordre ?",
    "blank-row": "La ligne {row_number} est vide : retirez-la.",
    "missing-cell": "La ligne {row_number} s'arrête avant la colonne « {field_name} ».",
    "extra-cell": "La ligne {row_number} a trop de cases. Y a-t-il une virgule sans guillemets ?",
    "primary-key": "La ligne {row_number} répète la clé d'une autre ligne.",
    "unique-error": "Ligne {row_number}, colonne « {field_name} » : cette valeur est déjà dans une autre ligne.",
    "type-error": "Ligne {row_number}, colonne « {field_name} » : « {cell} » n'est pas {wanted}.",
    "constraint-error": "Ligne {row_number}, colonne « {field_name} », case « {cell} » : {broken}.",
    "package-error": "« datapackage.json » n'est pas une description de paquet valide.",
    "resource-error": "Un fichier est mal décrit dans « resources ».",
    "schema-error": "Le schéma des colonnes n'est pas valide.",
    "field-error": "Une colonne est mal décrite dans le schéma.",
    "label-error": "Un titre de colonne n'est pas valide.",
}


def _french(error: Any) -> str:
    """Translate an error of Frictionless; an unknown kind keeps its original note, said so."""
    model = _FRENCH_ERRORS.get(error.type)
    note = str(error.note).strip()
    if model is None:
        return f"Erreur « {error.type} », décrite en anglais par le vérificateur : {note}"
    if "not safe" in note:
        return "Le chemin d'un fichier sort du dossier du paquet : donnez son nom seul."
    if 'constraint "required"' in note:
        model = "Ligne {row_number}, colonne « {field_name} » : la case est vide, et il faut une valeur."
    key = re.search(r"""['"](\w+)['"] is (?:a required|not )|property ['"](\w+)""", note)
    if key and error.type in ("package-error", "resource-error", "schema-error", "field-error"):
        model = f"{model} Regardez « {key[1] or key[2]} »."
    wanted = re.search(r'type is "(\w+)', note)
    broken = re.search(r'constraint "(\w+)"', note)
    return model.format(
        row_number=getattr(error, "row_number", ""),
        field_name=getattr(error, "field_name", ""),
        field_number=getattr(error, "field_number", ""),
        label=getattr(error, "label", "") or getattr(error, "field_name", ""),
        cell=getattr(error, "cell", ""),
        wanted=_TYPE_WORDS.get(wanted[1] if wanted else "", "du type annoncé"),
        broken=_CONSTRAINT_WORDS.get(broken[1] if broken else "", "le schéma refuse cette valeur"),
    )
