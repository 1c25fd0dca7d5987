"""Every number that bonnes-questions prints, recomputed by other code than its own.

Plain Python on the CSV: no pandas, none of the notebook's functions but the French writing of
numbers, whose own test is elsewhere.
"""

import csv
import math
import re
import unicodedata
from collections import defaultdict
from fractions import Fraction

import pytest

from culture_d.french import nombre, pourcent
from culture_d.notebooks import read
from culture_d.project import Project

OURS = "Grandvoie"
RECORD = "La Noirelle"
NOTEBOOK = "notebooks/comprendre/bonnes-questions.ipynb"

Counts = dict[tuple[int, str], int]


def rate(value: Fraction) -> str:
    """Write a rate per 1,000 as the lesson does: one decimal, even when it is zero."""
    tenths = math.floor(value * 10 + Fraction(1, 2))
    return f"{tenths // 10},{tenths % 10}"


def place(number: int) -> str:
    return "1re" if number == 1 else f"{number}e"


def ranks(values: dict[str, Fraction]) -> dict[str, int]:
    """Rank by decreasing value; equals share the best place."""
    return {
        name: 1 + sum(other > value for other in values.values()) for name, value in values.items()
    }


def load(project: Project, name: str) -> list[dict[str, str]]:
    with (project.datasets / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def lines(project: Project) -> list[dict[str, str]]:
    return load(project, "plaquette/creations.csv")


@pytest.fixture(scope="module")
def counts(lines: list[dict[str, str]]) -> Counts:
    return {(int(row["annee"]), row["commune"]): int(row["creations"]) for row in lines}


@pytest.fixture(scope="module")
def people(lines: list[dict[str, str]]) -> dict[str, int]:
    return {row["commune"]: int(row["population"]) for row in lines}


@pytest.fixture(scope="module")
def followed(project: Project) -> list[dict[str, str]]:
    return load(project, "plaquette/suivi.csv")


@pytest.fixture(scope="module")
def communes(project: Project) -> list[dict[str, str]]:
    return load(project, "communes/communes.csv")


def plain(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text)


def n(value: float) -> str:
    return plain(nombre(value))


def share(value: Fraction) -> str:
    return plain(pourcent(float(value)))


def per_thousand(counts: Counts, people: dict[str, int], *years: int) -> dict[str, Fraction]:
    """Companies created per 1,000 inhabitants and per year."""
    return {
        name: Fraction(1000 * sum(counts[year, name] for year in years), size * len(years))
        for name, size in people.items()
    }


def growth(counts: Counts, names: list[str], start: int, end: int = 2025) -> Fraction:
    first, last = (sum(counts[year, name] for name in names) for year in (start, end))
    return Fraction(last, first) - 1


def test_the_brochure(
    tables: dict[str, list[list[str]]],
    counts: Counts,
    people: dict[str, int],
    followed: list[dict[str, str]],
    said: dict[str, str],
) -> None:
    text = dict(tables["plaquette"])
    assert f"ville fictive de {n(people[OURS])} habitants" in said["scene"]
    assert max(counts[2025, name] for name in people) == counts[2025, OURS]
    assert f"{counts[2025, OURS]} entreprises créées en 2025" in text["A"]
    everybody = sum(counts[2025, name] for name in people)
    assert f"{rate(Fraction(1000 * everybody, people[OURS]))} créations pour 1 000" in text["B"]
    assert f"de {share(growth(counts, [OURS], 2020))} depuis 2020" in text["C"]
    rates = per_thousand(counts, people, 2025)
    assert max(rates, key=lambda name: rates[name]) == RECORD
    assert f"Record à {RECORD} : {rate(rates[RECORD])} créations" in text["D"]
    answered = [row for row in followed if row["a_repondu"] == "oui"]
    alive = sum(row["active_fin_2025"] == "oui" for row in answered)
    assert f"{alive} entreprises sur {len(answered)} sont" in text["E"]
    assert f"{share(growth(counts, [OURS], 2021))} de créations en plus" in text["F"]


def test_the_year_shown(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    counts: Counts,
    people: dict[str, int],
) -> None:
    years = {year for year, _ in counts}
    assert (
        f"a {len(counts)} lignes : {len(people)} communes pendant {len(years)} ans" in said["annee"]
    )
    assert tables["annee"] == [
        [name, n(size), str(counts[2025, name])] for name, size in people.items()
    ]


def test_the_three_rankings(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    counts: Counts,
    people: dict[str, int],
) -> None:
    years = sorted({year for year, _ in counts})
    assert years == list(range(2016, 2026))
    each = (
        ranks({name: Fraction(counts[2025, name]) for name in people}),
        ranks(per_thousand(counts, people, 2025)),
        ranks(per_thousand(counts, people, *years)),
    )
    assert tables["classements"] == [
        [name, *(place(ranking[name]) for ranking in each)] for name in people
    ]
    text = said["classements"]
    for name in people:
        one, two, three = (place(ranking[name]) for ranking in each)
        assert f"{name} : {one}, {two}, puis {three}." in text
    assert each[0][OURS] == 1
    assert f"{OURS} est {place(each[1][OURS])} par habitant" in text
    assert f"de la {place(each[1][RECORD])} place à la {place(each[2][RECORD])}" in text


def test_the_finding(said: dict[str, str], counts: Counts, people: dict[str, int]) -> None:
    text = said["constat"]
    rates = per_thousand(counts, people, 2025)
    assert f"{counts[2025, OURS]} créations pour {n(people[OURS])} habitants" in text
    assert f"soit {rate(rates[OURS])} pour 1 000" in text
    assert ranks(rates)[OURS] > 1
    assert f"son rang à {counts[2025, RECORD]} entreprises" in text
    assert f"elle en avait {counts[2024, RECORD]} : elle était dernière" in text
    before = per_thousand(counts, people, 2024)
    assert before[RECORD] == min(before.values())


def test_the_two_territories(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    counts: Counts,
    people: dict[str, int],
    communes: list[dict[str, str]],
) -> None:
    text = said["perimetres"]
    everybody = sum(counts[2025, name] for name in people)
    country = Fraction(1000 * everybody, sum(people.values()))
    ours = Fraction(1000 * counts[2025, OURS], people[OURS])
    assert f"le {rate(Fraction(1000 * everybody, people[OURS]))} de la ligne B" in text
    assert f"Les {everybody} créations" in text
    assert f"{rate(ours)} pour Grandvoie, et {rate(country)} pour le Pays" in text
    together: dict[str, int] = defaultdict(int)
    for row in communes:
        if row["epci"]:
            together[row["epci"]] += int(row["population"])
    bodies = ranks({code: Fraction(size) for code, size in together.items()})
    largest = sorted(communes, key=lambda row: -int(row["population"]))[:10]
    assert tables["perimetres"] == [
        [row["nom"], n(int(row["population"])), place(rank), place(bodies[row["epci"]])]
        for rank, row in enumerate(largest, start=1)
    ]
    lille = next(row for row in largest if row["nom"] == "Lille")
    assert f"Lille compte {n(int(lille['population']))} habitants" in said["lille"]
    assert f"en réunit {n(together[lille['epci']])}." in said["lille"]
    assert f"est {place(1 + largest.index(lille))} des communes" in said["lille"]
    assert f"la seconde {place(bodies[lille['epci']])} des" in said["lille"]


def test_the_years(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    counts: Counts,
    people: dict[str, int],
) -> None:
    others = [name for name in people if name != OURS]
    size = sum(people[name] for name in others)
    curves = {
        year: (
            rate(Fraction(1000 * counts[year, OURS], people[OURS])),
            rate(Fraction(1000 * sum(counts[year, name] for name in others), size)),
        )
        for year in range(2016, 2026)
    }
    assert tables["courbes"] == [[str(year), *pair] for year, pair in curves.items()]
    text = said["courbes"]
    ours, theirs = ([curves[year][i] for year in (2019, 2020, 2021, 2025)] for i in (0, 1))
    assert f"Grandvoie : {ours[0]} en 2019, {ours[1]} en 2020, {ours[2]} en 2021, {ours[3]}" in text
    assert f"Les neuf autres : {theirs[0]}, {theirs[1]}, {theirs[2]} et {theirs[3]}." in text
    said_since = said["depuis"]
    for start, words in (
        (2020, "Depuis 2020, année creuse, la hausse est de {}."),
        (2019, "Depuis 2019, elle est de {}."),
        (2024, "Depuis 2024, elle est de {}."),
        (2021, "sans pépinière, Grandvoie gagne {}."),
    ):
        assert words.format(share(growth(counts, [OURS], start))) in said_since
    assert f"autres communes gagnent {share(growth(counts, others, 2021))}," in said_since
    assert "Ni sa cause, ni la part du hasard ne se lisent là." in said_since
    assert growth(counts, others, 2021) > growth(counts, [OURS], 2021)
    assert all(
        sum(counts[2020, name] for name in names) < sum(counts[year, name] for name in names)
        for names in ([OURS], others)
        for year in (2019, 2021)
    )


def test_who_is_missing(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    counts: Counts,
    followed: list[dict[str, str]],
) -> None:
    def row(name: str, answers: set[str]) -> list[str]:
        kept = [one["active_fin_2025"] for one in followed if one["a_repondu"] in answers]
        return [name, str(len(kept)), str(kept.count("oui")), str(kept.count("non"))]

    expected = [row("Oui", {"oui"}), row("Non", {"non"}), row("Ensemble", {"oui", "non"})]
    assert tables["suivi"] == expected
    assert len(followed) == counts[2020, OURS]
    assert {(one["commune"], one["annee_creation"]) for one in followed} == {(OURS, "2020")}
    alive = int(expected[2][2])
    text = said["suivi"]
    assert f"compte {expected[0][2]} entreprises en activité sur {expected[0][1]} :" in text
    assert f"Il y en avait {len(followed)} au départ" in text
    assert f"En tout, {alive} vivent encore, soit {share(Fraction(alive, len(followed)))}." in text


def test_the_six_questions(
    tables: dict[str, list[list[str]]],
    counts: Counts,
    people: dict[str, int],
    followed: list[dict[str, str]],
) -> None:
    rates = per_thousand(counts, people, 2025)
    wrong = Fraction(1000 * sum(counts[2025, name] for name in people), people[OURS])
    silent = sum(one["a_repondu"] == "non" for one in followed)
    others = [name for name in people if name != OURS]
    assert [row[2] for row in tables["six-questions"]] == [
        f"D : {counts[2025, RECORD]} entreprises, et {counts[2024, RECORD]} l’année d’avant",
        f"A : {place(ranks(rates)[OURS])} par habitant",
        f"B : {rate(rates[OURS])}, et non {rate(wrong)}",
        f"C : {counts[2025, OURS]}, contre {counts[2019, OURS]} en 2019",
        f"E : {silent} entreprises silencieuses sur {len(followed)}",
        f"F : {share(growth(counts, others, 2021))} ailleurs, sans pépinière",
    ]


def test_the_words_to_say(said: dict[str, str], counts: Counts, people: dict[str, int]) -> None:
    text = said["antenne"]
    assert f"a bondi de {share(growth(counts, [OURS], 2020))} grâce" in text
    assert f"« En 2025, {counts[2025, OURS]} entreprises ont été créées à Grandvoie." in text
    ours = Fraction(1000 * counts[2025, OURS], people[OURS])
    country = Fraction(1000 * sum(counts[2025, name] for name in people), sum(people.values()))
    assert f"C’est {rate(ours)} pour 1 000 habitants, à peu près comme dans l’ensemble" in text
    assert abs(ours - country) < Fraction(1, 5)
    before, now = counts[2019, OURS], counts[2025, OURS]
    assert f"Il y en avait {before} en 2019. Un tel écart peut venir du hasard." in text
    # The lesson's own rule: two square roots around each count, and the other one is inside.
    assert now - before < 2 * math.sqrt(before) < 2 * math.sqrt(now)


def test_the_check_yourself_answers(
    said: dict[str, str], counts: Counts, people: dict[str, int]
) -> None:
    text = said["questions"]
    name = "Chantebrise"
    count, size = counts[2025, name], people[name]
    unit = "pour 1 000 habitants"
    assert f"{name} compte {n(size)} habitants et {count} créations en 2025." in text
    assert f"✓ {rate(Fraction(1000 * count, size))} {unit} : {count} divisé par {n(size)}" in text
    ours = Fraction(1000 * counts[2025, OURS], people[OURS])
    assert f"moins que Grandvoie, {rate(ours)}. Mais avec {count} cas" in text
    assert Fraction(1000 * count, size) < ours
    assert f"✗ {count} {unit} : C'est le nombre de créations" in text
    assert f"✗ {rate(Fraction(1000 * count, people[OURS]))} {unit} : Vous avez pris" in text
    assert f"✗ {round(size / count)} {unit} : C'est le nombre d'habitants" in text
    others = [name for name in people if name != OURS]
    wrong = Fraction(1000 * sum(counts[2025, name] for name in people), people[OURS])
    assert f"✗ « {rate(wrong)} créations {unit}. »" in text
    assert f"✗ « {share(growth(counts, [OURS], 2020))} de plus depuis 2020. »" in text
    right = f"✓ « {counts[2025, OURS]} créations, soit {rate(ours)} pour 1 000 habitants, et {counts[2019, OURS]} en 2019. »"
    assert right in text
    assert f"✗ « {share(growth(counts, [OURS], 2021))} de plus grâce à la pépinière. »" in text
    assert f"ont gagné {share(growth(counts, others, 2021))} sans elle" in text


def test_the_letters(
    said: dict[str, str], tables: dict[str, list[list[str]]], communes: list[dict[str, str]]
) -> None:
    total: dict[str, int] = defaultdict(int)
    first: dict[str, dict[str, int]] = {"B": defaultdict(int), "C": defaultdict(int)}
    for row in communes:
        total[row["departement"]] += 1
        letter = unicodedata.normalize("NFD", row["nom"])[0]
        if letter in first:
            first[letter][row["departement"]] += 1

    def correlation(xs: list[float], ys: list[float]) -> float:
        mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
        together = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True))
        spread = sum((x - mean_x) ** 2 for x in xs) * sum((y - mean_y) ** 2 for y in ys)
        return together / math.sqrt(spread)

    codes = sorted(total)
    raw = [[float(first[letter][code]) for code in codes] for letter in "BC"]
    shares = [[first[letter][code] / total[code] for code in codes] for letter in "BC"]
    assert tables["lettres"] == [
        ["en nombre", f"{correlation(*raw):.2f}".replace(".", ",")],
        [
            "rapportés au nombre de communes",
            f"{correlation(*shares):.2f}".replace(".", ",").replace("-", "−"),
        ],
    ]
    ordered = sorted(first["C"][code] for code in codes)
    assert len(ordered) % 2 == 1
    middle = ordered[len(ordered) // 2]
    top = sorted(codes, key=lambda code: -first["B"][code])[:10]
    assert first["B"][top[9]] > sorted((first["B"][code] for code in codes), reverse=True)[10]
    above = sum(first["C"][code] > middle for code in top)
    assert f"communes en B : {above} dépassent aussi la médiane" in said["lettres"]


def test_the_part_of_chance(said: dict[str, str], counts: Counts, people: dict[str, int]) -> None:
    for name, end in ((OURS, " pour 1 000"), (RECORD, ".")):
        count = counts[2025, name]
        low, high = (
            Fraction(1000 * max(0.0, count + sign * 2 * math.sqrt(count))) / people[name]
            for sign in (-1, 1)
        )
        words = f"{name} : {count} créations, donc de {rate(low)} à {rate(high)}{end}"
        assert words in said["marge"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data are printed by code, never typed."""
    notebook = read(project.root / NOTEBOOK)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    typed = {plain(number).strip() for number in re.findall(r"\d[\d\s\u202f]*", prose)}
    # « pour 1 000 habitants », the unit of every rate.
    assert typed <= {"1 000"}
