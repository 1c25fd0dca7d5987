"""The hands of a learner, and of the trainer, in JupyterLab as a workshop shows it."""

from contextlib import suppress

from playwright.sync_api import Browser, Locator, Page, Request, TimeoutError, expect

from culture_d.workshop.model import Workshop

PATIENCE = 60_000
"""Milliseconds: a server and a kernel start while others do, on two cores."""


_TRIES = 40
_STEP = 3_000


class Screen:
    """One person's browser."""

    def __init__(self, browser: Browser, workshop: Workshop) -> None:
        self.workshop = workshop
        self.context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="fr-FR")
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.elsewhere: list[str] = []
        """What was asked of another host, and not stopped by the page's own policy."""
        self.page.on("request", lambda request: self._watch(request.url))
        self.page.on("requestfailed", self._stopped)

    def _watch(self, url: str) -> None:
        if not url.startswith(
            (self.workshop.url, self.workshop.url.replace("http", "ws"), "data:", "blob:")
        ):
            self.elsewhere.append(url)

    def _stopped(self, request: Request) -> None:
        if request.failure == "csp" and request.url in self.elsewhere:
            self.elsewhere.remove(request.url)

    def log_in(self, name: str, password: str) -> None:
        """Come in with a card, as far as JupyterLab."""
        self.page.goto(self.workshop.url)
        self.page.locator("input[name=username]").fill(name)
        self.page.locator("input[name=password]").fill(password)
        self.page.locator("input[type=submit], button[type=submit]").first.click()
        self.page.wait_for_selector("#jp-main-dock-panel", timeout=2 * PATIENCE)
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")

    @property
    def base(self) -> str:
        """Address of the person's server."""
        return self.page.url.partition("/lab")[0] + "/"

    def menu(self, name: str) -> list[str]:
        """Open a menu and give what it offers."""
        self.page.locator(".lm-MenuBar-item", has_text=name).click()
        items = self.page.locator(".lm-Menu-item[data-type=command]:not(.lm-mod-hidden)")
        expect(items.first).to_be_visible()
        return [item.strip() for item in items.all_inner_texts()]

    def choose(self, menu: str, item: str) -> None:
        """Open a menu and click one of its lines."""
        self.menu(menu)
        self.page.locator(".lm-Menu-item", has_text=item).first.click()

    def open_list(self) -> Locator:
        """Open nbgrader's assignment list."""
        self.choose("Nbgrader", "Assignment List")
        panel = self.page.locator("#nbgrader-assignment-list")
        expect(panel).to_contain_text("Released assignments")
        return panel

    def press(self, button: str, assignment: str, section: str) -> None:
        """Click a button of the assignment list, on the line of an assignment."""
        panel = self.page.locator("#nbgrader-assignment-list")
        line = panel.locator(f"#{section} .list_item", has_text=assignment)
        line.get_by_role("button", name=button, exact=True).first.click()

    def open(self, path: str) -> Locator:
        """Open a notebook, by the address that the file browser would give."""
        self.page.goto(f"{self.base}lab/tree/{path}")
        self.page.wait_for_selector("#jupyterlab-splash", state="detached")
        notebook = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        expect(notebook.locator(".jp-Cell").first).to_be_visible(timeout=PATIENCE)
        expect(notebook.locator(".jp-Spinner")).to_have_count(0, timeout=PATIENCE)
        return notebook

    def type_answer(self, notebook: Locator, now: str, text: str) -> None:
        """Replace the text of a cell by another, and run it."""
        written = now.startswith("Double-cliquez")
        kind = ".jp-MarkdownCell" if written else ".jp-CodeCell"
        cell = notebook.locator(kind, has_text=now).first
        self._bring(notebook, cell)
        editor = cell.locator(".cm-content")
        # What is drawn above may move it between two clicks, out of sight, or take the focus.
        for _ in range(_TRIES if written else 0):
            cell.locator(".jp-RenderedMarkdown").dblclick()
            with suppress(AssertionError):
                expect(editor).to_be_visible(timeout=_STEP)
                break
        for _ in range(_TRIES):
            with suppress(AssertionError, TimeoutError):
                editor.click(timeout=_STEP)
                expect(editor).to_be_focused(timeout=_STEP)
                # In this very place: keys that miss it would be orders to the notebook.
                place = editor.element_handle(timeout=_STEP)
                place.fill(text, timeout=_STEP)
                expect(notebook.locator(".cm-content", has_text=text)).to_have_count(
                    1, timeout=_STEP
                )
                place.press("Shift+Enter", timeout=_STEP)
                return
            self._bring(notebook, cell)
        raise AssertionError(f"« {text} » could not be written")

    def _bring(self, notebook: Locator, cell: Locator) -> None:
        """Scroll down to a cell, as one does to find it.

        JupyterLab draws the cells out of sight when the browser has nothing else to do: on
        a busy machine, they are not there before they are looked for.
        """
        view = notebook.locator(".jp-WindowedPanel-outer").first
        view.evaluate("one => { one.scrollTop = 0; }")
        for _ in range(_TRIES):
            if cell.count():
                # By the page itself: a cell that is not drawn yet has no place for Playwright.
                cell.evaluate("one => one.scrollIntoView({ block: 'center' })")
            else:
                view.evaluate("one => { one.scrollBy(0, one.clientHeight / 2); }")
            self.page.wait_for_timeout(_STEP / 10)
            if cell.count() and cell.is_visible():
                return
        raise AssertionError(f"{cell} is nowhere in the notebook")

    def run_and_save(self, notebook: Locator, last: str) -> None:
        """Run every cell, wait for a text to be shown, save."""
        self.choose("Exécution", "Exécuter toutes les cellules")
        expect(notebook.locator(".jp-OutputArea-output", has_text=last).first).to_be_attached(
            timeout=PATIENCE
        )
        with self.page.expect_response(
            lambda one: one.request.method == "PUT" and "/api/contents/" in one.url
        ) as answer:
            self.page.keyboard.press("Control+S")
        assert answer.value.status == 200

    def close(self) -> None:
        """Leave."""
        self.context.close()
