"""The site's face where it is put online, and the two depths of a lesson."""

from pathlib import Path

from bs4 import BeautifulSoup

from culture_d.project import Project

LESSON = "notebooks/comprendre/moyenne-mediane"
ADDRESS = "https://cours.exemple.fr/culture-d/"  # that `variant` is given


def _meta(page: BeautifulSoup) -> dict[str, str]:
    tags = page.find_all("meta", attrs={"property": True})
    return {str(tag["property"]): str(tag["content"]) for tag in tags}


def test_a_site_that_knows_its_address_has_a_social_card(variant: Project) -> None:
    """And a section of remarks for the agent is folded, out of the contents."""
    site = variant.site
    page = BeautifulSoup((site / f"{LESSON}.html").read_bytes(), "html.parser")
    meta = _meta(page)
    assert meta["og:url"] == f"{ADDRESS}{LESSON}.html"
    assert meta["og:image"].startswith(ADDRESS)
    assert (site / meta["og:image"].removeprefix(ADDRESS)).stat().st_size < 150_000
    assert meta["og:description"] and meta["og:title"]

    remarks = [tag for tag in page.select("details.cd-agent") if "technique" in tag.get_text()]
    assert len(remarks) == 1 and not remarks[0].has_attr("open")
    summary = remarks[0].find("summary")
    assert summary is not None
    assert summary.get_text() == "Pour l’agente ou l’agent qui vous accompagne"
    assert "agente" not in page.select_one(".cd-sommaire").get_text()  # type: ignore[union-attr]


def test_without_an_address_no_page_names_one(site: Path) -> None:
    page = BeautifulSoup((site / f"{LESSON}.html").read_bytes(), "html.parser")
    assert "og:image" not in _meta(page) and "og:title" in _meta(page)
