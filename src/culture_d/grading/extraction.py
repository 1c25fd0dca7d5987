"""Read a learner's answers as plain data, to check them where no learner's code ever ran.

Three steps, of which the learner's interpreter sees only the second:

- `plan` says, from the source of a test cell, which variables it reads, and whether it can
  be run elsewhere with nothing but their values;
- `snippet` is the expression that the learner's kernel evaluates: it describes these
  variables as typed JSON (see `describe`);
- `decode` turns this text into real objects. It is strict: a list of known kinds, limits on
  sizes, never `pickle`, never `eval`. What is not plain data becomes an `Unreadable`, which
  equals nothing, has no value and computes nothing.

What remains possible, whatever the checking: to work out the expected value from the data
rather than as the question asks, to guess, to copy, to choose the département whose answers
one knows, to write a number that has two readings. A learner may lie about a variable, as
one may write any value: the lie is then the answer that is marked.
"""

import ast
import base64
import builtins
import collections
import datetime
import decimal
import fractions
import functools
import json
import marshal
import math
import re
import symtable
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from culture_d.grading import describe
from culture_d.grading.model import MEBIBYTE, Assignment

MIME = describe.MIME
LONGEST = 1 * MEBIBYTE
"""Characters of a description: beyond, nothing of it is read."""
MOST_NODES = 200_000
MOST_REPEATED = 1_000_000
DEEPEST = 4 * describe.DEEPEST
VERIFIER = "verifier"
IN_ITS_PLACE = "# Réponse relue hors de ce carnet."

_SETTING = "culture_d"
_HIDDEN = re.compile(r"(BEGIN|END) HIDDEN TESTS")
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


@dataclass(frozen=True)
class Plan:
    """How a test cell is checked as data: what to extract, and what to run around it."""

    names: tuple[str, ...] = ()
    """Variables named to `verifier`, found as it finds them: case and accents aside."""
    exact: tuple[str, ...] = ()
    """Variables that the cell uses directly."""
    optional: frozenset[str] = frozenset()
    """Of `exact`, those that may honestly be no plain data: the cell then runs in the kernel."""
    kernel: str = IN_ITS_PLACE
    """What the learner's kernel runs in place of the cell: its visible imports."""
    prelude: str = ""
    """Imports of other cells that this one uses, run beside it."""


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


def same_python(language_info: Mapping[str, Any]) -> bool:
    """Whether a kernel says that it runs this very Python, whose compiled code it then reads."""
    return str(language_info.get("version")) == ".".join(map(str, sys.version_info[:3]))


# Planning


_MODULES = frozenset(
    re.findall(
        r"[\w.]+",
        "math cmath statistics decimal fractions datetime re string collections itertools "
        "functools operator numbers numpy numpy.testing pandas pandas.testing nose nose.tools unittest",
    )
)
_OUTSIDE = frozenset(
    re.findall(
        r"[\w.]+",
        "open input globals locals vars dir eval exec compile __import__ help breakpoint exit quit "
        "get_ipython display In Out setattr delattr",
    )
)
_FILES = re.compile(
    r"(?:read_|to_(?:csv|excel|json|html|parquet|sql|pickle|feather|hdf|stata|xml|clipboard)$"
    r"|(?:load|save|loadtxt|savetxt|savez|genfromtxt|fromfile|tofile|memmap|random|seed|mock)$)"
)
_CHANGES = frozenset(
    re.findall(
        r"[\w.]+",
        "append extend insert remove pop clear sort reverse update add discard setdefault popitem "
        "fill resize put itemset drop_duplicates",
    )
)
_NUMERIC = frozenset(re.findall(r"\w+", "abs round float int complex sum min max divmod pow bool"))


def plan(
    source: str, assignment: Assignment, metadata: Mapping[str, Any] | None = None
) -> Plan | None:
    """Say how a test cell can be checked as data; None when it must run in the kernel.

    A cell of ours names the learner's variables to `verifier` and uses nothing else of the
    notebook. Of another course's, only cells that compare variables with what they work out
    themselves are taken: a cell that calls a function of the learner's, reads files, draws,
    or prepares something for another cell runs where it always did. The cell's metadata
    decide otherwise: `{"culture_d": {"check": "data"}}`, or `"kernel"`.
    """
    setting = (metadata or {}).get(_SETTING, {})
    wanted = setting.get("check") if isinstance(setting, Mapping) else None
    if wanted == "kernel":
        return None
    try:
        tree = ast.parse(source)
        cell = _Cell(tree, symtable.symtable(source, "cell", "exec"))
    except (SyntaxError, ValueError, RecursionError):
        return None
    here = f"{VERIFIER}.py" in assignment.files and VERIFIER in cell.imported
    names = _named_to_verifier(tree) if here else ()
    kernel = _visible_imports(source, tree)
    if wanted == "data" or (names and not cell.free):
        return Plan(names, tuple(sorted(cell.free)), kernel=kernel)
    prelude = _prelude(cell, source, assignment)
    if prelude is None:
        return None
    imports, provided = prelude
    free = cell.free - provided
    if not (names or free) or not _only_compares(cell, free, here):
        return None
    strict = {name for name in free if _surely_data(cell, name, free)}
    return Plan(names, tuple(sorted(free)), frozenset(free - strict), kernel, imports)


def names_needed(source: str, assignment: Assignment) -> tuple[str, ...] | None:
    """List the variables that a test cell reads; None when it cannot be checked as data."""
    found = plan(source, assignment)
    return None if found is None else found.names + found.exact


def unchecked(assignment: Assignment) -> tuple[tuple[str, str], ...]:
    """List the graded cells that run in the learner's own kernel: notebook, grade_id.

    There, as with nbgrader alone, an answer that says it equals everything is believed.
    """
    return tuple(
        (name, str(cell.metadata.nbgrader.grade_id))
        for name, cell in _code_cells(assignment)
        if is_test(cell) and plan(cell.source, assignment, cell.metadata) is None
    )


def data_cells(assignment: Assignment) -> list[str]:
    """List the sources of the graded cells that are checked as data."""
    return [
        cell.source
        for _, cell in _code_cells(assignment)
        if is_test(cell) and plan(cell.source, assignment, cell.metadata) is not None
    ]


def is_test(cell: Any) -> bool:
    """Whether nbgrader gives a cell automatic points."""
    settings = cell.metadata.get("nbgrader", {})
    graded = settings.get("grade") and not settings.get("solution") and not settings.get("task")
    return bool(cell.cell_type == "code" and graded)


class _Cell:
    """The names of a cell: those it imports, binds, and expects to find."""

    def __init__(self, tree: ast.Module, table: symtable.SymbolTable) -> None:
        self.tree = tree
        self.parents = {
            child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)
        }
        symbols = table.get_symbols()
        self.imported = {s.get_name() for s in symbols if s.is_imported()}
        self.bound = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
        loaded = _read_before_bound(tree.body, self.bound)
        within = {s.get_name() for t in _scopes(table) for s in t.get_symbols() if s.is_global()}
        known = set(dir(builtins)) - _OUTSIDE
        self.free = frozenset((loaded | (within - self.bound)) - known)

    def uses(self, names: Iterable[str]) -> Iterator[ast.Name]:
        """Find where the cell reads these names."""
        wanted = set(names)
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Name) and node.id in wanted:
                yield node


def _scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _scopes(child)


def _read_before_bound(body: Iterable[ast.stmt], bound: Iterable[str]) -> set[str]:
    """Find the names that the statements of a module read before they have a value."""
    waiting, free = set(bound), set()
    for statement in body:
        own = [node for node in _same_scope(statement) if isinstance(node, ast.Name)]
        free |= {n.id for n in own if isinstance(n.ctx, ast.Load) and n.id in waiting}
        free |= {n.id for n in own if isinstance(n.ctx, ast.Load) and n.id not in bound}
        if isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Name):
            free |= {statement.target.id} & waiting
        waiting -= {n.id for n in own if isinstance(n.ctx, ast.Store)}
        for node in _same_scope(statement):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                waiting -= {_import_name(alias) for alias in node.names}
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                waiting.discard(node.name)
    # A loop or a block binds, then reads: its names were waiting when it began.
    stored = {n.id for s in body for n in _compound_stores(s)}
    return free - stored


def _compound_stores(statement: ast.stmt) -> Iterator[ast.Name]:
    compound = (ast.For, ast.While, ast.If, ast.With, ast.Try)
    if isinstance(statement, compound):
        for node in _same_scope(statement):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node


def _same_scope(node: ast.AST) -> Iterator[ast.AST]:
    """Walk a statement without entering functions, classes and comprehensions."""
    yield node
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    loops = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    if isinstance(node, inner):
        return
    if isinstance(node, loops):
        yield from _same_scope(node.generators[0].iter)
        return
    for child in ast.iter_child_nodes(node):
        yield from _same_scope(child)


def _import_name(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _named_to_verifier(tree: ast.Module) -> tuple[str, ...]:
    """Find the variables named to `verifier`: the first argument of its calls.

    When one is not a plain text, every text that could be a name is taken: to extract a
    variable too many is harmless.
    """
    found: list[str] = []
    unsure = False
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == VERIFIER
        ):
            continue
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "variable")]
        for argument in given:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                found.append(argument.value)
            elif isinstance(argument, (ast.Name, ast.JoinedStr)):
                unsure = True
    if unsure:
        found += [
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
    return tuple(dict.fromkeys(name for name in found if name.isidentifier()))


def _visible_imports(source: str, tree: ast.Module) -> str:
    """Give the imports of a cell but for those of its hidden tests."""
    hidden, inside = set(), False
    for number, line in enumerate(source.splitlines(), 1):
        mark = _HIDDEN.search(line)
        inside = mark[1] == "BEGIN" if mark else inside
        if inside or mark:
            hidden.add(number)
    imports = [
        ast.unparse(node)
        for node in tree.body
        if isinstance(node, (ast.Import, ast.ImportFrom)) and node.lineno not in hidden
    ]
    return "\n".join([IN_ITS_PLACE, *imports])


def _code_cells(assignment: Assignment) -> Iterator[tuple[str, Any]]:
    for name, text in sorted(_notebooks(assignment.version, assignment).items()):
        for cell in text.cells:
            if cell.cell_type == "code":
                yield name, cell


_READ: dict[str, dict[str, Any]] = {}


def _notebooks(version: str, assignment: Assignment) -> dict[str, Any]:
    """Read the notebooks of an assignment once; the last few assignments are kept."""
    if version not in _READ:
        while len(_READ) >= 8:
            del _READ[next(iter(_READ))]
        _READ[version] = {
            name: nbformat.reads(text.decode("utf-8"), as_version=4)
            for name, text in assignment.notebooks.items()
        }
    return _READ[version]


def _prelude(cell: _Cell, source: str, assignment: Assignment) -> tuple[str, frozenset[str]] | None:
    """Find the imports of the course's other cells that this one relies on.

    None when it relies on anything else of theirs, or they on it.
    """
    lines: list[str] = []
    provided: set[str] = set()
    ours = cell.bound - cell.imported
    for _, other in _code_cells(assignment):
        settings = other.metadata.get("nbgrader", {})
        if other.source == source or settings.get("solution"):
            continue
        if any(re.search(rf"\b{re.escape(name)}\b", other.source) for name in ours):
            return None
        try:
            tree = ast.parse(other.source)
            table = symtable.symtable(other.source, "cell", "exec")
        except (SyntaxError, ValueError):
            continue
        made = {
            s.get_name() for s in table.get_symbols() if s.is_assigned() and not s.is_imported()
        }
        if made & cell.free:
            return None
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                brought = {_import_name(alias) for alias in node.names} & cell.free
                if brought and not _all_known(node):
                    return None
                if brought:
                    provided |= brought
                    lines.append(ast.unparse(node))
    return "\n".join(dict.fromkeys(lines)), frozenset(provided)


def _all_known(node: ast.Import | ast.ImportFrom) -> bool:
    if isinstance(node, ast.ImportFrom):
        return not node.level and node.module in _MODULES
    return all(alias.name in _MODULES for alias in node.names)


def _only_compares(cell: _Cell, free: frozenset[str], here: bool) -> bool:
    """Whether a cell does nothing but look at values: no file, no call of the learner's code."""
    for node in ast.walk(cell.tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            names = {_import_name(alias) for alias in node.names}
            if not _all_known(node) and not (here and names == {VERIFIER}):
                return False
        elif (isinstance(node, ast.Attribute) and _FILES.match(node.attr)) or isinstance(
            node, (ast.Global, ast.Await, ast.AsyncFor, ast.AsyncWith)
        ):
            return False
    if any(name in _OUTSIDE or name.startswith("_") for name in free):
        return False
    return not any(_changes_or_calls(cell, node) for node in cell.uses(free))


def _changes_or_calls(cell: _Cell, node: ast.Name) -> bool:
    if not isinstance(node.ctx, ast.Load):
        return True
    child: ast.AST = node
    parent = cell.parents[node]
    while isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is child:
        if not isinstance(parent.ctx, ast.Load):
            return True
        if isinstance(parent, ast.Attribute) and parent.attr in _CHANGES:
            return True
        child, parent = parent, cell.parents[parent]
    return isinstance(parent, ast.Call) and parent.func is node


def _surely_data(cell: _Cell, name: str, free: frozenset[str]) -> bool:
    """Whether the cell compares a variable with what it knows: only plain data can be right."""
    for node in cell.uses([name]):
        parent = cell.parents[node]
        if isinstance(parent, ast.Call):
            function = parent.func
            called = function.id if isinstance(function, ast.Name) else ""
            method = function.attr if isinstance(function, ast.Attribute) else called
            sure = called in _NUMERIC or bool(re.match("assert|is_?close|all_?close", method))
        else:
            sure = isinstance(parent, (ast.Compare, ast.BinOp, ast.UnaryOp))
        others = {n.id for n in ast.walk(parent) if isinstance(n, ast.Name)} & free
        if sure and others == {name}:
            return True
    return False


# Decoding


def decode(text: object) -> dict[str, Any]:
    """Turn a description into the values it describes, by the names they have in the notebook.

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
    kinds: dict[str, Callable[..., Any]] = field(init=False)

    def __post_init__(self) -> None:
        self.kinds = {
            name.removeprefix("make_"): getattr(self, name)
            for name in dir(self)
            if name.startswith("make_")
        }

    def all(self, found: object) -> dict[str, Any]:
        values = {}
        for name, node in self._listed(found):
            if not isinstance(name, str) or len(name) > 1000:
                raise DescriptionError("un nom de variable n'est pas un texte")
            values[name] = self.read(node)
        return values

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

    def make_datetime(self, text: str) -> datetime.datetime:
        return datetime.datetime.fromisoformat(text)

    def make_time(self, text: str) -> datetime.time:
        return datetime.time.fromisoformat(text)

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
        sides = [_count(side) for side in (length if isinstance(length, list) else [length])]
        if math.prod(sides) > MOST_REPEATED or len(sides) > 8:
            return UnreadableCollection(kind, sides[0])
        return _long(kind, sides, dtype)

    def make_object(self, kind: str, function: bool, length: int | None) -> Unreadable:
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

    if not re.fullmatch(rf"[<>|=][biufcmM{more}]\d{{1,5}}(?:\[\d*[A-Za-zμ]{{1,2}}\])?", text):
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
        plain = None if dtype == "|O" else _dtype(dtype, "SU")
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
