"""What `inspecter` says of files like those that local authorities publish."""

import codecs
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from culture_d.own_file import Rapport, inspecter, kinds

Write = Callable[[str, bytes], Path]

TABLE = (
    "Nom;Code postal;Montant;Date\r\n"
    "Épicerie solidaire du Pays d'Orvette;00100;1063850,00;2025-03-05\r\n"
    "Chorale À cœur joyeux;00110;26956,00;2025-03-06\r\n"
    "Théâtre de la Marée;00100;840,50;2025-03-07\r\n"
)
# CP850 has no « œ »: a file of that age writes « oe ».
OLD_TABLE = TABLE.replace("œ", "oe")


@pytest.fixture
def look(write: Write) -> Callable[..., Rapport]:
    """Inspect a text, encoded."""

    def make(text: str, encoding: str = "utf-8", name: str = "fichier.csv") -> Rapport:
        return inspecter(write(name, text.encode(encoding)))

    return make


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16-le"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("utf-32", "utf-32-le"),
        ("cp1252", "cp1252"),
        ("cp850", "cp850"),
        ("mac_roman", "mac_roman"),
    ],
)
def test_the_encoding_is_found_and_the_names_are_right(
    look: Callable[..., Rapport], encoding: str, found: str
) -> None:
    report = look(OLD_TABLE, encoding)
    assert report.encodage == found
    assert report.colonnes == ("Nom", "Code postal", "Montant", "Date")
    assert (report.lignes, report.separateur, report.titres) == (3, ";", 1)
    assert not report.a_trouve("accents-abimes")
    assert report.a_trouve("encodage") == (not found.startswith("utf-8"))


def test_a_file_without_accents_is_in_any_encoding(look: Callable[..., Rapport]) -> None:
    report = look("a;b\n1;2\n")
    assert report.encodage == "ascii"
    assert not report.a_trouve("encodage")


def test_a_mark_of_utf8_then_windows_bytes(write: Write) -> None:
    report = inspecter(write("f.csv", codecs.BOM_UTF8 + TABLE.encode("cp1252")))
    assert report.encodage == "utf-8+cp1252"
    assert report.a_trouve("encodage-melange")
    assert report.colonnes[0] == "Nom"
    assert "�" not in str(report)


def test_lines_of_two_encodings(write: Write) -> None:
    lines = TABLE.splitlines(keepends=True)
    data = b"".join(
        line.encode("cp1252" if rank == 2 else "utf-8") for rank, line in enumerate(lines)
    )
    report = inspecter(write("f.csv", data))
    assert report.encodage == "utf-8+cp1252"
    assert "2 en UTF-8, 1 en Windows-1252" in str(report)


@pytest.mark.parametrize(
    ("separator", "said"),
    [(";", "point-virgule"), (",", "virgule"), ("\t", "tabulation"), ("|", "barre verticale")],
)
def test_the_separator_is_found(look: Callable[..., Rapport], separator: str, said: str) -> None:
    rows = [["Nom", "Note"], ["Club, judo", "3"], ["Les Amis; du lavoir", "4"], ["a|b", "5"]]
    text = "\n".join(separator.join(f'"{cell}"' for cell in row) for row in rows)
    report = look(text)
    assert report.separateur == separator
    assert report.separateur_en_clair.startswith(said)
    assert (len(report.colonnes), report.lignes) == (2, 3)


def test_the_decimal_comma_is_not_the_separator(look: Callable[..., Rapport]) -> None:
    report = look("Nom;Montant\nA;1,50\nB;2,50\nC;3,75\n")
    assert report.separateur == ";"
    assert report.combien("virgule-decimale") == 3


def test_the_line_that_announces_the_separator_is_not_data(look: Callable[..., Rapport]) -> None:
    report = look("sep=|\nNom|Note\nA|1\n")
    assert (report.separateur, report.colonnes, report.preambule) == ("|", ("Nom", "Note"), ())


def test_one_column_is_said(look: Callable[..., Rapport]) -> None:
    report = look("Nom\nA\nB\n")
    assert report.a_trouve("une-colonne")
    assert report.separateur_en_clair == "aucun"


def test_lines_above_the_header(look: Callable[..., Rapport]) -> None:
    report = look(f"Subventions versées;;;\r\nMairie de Valmorin;;;\r\n;;;\r\n{TABLE}")
    assert report.preambule == ("Subventions versées", "Mairie de Valmorin")
    assert report.combien("preambule") == 2
    assert report.colonnes[0] == "Nom"
    assert report.lignes == 3


def test_a_header_on_two_lines(look: Callable[..., Rapport]) -> None:
    report = look(
        "Association;;Aide;\nNom;Ville;Montant;Date\nA;V;12;2025-01-01\nB;W;7;2025-01-02\n"
    )
    assert report.titres == 2
    assert report.a_trouve("titres-doubles")
    assert report.colonnes == (
        "Association : Nom", "Association : Ville", "Aide : Montant", "Aide : Date",
    )  # fmt: skip
    assert report.lignes == 2


def test_no_header(look: Callable[..., Rapport]) -> None:
    report = look("A;12;2025-01-01\nB;7;2025-01-02\n")
    assert report.a_trouve("sans-titres")
    assert (report.titres, report.lignes) == (0, 2)
    assert report.colonnes == ("colonne 1", "colonne 2", "colonne 3")


def test_a_year_can_be_a_title(look: Callable[..., Rapport]) -> None:
    report = look("Commune;2023;2024\nValmorin;12;14\nGrandvoie;30;31\n")
    assert (report.titres, report.colonnes) == (1, ("Commune", "2023", "2024"))


def test_titles_with_blanks_twice_and_of_a_map(look: Callable[..., Rapport]) -> None:
    report = look('"OBJECTID,N,9,0"; Nom ;Note;Note\n1;A;2;3\n')
    assert report.colonnes == ("OBJECTID", "Nom", "Note", "Note (2)")
    for key in ("titres-dbf", "espaces-titres", "titres-en-double"):
        assert report.combien(key) == 1, key


def test_empty_lines_totals_and_repeated_titles(look: Callable[..., Rapport]) -> None:
    text = "Nom;Montant\nA;1\n;\nNom;Montant\nB;2\nSous-total :;3\nTOTAL GÉNÉRAL;3\n" + ";\n" * 21
    report = look(text)
    assert report.lignes == 2
    assert report.combien("lignes-vides-finales") == 21
    assert report.combien("total") == 2
    assert report.combien("titres-repetes") == 1
    assert report.combien("lignes-vides") == 1


def test_an_association_named_total_is_no_total(look: Callable[..., Rapport]) -> None:
    report = look("Nom;Commune;Thème;Montant\nTotal Danse;Valmorin;danse;12\nA;Grandvoie;judo;3\n")
    assert not report.a_trouve("total")
    assert report.lignes == 2


def test_lines_of_another_width_and_twice_the_same(look: Callable[..., Rapport]) -> None:
    report = look("a;b;c\nx;y;z\nx;y;z\np;q;r;s\nu;v\n")
    assert report.combien("lignes-inegales") == 2
    assert report.combien("doublons") == 1
    assert report.lignes == 4


def test_the_year_that_only_the_name_tells(look: Callable[..., Rapport]) -> None:
    assert look("Nom;Note\nA;1\n", name="budget_2024.csv").a_trouve("annee-dans-le-nom")
    assert not look("Nom;Jour\nA;2024-01-02\n", name="b-2024.csv").a_trouve("annee-dans-le-nom")


def test_codes_that_lost_their_zeros(look: Callable[..., Rapport]) -> None:
    report = look(
        "Code postal;Code INSEE;Département;Téléphone;SIRET\n"
        "130;101;1;123456789;40071000013\n"
        "00130;00101;01;0123456789;00004007100013\n"
    )
    assert report.combien("zeros-perdus") == 5 - 1  # that SIRET's key is not right: see below


def test_sirets(look: Callable[..., Rapport]) -> None:
    from culture_d.fictitious import siret, territory

    right = siret("000040071")
    rows = [
        right,
        right.lstrip("0"),
        "21860194600000.0",
        territory().siren,
        "12345",
        "1234567890",
        right[:-1] + str((int(right[-1]) + 1) % 10),
        "2,18602E+13",
    ]
    report = look("Nom;SIRET\n" + "".join(f"A{rank};{one}\n" for rank, one in enumerate(rows)))
    assert report.combien("zeros-perdus") == 1
    assert report.combien("siret-decimal") == 1
    assert report.combien("siren-pour-siret") == 1
    assert report.combien("siret-longueur") == 2
    assert report.combien("siret-cle") == 2  # 21860194600000 too has a wrong key
    assert report.combien("chiffres-perdus") == 1


def test_amounts_as_people_write_them(look: Callable[..., Rapport]) -> None:
    report = look("Nom;Montant\nA;26 956,00\nB;1\u202f063\u00a0850,00\nC;-\nD;12 €\nE;néant\n")
    assert report.combien("espaces-milliers") == 1
    assert report.combien("espaces-insecables") == 1
    assert report.combien("virgule-decimale") == 2
    assert report.combien("unites") == 1
    assert report.combien("tirets") == 1
    assert report.combien("pas-un-nombre") == 1


def test_a_sign_of_thousands_or_of_decimals(look: Callable[..., Rapport]) -> None:
    assert look("Nom;Montant\nA;1,234\nB;2,500\n").a_trouve("nombre-ambigu")
    assert not look("Nom;Montant\nA;1,234\nB;2,5\n").a_trouve("nombre-ambigu")


def test_dates(look: Callable[..., Rapport]) -> None:
    report = look("Nom;Date\nA;2017/09/08\nB;24/06/2020\nC;2020-6-24\nD;44000\n")
    assert report.combien("dates-melangees") == 3
    assert report.combien("date-nombre") == 1
    report = look("Nom;Date\nA;24/06/2020\n")
    assert report.combien("dates") == 1
    report = look("Nom;Période\nA;2020-01-01_2020-12-31\nB;2020-01-01/2020-12-31\n")
    assert report.combien("periode") == 1
    report = look("Nom;Date\nA;2020-06-24\nB;2020-02-29\n")
    assert not {one.cle for one in report.constats} & {"dates", "dates-melangees", "date-nombre"}


def test_words(look: Callable[..., Rapport]) -> None:
    garbled = "Épicerie".encode().decode("cp1252")
    report = look(
        f"Nom;Objet;Nature\n{garbled};F&ecirc;te &amp;amp jeux;p\n"
        'Th?âtre;"deux\nlignes";P\nm\ufffdme; espace ;\u00a0P\n'.replace("&amp;amp", "et")
        .replace("F&ecirc;te et", '"F&ecirc;te et"')
        .replace("Th?âtre", "thé?tre")
        .replace('"F&ecirc;te et" jeux', '"F&ecirc;te et jeux"')
    )
    assert report.combien("accents-abimes") == 1
    assert report.combien("signes-perdus") == 2
    assert report.combien("html") == 1
    assert report.combien("retours-a-la-ligne") == 1
    assert report.combien("espaces-autour") >= 1
    assert report.combien("variantes") == 1


def test_a_clean_file_has_nothing_to_say(look: Callable[..., Rapport]) -> None:
    report = look("Nom;Commune;Habitants\nÀ;Valmorin;820\nB;Grandvoie;9100\n")
    assert report.constats == ()
    assert "Rien à signaler" in str(report)
    assert "Rien à signaler" in report._repr_html_()


def test_a_file_beyond_the_limit_is_read_by_its_beginning(
    look: Callable[..., Rapport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "INSPECTED", 1000)
    monkeypatch.setattr("culture_d.own_file.grid.START", 500)
    text = "Nom;Note\n" + "".join(f"Été {rank};{rank}\n" for rank in range(200))
    for encoding in ("utf-8", "cp1252", "utf-16"):
        report = look(text, encoding)
        assert report.partiel
        assert report.a_trouve("partiel")
        assert "au moins" in str(report)
        assert 10 < report.lignes < 100
        assert not report.a_trouve("lignes-inegales")
        assert not report.a_trouve("signes-perdus")


def _workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.create_sheet("Autre").append(["x"])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_spreadsheet_that_ate_the_zeros(write: Write) -> None:
    data = _workbook(
        [["Nom", "Code postal", "Montant"], ["Épicerie", 130, 1063850.5], ["À", "00130", 12]]
    )
    report = inspecter(write("f.xlsx", data))
    assert (report.nature, report.feuille, report.lignes) == ("xlsx", "Sheet", 2)
    assert report.combien("zeros-perdus") == 1
    assert report.a_trouve("feuilles")


def test_the_content_decides_not_the_name(write: Write) -> None:
    data = _workbook([["Nom", "Note"], ["A", 1]])
    assert inspecter(write("f.csv", data)).nature == "xlsx"
    assert inspecter(write("f.xlsx", TABLE.encode())).nature == "texte"


def test_an_open_document(write: Write) -> None:
    cells = (
        '<table:table-row><table:table-cell office:value-type="string"><text:p>Nom</text:p>'
        '</table:table-cell><table:table-cell office:value-type="string"><text:p>Code postal'
        "</text:p></table:table-cell></table:table-row>"
        '<table:table-row><table:table-cell office:value-type="string"><text:p>Épicerie</text:p>'
        '</table:table-cell><table:table-cell office:value-type="float" office:value="130">'
        "<text:p>130</text:p></table:table-cell></table:table-row>"
        '<table:table-row table:number-rows-repeated="2"><table:table-cell '
        'office:value-type="string"><text:p>À</text:p></table:table-cell><table:table-cell '
        'office:value-type="float" office:value="130"><text:p>00130</text:p></table:table-cell>'
        '</table:table-row><table:table-row table:number-rows-repeated="1048570"><table:table-cell '
        'table:number-columns-repeated="1024"/></table:table-row>'
    )
    report = inspecter(write("f.ods", open_document(cells)))
    assert (report.nature, report.feuille, report.lignes) == ("ods", "Feuille1", 3)
    assert report.combien("zeros-perdus") == 1
    assert report.combien("lignes-vides-finales") == 0


def open_document(rows: str) -> bytes:
    """Write the smallest spreadsheet of OpenDocument with these rows."""
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content '
        'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.2">'
        f'<office:body><office:spreadsheet><table:table table:name="Feuille1">{rows}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    mimetype = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?><manifest:manifest '
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mimetype}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", mimetype)
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return stream.getvalue()
