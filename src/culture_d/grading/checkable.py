"""Say which test cells can be run elsewhere, with nothing of the notebook but plain values.

By their source alone: the names a cell reads, those it brings, and what it does with them.
"""

import ast
import builtins
import re
import symtable
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import nbformat

from culture_d.grading.model import Assignment

VERIFIER = "verifier"
IN_ITS_PLACE = "# Réponse relue hors de ce carnet."

_SETTING = "culture_d"
_HIDDEN = re.compile(r"(BEGIN|END) HIDDEN TESTS")
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
        "get_ipython display In Out setattr delattr id",
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
# What `verifier` is given that names no variable of the notebook.
_OF_NO_VARIABLE = frozenset({"Erreur", "Points", "lettres", "ordonner", "ordre", "table"})
_NUMERIC = frozenset(re.findall(r"\w+", "abs round float int complex divmod pow bool"))


@dataclass(frozen=True)
class Plan:
    """How a test cell is checked as data: what to extract, and what to run around it."""

    names: tuple[str, ...] = ()
    """Variables named to `verifier`, found as it finds them: case and accents aside."""
    exact: tuple[str, ...] = ()
    """Variables that the cell uses directly."""
    optional: frozenset[str] = frozenset()
    """Of `exact`, those of which an honest answer may be no plain data, or of a class of one's
    own: the cell then runs in the kernel."""
    kernel: str = IN_ITS_PLACE
    """What the learner's kernel runs in place of the cell: its visible imports."""
    prelude: str = ""
    """Imports of other cells that this one uses, run beside it."""


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


def own_test(assignment: Assignment, cell: Any) -> Any:
    """Find the course's own version of a test cell of a submission; None if it has none.

    Of a submitted cell, only its mark is believed: neither its text, which may be the
    learner's, nor its other metadata.
    """
    if not is_test(cell):
        return None
    name = cell.metadata.nbgrader.get("grade_id")
    own = [
        one
        for _, one in _code_cells(assignment)
        if is_test(one) and one.metadata.nbgrader.grade_id == name
    ]
    same = [one for one in own if one.source == cell.source]
    return (same or own)[0] if same or len(own) == 1 else None


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
        self.free = frozenset((loaded | (within - self.bound)) - set(dir(builtins)))

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
            and node.func.attr not in _OF_NO_VARIABLE
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
        elif _is_of_this_place(node):
            return False
    if any(cell.uses(_OUTSIDE)) or any(name.startswith("_") for name in free):
        return False
    return not any(_changes_or_calls(cell, node) for node in cell.uses(free))


def _is_of_this_place(node: ast.AST) -> bool:
    """Whether a piece of code means something only where the notebook runs."""
    if isinstance(node, ast.Attribute):
        return bool(_FILES.match(node.attr))
    if isinstance(node, ast.Compare):
        return _compares_identity(node)
    return isinstance(node, (ast.Global, ast.Await, ast.AsyncFor, ast.AsyncWith))


def _compares_identity(node: ast.Compare) -> bool:
    """Whether two objects are asked to be the same one; « is None » is about the value."""
    sides = [node.left, *node.comparators]
    return any(
        isinstance(sign, (ast.Is, ast.IsNot))
        and not any(isinstance(side, ast.Constant) for side in sides[rank : rank + 2])
        for rank, sign in enumerate(node.ops)
    )


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
