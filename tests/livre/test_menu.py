"""The menu shows the current part; the plan shows everything."""

from pathlib import Path

import pandas as pd
import yaml
from bs4 import BeautifulSoup

from culture_d.badge import badge
from culture_d.book.home import BARS, HEIGHT, queue_figure
from culture_d.book.menu import anchor
from culture_d.catalogue import load_dataset
from culture_d.curriculum import contents, load_curriculum, modules
from culture_d.project import Project


def _page(site: Path, document: str) -> BeautifulSoup:
    return BeautifulSoup((site / f"{document}.html").read_bytes(), "html.parser")


def test_a_page_shows_its_part_and_says_where_one_is(site: Path, project: Project) -> None:
    parts = contents(project)
    for caption, documents in parts:
        for document in documents:
            menu = _page(site, document).select_one(".cd-parties")
            assert menu is not None
            shown = menu.select(":scope > li > ul")
            assert len(shown) == 1, document
            assert len(shown[0].select("a")) == len(documents)
            here = [a["href"] for a in menu.select("a[aria-current=page]")]
            assert here == ["#contenu"], document
            others = {str(a["href"]).rsplit("#")[-1] for a in menu.select(":scope > li > a")}
            assert {anchor(one) for one, _ in parts if one != caption} <= others


def test_the_first_page_shows_where_to_begin(site: Path, project: Project) -> None:
    menu = _page(site, "book/accueil").select_one(".cd-parties")
    assert menu is not None
    assert len(menu.select(":scope > li > ul a")) == len(contents(project)[0][1])


def test_the_plan_leads_to_every_page(site: Path, project: Project) -> None:
    plan = _page(site, "book/plan")
    for caption, documents in contents(project):
        links = plan.select(f"#{anchor(caption)} li a[href]")
        assert len(links) == len(documents), caption
        assert all(link.get_text().strip() for link in links)


def test_the_promise_is_the_one_of_the_lesson_offered(site: Path, project: Project) -> None:
    slug = yaml.safe_load(project.curriculum.read_text(encoding="utf-8"))["first"]
    first = next(one for one in modules(load_curriculum(project)) if one.slug == slug)
    promise = _page(site, "book/accueil").select_one(".cd-accroche")
    assert promise is not None
    text = promise.get_text().replace("’", "'")
    assert text == f"Dans {first.minutes} minutes, vous saurez {first.outcome}"


def test_the_queue_is_drawn_from_the_data(project: Project) -> None:
    """Recomputed by rank, without quantiles: bar n is the commune in the middle of its hundredth."""
    dataset = load_dataset(project.datasets / "communes")
    population = pd.read_csv(dataset.resources[0].path)["population"]
    figure = BeautifulSoup(queue_figure(population, badge(dataset)), "html.parser")
    path = figure.select_one("path")
    assert path is not None
    heights = [float(bar.split("v-")[1].split("h")[0]) for bar in str(path["d"]).split("M")[1:]]
    ordered = sorted(population)
    assert len(heights) == BARS
    for place, height in enumerate(heights):
        commune = ordered[round((place + 0.5) / BARS * (len(ordered) - 1))]
        expected = max(min(commune, HEIGHT) / HEIGHT * 98, 0.6)
        assert abs(height - expected) < 0.6, place
    assert "Insee" in figure.get_text()
    # The table holds the bars that are drawn, and the note counts those that are cut.
    for row in figure.select("tbody tr"):
        rank, told = (cell.get_text() for cell in row.select("th, td"))
        place = round((int(rank.removesuffix("e")) - 0.5) / BARS * (len(ordered) - 1))
        assert told.replace("\u202f", "") == str(ordered[place]), rank
    tall = sum(height == max(heights) for height in heights)
    assert f"Les {tall} dernières barres sont coupées" in figure.get_text()
