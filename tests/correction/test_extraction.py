"""What a learner's variables become as plain data, and which cells can be checked so."""

import collections
import contextlib
import datetime
import decimal
import fractions
import json
import subprocess
import sys
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culture_d.grading import checkable, describe, extraction
from culture_d.grading.extraction import (
    DescriptionError,
    Unreadable,
    UnreadableCollection,
    UnreadableFunction,
)
from culture_d.grading.model import Assignment


def there_and_back(value: Any) -> Any:
    """Describe a variable as the learner's kernel does, and decode it."""
    space = {"reponse": value, "__builtins__": __builtins__}
    described = eval(extraction.snippet(["reponse"]), space)
    assert set(space) == {"reponse", "__builtins__"}
    return extraction.decode(described.text).values["reponse"]


def same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other)
    elif isinstance(one, pd.Series):
        pd.testing.assert_series_equal(one, other)
    elif isinstance(one, pd.Index):
        pd.testing.assert_index_equal(one, other)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    elif hasattr(one, "dtype"):
        assert one.dtype == other.dtype
        assert repr(one) == repr(other)
    elif one is pd.NA or one is pd.NaT:
        assert one is other
    else:
        # `nan` is not equal to itself, and 1 is equal to True.
        assert repr(one) == repr(other)


PARIS = datetime.timezone(datetime.timedelta(hours=2))
FRAME = pd.DataFrame(
    {
        "entiers": [1, 2],
        "décimaux": [0.1, float("nan")],
        "textes": ["é", None],
        "objets": [{"a": 1}, [None, ...]],
        "vrais": [True, False],
        "jours": pd.to_datetime(["2026-11-22", None]),
        "durées": pd.to_timedelta([1, 2], unit="D"),
        "sortes": pd.Categorical(["b", "a"], categories=["b", "a"], ordered=True),
        "nuls": pd.array([1, None], dtype="Int64"),
        "oui": pd.array([True, None], dtype="boolean"),
        "mots": pd.array(["x", None], dtype="string"),
        "zone": pd.to_datetime(["2026-07-01", "2026-01-01"]).tz_localize("Europe/Paris"),
    },
    index=["un", "deux"],
)
VALUES = [
    None,
    ...,
    True,
    0,
    -(2**53),
    10**100,
    0.1,
    -0.0,
    5e-324,
    float("nan"),
    float("-inf"),
    1 + 2j,
    "",
    "l'été\n\u202f€ 🏛 \x00 \ud800",
    b"\x00\xff",
    bytearray(b"ab"),
    [1, [2.5, ("a", None)], {3}, frozenset({4})],
    {"A": ..., 1: "x", (1, 2): {"b": [True]}},
    collections.OrderedDict(b=1, a=2),
    collections.Counter("aab"),
    collections.defaultdict(None, {"a": 1}),
    {"a": 1}.keys(),
    {"a": 1}.items(),
    range(3, 10**20, 2),
    datetime.date(2026, 11, 22),
    datetime.datetime(2026, 11, 22, 6, 7, 8, 9, PARIS),
    datetime.time(6, 7),
    datetime.timedelta(-1, 2, 3),
    decimal.Decimal("1.20"),
    fractions.Fraction(1, 3),
    np.float64(0.1),
    np.int8(-3),
    np.bool_(True),
    np.datetime64("2026-11-22"),
    np.timedelta64(3, "D"),
    np.array([[1, 2], [3, 4]], dtype="int16"),
    np.array(["a", "bcd"]),
    np.array(["a", None, 1.5], dtype=object),
    np.array(7.5),
    np.array([], dtype=float),
    pd.NA,
    pd.NaT,
    pd.Timestamp("2026-11-22 06:07:08.123456789"),
    pd.Timestamp("2026-11-22").as_unit("s"),
    pd.Timedelta("3D 2s"),
    pd.Series([1, 2], name="n"),
    pd.Series({"a": 1.5, "b": None}),
    pd.Series(["x"], index=pd.MultiIndex.from_tuples([("a", 1)], names=["p", "q"])),
    pd.Series([], dtype=object),
    pd.Index(["a", "b"], name="i"),
    pd.RangeIndex(3),
    pd.to_datetime(["2026-11-22"]),
    pd.DataFrame(),
    pd.DataFrame([[1, 2]], columns=["a", "a"]),
    FRAME,
    FRAME["sortes"],
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_plain_data_comes_back_the_same(value: Any) -> None:
    same(there_and_back(value), value)


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.dates()
    | st.datetimes()
    | st.timedeltas()
    | st.decimals(),
    lambda inner: (
        st.lists(inner)
        | st.tuples(inner, inner)
        | st.dictionaries(st.text() | st.integers() | st.floats(), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(PLAIN)
def test_any_plain_data_comes_back_the_same(value: Any) -> None:
    same(there_and_back(value), value)


def spy(*bases: type) -> Any:
    """Make a class whose every method complains: none is to be called."""

    def complain(*given: object, **named: object) -> object:
        raise AssertionError("une méthode de l'élève a été appelée")

    names = "eq ne lt len iter getitem str repr int float index bool array_ufunc contains hash"
    methods = {f"__{name}__": complain for name in names.split()}
    meta = type("Meta", (type,), {"__eq__": complain, "__hash__": complain, "mro": type.mro})
    return meta("Espion", bases, methods | {"items": complain, "__getattribute__": complain})


@pytest.mark.parametrize(
    ("kind", "value"),
    [(str, "C"), (int, 3), (float, 2.5), (list, [1]), (tuple, (1,)), (dict, {"a": 1}), (set, {1})],
)
def test_a_class_of_the_learner_s_is_read_as_the_type_it_is_made_of(kind: Any, value: Any) -> None:
    made = kind.__new__(spy(kind), *([] if kind in (list, dict, set) else [value]))
    if kind in (list, dict, set):
        kind.__init__(made, value)
    same(there_and_back(made), value)


def test_what_is_not_plain_data_is_unreadable_and_equals_nothing() -> None:
    read = there_and_back(spy(object)())
    assert type(read) is Unreadable
    assert repr(read) == "<Espion>"
    assert read not in (3, "C", None, pd.NA, float("nan"), [], Unreadable("Espion"))
    with pytest.raises(TypeError):
        float(read)  # type: ignore[arg-type]


def test_a_function_is_seen_as_a_function_and_does_nothing() -> None:
    for value in (print, lambda: 1 / 0, pd.Series([1]).mean, int):
        read = there_and_back(value)
        assert type(read) is UnreadableFunction
        with pytest.raises(TypeError):
            read()


def test_an_iterator_is_not_used_up() -> None:
    numbers = iter([1, 2, 3])
    assert type(there_and_back(numbers)) is Unreadable
    assert next(numbers) == 1


def test_a_library_s_object_keeps_its_length() -> None:
    read = there_and_back(pd.Series([1, 2]).groupby([1, 2]))
    assert type(read) is UnreadableCollection
    assert len(read) == 2


@pytest.mark.parametrize(
    "value",
    [
        list(range(30_000)),
        tuple(range(30_000)),
        set(range(30_000)),
        dict.fromkeys(range(30_000)),
        "é" * 200_000,
        b"a" * 200_000,
        np.zeros((300, 100)),
        pd.Series(range(30_000)),
        pd.Series([True] * 30_000),
        pd.DataFrame(np.zeros((30_000, 2))),
        [["x" * 90_000] * 9],
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_too_large_keeps_its_kind_and_its_length(value: Any) -> None:
    read = there_and_back(value)
    assert type(read) is type(value)
    assert len(read) == len(value)
    assert getattr(read, "dtype", None) == getattr(value, "dtype", None)
    assert getattr(read, "shape", None) == getattr(value, "shape", None)


Point = collections.namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("value", "lost"),
    [
        ([1, {"a": np.float64(2)}], set()),
        (pd.DataFrame({"a": [1]}), set()),
        (pd.to_datetime(["2026-11-22"]), set()),
        (Point(1, 2), {__name__}),
        ([Point(1, 2), print], {__name__, "builtins"}),
        (np.ma.masked_array([1], [True]), {"numpy.ma"}),
        (collections.defaultdict(list), {"collections"}),
        (collections.deque([1]), {"collections"}),
        (list(range(30_000)), {extraction.TOO_LARGE}),
        ({"a": "x" * 200_000}, {extraction.TOO_LARGE}),
    ],
)
def test_what_does_not_come_whole_is_said(value: Any, lost: set[str]) -> None:
    """For the cells of other courses: these values are then left to the kernel."""
    described = describe.describe([], ["reponse"], {"reponse": value})
    assert extraction.decode(described.text).lost.get("reponse", frozenset()) == lost


def test_values_without_end_are_cut() -> None:
    loop: list[Any] = []
    loop.append(loop)
    assert isinstance(there_and_back(loop), list)
    wide: list[Any] = [loop] * 50
    wide += [wide] * 50
    assert isinstance(there_and_back(wide), list)


def test_a_variable_is_found_as_the_verifier_finds_it() -> None:
    space = {1: "x", "Réponse_1": 3, "reponse 2": 4, "exacte": 5, "EXACT": 6}
    found = describe.describe(["reponse_1", "reponse_2", "absente"], ["exact"], space)
    assert extraction.decode(found.text).values == {"Réponse_1": 3, "reponse 2": 4}


def test_another_python_reads_the_same_from_the_source() -> None:
    space = {"reponse_1": [1, "é"]}
    texts = {eval(extraction.snippet(["reponse_1"], (), way), space).text for way in (True, False)}
    assert len(texts) == 1


def test_only_the_standard_library_is_needed_and_nothing_is_imported_for_it() -> None:
    code = (
        "import sys, json, base64, unicodedata, datetime\n"
        "reponse_1 = 3\nbefore = set(sys.modules)\n"
        f"text = ({extraction.snippet(['reponse_1'])}).text\n"
        "print(text, {m for m in set(sys.modules) - before if 'numpy' in m or 'culture' in m})"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ['[["reponse_1",', "3]]", "set()"]


HUGE = 10**9
REFUSED = [
    None,
    3,
    b"[]",
    "",
    "{}",
    "[3]",
    '[["a"]]',
    "[[3, 3]]",
    "[" * 100_000,
    '[["a", NaN]]',
    '[["a", ' + "1" * 10_000 + "]]",
    '[["a", []]]',
    '[["a", ["sorte inconnue", 1]]]',
    '[["a", ["__class__"]]]',
    '[["a", ["left"]]]',
    '[["a", {"py/object": "os.system"}]]',
    '[["a", ["int", "__import__"]]]',
    '[["a", ["float", "1_0"]]]',
    '[["a", ["set", [["list", []]]]]]',
    '[["a", ["bytes", "é"]]]',
    '[["a", ["scalar", "|O", "AAAAAAAAAAA="]]]',
    '[["a", ["array", "|O8", [1], "AAAAAAAAAAA="]]]',
    '[["a", ["array", "|V8", [1], "AAAAAAAAAAA="]]]',
    f'[["a", ["array", "<f8", [{HUGE}], "AAAAAAAAAAA="]]]',
    '[["a", ["array", "<f8", [-1], "AAAAAAAAAAA="]]]',
    '[["a", ["long", "sorte", 3]]]',
    '[["a", ["extension", "object", []]]]',
    '[["a", ["instants", "../../etc/passwd", ["array", "<M8[s]", [0], ""]]]]',
    '[["a", ["Timestamp", "now", "ns"]]]',
    '[["a", ["object", "x", false, -1, "x"]]]',
    json.dumps([["a", "x" * extraction.LONGEST]]),
    json.dumps([["a", ["list", [0] * extraction.MOST_NODES]]]),
]


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_what_is_not_in_the_format_is_refused(text: object) -> None:
    with pytest.raises(DescriptionError):
        extraction.decode(text)


def test_a_length_that_is_claimed_takes_no_memory() -> None:
    node = ["long", "list", HUGE]
    objects = ["object", "x", False, 10**30, "x"]
    read = extraction.decode(json.dumps([["a", node], ["b", objects]])).values
    assert len(read["a"]) == HUGE
    assert len(read["b"]) == sys.maxsize
    many = extraction.decode(json.dumps([["a", ["list", [["long", "list", 900_000]] * 50]]])).values
    assert sum(type(part) is list for part in many["a"]) == 1


KINDS = sorted(extraction._Decoder().kinds)
NODES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(st.sampled_from(KINDS), inner, inner).map(list)
        | st.tuples(st.sampled_from(KINDS), inner).map(list)
    ),
    max_leaves=15,
)


@settings(max_examples=400, deadline=None)
@given(NODES)
def test_any_lie_gives_values_or_a_refusal(node: Any) -> None:
    with contextlib.suppress(DescriptionError):
        extraction.decode(json.dumps([["a", node]]))


# Which cells


def course(*others: str, solution: str = "", files: tuple[str, ...] = ()) -> Assignment:
    """Make an assignment whose notebook has these locked cells."""
    cells = []
    for rank, source in enumerate((*others, solution)):
        cell = nbformat.v4.new_code_cell(source)
        cell.metadata["nbgrader"] = {
            "grade_id": f"c{rank}",
            "grade": False,
            "locked": source != solution,
            "solution": source == solution,
        }
        cells.append(cell)
    text = nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode()
    return Assignment("a", b"", dict.fromkeys(files, b""), {"a.ipynb": text})


NUMPY = "import numpy as np\nfrom nose.tools import assert_equal"


@pytest.mark.parametrize(
    ("source", "names", "optional"),
    [
        ("assert x == 42", {"x"}, set()),
        ("expected = 3\nassert abs(x - expected) < 1e-6, 'non'", {"x"}, set()),
        ("assert_equal(x, [1, 2])\nassert np.isclose(y, 0.5)", {"x", "y"}, set()),
        ("assert x == y", {"x", "y"}, {"x", "y"}),
        ("assert x.balance == 3", {"x"}, {"x"}),
        ("assert len(x) == 3 and str(x) == 'a'", {"x"}, {"x"}),
        ("assert sum(x) == 3", {"x"}, {"x"}),
        ("assert x is not None and x == 3", {"x"}, set()),
        ("for k in range(3):\n    assert x[k] == k", {"x"}, {"x"}),
        ("def _seen(v):\n    return v == k\nk = 3\nassert _seen(x)", {"x"}, {"x"}),
        ("assert [v for v in x] == [1]\nassert x[0] == 1", {"x"}, {"x"}),
    ],
)
def test_a_cell_that_compares_plain_values_is_checked_as_data(
    source: str, names: set[str], optional: set[str]
) -> None:
    plan = checkable.plan(source, course(NUMPY))
    assert plan is not None
    assert set(plan.exact) == names
    assert plan.optional == optional


@pytest.mark.parametrize(
    "source",
    [
        "assert double(21) == 42",
        "assert f(x).y == 3",
        "%matplotlib inline\nassert x == 3",
        "assert x == 3\nopen('a.txt')",
        "assert pd.read_csv('a.csv').shape == x",
        "import os\nassert os.path.exists(x)",
        "x.append(3)\nassert x == [3]",
        "x[0] = 3\nassert x == [3]",
        "x += 1\nassert x == 3",
        "x = x + 1\nassert x == 3",
        "assert x == table",
        "assert x == helper(3)",
        "kept = 3\nassert x == kept",
        "assert plt.gca() is x",
        "assert np.random.rand() < x",
        "assert _ == 3",
        "assert In[1] == x",
        "assert eval('x') == 3",
        "print('rien')",
        "assert True",
        "assert x is y",
        "assert id(x) == 3",
        "assert (await x) == 3",
    ],
)
def test_a_cell_that_needs_more_than_plain_values_runs_in_the_kernel(source: str) -> None:
    others = ("table = [1]\ndef helper(n): return n", "import matplotlib.pyplot as plt", "kept")
    assert checkable.plan(source, course(NUMPY, *others)) is None


def test_the_imports_of_other_cells_come_with_the_cell() -> None:
    plan = checkable.plan("assert np.isclose(x, 3)", course(NUMPY))
    assert plan is not None
    assert plan.prelude == "import numpy as np"
    assert plan.exact == ("x",)


def test_the_metadata_of_a_cell_decide() -> None:
    assignment = course()
    ask = {way: {"culture_d": {"check": way}} for way in ("data", "kernel")}
    assert checkable.plan("assert x == 3", assignment, ask["kernel"]) is None
    plan = checkable.plan("assert f(x) == 3", assignment, ask["data"])
    assert plan is not None
    assert plan.exact == ("f", "x")
    assert not plan.optional


OURS = 'import verifier\n\nq = verifier.Nombre("reponse_1")\nq.lire()\n'


def test_a_cell_of_ours_names_its_variables_to_the_verifier() -> None:
    hidden = "### BEGIN HIDDEN TESTS\nimport pandas as _pd\nq.noter(2, 3)\n### END HIDDEN TESTS"
    plan = checkable.plan(OURS + hidden, course(files=("verifier.py",)))
    assert plan is not None
    assert plan.names == ("reponse_1",)
    assert plan.kernel.splitlines() == [checkable.IN_ITS_PLACE, "import verifier"]
    assert checkable.names_needed(OURS + hidden, course(files=("verifier.py",))) == ("reponse_1",)
    assert checkable.plan(OURS, course()) is None


def test_a_name_that_is_not_written_plainly_brings_every_possible_one() -> None:
    source = (
        'import verifier\nfor n in ("reponse_1", "reponse_2"):\n    verifier.Choix(n, "AB").lire()'
    )
    plan = checkable.plan(source, course(files=("verifier.py",)))
    assert plan is not None
    assert {"reponse_1", "reponse_2"} <= set(plan.names)
