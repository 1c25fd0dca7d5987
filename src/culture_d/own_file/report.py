"""What an inspection found, as a person reads it in a notebook or a terminal."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from culture_d.french import accord, typeset
from culture_d.tables import html_table


@dataclass(frozen=True)
class Constat:
    """One thing found: what, where, how many times, and what to do.

    `cle` is a stable name (« zeros-perdus »), for code; the rest is for people.
    """

    cle: str
    ou: str
    constat: str
    conseil: str
    combien: int = 1

    def __str__(self) -> str:
        return typeset(f"{self.ou} : {self.constat} {self.conseil}")


@dataclass(frozen=True)
class Rapport:
    """What a file is, and what is wrong with it.

    `nature` is « texte », « xlsx » or « ods »; `encodage`, Python's name of the encoding;
    `lignes`, the rows of data, without header, totals and empty rows; `titres`, how many
    lines the header takes. `partiel` says that only the beginning was read.
    """

    fichier: str
    nature: str
    octets: int
    encodage: str
    encodage_en_clair: str
    separateur: str
    separateur_en_clair: str
    feuille: str
    titres: int
    preambule: tuple[str, ...]
    colonnes: tuple[str, ...]
    lignes: int
    partiel: bool
    constats: tuple[Constat, ...]

    def a_trouve(self, cle: str) -> bool:
        """Say whether something was found, by its stable name."""
        return any(one.cle == cle for one in self.constats)

    def combien(self, cle: str) -> int:
        """Count how many times something was found, all columns together."""
        return sum(one.combien for one in self.constats if one.cle == cle)

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "Fichier", self.fichier
        if self.nature == "texte":
            yield "Encodage", self.encodage_en_clair
            yield "Séparateur", self.separateur_en_clair
        else:
            yield "Format", f"classeur .{self.nature}, feuille « {self.feuille} »"
        header = {0: "aucune ligne de titres", 1: "une ligne de titres"}
        yield "Titres", header.get(self.titres, f"{self.titres} lignes de titres")
        if self.preambule:
            yield "Au-dessus du tableau", accord(len(self.preambule), "ligne")
        yield (
            "Colonnes",
            f"{len(self.colonnes)} : {', '.join(self.colonnes[:12])}"
            + (f" et {len(self.colonnes) - 12} autres" if len(self.colonnes) > 12 else ""),
        )
        rows = accord(self.lignes, "ligne de données", "lignes de données")
        yield "Lignes", f"au moins {rows} (début du fichier seulement)" if self.partiel else rows

    def __str__(self) -> str:
        lines = [typeset(f"{name} : {value}") for name, value in self._facts()]
        lines += ["", typeset(self._heading())]
        lines += [f"{rank}. {one}" for rank, one in enumerate(self.constats, 1)]
        return "\n".join(lines)

    __repr__ = __str__

    def _heading(self) -> str:
        if not self.constats:
            return "Rien à signaler. Cela ne dit pas que les valeurs sont justes."
        return f"À savoir : {accord(len(self.constats), 'constat')}"

    def _repr_html_(self) -> str:
        """Show two tables under a notebook cell."""
        facts = html_table(("Question", "Réponse"), list(self._facts()), "Ce qu'est ce fichier")
        if not self.constats:
            return f"{facts}<p>{escape(typeset(self._heading()))}</p>"
        found = html_table(
            ("Où", "Ce qu'on y trouve", "Que faire"),
            [(one.ou, one.constat, one.conseil) for one in self.constats],
            self._heading(),
        )
        return facts + found
