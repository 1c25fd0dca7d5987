"""Describe a learner's variables as typed JSON, from inside the learner's interpreter.

The text of this file is sent to the learner's kernel, where the course is not installed
and nothing can be trusted: standard library only. numpy and pandas are used if they are
already there, and no module is added that a notebook does not have. Whatever it answers is
only a claim, which `extraction` decodes as plain data.

It reads without changing anything: no name is defined in the notebook, nothing is printed,
no iterator is consumed, and no method of a learner's class is called. A value of a class
derived from a built-in one is read by the built-in one's own methods.
"""

from __future__ import annotations

import base64
import collections
import datetime
import json
import math
import sys
import unicodedata
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

MIME = "application/vnd.culture-d.values+json"
BUDGET = 700_000
MOST_ITEMS = 20_000
LONGEST_TEXT = 100_000
DEEPEST = 12
_EXACT = 2**53
_RAW = frozenset("biufcmM")
_KNOWN = ("builtins", "collections", "array", "numpy", "pandas")
_MASKED = ("Int", "UInt", "Float", "boolean", "str")


class TooLarge(Exception):
    """The description would be longer than what the grading reads."""


class Described:
    """The answer, under a type of its own: a display of the notebook cannot be taken for it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return "Described"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {MIME: self.text}


def describe(names: Iterable[str], exact: Iterable[str], space: Mapping[Any, Any]) -> Described:
    """Describe the variables of `space` that have these names.

    A name of `names` that is absent is looked for as verifier.py does, without case nor
    accents; one of `exact` is not. A variable is given under the name it has in `space`.
    """
    with warnings.catch_warnings():
        # As verifier.py does: the warnings that a later cell shows are then the same.
        warnings.simplefilter("ignore")
        reader = _Reader()
        found: dict[str, Any] = {}
        for name in names:
            place = name if name in space else _alike(name, space)
            if place is not None:
                found[place] = reader.whole(space[place])
        for name in exact:
            if name in space:
                found[name] = reader.whole(space[name])
        return Described(json.dumps(list(found.items()), allow_nan=False))


def _alike(name: str, space: Mapping[Any, Any]) -> str | None:
    wanted = fold(name)
    texts = (other for other in list(space) if type(other) is str)
    return next((other for other in texts if fold(other) == wanted), None)


def fold(text: str) -> str:
    """Drop case, accents and punctuation, as verifier.py does to find a variable."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    plain = (char if char in "abcdefghijklmnopqrstuvwxyz0123456789" else " " for char in bare)
    return " ".join("".join(plain).split())


def _bases(value: Any) -> tuple[type, ...]:
    """Give the classes of a value, asking `type` itself and not a class of the learner's."""
    bases: tuple[type, ...] = type.__dict__["__mro__"].__get__(type(value))
    return bases


def _base(value: Any, *kinds: Any) -> Any:
    """Give the first of these classes that the value derives from; None if there is none."""
    bases = _bases(value)
    return next((kind for kind in kinds if any(base is kind for base in bases)), None)


def _module(kind: type) -> str:
    """Name the module a class says it is of."""
    module = type.__dict__["__module__"].__get__(kind)
    return module[:80] if type(module) is str else "__main__"


class _Reader:
    """Turn values into nested lists that JSON can write, within one budget of characters."""

    def __init__(self) -> None:
        self.left = BUDGET
        numpy: Any = sys.modules.get("numpy")
        pandas: Any = sys.modules.get("pandas")
        kinds: list[tuple[type, Callable[[Any, int], Any]]] = []
        if pandas is not None:
            kinds += [
                (pandas.Timestamp, self._timestamp),
                (pandas.Timedelta, self._pandas_timedelta),
                (pandas.DataFrame, self._frame),
                (pandas.Series, self._series),
                (pandas.RangeIndex, self._range_index),
                (pandas.MultiIndex, self._multi_index),
                (pandas.Index, self._index),
                (pandas.api.extensions.ExtensionArray, self._column_alone),
            ]
        if numpy is not None:
            kinds += [(numpy.generic, self._scalar), (numpy.ndarray, self._array)]
        self.numpy, self.pandas = numpy, pandas
        kinds += [
            (str, self._text),
            (int, self._int),
            (float, self._float),
            (complex, self._complex),
            (bytes, self._bytes),
            (bytearray, self._bytes),
            (list, self._items),
            (tuple, self._items),
            (set, self._items),
            (frozenset, self._items),
            (collections.OrderedDict, self._dict),
            (collections.Counter, self._dict),
            (collections.defaultdict, self._dict),
            (dict, self._dict),
            (type({}.keys()), self._view),
            (type({}.values()), self._view),
            (type({}.items()), self._view),
            (range, self._range),
            (datetime.datetime, self._moment),
            (datetime.date, self._moment),
            (datetime.time, self._moment),
            (datetime.timedelta, self._timedelta),
        ]
        # What was never imported, no variable holds.
        if "decimal" in sys.modules:
            kinds.append((sys.modules["decimal"].Decimal, self._decimal))
        if "fractions" in sys.modules:
            kinds.append((sys.modules["fractions"].Fraction, self._fraction))
        # By identity: a class of the learner's may say how it is hashed and compared.
        self.kinds = {id(kind): describe_kind for kind, describe_kind in kinds}

    def whole(self, value: Any) -> Any:
        """Describe a variable; only its kind and its length when it is too large."""
        before = self.left
        try:
            return self.read(value)
        except TooLarge:
            self.left = before
            return self._length_only(value)

    def read(self, value: Any, depth: int = 0) -> Any:
        """Describe one value, at this depth of nesting."""
        self._spend(4)
        if value is None or value is True or value is False:
            return value
        if value is Ellipsis:
            return ["ellipsis"]
        pandas = self.pandas
        if pandas is not None and value is pandas.NA:
            return ["NA"]
        if pandas is not None and value is pandas.NaT:
            return ["NaT"]
        if depth <= DEEPEST:
            for base in _bases(value):
                if id(base) in self.kinds:
                    read = self.kinds[id(base)](value, depth)
                    return read if self._is_exact(type(value), base) else self._derived(value, read)
        return self._object(value)

    def _is_exact(self, kind: type, base: type) -> bool:
        """Whether nothing of a value is lost when it is read as one of this base class."""
        if kind is base:
            return True
        whole = (self.numpy and self.numpy.generic, self.pandas and self.pandas.Index)
        return base in whole or _module(kind).startswith("pandas.arrays")

    def _derived(self, value: Any, read: Any) -> Any:
        self._spend(100)
        return ["derived", _module(type(value)), read]

    def _spend(self, characters: int) -> None:
        self.left -= characters
        if self.left < 0:
            raise TooLarge

    def _text(self, value: str, depth: int) -> Any:
        plain = str.__str__(value)
        if len(plain) > LONGEST_TEXT:
            return ["long", "str", len(plain)]
        # Six characters of JSON for one that is not of ASCII, twelve beyond 65 535.
        self._spend(len(plain) if plain.isascii() else 6 * len(plain))
        return plain

    def _int(self, value: int, depth: int) -> Any:
        plain = int.__int__(value)
        if -_EXACT < plain < _EXACT:
            return plain
        self._spend(plain.bit_length() // 4)
        return ["int", hex(plain)]

    def _float(self, value: float, depth: int) -> Any:
        plain = float.__float__(value)
        self._spend(16)
        return plain if math.isfinite(plain) else ["float", repr(plain)]

    def _complex(self, value: complex, depth: int) -> Any:
        plain = complex.__complex__(value)
        return ["complex", self._float(plain.real, depth), self._float(plain.imag, depth)]

    def _bytes(self, value: Any, depth: int) -> Any:
        kind = _base(value, bytes, bytearray)
        if kind.__len__(value) > LONGEST_TEXT:
            return ["long", kind.__name__, kind.__len__(value)]
        return [kind.__name__, self._coded(bytes(kind.__getitem__(value, slice(None))))]

    def _items(self, value: Any, depth: int) -> Any:
        kind = _base(value, list, tuple, set, frozenset)
        if kind.__len__(value) > MOST_ITEMS:
            return ["long", kind.__name__, kind.__len__(value)]
        return [kind.__name__, [self.read(item, depth + 1) for item in kind.__iter__(value)]]

    def _dict(self, value: Any, depth: int) -> Any:
        if dict.__len__(value) > MOST_ITEMS:
            return ["long", "dict", dict.__len__(value)]
        if type(value) is collections.OrderedDict:
            return ["OrderedDict", self._pairs(value.items(), depth)]
        kind = _base(value, collections.Counter, collections.defaultdict, dict)
        read = [kind.__name__, self._pairs(dict.items(value), depth)]
        if type(value) is collections.defaultdict and value.default_factory is not None:
            return self._derived(value, read)
        return read

    def _view(self, value: Any, depth: int) -> Any:
        kind = type(value).__name__
        if len(value) > MOST_ITEMS:
            return self._object(value)
        if kind == "dict_items":
            return [kind, self._pairs(value, depth)]
        return [kind, [self.read(item, depth + 1) for item in value]]

    def _pairs(self, items: Iterable[tuple[Any, Any]], depth: int) -> list[list[Any]]:
        return [[self.read(key, depth + 1), self.read(item, depth + 1)] for key, item in items]

    def _range(self, value: range, depth: int) -> Any:
        return [
            "range",
            *(self._int(part, depth) for part in (value.start, value.stop, value.step)),
        ]

    def _moment(self, value: Any, depth: int) -> Any:
        kind = _base(value, datetime.datetime, datetime.date, datetime.time)
        fold = () if kind is datetime.date else (kind.fold.__get__(value),)
        return [kind.__name__, kind.isoformat(value), *fold]

    def _timedelta(self, value: datetime.timedelta, depth: int) -> Any:
        return ["timedelta", value.days, value.seconds, value.microseconds]

    def _decimal(self, value: Any, depth: int) -> Any:
        text = sys.modules["decimal"].Decimal.__str__(value)
        self._spend(len(text))
        return ["Decimal", text]

    def _fraction(self, value: Any, depth: int) -> Any:
        return ["Fraction", self._int(value.numerator, depth), self._int(value.denominator, depth)]

    def _scalar(self, value: Any, depth: int) -> Any:
        if value.dtype.kind not in "biufcmMSU":
            return self._object(value)
        return ["scalar", value.dtype.str, self._coded(value.tobytes())]

    def _array(self, value: Any, depth: int) -> Any:
        plain = self.numpy.ndarray.view(value, self.numpy.ndarray)
        shape, dtype = list(plain.shape), plain.dtype
        if dtype.kind not in "biufcmMSUO":
            return self._object(value)
        if plain.size > MOST_ITEMS:
            return ["long", "array", shape, dtype.str if dtype.kind in _RAW else "|O"]
        if dtype.kind == "O":
            return ["objects", shape, [self.read(item, depth + 1) for item in plain.ravel()]]
        return ["array", dtype.str, shape, self._coded(plain.tobytes())]

    def _coded(self, raw: bytes) -> str:
        self._spend(len(raw) * 4 // 3)
        return base64.b64encode(raw).decode("ascii")

    def _timestamp(self, value: Any, depth: int) -> Any:
        return ["Timestamp", value.isoformat(), value.unit]

    def _pandas_timedelta(self, value: Any, depth: int) -> Any:
        return ["Timedelta", int(value.asm8.view("i8")), value.unit]

    def _column(self, values: Any, depth: int) -> Any:
        """Describe a one-dimensional pandas array; None for a kind that is not known."""
        pandas, dtype, name = self.pandas, values.dtype, str(values.dtype)
        if isinstance(dtype, pandas.CategoricalDtype):
            categories = self._column(dtype.categories.array, depth)
            codes = self._array(self.numpy.asarray(values.codes), depth)
            return categories and ["Categorical", categories, codes, bool(dtype.ordered)]
        if isinstance(dtype, pandas.DatetimeTZDtype):
            return [
                "instants",
                str(dtype.tz),
                self._array(values.to_numpy(f"M8[{dtype.unit}]"), depth),
            ]
        if name.startswith(_MASKED):
            return ["extension", name, [self.read(item, depth + 1) for item in values]]
        plain_kinds = (
            pandas.arrays.NumpyExtensionArray,
            pandas.arrays.DatetimeArray,
            pandas.arrays.TimedeltaArray,
        )
        if isinstance(values, plain_kinds):
            plain = self.numpy.asarray(values)
            return self._array(plain, depth) if plain.dtype.kind in "biufcmMO" else None
        return None

    def _column_alone(self, value: Any, depth: int) -> Any:
        if len(value) > MOST_ITEMS:
            return self._object(value)
        column = self._column(value, depth)
        return self._object(value) if column is None else ["Array", column]

    def _index(self, value: Any, depth: int) -> Any:
        column = self._column(value.array, depth) if len(value) <= MOST_ITEMS else None
        if column is None:
            return self._object(value)
        return ["Index", column, self.read(value.name, depth + 1)]

    def _range_index(self, value: Any, depth: int) -> Any:
        parts = (self._int(part, depth) for part in (value.start, value.stop, value.step))
        return ["RangeIndex", *parts, self.read(value.name, depth + 1)]

    def _multi_index(self, value: Any, depth: int) -> Any:
        levels = [value.get_level_values(rank).array for rank in range(value.nlevels)]
        columns = [self._column(level, depth) for level in levels if len(value) <= MOST_ITEMS]
        if not columns or None in columns:
            return self._object(value)
        return ["MultiIndex", columns, [self.read(name, depth + 1) for name in value.names]]

    def _series(self, value: Any, depth: int) -> Any:
        column = self._column(value.array, depth) if len(value) <= MOST_ITEMS else None
        index: Any = column and self.read(value.index, depth)
        if column is None or index[0] == "object":
            return self._length_only(value)
        return ["Series", column, index, self.read(value.name, depth + 1)]

    def _frame(self, value: Any, depth: int) -> Any:
        if value.size > MOST_ITEMS:
            return self._length_only(value)
        columns = [self._column(value.iloc[:, rank].array, depth) for rank in range(value.shape[1])]
        names, index = self.read(value.columns, depth), self.read(value.index, depth)
        if None in columns or "object" in (names[0], index[0]):
            return self._length_only(value)
        return ["DataFrame", columns, names, index]

    def _length_only(self, value: Any) -> Any:
        """Give the kind and the length of what is too large, or too special, to be given whole."""
        pandas = self.pandas
        if pandas is not None and _base(value, pandas.Series):
            plain = isinstance(value.dtype, self.numpy.dtype) and value.dtype.kind in _RAW
            return ["long", "Series", len(value), value.dtype.str if plain else "|O"]
        if pandas is not None and _base(value, pandas.DataFrame):
            return ["long", "DataFrame", list(value.shape)]
        kind = _base(value, str, bytes, bytearray, list, tuple, set, frozenset, dict)
        return ["long", kind.__name__, kind.__len__(value)] if kind else self._object(value)

    def _object(self, value: Any) -> Any:
        """Name a value that is not plain data; its length too, if its class is a known library's."""
        kind, module = type(value), _module(type(value))
        known = module.partition(".")[0] in _KNOWN
        name = type.__dict__["__name__"].__get__(kind)[:80]
        length = len(value) if known and kind is not type and hasattr(kind, "__len__") else None
        self._spend(100)
        return ["object", name, callable(value), length, module]
