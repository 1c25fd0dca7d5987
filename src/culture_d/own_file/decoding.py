"""From bytes to text: which encoding a file is in, and how one can tell.

Rules first, since they are certain or nearly so (byte order marks, valid UTF-8, zeros
between letters); then which 8-bit table makes French letters of the bytes; then
charset-normalizer, for a file that holds no French.
"""

import codecs
from typing import NamedTuple

import charset_normalizer

from culture_d.own_file.refusals import NotATable, WrongEncoding

LABELS = {
    "ascii": "aucun signe accentué (ASCII)",
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8, avec une marque en tête",
    "utf-8+cp1252": "un mélange d'UTF-8 et de Windows-1252",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32-le": "UTF-32",
    "utf-32-be": "UTF-32",
    "cp1252": "Windows-1252 (occidental)",
    "cp850": "CP850 (vieux logiciels)",
    "mac_roman": "Mac Roman (ancien Macintosh)",
}
"""What to call each encoding, by the name Python knows it under."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it starts with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_EIGHT_BITS = ("cp1252", "cp850", "mac_roman")
_FRENCH_LETTERS = frozenset("éèêëàâäîïôöùûüçœæÿÉÈÊËÀÂÄÎÏÔÖÙÛÜÇŒÆ")
_FRENCH_SIGNS = frozenset("«»’‘“”–—…€°²³№ºª·§\u00a0\u202f")
_MOST_ZEROS = 0.2
_SAMPLE = 200_000


class Decoded(NamedTuple):
    """A text, the encoding it was read with (a key of `LABELS`, or Python's name), and what is odd."""

    text: str
    encoding: str
    odd: str = ""

    @property
    def label(self) -> str:
        """Name the encoding to a person."""
        return LABELS.get(self.encoding, self.encoding)


def decode(data: bytes, name: str) -> Decoded:
    """Read the bytes of a text file, whatever its encoding.

    Raises:
        NotATable: the bytes are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _marked(data[len(mark) :], encoding)
    zeros = data.count(0)
    if zeros > _MOST_ZEROS * len(data):
        return _unmarked_utf16(data, name)
    if zeros:
        raise NotATable(_binary(name))
    if data.isascii():
        return Decoded(data.decode("ascii"), "ascii")
    try:
        return Decoded(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return _eight_bits(data)


def decode_as(data: bytes, asked: str, name: str) -> Decoded:
    """Read the bytes with the encoding that a person names.

    Raises:
        WrongEncoding: unknown, or not that of the file; the message names the one found.
        NotATable: the bytes are no text.
    """
    try:
        codec = codecs.lookup(asked).name if isinstance(asked, str) else ""
        "a".encode(codec)  # « base64 » is a codec of Python, and no encoding of texts
    except (LookupError, ValueError):
        codec = ""
    if not codec:
        raise WrongEncoding(
            f"L'encodage {asked!r} n'existe pas. Écrivez « utf-8 », « cp1252 », « cp850 » ou "
            "« utf-16 », ou n'en donnez aucun : il sera cherché."
        )
    found = decode(data, name)
    try:
        text = data.decode("utf-8-sig" if codec == "utf-8" else codec)
    except UnicodeDecodeError as error:
        raise WrongEncoding(
            f"« {name} » n'est pas en « {asked} » : l'octet {error.start + 1} n'y veut rien dire. "
            f"Encodage trouvé : {found.label}. Écrivez encodage=« {_python_name(found)} », ou n'en "
            "donnez aucun."
        ) from None
    if text.lstrip("\ufeff") != found.text and found.encoding not in ("ascii", codec):
        raise WrongEncoding(
            f"Lu en « {asked} », « {name} » montre des signes étranges : {_difference(text, found)}. "
            f"Encodage trouvé : {found.label}. Écrivez encodage=« {_python_name(found)} », ou n'en "
            "donnez aucun."
        )
    return Decoded(text.lstrip("\ufeff"), codec)


def _python_name(found: Decoded) -> str:
    return "cp1252" if "+" in found.encoding else found.encoding


def _difference(text: str, found: Decoded) -> str:
    """Show a word as it was read and as it is."""
    for read, right in zip(text.split(), found.text.split(), strict=False):
        if read != right:
            return f"« {read[:30]} » au lieu de « {right[:30]} »"
    return "les mots diffèrent"


def _marked(data: bytes, encoding: str) -> Decoded:
    if encoding == "utf-8-sig":
        try:
            return Decoded(data.decode("utf-8"), encoding)
        except UnicodeDecodeError:
            return Decoded(
                _line_by_line(data),
                "utf-8+cp1252",
                "La marque en tête annonce de l'UTF-8, mais des lignes sont en Windows-1252.",
            )
    width = 4 if "32" in encoding else 2
    text = data.decode(encoding, errors="replace")
    odd = "Le fichier est coupé au milieu d'un signe." if len(data) % width else ""
    return Decoded(text, encoding, odd)


def _unmarked_utf16(data: bytes, name: str) -> Decoded:
    """Read UTF-16 without a mark: half of the bytes of a French text are zeros."""
    encoding = "utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise NotATable(_binary(name)) from None
    readable = sum(sign.isprintable() or sign in "\r\n\t" for sign in text[:_SAMPLE])
    if "\0" in text or readable < 0.95 * len(text[:_SAMPLE]):
        raise NotATable(_binary(name))
    return Decoded(text, encoding, "Rien n'annonce l'encodage : il n'y a pas de marque en tête.")


def _eight_bits(data: bytes) -> Decoded:
    valid = [_valid_utf8(line) for line in data.splitlines() if not line.isascii()]
    if any(valid):
        return Decoded(
            _line_by_line(data),
            "utf-8+cp1252",
            f"Lignes avec des accents : {sum(valid)} en UTF-8, {len(valid) - sum(valid)} en "
            "Windows-1252.",
        )
    high = bytes(byte for byte in data[:_SAMPLE] if byte > 127) or bytes(
        byte for byte in data if byte > 127
    )
    scores = {encoding: _french(high, encoding) for encoding in _EIGHT_BITS}
    best = max(scores, key=lambda encoding: scores[encoding])
    if scores[best] > 0:
        return Decoded(data.decode(best, errors="replace"), best)
    guess = charset_normalizer.from_bytes(data[:_SAMPLE]).best()
    if guess is None:
        return Decoded(
            data.decode("cp1252", errors="replace"), "cp1252", "L'encodage n'est pas certain."
        )
    return Decoded(
        data.decode(guess.encoding, errors="replace"),
        guess.encoding,
        "L'encodage est deviné : relisez les noms.",
    )


def _french(high: bytes, encoding: str) -> float:
    """Score the signs that these bytes make: letters of French for, other signs against."""
    text = high.decode(encoding, errors="replace")
    return sum(
        2 if sign in _FRENCH_LETTERS else 1 if sign in _FRENCH_SIGNS else -3 for sign in text
    ) / len(text)


def _line_by_line(data: bytes) -> str:
    return "".join(
        line.decode("utf-8") if _valid_utf8(line) else line.decode("cp1252", errors="replace")
        for line in data.splitlines(keepends=True)
    )


def _valid_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _binary(name: str) -> str:
    return (
        f"« {name} » n'est pas un texte : on y trouve des octets qu'aucun tableau ne contient. "
        "Demandez le tableau en .csv UTF-8, en .ods ou en .xlsx."
    )
