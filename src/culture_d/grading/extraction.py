"""Read a learner's answers as plain data, to check them where no learner's code ever ran.

`snippet` is the expression that the learner's kernel evaluates: it describes some variables
as typed JSON (see `describe`). `decode` turns this text into real objects. It is strict: a
list of known kinds, limits on sizes, never `pickle`, never `eval`. What is not plain data
becomes an `Unreadable`, which equals nothing, has no value and computes nothing.

What remains possible, whatever the checking: to work out the expected value from the data
rather than as the question asks, to guess, to copy, to choose the département whose answers
one knows, to write a number that has two readings. A learner may lie about a variable, as
one may write any value: the lie is then the answer that is marked.
"""

import base64
import collections
import datetime
import decimal
import fractions
import functools
import json
import marshal
import math
import re
import sys
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from culture_d.grading import describe
from culture_d.grading.model import MEBIBYTE

MIME = describe.MIME
LONGEST = 1 * MEBIBYTE
"""Characters of a description: beyond, nothing of it is read."""
MOST_NODES = 200_000
MOST_REPEATED = 1_000_000
DEEPEST = 4 * describe.DEEPEST
TOO_LARGE = ""

_HERE = "<description>"


class DescriptionError(ValueError):
    """A description that does not follow the format: nothing of it is used."""


class Unreadable:
    """What stands for a value that is not plain data: it equals nothing but itself."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __repr__(self) -> str:
        return f"<{self._kind}>"


class UnreadableFunction(Unreadable):
    """What stands for a function: « il manque les parenthèses »."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        """Refuse: nothing of the learner's runs here.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"{self!r} n'est pas une donnée.")


class UnreadableCollection(Unreadable):
    """What stands for a library's object that has a length and is not plain data."""

    def __init__(self, kind: str, length: int) -> None:
        super().__init__(kind)
        self._length = length

    def __len__(self) -> int:
        return self._length


def snippet(names: Iterable[str], exact: Iterable[str] = (), portable: bool = False) -> str:
    """Give the expression that describes these variables, where it is evaluated.

    It needs no name of the notebook but `__import__`, and defines none. `portable` sends
    the source of `describe`, instead of what this very Python compiled (9 ms less).
    """
    load = (
        f'b("builtins").compile({_source()!r}, "{_HERE}", "exec")'
        if portable
        else f'b("marshal").loads(b("zlib").decompress(b("base64").b64decode({_compiled()!r})))'
    )
    return (
        f'(lambda b, s: (b("builtins").exec({load}, s), s["describe"]'
        f"({list(names)!r}, {list(exact)!r}, (lambda: 0).__globals__))[1])"
        f'(__import__, {{"__name__": "{_HERE}"}})'
    )


@functools.cache
def _source() -> str:
    return Path(describe.__file__).read_text(encoding="utf-8")


@functools.cache
def _compiled() -> bytes:
    return base64.b64encode(zlib.compress(marshal.dumps(compile(_source(), _HERE, "exec"))))


@dataclass(frozen=True)
class Values:
    """What a description says, by the names of the variables in the notebook."""

    values: dict[str, Any]
    lost: dict[str, frozenset[str]]
    """Of the values that are not given whole: the modules of the classes that were left out,
    and `TOO_LARGE` where the content was."""


def decode(text: object) -> Values:
    """Turn a description into the values it describes.

    Raises:
        DescriptionError: it is too long, or does not follow the format.
    """
    if not isinstance(text, str) or len(text) > LONGEST:
        raise DescriptionError("description absente ou trop longue")
    try:
        found = json.loads(text, parse_constant=_no_constant)
        return _Decoder().all(found)
    except DescriptionError:
        raise
    except Exception as error:
        # Strict libraries refuse in many ways what is not in the format.
        raise DescriptionError(f"description illisible : {type(error).__name__}") from None


def _no_constant(name: str) -> float:
    raise DescriptionError(f"« {name} » n'est pas dans le format")


@dataclass
class _Decoder:
    """Build values from nested lists; every kind is named here."""

    left: int = MOST_NODES
    repeated: int = 0
    lost: set[str] = field(default_factory=set)
    kinds: dict[str, Callable[..., Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = {
            name.removeprefix("make_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("make_")
        }

    def all(self, found: object) -> Values:
        values, lost = {}, {}
        for name, node in self._listed(found):
            if not isinstance(name, str) or len(name) > 1000:
                raise DescriptionError("un nom de variable n'est pas un texte")
            self.lost = set()
            values[name] = self.read(node)
            if self.lost:
                lost[name] = frozenset(self.lost)
        return Values(values, lost)

    def read(self, node: Any, depth: int = 0) -> Any:
        self.left -= 1
        if self.left < 0 or depth > DEEPEST:
            raise DescriptionError("description trop grande")
        if node is None or isinstance(node, (bool, str, int, float)):
            return node
        kind, *parts = self._listed(node)
        if not isinstance(kind, str) or kind not in self.kinds:
            raise DescriptionError("sorte de valeur inconnue")
        self.depth = depth
        return self.kinds[kind](*parts)

    def _listed(self, node: Any) -> list[Any]:
        if not isinstance(node, list):
            raise DescriptionError("une liste était attendue")
        return node

    def _each(self, nodes: Any) -> list[Any]:
        depth = self.depth + 1
        return [self.read(node, depth) for node in self._listed(nodes)]

    def _paired(self, nodes: Any) -> list[tuple[Any, Any]]:
        depth = self.depth + 1
        return [
            (self.read(key, depth), self.read(item, depth)) for key, item in self._listed(nodes)
        ]

    def make_ellipsis(self) -> Any:
        return ...

    def make_int(self, text: str) -> int:
        return int(text, 16)

    def make_float(self, text: str) -> float:
        if text not in ("nan", "inf", "-inf"):
            raise DescriptionError("nombre inattendu")
        return float(text)

    def make_complex(self, real: Any, imaginary: Any) -> complex:
        return complex(self.read(real), self.read(imaginary))

    def make_bytes(self, text: str) -> bytes:
        return base64.b64decode(text, validate=True)

    def make_bytearray(self, text: str) -> bytearray:
        return bytearray(base64.b64decode(text, validate=True))

    def make_list(self, nodes: Any) -> list[Any]:
        return self._each(nodes)

    def make_tuple(self, nodes: Any) -> tuple[Any, ...]:
        return tuple(self._each(nodes))

    def make_set(self, nodes: Any) -> set[Any]:
        return set(self._each(nodes))

    def make_frozenset(self, nodes: Any) -> frozenset[Any]:
        return frozenset(self._each(nodes))

    def make_dict(self, nodes: Any) -> dict[Any, Any]:
        return dict(self._paired(nodes))

    def make_OrderedDict(self, nodes: Any) -> dict[Any, Any]:
        return collections.OrderedDict(self._paired(nodes))

    def make_Counter(self, nodes: Any) -> dict[Any, Any]:
        return collections.Counter(dict(self._paired(nodes)))

    def make_defaultdict(self, nodes: Any) -> dict[Any, Any]:
        return collections.defaultdict(None, self._paired(nodes))

    def make_dict_keys(self, nodes: Any) -> Any:
        return dict.fromkeys(self._each(nodes)).keys()

    def make_dict_values(self, nodes: Any) -> Any:
        return dict(enumerate(self._each(nodes))).values()

    def make_dict_items(self, nodes: Any) -> Any:
        return dict(self._paired(nodes)).items()

    def make_range(self, start: Any, stop: Any, step: Any) -> range:
        return range(self.read(start), self.read(stop), self.read(step))

    def make_date(self, text: str) -> datetime.date:
        return datetime.date.fromisoformat(text)

    def make_datetime(self, text: str, fold: int) -> datetime.datetime:
        return datetime.datetime.fromisoformat(text).replace(fold=fold)

    def make_time(self, text: str, fold: int) -> datetime.time:
        return datetime.time.fromisoformat(text).replace(fold=fold)

    def make_timedelta(self, days: int, seconds: int, microseconds: int) -> datetime.timedelta:
        return datetime.timedelta(days, seconds, microseconds)

    def make_Decimal(self, text: str) -> decimal.Decimal:
        return decimal.Decimal(text)

    def make_Fraction(self, numerator: Any, denominator: Any) -> fractions.Fraction:
        return fractions.Fraction(self.read(numerator), self.read(denominator))

    def make_scalar(self, kind: str, text: str) -> Any:
        import numpy

        return numpy.frombuffer(base64.b64decode(text, validate=True), _dtype(kind, "SU"))[0]

    def make_array(self, kind: str, shape: Any, text: str) -> Any:
        import numpy

        flat = numpy.frombuffer(base64.b64decode(text, validate=True), _dtype(kind, "SU"))
        return flat.reshape([_count(length) for length in shape]).copy()

    def make_objects(self, shape: Any, nodes: Any) -> Any:
        import numpy

        items = self._each(nodes)
        flat = numpy.empty(len(items), dtype=object)
        for rank, item in enumerate(items):
            flat[rank] = item
        return flat.reshape([_count(length) for length in shape])

    def make_NA(self) -> Any:
        import pandas

        return pandas.NA

    def make_NaT(self) -> Any:
        import pandas

        return pandas.NaT

    def make_Timestamp(self, text: str, unit: str) -> Any:
        import pandas

        return pandas.Timestamp(datetime_text(text)).as_unit(unit)

    def make_Timedelta(self, value: int, unit: str) -> Any:
        import numpy
        import pandas

        if unit not in ("s", "ms", "us", "ns"):
            raise DescriptionError("unité inattendue")
        length = numpy.array([int(value)]).astype(f"m8[{unit}]")[0]
        return pandas.Timedelta(length).as_unit(unit)

    def make_extension(self, kind: str, nodes: Any) -> Any:
        import pandas

        if not re.fullmatch(r"U?Int(?:8|16|32|64)|Float(?:32|64)|boolean|str|string", kind):
            raise DescriptionError("sorte de colonne inattendue")
        texts = {"str": pandas.StringDtype(na_value=math.nan), "string": pandas.StringDtype()}
        return pandas.array(self._each(nodes), dtype=texts.get(kind, kind))

    def make_Categorical(self, categories: Any, codes: Any, ordered: bool) -> Any:
        import pandas

        depth = self.depth + 1
        return pandas.Categorical.from_codes(
            self.read(codes, depth), categories=self.read(categories, depth), ordered=ordered
        )

    def make_instants(self, zone: str, values: Any) -> Any:
        import pandas

        if not re.fullmatch(r"[A-Za-z0-9_+:/-]{1,40}", zone):
            raise DescriptionError("fuseau inattendu")
        instants = pandas.DatetimeIndex(self.read(values, self.depth + 1))
        return instants.tz_localize("UTC").tz_convert(zone).array

    def make_Array(self, column: Any) -> Any:
        import pandas

        return pandas.array(self.read(column, self.depth + 1))

    def make_Index(self, column: Any, name: Any) -> Any:
        import pandas

        depth = self.depth + 1
        values = self.read(column, depth)
        return pandas.Index(values, dtype=values.dtype, name=self.read(name, depth))

    def make_RangeIndex(self, start: Any, stop: Any, step: Any, name: Any) -> Any:
        import pandas

        depth = self.depth + 1
        parts = [self.read(part, depth) for part in (start, stop, step)]
        return pandas.RangeIndex(*parts, name=self.read(name, depth))

    def make_MultiIndex(self, columns: Any, names: Any) -> Any:
        import pandas

        depth = self.depth
        levels = self._each(columns)
        self.depth = depth
        return pandas.MultiIndex.from_arrays(levels, names=self._each(names))

    def make_Series(self, column: Any, index: Any, name: Any) -> Any:
        import pandas

        depth = self.depth + 1
        values = self.read(column, depth)
        places = self.read(index, depth)
        return pandas.Series(values, places, values.dtype, self.read(name, depth))

    def make_DataFrame(self, columns: Any, names: Any, index: Any) -> Any:
        import pandas

        depth = self.depth
        read = self._each(columns)
        titles, places = self.read(names, depth + 1), self.read(index, depth + 1)
        frame = pandas.DataFrame(
            {rank: pandas.Series(values, places, values.dtype) for rank, values in enumerate(read)},
            index=places,
        )
        frame.columns = titles
        return frame

    def make_long(self, kind: str, length: Any, dtype: str = "|O") -> Any:
        """Stand for what was too large: the same kind and length, and no content."""
        self.lost.add(TOO_LARGE)
        sides = [_count(side) for side in (length if isinstance(length, list) else [length])]
        self.repeated += math.prod(sides)
        if self.repeated > MOST_REPEATED or len(sides) > 8:
            return UnreadableCollection(kind, sides[0])
        return _long(kind, sides, dtype)

    def make_derived(self, module: str, node: Any) -> Any:
        self.lost.add(str(module) or "?")
        return self.read(node, self.depth + 1)

    def make_object(self, kind: str, function: bool, length: int | None, module: str) -> Unreadable:
        self.lost.add(str(module) or "?")
        name = str(kind)[:80]
        if function is True:
            return UnreadableFunction(name)
        if length is not None:
            return UnreadableCollection(name, min(_count(length), sys.maxsize))
        return Unreadable(name)


def datetime_text(text: str) -> str:
    """Refuse what is not a moment written as ISO 8601 does.

    Raises:
        DescriptionError: it is not.
    """
    if not re.fullmatch(
        r"-?\d{1,6}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[+-]\d\d:\d\d(?::\d\d)?)?", text
    ):
        raise DescriptionError("moment inattendu")
    return text


def _dtype(text: str, more: str = "") -> Any:
    """Give a numpy type of plain values: never of objects, which are addresses."""
    import numpy

    sort = rf"(?:[biufcmM]\d{{1,2}}|[{more or 'b'}]\d{{1,5}})"
    if not re.fullmatch(rf"[<>|=]{sort}(?:\[\d*[A-Za-zμ]{{1,2}}\])?", text):
        raise DescriptionError("type inattendu")
    return numpy.dtype(text)


def _count(length: Any) -> int:
    if type(length) is not int or length < 0:
        raise DescriptionError("longueur inattendue")
    return length


def _long(kind: str, sides: list[int], dtype: str) -> Any:
    import numpy
    import pandas

    length = sides[0]
    if kind in ("array", "Series"):
        plain = None if dtype == "|O" else _dtype(dtype)
        filling = None if plain is None else numpy.zeros((), plain)[()]
        values = numpy.full(sides, filling, dtype=plain or object)
        return values if kind == "array" else pandas.Series(values)
    if kind == "DataFrame":
        return pandas.DataFrame(index=range(length), columns=range(sides[1]))
    makers: dict[str, Callable[[], Any]] = {
        "str": lambda: "x" * length,
        "bytes": lambda: b"x" * length,
        "bytearray": lambda: bytearray(length),
        "list": lambda: [Unreadable("…")] * length,
        "tuple": lambda: (Unreadable("…"),) * length,
        "set": lambda: set(range(length)),
        "frozenset": lambda: frozenset(range(length)),
        "dict": lambda: dict.fromkeys(range(length), Unreadable("…")),
    }
    if kind not in makers:
        raise DescriptionError("sorte de valeur inconnue")
    return makers[kind]()
