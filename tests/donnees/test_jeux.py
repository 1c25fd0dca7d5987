"""The data are what their manifests say, and can be made again byte for byte."""

import importlib.util
import json
import os
import shutil
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import frictionless
import pandas as pd
import pytest

from culture_d import catalogue, former_communes, housing_tax, notebook, territory
from culture_d.catalogue import check_freshness, load_catalogue, load_dataset
from culture_d.errors import DatasetError, DatasetExpired, ManifestError, SourceError
from culture_d.project import Project
from culture_d.sources import npm_package, pypi_package, read_text

ROOT = Path(__file__).parents[2]
NAMES = tuple(path.parent.name for path in sorted(ROOT.glob("datasets/*/datapackage.json")))


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Callable[[str], Path]:
    """Copy a dataset's folder, to break it."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(project.datasets / name, tmp_path / name))

    return make


@pytest.fixture(scope="module")
def communes(project: Project) -> pd.DataFrame:
    text = {"code": str, "departement": str, "region": str, "epci": str, "codes_postaux": str}
    return pd.read_csv(project.datasets / "communes" / "communes.csv", dtype=text)


def _validate(folder: Path) -> frictionless.Report:
    package = frictionless.Package.from_descriptor(str(folder / "datapackage.json"))
    report: frictionless.Report = package.validate()
    return report


def test_every_dataset_has_a_manifest(project: Project) -> None:
    assert {"communes", "departements", "epci"} <= set(NAMES)
    assert tuple(dataset.name for dataset in load_catalogue(project)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_dataset_is_valid_against_its_schema(project: Project, name: str) -> None:
    report = _validate(project.datasets / name)
    assert report.valid, report.to_summary()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("01001,", "1001,"),  # Excel ate the leading zero
        (",860,01400", ",-860,01400"),
        (",860,01400", ",860.5,01400"),
        ("01002,", "01001,"),  # the same code twice
    ],
)
def test_schema_refuses_broken_data(copy: Callable[[str], Path], before: str, after: str) -> None:
    folder = copy("communes")
    path = folder / "communes.csv"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert not _validate(folder).valid


def _offline_is_allowed() -> bool:
    return not os.environ.get("CI")


@pytest.fixture(scope="session")
def package() -> SourceError | None:
    """The source packages, fetched once; or why they cannot be had."""
    older = [(version, sha256) for _, version, sha256 in former_communes.EDITIONS]
    try:
        for version in ((territory.VERSION, territory.SHA256), former_communes.HISTORY, *older):
            npm_package(territory.PACKAGE, *version)
        pypi_package(*housing_tax.WHEEL)
    except SourceError as error:
        return error
    return None


@pytest.mark.parametrize("name", NAMES)
def test_dataset_is_rebuilt_byte_for_byte(
    project: Project, tmp_path: Path, name: str, package: SourceError | None
) -> None:
    if package and _offline_is_allowed():
        pytest.skip(str(package))
    assert package is None, str(package)
    source = project.datasets / name / "build.py"
    spec = importlib.util.spec_from_file_location(f"build_{name}", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.build(tmp_path)
    folder = project.datasets / name
    described = [resource.path for resource in load_dataset(folder).resources]
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()} == {
        path.relative_to(folder) for path in described
    }
    for path in described:
        assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes(), path


def test_a_package_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    fake = tmp_path / "etalab-decoupage-administratif-6.0.0.tgz"
    fake.write_bytes(b"another content")
    with pytest.raises(SourceError, match="n'est pas celui attendu"):
        npm_package(territory.PACKAGE, territory.VERSION, territory.SHA256, cache=tmp_path)


def test_a_wheel_that_is_not_the_expected_one_is_refused(tmp_path: Path) -> None:
    name, version, sha256 = housing_tax.WHEEL
    fake = tmp_path / "openfisca_france-176.1.8-py3-none-any.whl"
    fake.write_bytes(b"another content")
    with pytest.raises(SourceError, match="n'est pas celui attendu"):
        pypi_package(name, version, sha256, cache=tmp_path)


def test_a_file_that_a_wheel_lacks_is_said(tmp_path: Path) -> None:
    wheel = tmp_path / "vide-1.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("present.csv", "é")
    assert read_text(wheel, "present.csv") == "é"
    with pytest.raises(SourceError, match=r"« absent\.csv » manque dans « vide-1\.whl »"):
        read_text(wheel, "absent.csv")


def test_pinned_facts_of_the_communes(communes: pd.DataFrame) -> None:
    population = communes["population"]
    assert len(communes) == 34_875
    assert round(population.mean(), 1) == 1959.9
    assert population.median() == 459
    assert round(100 * (population < population.mean()).mean(), 1) == 83.9
    assert (population >= 3500).sum() == 3254
    assert round(100 * population[population >= 3500].sum() / population.sum(), 1) == 69.4
    assert round(population[communes["code"] != "75056"].mean()) == 1900
    assert tuple(population.quantile([0.25, 0.75])) == (198, 1175)
    assert round(100 * (population < 500).mean(), 1) == 52.3  # 52.4 with those at 500
    assert round(100 * (population <= 500).mean(), 1) == 52.4
    assert round(100 * (population < 1000).mean(), 1) == 71.2


@pytest.mark.parametrize(
    ("departement", "mean", "median"),
    [
        ("59", 4043, 1338),
        ("62", 1644, 485),
        ("80", 733, 278),
        ("02", 657, 253),
        ("60", 1220, 483.5),
    ],
)
def test_pinned_facts_of_some_departements(
    communes: pd.DataFrame, departement: str, mean: float, median: float
) -> None:
    population = communes.loc[communes["departement"] == departement, "population"]
    assert (round(population.mean()), population.median()) == (mean, median)


def test_traps_said_by_the_manifests_are_in_the_data(
    project: Project, communes: pd.DataFrame
) -> None:
    epci = pd.read_csv(project.datasets / "epci" / "epci.csv", dtype={"code": str})
    departements = pd.read_csv(project.datasets / "departements" / "departements.csv", dtype=str)
    assert len(epci) == 1255
    assert len(departements) == 101
    empty = communes[communes["population"] == 0]
    assert (len(empty), set(empty["departement"])) == (6, {"55"})
    assert (communes["departement"] == "976").sum() == 17
    assert communes["epci"].isna().sum() == 4
    assert communes["code"].str.startswith("0").sum() == 3135
    assert communes["departement"].isin(["2A", "2B"]).sum() == 360
    repeated = communes["nom"].value_counts()
    assert ((repeated > 1).sum(), repeated[repeated > 1].sum()) == (1440, 3670)
    assert communes["codes_postaux"].str.split().explode().eq("51300").sum() == 46
    assert set(communes["departement"]) == set(departements["code"])
    assert set(communes["epci"].dropna()) <= set(epci["code"])
    lille = communes.loc[communes["code"] == "59350", "population"].iloc[0]
    assert lille == 238_246  # the EPCI file, one vintage older, says 238,695
    said = " ".join(trap for dataset in load_catalogue(project) for trap in dataset.traps)
    for word in ("Mayotte : les 17", "Six communes", "Quatre communes", "94 lignes"):
        assert word in said


def test_counts_said_by_the_descriptions_are_those_of_the_files(project: Project) -> None:
    for dataset in load_catalogue(project):
        if dataset.kind != "réel":
            continue
        rows = len(pd.read_csv(dataset.resources[0].path, dtype=str))
        written = f"{rows:,}".replace(",", " ")
        assert f"Les {written} " in dataset.description


def test_the_epci_populations_are_those_of_an_older_vintage(
    project: Project, communes: pd.DataFrame
) -> None:
    epci = pd.read_csv(project.datasets / "epci" / "epci.csv", dtype={"code": str})
    sums = communes.groupby("epci")["population"].sum()
    same = (epci.set_index("code")["population_municipale"] == sums).sum()
    assert same == 9  # « presque toutes », says the manifest


def test_the_rows_left_aside_are_those_the_manifest_says() -> None:
    rows = [
        {"code": "98735", "type": "commune-actuelle", "zone": "com"},
        {"code": "75101", "type": "arrondissement-municipal", "zone": "metro"},
        {"code": "97611", "type": "commune-actuelle", "zone": "drom"},
        {"code": "01001", "type": "commune-actuelle", "zone": "metro"},
    ]
    assert [row["code"] for row in territory.current_communes(rows)] == ["01001", "97611"]


def test_a_missing_file_is_said(copy: Callable[[str], Path]) -> None:
    folder = copy("epci")
    (folder / "epci.csv").unlink()
    with pytest.raises(DatasetError, match=r"epci\.csv » est introuvable"):
        load_dataset(folder).verify()


@pytest.mark.parametrize("change", [lambda b: b[:1000], lambda b: b.replace(b"CC ", b"CX ", 1)])
def test_a_truncated_or_changed_file_is_said(
    copy: Callable[[str], Path], change: Callable[[bytes], bytes]
) -> None:
    folder = copy("epci")
    path = folder / "epci.csv"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(DatasetError, match=r"epci\.csv » a changé ou est tronqué"):
        load_dataset(folder).verify()


def _edit(folder: Path, **changes: object) -> None:
    path = folder / "datapackage.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for key, value in changes.items():
        if value is None:
            manifest.pop(key, None)
        else:
            manifest[key] = value
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_a_manifest_without_expiry_is_refused(copy: Callable[[str], Path]) -> None:
    folder = copy("epci")
    _edit(folder, validUntil=None, updateFrequency=None)
    with pytest.raises(ManifestError, match="jusqu'à quand les données valent"):
        load_dataset(folder)


@pytest.mark.parametrize(
    ("published", "frequency", "expected"),
    [
        ("2026-04-09", "P1Y", date(2027, 4, 9)),
        ("2024-02-29", "P1Y", date(2025, 2, 28)),
        ("2026-01-31", "P1M", date(2026, 2, 28)),
        ("2026-12-15", "P3M", date(2027, 3, 15)),
        ("2026-04-09", "P2W", date(2026, 4, 23)),
        ("2026-04-09", "P1D", date(2026, 4, 10)),
    ],
)
def test_expiry_is_publication_plus_one_period(
    copy: Callable[[str], Path], published: str, frequency: str, expected: date
) -> None:
    folder = copy("epci")
    _edit(
        folder,
        validUntil=None,
        collected="2024-01-01",
        published=published,
        updateFrequency=frequency,
    )
    assert load_dataset(folder).valid_until == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "inventé"}, "genre « inventé » est inconnu"),
        ({"producer": None}, "il manque producer"),
        ({"published": "9 avril"}, "doit être une date AAAA-MM-JJ"),
        ({"name": "autre"}, "diffère de celui du dossier"),
        ({"validUntil": "2099-01-01"}, "dépasse la date de publication"),
        ({"published": "2031-01-01"}, "les dates doivent se suivre"),
        ({"collected": "2026-04-10"}, "les dates doivent se suivre"),
        ({"validUntil": "2026-01-01"}, "les dates doivent se suivre"),
        ({"resources": [{"path": "epci.csv"}]}, "n'a pas d'empreinte"),
    ],
)
def test_an_incomplete_manifest_is_said(
    copy: Callable[[str], Path], changes: dict[str, object], message: str
) -> None:
    folder = copy("epci")
    _edit(folder, **changes)
    with pytest.raises(ManifestError, match=message):
        load_dataset(folder)


def test_an_unreadable_manifest_is_said(copy: Callable[[str], Path]) -> None:
    folder = copy("epci")
    (folder / "datapackage.json").write_text("{", encoding="utf-8")
    with pytest.raises(ManifestError, match="n'est pas un fichier JSON lisible"):
        load_dataset(folder)
    (folder / "datapackage.json").unlink()
    with pytest.raises(ManifestError, match="est introuvable"):
        load_dataset(folder)


def test_freshness(project: Project) -> None:
    datasets = load_catalogue(project)
    check_freshness(datasets, date(2026, 12, 31))
    with pytest.raises(DatasetExpired, match=r"« communes » depuis le 31 décembre 2026"):
        check_freshness(datasets, date(2027, 1, 1))
    assert catalogue.frequency_label("P1Y") == "chaque année"


def test_a_file_that_never_changes_is_read_again_rather_than_replaced(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    monkeypatch.setattr(notebook, "display", lambda data, raw: shown.append(data["text/html"]))
    for dataset in load_catalogue(project):
        notebook.fiche(dataset.name)
        changes = "aucune mise à jour prévue" not in shown[-1]
        assert ("En vigueur jusqu’au" in shown[-1]) is changes, dataset.name
        assert ("· en vigueur jusqu’au" in shown[-1]) is changes, dataset.name
        assert ("À relire au plus tard le" in shown[-1]) is not changes, dataset.name
    assert {"communes", "registre"} <= {dataset.name for dataset in load_catalogue(project)}
