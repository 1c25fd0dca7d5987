"""File formats: the same bytes, seen through an encoding, a separator and a spreadsheet."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import traitlets

from culture_d.catalogue import load_dataset
from culture_d.explorables import Explorable, Table, module_source
from culture_d.project import Project

ENCODINGS: Mapping[str, str] = {
    "utf-8": "UTF-8",
    "cp1252": "Windows-1252",
    "cp850": "CP850",
    "utf-16-le": "UTF-16",
}
"""Encodings a reader can choose, by the name Python knows them under."""

SEPARATORS: Mapping[str, str] = {
    ",": "virgule ( , )",
    ";": "point-virgule ( ; )",
    "\t": "tabulation",
}
"""Separators a reader can choose."""

EMPTY_BYTE = "▯"
"""Shown for a byte that is zero, which a screen leaves blank or hides."""

_START = {
    "fichier": "1",
    "encodage": "cp1252",
    "separateur": ",",
    "ligne": "1",
    "tableur": "non",
}
"""What the reader sees first: the name that the lesson's scene shows."""


class Source(NamedTuple):
    """A file of the dataset: its true encoding and separator, keys of the two lists."""

    path: str
    encoding: str
    separator: str


FILES = (
    Source("subventions-marque.csv", "utf-8", ";"),
    Source("subventions-windows.csv", "cp1252", ";"),
    Source("subventions-dos.csv", "cp850", ";"),
    Source("subventions-utf16.txt", "utf-16-le", "\t"),
)
"""The files shown, in order: « Fichier 1 »…"""

NAMES = (
    "Épicerie solidaire du Pays d'Orvette",
    "Foyer rural de Valmorin",
    "Théâtre de la Marée",
    "Parents d'élèves du Moulin",
    "La Table du quai",
    "Aînés de Rochamelle",
)
"""The grants shown: four names with accents, two without."""


def seen(data: bytes, encoding: str) -> str:
    """Decode bytes as someone who believes in `encoding`, right or wrong.

    What cannot be decoded is « � », as on a screen; a zero byte is `EMPTY_BYTE`.
    """
    codec = "utf-8-sig" if encoding == "utf-8" else encoding
    text = data.decode(codec, errors="replace").replace("\0", EMPTY_BYTE)
    if encoding == "utf-16-le":
        text = text.removeprefix("\ufeff")
    return "".join(
        sign if sign.isprintable() or sign in "\t\n\u00a0\u202f" else "\ufffd"
        for sign in text.replace("\r\n", "\n").replace("\r", "")
    )


def double_click(cell: str) -> str:
    """Return a cell as a spreadsheet keeps it when it takes codes for numbers.

    Zeros at the beginning go; from twelve digits on, the number is shown in scientific
    notation, and that is what is saved.
    """
    if not re.fullmatch(r"\d+", cell):
        return cell
    digits = cell.lstrip("0") or "0"
    if len(digits) < 12:
        return digits
    mantissa = f"{int(digits):.5E}".partition("E")[0].rstrip("0").rstrip(".").replace(".", ",")
    return f"{mantissa}E+{len(digits) - 1}"


class Formats(Explorable):
    """Four files that say the same, read with the encoding and the separator chosen.

    Raises:
        DatasetError: the files of the course are missing or were changed.
    """

    name: ClassVar[str] = "formats"
    _esm = module_source(name)

    fichiers: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    verite: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    encodages: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    separateurs: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    fichier = traitlets.Unicode().tag(sync=True, etat=True)
    encodage = traitlets.Unicode().tag(sync=True, etat=True)
    separateur = traitlets.Unicode().tag(sync=True, etat=True)
    ligne = traitlets.Unicode().tag(sync=True, etat=True)
    tableur = traitlets.Unicode().tag(sync=True, etat=True)
    depart = traitlets.Dict().tag(sync=True, etat=True)
    note = traitlets.Unicode().tag(sync=True, etat=True)

    def __init__(self) -> None:
        folder = Project.find().datasets / "formats"
        dataset = load_dataset(folder)
        dataset.verify()
        super().__init__(
            titre="Quatre fichiers, les mêmes subventions : trouvez comment les lire",
            encodages=[list(item) for item in ENCODINGS.items()],
            separateurs=[list(item) for item in SEPARATORS.items()],
            fichiers=[_views(folder / source.path, source) for source in FILES],
            verite=truth(folder / FILES[0].path),
            note="Données simulées : des associations qui n'existent pas. Les signes étranges sont "
            "ceux que donnent vraiment les octets de ces fichiers.",
            _url=list(_START),
            depart=dict(_START),
            **_START,
        )

    def sentence(self) -> str:
        """Say what a wrong reading does to a name, and a double click to codes."""
        name, siret, postal, *_ = self.verite[1]
        word = name.split()[0]
        wrong = self.fichiers[0]["vues"]["cp1252"].split("\n")[1].split()[0]
        codes = [siret, postal]
        return (
            f"Lu en Windows-1252, un fichier en UTF-8 montre « {wrong} » au lieu de « {word} ». "
            f"Un tableur ouvert d'un double-clic retire {_zeros(codes)} zéros à cette seule ligne. "
            f"Le SIRET {siret} y devient le SIRET {double_click(siret)}, "
            f"et le code postal {postal} devient {double_click(postal)}."
        )

    def static_tables(self) -> Sequence[Table]:
        """Return the same name read in every way, and codes before and after a double click."""
        name = self.verite[1][0].split()[0]
        readings = Table(
            caption=f"Le mot « {name} », selon l'encodage du fichier et celui de la lecture",
            columns=("Le fichier est en", *(f"lu en {ENCODINGS[key]}" for key in _SHOWN)),
            rows=[
                (
                    ENCODINGS[source.encoding],
                    *(_first_word(view["vues"][key], source) for key in _SHOWN),
                )
                for source, view in zip(FILES, self.fichiers, strict=True)
            ],
        )
        codes = Table(
            caption="Les codes, avant et après un double-clic dans un tableur",
            columns=(
                "Association",
                "SIRET écrit",
                "SIRET affiché",
                "Zéros perdus, code postal compris",
            ),
            rows=[
                (row[0], row[1], double_click(row[1]), str(_zeros(row[1:3])))
                for row in self.verite[1:]
            ],
        )
        return (readings, codes)

    def source(self) -> str:
        """Say « données simulées »."""
        return self.note


_SHOWN = ("utf-8", "cp1252", "cp850")


def _views(path: Path, source: Source) -> dict[str, Any]:
    """Return the excerpt of a file as every encoding shows it."""
    mark = path.read_bytes()[:3] if source.encoding == "utf-8" else b""
    if source.encoding == "utf-16-le":
        mark = path.read_bytes()[:2]
    excerpt = "".join(f"{line}\r\n" for line in _kept(path, source))
    data = mark + excerpt.encode(source.encoding)
    return {
        "encodage": source.encoding,
        "separateur": source.separator,
        "vues": {key: seen(data, key).rstrip("\n") for key in ENCODINGS},
    }


def _kept(path: Path, source: Source) -> list[str]:
    """Return the header and the lines of `NAMES`, in that order."""
    lines = seen(path.read_bytes(), source.encoding).split("\n")
    by_name = {line.split(source.separator)[0]: line for line in lines}
    return [lines[0], *(by_name[name] for name in NAMES)]


def truth(path: Path) -> list[list[str]]:
    """Return the cells of the excerpt, header first, with ordinary spaces."""
    return [
        re.sub("[\u00a0\u202f]", " ", line).split(FILES[0].separator)
        for line in _kept(path, FILES[0])
    ]


def _first_word(view: str, source: Source) -> str:
    second = [*view.split("\n"), ""][1]
    return second.lstrip(EMPTY_BYTE).split(source.separator)[0].split(" ")[0].rstrip(EMPTY_BYTE)


def _zeros(codes: Sequence[str]) -> int:
    """Count the zeros at the beginning of codes."""
    return sum(len(code) - len(code.lstrip("0")) for code in codes)
