"""The page of paths says what the map says, today and when more modules are written."""

import copy
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup, Tag

from culture_d.book.paths import opened
from culture_d.curriculum import load_curriculum, load_paths, modules
from culture_d.project import Project


def _map(project: Project) -> Any:
    return yaml.safe_load(project.curriculum.read_text(encoding="utf-8"))


def _by_slug(content: Any) -> dict[str, dict[str, Any]]:
    return {module["slug"]: module for part in content["parts"] for module in part["modules"]}


def _page(site: Path, name: str = "book/parcours") -> BeautifulSoup:
    html = (site / f"{name}.html").read_text(encoding="utf-8")
    return BeautifulSoup(html.replace("\u00a0", " ").replace("’", "'"), "html.parser")


def _links(block: Tag) -> list[str]:
    return [Path(str(link["href"])).stem for link in block.select(".cd-etapes a")]


def _words(block: Tag) -> str:
    return " ".join(unescape(block.get_text(" ")).split())


def _sum(slugs: list[str], every: dict[str, dict[str, Any]]) -> int:
    return sum(every[slug]["minutes"] for slug in slugs)


def _ready(project: Project) -> list[str]:
    return [one.slug for one in modules(load_curriculum(project)) if one.published]


def check_page(site: Path, project: Project) -> BeautifulSoup:
    """Compare the page with the map, read again from the file, by other code."""
    content = _map(project)
    every = _by_slug(content)
    ready = [slug for slug, module in every.items() if module["status"] == "published"]
    page = _page(site)
    top = page.select_one("main [data-bilan]")
    assert top is not None
    assert top["data-bilan"] == " ".join(f"{slug}:{every[slug]['minutes']}" for slug in ready)
    said = _words(page.select_one("main") or page)
    assert f"{len(ready)} module" in said and f"sur {len(every)}" in said
    assert f"{_sum(ready, every)} minutes" in said
    for path in content["paths"]:
        order = [step["slug"] for step in path["steps"]]
        block = page.find(id=f"chemin-{path['id']}")
        if block is None:
            announced = " ".join(_words(one) for one in page.select(".cd-annonce"))
            assert f"Durée prévue : {_sum(order, every)} minutes" in announced, path["id"]
            for slug in order:
                wanted = every[slug]["title"] + (" (prêt)" if slug in ready else "")
                assert wanted.replace("'", "’") in announced.replace("'", "’")
            continue
        assert isinstance(block, Tag)
        mine = [slug for slug in order if slug in ready]
        assert _links(block) == mine
        words = _words(block)
        assert f"{_sum(mine, every)} minutes" in words
        for slug in set(order) - set(mine):
            assert every[slug]["title"] in words
        if mine != order:
            assert f"{len(mine)} modules prêts sur {len(order)}" in words
            assert f"{_sum(order, every)} à terme" in words
    return page


def test_today_the_page_is_short_and_true(site: Path, project: Project) -> None:
    page = check_page(site, project)
    openings = page.select(".cd-chemin[id]")
    assert len({tuple(_links(one)) for one in openings}) == len(openings), (
        "deux fois le même parcours"
    )
    assert not page.select(".cd-annonce a")


def test_a_change_of_the_map_not_on_the_page_is_seen(site: Path, map_only: Project) -> None:
    """Proves the comparison above: the page was not made from this map."""
    content = _map(map_only)
    content["parts"][0]["modules"][1]["minutes"] = 19
    map_only.curriculum.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(AssertionError):
        check_page(site, map_only)


def test_more_lessons_open_more_paths(variant: Project, project: Project) -> None:
    """Whatever is ready already: the shortest path not whole yet gets what it lacks."""
    growing = min(
        (path for path in load_paths(project) if path.planned), key=lambda path: len(path.planned)
    )
    course, site = variant, variant.site
    assert len(_ready(course)) > len(_ready(project))
    page = check_page(site, course)
    ids = [str(one["id"]) for one in page.select(".cd-chemin[id]")]
    assert f"chemin-{growing.id}" in ids
    assert page.select_one(f"#chemin-{growing.id} [data-bilan]") is not None
    # Every list and page about progress follows.
    every = _by_slug(_map(course))
    ready = [slug for slug, one in every.items() if one["status"] == "published"]
    boxes = _page(site, "book/progression").select(".cd-cases input")
    assert [box["data-module"] for box in boxes] == ready
    for kind in (".cd-remplie", ".cd-vierge"):
        rows = _page(site, "book/attestation").select(f"{kind} tbody tr")
        assert [row["data-module"] for row in rows] == ready
        assert [int(str(row["data-minutes"])) for row in rows] == [
            every[slug]["minutes"] for slug in ready
        ]
    for module in modules(load_curriculum(course)):
        if module.published:
            end = _page(site, module.document).select(".cd-fin")
            assert [one["data-module"] for one in end] == [module.slug]


def test_when_everything_is_written_every_path_opens(map_only: Project) -> None:
    content = _map(map_only)
    for module in _by_slug(content).values():
        module["status"] = "published"
    map_only.curriculum.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    paths = load_paths(map_only)
    assert opened(paths) == list(paths)
    assert all(not path.planned for path in paths)


def test_a_path_that_adds_nothing_stays_closed(map_only: Project) -> None:
    content = _map(map_only)
    twin = copy.deepcopy(content["paths"][0]) | {"id": "jumeau"}
    content["paths"].append(twin)
    map_only.curriculum.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    assert "jumeau" not in {path.id for path in opened(load_paths(map_only))}


def test_one_reads_from_the_paths_to_every_lesson_in_order_and_back(
    site: Path, project: Project
) -> None:
    """Over the pages about progress, and from one part of the course to the next."""
    every = modules(load_curriculum(project))
    pages = ["book/parcours", *(module.document for module in every if module.published)]

    def leads(name: str, way: str) -> str:
        link = _page(site, name).select_one(f"a[rel={way}]")
        assert link is not None, (name, way)
        return (site / name).parent.joinpath(str(link["href"])).resolve().as_posix()

    for before, after in pairwise(pages):
        assert leads(before, "next").endswith(f"/{after}.html")
        assert leads(after, "prev").endswith(f"/{before}.html")
    assert leads(pages[-1], "next").endswith("/book/parcours.html")


def test_who_arrives_is_led_to_the_lesson_that_the_map_says(site: Path, project: Project) -> None:
    content = _map(project)
    lesson = _by_slug(content)[content["first"]]
    for name in ("book/accueil", "book/attestation"):
        link = next(
            one for one in _page(site, name).select("main a") if "Commencer" in one.get_text()
        )
        assert Path(str(link["href"])).stem == content["first"]
        assert f"{lesson['minutes']} minutes" in link.get_text()
    short = next(path for path in content["paths"] if path["id"] == "vingt-minutes")
    assert [step["slug"] for step in short["steps"]] == [content["first"]]
