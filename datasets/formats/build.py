"""Build one table of grants in nine files, and a list that a spreadsheet damaged.

The grants are simulated, the associations are those of the fictitious territory. The
workbooks are written part by part, since a library stamps them with the hour.
"""

import io
import random
import zipfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from culture_d.fictitious import territory

TITLES = ("Association", "SIRET", "Code postal", "Montant", "Date")
NARROW, NO_BREAK = "\u202f", "\u00a0"
_SEED = 20260305
_ZIP_DATE = (2026, 1, 1, 0, 0, 0)


class Grant(NamedTuple):
    """A grant: an association with a SIRET, an amount in cents of euros, the day it was voted."""

    nom: str
    siret: str
    code_postal: str
    cents: int
    day: date


def grants(year: int, chance: random.Random) -> list[Grant]:
    """Make one grant for each association that has a SIRET, in alphabetical order of communes."""
    registered = [one for one in territory().associations if one.siret]
    votes = [date(year, 3, 5), date(year, 6, 18), date(year, 10, 1)]
    return [
        Grant(
            one.nom,
            one.siret,
            one.code_postal,
            # A few hundred to some tens of thousands of euros, rarely with cents.
            100 * 50 * round(10 ** chance.uniform(0.6, 2.5)) + chance.choice((0, 0, 0, 0, 50, 80)),
            chance.choice(votes),
        )
        for one in registered
    ]


def amount(cents: int, thousands: str = "", decimal: str = ",") -> str:
    """Write an amount with its cents: « 12 500,00 »."""
    euros, rest = divmod(cents, 100)
    return f"{euros:,}".replace(",", thousands) + f"{decimal}{rest:02d}"


def lines(rows: Iterable[Iterable[str]], separator: str) -> str:
    """Join cells that hold neither separator nor quote."""
    return "".join(separator.join(row) + "\r\n" for row in rows)


def french(grant: Grant, thousands: str) -> tuple[str, ...]:
    """Write a grant as a French office does."""
    day = grant.day.strftime("%d/%m/%Y")
    return grant.nom, grant.siret, grant.code_postal, amount(grant.cents, thousands), day


def iso(grant: Grant) -> tuple[str, ...]:
    """Write a grant for exchange: no space, a point, the year first."""
    return (
        grant.nom, grant.siret, grant.code_postal, amount(grant.cents, "", "."),
        grant.day.isoformat(),
    )  # fmt: skip


def from_spreadsheet(grant: Grant) -> tuple[str, ...]:
    """Write a grant as a spreadsheet saves it: codes were taken for numbers."""
    nom, siret, postal, euros, day = french(grant, NO_BREAK)
    return nom, siret.lstrip("0"), postal.lstrip("0"), euros, day


def from_software(grant: Grant) -> tuple[str, ...]:
    """Write a grant as a program does that took codes for numbers with decimals."""
    return (
        grant.nom, f"{int(grant.siret)}.0", f"{int(grant.code_postal)}.0",
        str(grant.cents / 100), grant.day.isoformat(),
    )  # fmt: skip


def zipped(parts: Iterable[tuple[str, str]]) -> bytes:
    """Make an archive that holds no hour: the same bytes each time."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in parts:
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.external_attr = 0o600 << 16
            entry.create_system = 3
            archive.writestr(entry, text.encode("utf-8"))
    return stream.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def xlsx(rows: list[Grant]) -> bytes:
    """Write a workbook where codes are text, amounts numbers and days dates."""

    def text(cell: str) -> str:
        return f'<c t="inlineStr"><is><t>{escape(cell)}</t></is></c>'

    def row(grant: Grant) -> str:
        serial = (grant.day - date(1899, 12, 30)).days
        return (
            f"<row>{text(grant.nom)}{text(grant.siret)}{text(grant.code_postal)}"
            f'<c s="1"><v>{grant.cents / 100}</v></c><c s="2"><v>{serial}</v></c></row>'
        )

    titles = "<row>" + "".join(map(text, TITLES)) + "</row>"
    return zipped(
        [
            (
                "[Content_Types].xml",
                f'{_XML}<Types xmlns="{_PACKAGE}/content-types">'
                '<Default Extension="rels" ContentType='
                '"application/vnd.openxmlformats-package.relationships+xml"/>'
                f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
                '<Override PartName="/xl/worksheets/sheet1.xml" '
                f'ContentType="{_TYPE}.worksheet+xml"/>'
                f'<Override PartName="/xl/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>',
            ),
            (
                "_rels/.rels",
                f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
                f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
            ),
            (
                "xl/workbook.xml",
                f'{_XML}<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
                '<sheet name="Subventions" sheetId="1" r:id="r1"/></sheets></workbook>',
            ),
            (
                "xl/_rels/workbook.xml.rels",
                f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r1" '
                f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" '
                f'Type="{_OFFICE}/styles" Target="styles.xml"/></Relationships>',
            ),
            (
                "xl/styles.xml",
                f'{_XML}<styleSheet xmlns="{_SHEET}"><fonts count="1"><font/></fonts>'
                '<fills count="2"><fill><patternFill patternType="none"/></fill>'
                '<fill><patternFill patternType="gray125"/></fill></fills>'
                '<borders count="1"><border/></borders>'
                '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/>'
                '</cellStyleXfs><cellXfs count="3">'
                '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
                '<xf numFmtId="4" fontId="0" fillId="0" borderId="0" xfId="0" '
                'applyNumberFormat="1"/>'
                '<xf numFmtId="14" fontId="0" fillId="0" borderId="0" xfId="0" '
                'applyNumberFormat="1"/>'
                '</cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/>'
                "</cellStyles></styleSheet>",
            ),
            (
                "xl/worksheets/sheet1.xml",
                f'{_XML}<worksheet xmlns="{_SHEET}"><sheetData>{titles}'
                f"{''.join(map(row, rows))}</sheetData></worksheet>",
            ),
        ]
    )


_ODF = "urn:oasis:names:tc:opendocument:xmlns"
_ODS_TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def ods(rows: list[Grant]) -> bytes:
    """Write the same workbook in OpenDocument."""

    def cell(kind: str, shown: str, value: str = "") -> str:
        return (
            f'<table:table-cell office:value-type="{kind}"{value}><text:p>{escape(shown)}</text:p>'
            "</table:table-cell>"
        )

    def row(grant: Grant) -> str:
        euros = f' office:value="{grant.cents / 100}"'
        day = f' office:date-value="{grant.day.isoformat()}"'
        cells = [cell("string", one) for one in (grant.nom, grant.siret, grant.code_postal)]
        cells.append(cell("float", amount(grant.cents, NARROW), euros))
        cells.append(cell("date", grant.day.strftime("%d/%m/%Y"), day))
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    titles = "".join(cell("string", title) for title in TITLES)
    return zipped(
        [
            ("mimetype", _ODS_TYPE),
            (
                "content.xml",
                f'{_XML}<office:document-content xmlns:office="{_ODF}:office:1.0" '
                f'xmlns:table="{_ODF}:table:1.0" xmlns:text="{_ODF}:text:1.0" '
                'office:version="1.2"><office:body><office:spreadsheet>'
                '<table:table table:name="Subventions">'
                f"<table:table-row>{titles}</table:table-row>{''.join(map(row, rows))}"
                "</table:table></office:spreadsheet></office:body></office:document-content>",
            ),
            (
                "META-INF/manifest.xml",
                f'{_XML}<manifest:manifest xmlns:manifest="{_ODF}:manifest:1.0" '
                'manifest:version="1.2"><manifest:file-entry manifest:full-path="/" '
                f'manifest:media-type="{_ODS_TYPE}"/><manifest:file-entry '
                'manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
                "</manifest:manifest>",
            ),
        ]
    )


def received(chance: random.Random) -> bytes:
    """Write the list of the exercise: two sources joined in a spreadsheet, with its marks.

    The total is the spreadsheet's own: it did not add the amounts that hold a no-break
    space, which are text to it.
    """
    voted = grants(2025, chance)
    voted += [
        one._replace(cents=chance.randrange(10, 60) * 5000) for one in chance.sample(voted, 8)
    ]
    voted.sort(key=lambda one: (one.day, one.nom))
    rows, added = [], 0
    for one in voted:
        nom, siret, postal, _, day = french(one, "")
        way = chance.choice(("kept", "eaten", "eaten", "float"))
        if way == "eaten":
            siret, postal = siret.lstrip("0"), postal.lstrip("0")
        elif way == "float":
            siret = f"{int(siret)}.0"
        spaced = one.cents >= 100_000 and chance.random() < 0.6
        added += 0 if spaced else one.cents
        rows.append((nom, siret, postal, amount(one.cents, NO_BREAK if spaced else ""), day))
    return lines(
        [
            ("Subventions versées aux associations", "", "", "", ""),
            ("Communauté de communes du Pays d'Orvette, exercice 2025", "", "", "", ""),
            ("", "", "", "", ""),
            TITLES,
            *rows[:14],
            ("", "", "", "", ""),
            *rows[14:],
            ("TOTAL", "", "", amount(added), ""),
            *[("", "", "", "", "")] * 7,
        ],
        ";",
    ).encode("cp1252")


def build(folder: Path) -> None:
    """Write every file in `folder`."""
    rows = grants(2026, random.Random(_SEED))
    windows = [french(one, NO_BREAK) for one in rows]
    # CP850 has no « œ »: software of that time wrote « oe ».
    dos = [tuple(cell.replace("œ", "oe") for cell in row) for row in windows]
    exact = lines([TITLES, *map(iso, rows)], ",").replace("\r\n", "\n")
    files = {
        "subventions.csv": exact.encode("utf-8"),
        "subventions-marque.csv": lines(
            [TITLES, *(french(one, NARROW) for one in rows)], ";"
        ).encode("utf-8-sig"),
        "subventions-windows.csv": lines([TITLES, *windows], ";").encode("cp1252"),
        "subventions-dos.csv": lines([TITLES, *dos], ";").encode("cp850"),
        "subventions-utf16.txt": b"\xff\xfe" + lines([TITLES, *windows], "\t").encode("utf-16-le"),
        "subventions-tableur.csv": lines([TITLES, *map(from_spreadsheet, rows)], ";").encode(
            "cp1252"
        ),
        "subventions-logiciel.csv": lines([TITLES, *map(from_software, rows)], ",").encode("utf-8"),
        "subventions.xlsx": xlsx(rows),
        "subventions.ods": ods(rows),
        "subventions-recues.csv": received(random.Random(_SEED + 1)),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    build(Path(__file__).parent)
