"""What is stored after grading holds nothing that runs: text by text, then in formgrader itself."""

import base64
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)
from nbgrader.api import Gradebook
from PIL import Image
from playwright.sync_api import Browser, Page

from culture_d.grading.inert import (
    MAX_HTML,
    TAKEN_OUT,
    inert_html,
    inert_markdown,
    make_inert,
    picture,
    read_executed,
)

RUNS = "window.lance = 1"
PATIENCE_SECONDS = 120


def png(size: tuple[int, int] = (4, 4), frames: int = 1) -> str:
    content = io.BytesIO()
    image = Image.new("RGB", size, "white")
    more = [Image.new("RGB", size, "black")] * (frames - 1)
    image.save(content, "PNG", save_all=frames > 1, append_images=more)
    return base64.b64encode(content.getvalue()).decode()


HONEST = [
    "# Réponse\n\nLa médiane est de **278** habitants, soit < 1 960.",
    "- un\n- deux\n\n1. trois\n\n> cité\n\n`a < b` et *x*",
    "| a | b |\n|:--|--:|\n| 1 | 2 |",
    "Voir https://www.insee.fr ou [l'Insee](https://www.insee.fr/fr/statistiques).",
    "```python\nif a < b:\n    print('<script>')\n```",
    "$x < y$ et $$\\sum_i x_i$$",
    "![Ma carte](images/carte.png)",
    "Deux<br>lignes & un <b>mot</b>",
    f"![](data:image/png;base64,{png()})",
]


@pytest.mark.parametrize("text", HONEST, ids=range(len(HONEST)))
def test_an_honest_text_stays_as_it_was_typed(text: str) -> None:
    assert inert_markdown(text) == text


ACTIVE_MARKDOWN = [
    f"<script>{RUNS}</script>",
    f"<img src=x onerror='{RUNS}'>",
    f"a <svg onload='{RUNS}'></svg>",
    f"[ici](javascript:{RUNS})",
    f"[ici]\n\n[ici]: javascript:{RUNS}",
    f"<javascript:{RUNS}>",
    f"[ici](data:text/html;base64,{base64.b64encode(b'<script>1</script>').decode()})",
    "![](https://exemple.fr/suivi.png)",
    "![](/formgrader?path=/tmp/piege)",
    "![](../../../formgrader)",
    "[note](/formgrader?path=/tmp/piege)",
    "[note](http://localhost:8888/formgrader?path=/tmp/piege)",
    "[note](//127.0.0.1/)",
    "<iframe src='/tree'></iframe>",
    "<style>body { display: none }</style>",
    "<div class='navbar-fixed-top'>Faux menu</div>",
    "<div class='container'>Faux cadre</div>",
    f"<div class='{'a' * 5000}!'>Long</div>",
    "<p style='position: fixed; inset: 0'>voile</p>",
    "<link rel=stylesheet href=//exemple.fr/x.css>",
    "<meta http-equiv=refresh content='0;url=//exemple.fr'>",
    "<form action=/api><button>Envoyer</button></form>",
    "<base href=//exemple.fr>",
    "<!--><script>window.lance = 1</script>-->",
    "```\nouvert\n```\n<script>window.lance = 1</script>",
    "`````\n<script>\n```\n\n<script>window.lance = 1</script>\n`````\n<b onclick=1>",
    "$$\n```\n$$\n<script>window.lance = 1</script>\n$$\n```",
    "</textarea></div></body><script>window.lance = 1</script>",
    "![absente](attachment:absente.png)",
    "<x" * 20_000,
    "[" * 3_000,
]


@pytest.fixture(scope="module")
def sheet(browser: Browser) -> Iterator[Page]:
    """One page for all the texts: each is opened in it anew, which is sooner than a page each."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("text", ACTIVE_MARKDOWN, ids=range(len(ACTIVE_MARKDOWN)))
def test_an_active_text_is_shown_and_not_obeyed(text: str, sheet: Page) -> None:
    """Rendered by nbconvert, as formgrader does, and opened: no request, nothing runs."""
    shown = rendered(inert_markdown(text))
    asked = opened(sheet, shown)
    assert sheet.evaluate("window.lance") is None
    assert asked == []
    assert sheet.locator("script, iframe, svg, style, link, meta, form, base, [style]").count() == 0
    words = "".join(sheet.inner_text("body").split())
    assert "".join(text.split())[:200] in words


@pytest.mark.parametrize("text", ACTIVE_MARKDOWN[:3])
def test_the_gate_is_closed_by_this_and_nothing_else(text: str, sheet: Page) -> None:
    opened(sheet, rendered(text))
    assert sheet.evaluate("window.lance") == 1


def rendered(text: str) -> str:
    from nbconvert.filters import markdown2html

    html: str = markdown2html(text)
    return html


def opened(page: Page, markup: str) -> list[str]:
    """Open a page as a server would give it; return what it asked for besides itself."""
    asked: list[str] = []

    def answer(route: Any, request: Any) -> None:
        if request.url == "http://essai.test/":
            route.fulfill(content_type="text/html; charset=utf-8", body=f"<body>{markup}</body>")
        else:
            asked.append(request.url)
            route.abort()

    page.unroute_all()
    page.route("**/*", answer)
    page.goto("http://essai.test/")
    page.wait_for_timeout(50)
    return [url for url in asked if not url.endswith("/favicon.ico")]


TABLE = (
    '<div><style scoped>.dataframe { color: red }</style><table border="1" class="dataframe">'
    '<thead><tr style="text-align: right"><th></th><th>nom</th></tr></thead>'
    '<tbody><tr><th>0</th><td colspan="2">Abbeville &amp; « été »</td></tr></tbody></table></div>'
)


def test_a_table_of_pandas_keeps_its_cells_and_loses_its_style() -> None:
    cleaned = inert_html(TABLE)
    assert cleaned is not None
    assert '<td colspan="2">Abbeville &amp; « été »</td>' in cleaned
    assert "<thead>" in cleaned
    for lost in ("style", "class", "color", "border"):
        assert lost not in cleaned


@pytest.mark.parametrize(
    "markup",
    [
        f"<script>{RUNS}</script>",
        f"<SCRIPT SRC=//x.fr></SCRIPT><img src=x onerror={RUNS}>",
        f"<table><td background=//x.fr onclick={RUNS}>a</td></table>",
        f"<svg><a xlink:href='javascript:{RUNS}'><text>x</text></a></svg>",
        "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.lance=1&gt;'>",
        f"<noscript><p title='</noscript><img src=x onerror={RUNS}>'>",
        f"<a href='javascript:{RUNS}'>x</a><a href='https://x.fr'>y</a>",
        "<iframe srcdoc='<script>parent.lance=1</script>'></iframe>",
        "<p style='background: url(//x.fr)'>a</p><link href=//x.fr><base href=//x.fr>",
        "<img src='//x.fr/a.png'><video src=//x.fr autoplay></video><object data=//x.fr></object>",
        "<form><input formaction=javascript:1 autofocus onfocus=1></form>",
        "<details open ontoggle=window.lance=1>a</details><marquee onstart=window.lance=1>b",
        "<p id=location name=body class=cd>a</p>",
    ],
)
def test_active_html_leaves_only_words(markup: str, sheet: Page) -> None:
    cleaned = inert_html(markup + "<p>La suite</p>")
    assert cleaned is not None
    assert opened(sheet, cleaned) == []
    assert sheet.evaluate("window.lance") is None
    assert sheet.locator("body :not(table, tbody, tr, td, p)").count() == 0
    assert sheet.evaluate(
        "[...document.body.querySelectorAll('*')].every(e => !e.attributes.length)"
    )


def test_too_much_html_is_not_read() -> None:
    assert inert_html("<p>" * MAX_HTML) is None


def test_only_what_is_an_image_is_an_image() -> None:
    assert picture(png(), "image/png") == base64.b64decode(png())
    fake = base64.b64encode(b"\x89PNG\r\n\x1a\n<script>1</script>").decode()
    for content, kind in [
        (fake, "image/png"),
        (png(), "image/jpeg"),
        (png(), "image/svg+xml"),
        (png()[:-20], "image/png"),
        ("pas du base64 !", "image/png"),
        (png((6000, 6000)), "image/png"),
        (png(frames=3), "image/png"),
    ]:
        assert picture(content, kind) is None


def hostile() -> Any:
    """A notebook with something active everywhere one can put it."""
    data = {
        "text/plain": "le texte",
        "text/html": f"<b>gras</b><script>{RUNS}</script>",
        "text/markdown": f"<script>{RUNS}</script>",
        "image/png": png(),
        "image/svg+xml": f"<svg onload='{RUNS}'/>",
        "application/javascript": RUNS,
        "application/vnd.jupyter.widget-view+json": {"model_id": "x"},
    }
    metadata = {
        "text/html": {"isolated": True},
        "filenames": {"image/png": "https://exemple.fr/suivi.png"},
        "image/png": {"width": 3, "height": "1 onerror=alert(1)"},
    }
    code = new_code_cell(
        "a = '<b>'",
        outputs=[
            new_output("display_data", data, metadata=metadata),
            new_output("display_data", {"application/javascript": RUNS}),
            new_output("stream", name="stdout", text=f"<script>{RUNS}</script>"),
            new_output("error", ename="<b>", evalue="<i>", traceback=[f"<script>{RUNS}</script>"]),
        ],
        metadata={"tags": ['"><script>1</script>'], "nbgrader": {"grade_id": "<script>"}},
    )
    marked = new_markdown_cell(
        f"<script>{RUNS}</script>",
        metadata={"nbgrader": {"grade_id": "r-1", "points": 2, "grade": True, "x": "<script>"}},
        attachments={
            "a.png": {"image/png": png()},
            "b.svg": {"image/svg+xml": "PHN2Zy8+"},
            "c.png": {"image/png": "PHNjcmlwdD4="},
        },
    )
    raw = new_raw_cell(f"<script>{RUNS}</script>", metadata={"raw_mimetype": "text/html"})
    return new_notebook(
        cells=[code, marked, raw],
        metadata={
            "title": "<script>1</script>",
            "widgets": {"application/vnd.jupyter.widget-state+json": {"state": {}}},
            "kernelspec": {"name": "python3", "display_name": "<script>"},
            "language_info": {"name": "python", "version": "3.11.7", "x": "<script>"},
        },
    )


def test_a_stored_notebook_keeps_texts_images_and_marks() -> None:
    notebook, _ = make_inert(hostile())
    nbformat.validate(notebook)
    code, marked, raw = notebook.cells
    assert code.source == "a = '<b>'"
    shown, script, stream, error = code.outputs
    assert shown.data == {
        "text/plain": "le texte",
        "text/html": "<b>gras</b>",
        "text/markdown": f"```\n<script>{RUNS}</script>\n```",
        "image/png": png(),
    }
    assert shown.metadata == {"image/png": {"width": 3}}
    assert script.data == {"text/plain": TAKEN_OUT}
    assert (stream.text, error.ename) == (f"<script>{RUNS}</script>", "<b>")  # escaped when shown
    assert code.metadata == {}
    assert marked.metadata == {"nbgrader": {"grade_id": "r-1", "points": 2, "grade": True}}
    assert marked.attachments == {"a.png": {"image/png": png()}}
    assert raw.source == f"&lt;script&gt;{RUNS}&lt;/script&gt;"
    assert raw.metadata == {}
    assert notebook.metadata == {"language_info": {"name": "python", "version": "3.11.7"}}


ODD: list[Any] = [
    {
        "output_type": "display_data",
        "data": {"text/plain": 5, "text/html": ["<b>", 3]},
        "metadata": 0,
    },
    {"output_type": "display_data", "data": {"text/plain": "\ud800", "image/png": {"a": 1}}},
    {"output_type": "execute_result", "data": "texte"},
    {"output_type": "display_data"},
    {"output_type": "stream", "text": 5},
    {"output_type": "stream", "name": 3, "text": "a\udfffb"},
    {"output_type": "error", "traceback": [1, None], "ename": 3},
    {"output_type": "error", "traceback": "texte", "evalue": "\ud800"},
    {"output_type": "inconnu"},
    "texte",
    None,
]


def odd_notebook() -> bytes:
    cells = [
        {"cell_type": "code", "source": "a\ud800", "metadata": {}, "outputs": ODD},
        {"cell_type": "code", "source": 5, "metadata": {"nbgrader": "x"}, "outputs": 3},
        {"cell_type": "markdown", "source": None, "metadata": None, "attachments": 3},
        {"cell_type": "raw", "source": "<b>", "metadata": {}},
    ]
    whole = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": 3}, "cells": cells}
    return json.dumps(whole).encode()


def test_what_has_not_its_type_stops_nobody() -> None:
    """A kernel's messages are stored as they come: an answer may send its own."""
    notebook, _ = make_inert(read_executed(odd_notebook()))
    text = nbformat.writes(notebook)
    text.encode("utf-8")
    code = nbformat.reads(text, as_version=4).cells[0]
    assert code.source == "a?"
    assert [output.output_type for output in code.outputs].count("stream") == 2
    assert "a?b" in text


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"cells": 3}', b'{"nbformat": 4}']
)
def test_what_is_not_a_notebook_is_said(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        read_executed(content)


def test_to_make_it_inert_twice_changes_nothing_more() -> None:
    once, _ = make_inert(hostile())
    again, _ = make_inert(deepcopy(once))
    assert again.cells[0] == once.cells[0]
    assert again.cells[1] == once.cells[1]


def test_the_course_stores_inert_notebooks_and_the_same_scores(graded: Any) -> None:
    """`denis` showed scripts in the answer to question 3, and has its three points."""
    text = graded.autograded("denis")["moyenne-mediane"].decode()
    notebook = nbformat.reads(text, as_version=4)
    cells = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in notebook.cells}
    kinds = {kind for output in cells["reponse-3"].outputs for kind in output.get("data", {})}
    assert kinds == {"text/plain", "text/html", "text/markdown"}
    assert any("image/png" in output.data for output in cells["reponse-1"].outputs)
    markup = [output.data.get("text/html", "") for output in cells["reponse-3"].outputs]
    assert not any("<script" in one or "onerror" in one for one in markup)
    with Gradebook(graded.db_url) as book:
        score = book.find_grade("test-3", "moyenne-mediane", "moyenne-mediane", "denis").auto_score
    assert score == 3


@pytest.fixture(scope="module")
def formgrader(graded: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A real formgrader on loopback, over a copy of the course; gives its address and folder."""
    root = tmp_path_factory.mktemp("formgrader") / "cours"
    shutil.copytree(graded.root, root)
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.course_id = 'culture-d'\n"
        f"c.CourseDirectory.root = {str(root)!r}\n",
        encoding="utf-8",
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    home = root.parent / "maison"
    home.mkdir()
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"),
        *("--ip=127.0.0.1", f"--port={port}", "--ServerApp.port_retries=0"),
        *("--IdentityProvider.token=", f"--ServerApp.root_dir={root}"),
    ]
    environment = {
        **os.environ,
        "HOME": str(home),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        **{f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA", "RUNTIME")},
    }
    log = root.parent / "journal.txt"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            wait_for(f"{address}/api/status", server, log)
            yield address, root
        finally:
            server.terminate()
            server.wait(20)


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(log.read_text())


@pytest.fixture
def submission(formgrader: Any, page: Page) -> Callable[[Any], list[str]]:
    """Store a notebook as that of `bruno`, open it in formgrader, return what ran or was asked.

    The notebook ends with a picture of our own: once it is asked for, the browser has read all
    that is before it. To wait for something to be *seen* would not do: an active cell may hide
    the page, or leave it.
    """
    address, root = formgrader
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        number = book.find_submission_notebook("moyenne-mediane", "moyenne-mediane", "bruno").id
    place = root / "autograded" / "bruno" / "moyenne-mediane" / "moyenne-mediane.ipynb"
    page.set_default_timeout(PATIENCE_SECONDS * 1000)

    def look(notebook: Any) -> list[str]:
        notebook.cells.append(new_markdown_cell("![fin](fin.png)"))
        place.write_text(json.dumps(notebook), encoding="utf-8")
        asked: list[str] = []

        def answer(route: Any, request: Any) -> None:
            if request.url.startswith(address):
                route.continue_()
            else:
                asked.append(request.url)
                route.abort()

        page.route("**/*", answer)
        with page.expect_request("**/fin.png"):
            page.goto(f"{address}/formgrader/submissions/{number}/", wait_until="commit")
        page.wait_for_timeout(500)
        ran = page.evaluate("window.lance")
        # Formgrader itself asks a public site for its formulas.
        outside = [url for url in asked if "mathjax" not in url]
        return [*outside, *([f"lance = {ran}"] if ran else [])]

    return look


def with_hostile_cells(root: Path, texts: Sequence[str]) -> Any:
    path = root / "autograded" / "alix" / "moyenne-mediane" / "moyenne-mediane.ipynb"
    notebook = nbformat.read(path, as_version=4)
    for text in texts:
        if "absente" not in text:
            notebook.cells.append(new_markdown_cell(text))
    notebook.cells += hostile().cells[:1]
    notebook.cells[-1].metadata.pop("nbgrader")
    return notebook


@pytest.mark.long
def test_formgrader_runs_nothing_of_an_inert_notebook(
    formgrader: Any, submission: Callable[[Any], list[str]], page: Page
) -> None:
    notebook, _ = make_inert(with_hostile_cells(formgrader[1], ACTIVE_MARKDOWN[:-2]))
    assert submission(notebook) == []
    assert page.locator("b", has_text="gras").count() == 1
    # Formgrader still works on it: the score of the free text is there to be given.
    assert page.locator("#reponse-6.score").count() == 1


@pytest.mark.long
def test_formgrader_runs_what_is_not_made_inert(
    formgrader: Any, submission: Callable[[Any], list[str]]
) -> None:
    """Why this exists; should formgrader be repaired, this test says so.

    Three cells that run something, none that hides the page or leaves it.
    """
    assert "lance = 1" in submission(with_hostile_cells(formgrader[1], ACTIVE_MARKDOWN[:3]))
