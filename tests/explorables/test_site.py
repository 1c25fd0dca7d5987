"""The files of the static site: what they weigh, hold, and refuse to carry."""

import gzip
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from culture_d.errors import DatasetError
from culture_d.explorables import FOLDER, SHARED, ExplorableError, resources, site
from culture_d.project import Project


def gzipped(path: Path) -> int:
    return len(gzip.compress(path.read_bytes(), 9))


def test_weights(folder: Path) -> None:
    files = folder / "explorables"
    for name in site.modules():
        assert gzipped(files / f"{name}.js") <= 15_000, name
    assert gzipped(files / site.HOST) <= 3_000
    # One for all explorables, loaded once and kept: some 200 bytes each beyond what they share.
    assert gzipped(files / site.STYLE) <= 4_000
    data = [gzipped(path) for path in (files / "donnees" / "communes").rglob("*.js")]
    assert len(data) == 101
    assert max(data) <= 7_500 and sum(data) / len(data) <= 3_100


def test_data_files_hold_every_commune(folder: Path, project: Project) -> None:
    communes = pd.read_csv(
        project.datasets / "communes" / "communes.csv", dtype={"code": str, "departement": str}
    )
    total = 0
    for code, expected in communes.groupby("departement"):
        text = (folder / f"explorables/donnees/communes/{code}.js").read_text(encoding="utf-8")
        head = f'cultureD.recevoir("communes/{code}",'
        assert text.startswith(head) and text.endswith(");\n")
        data = json.loads(text[len(head) : -3])
        assert dict(zip(data["noms"], data["populations"], strict=True)) == dict(
            zip(expected["nom"], expected["population"], strict=True)
        )
        assert data["populations"] == sorted(data["populations"], reverse=True)
        total += len(data["noms"])
    assert total == 34_875


def test_files_are_the_same_each_time(project: Project) -> None:
    assert site.static_files(project) == site.static_files(project)


def test_scripts_in_order() -> None:
    assert site.scripts(["moyenne-mediane", "moyenne-mediane"]) == ["host.js", "moyenne-mediane.js"]


MODULE = "const a = 1;\nexport default { render() { return a; } };\n"


def test_module_becomes_a_classic_script() -> None:
    script = site.classic_script("essai", MODULE)
    assert 'explorables["essai"] = { render()' in script
    assert "export" not in script


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ('import { a } from "./a.js";\n' + MODULE, "import"),
        ("const b = 1; import c from './c.js';\n" + MODULE, "import"),
        ("const b = import('./b.js');\n" + MODULE, "import"),
        ("const b = import.meta.url;\n" + MODULE, "import"),
        ("const a = 1;\n", "0 « export »"),
        (MODULE + MODULE, "2 « export default »"),
        ("export const b = 1;\n" + MODULE, "2 « export »"),
        ("const render = () => {};\nexport { render as default };\n", "0 « export default »"),
    ],
)
def test_module_gate(source: str, reason: str) -> None:
    with pytest.raises(ExplorableError, match=reason):
        site.classic_script("essai", source)


def test_word_import_in_a_text_is_no_import() -> None:
    site.classic_script("essai", "// Do not import anything.\n" + MODULE)


def test_nothing_is_written_when_a_module_is_refused(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "modules", lambda: {"casse": "export const a = 1;\n"})
    with pytest.raises(ExplorableError, match="« casse »"):
        site.write_static_files(tmp_path / "sortie", project)
    assert not (tmp_path / "sortie").exists()


def test_every_module_of_the_folder_is_written() -> None:
    own = {path.stem.replace("_", "-") for path in FOLDER.glob("*.js")}
    assert set(site.modules()) == own - {"host", "writing"}


def test_a_module_is_what_all_share_then_its_own_script_without_comments() -> None:
    for name, source in site.modules().items():
        own = (FOLDER / f"{name.replace('-', '_')}.js").read_text(encoding="utf-8")
        declared = set(re.findall(r"^(?:const|let|function|class) (\w+)", own, re.MULTILINE))
        shared = re.findall(
            r"^(?:const|let|function) (\w+)", SHARED.read_text("utf-8"), re.MULTILINE
        )
        assert "french" in shared and not declared & set(shared), name
        assert source.index("function say(") < source.index("export default")
        assert "@typedef" not in source and len(source) < len(own) + SHARED.stat().st_size


@pytest.mark.parametrize("path", ["communes/ZZ", "communes/", "epci/80", "../80"])
def test_unknown_resource(path: str, project: Project) -> None:
    with pytest.raises(DatasetError, match="Il n'y a pas de données"):
        resources.load(path, project)


def test_changed_data_are_refused(tmp_path: Path, project: Project) -> None:
    for name in ("communes", "departements"):
        target = tmp_path / "datasets" / name
        target.mkdir(parents=True)
        for path in (project.datasets / name).glob("*.[cj]s*"):
            (target / path.name).write_bytes(path.read_bytes())
    with (tmp_path / "datasets/communes/communes.csv").open("a", encoding="utf-8") as file:
        file.write("99999,Nullepart,80,32,,1,80000\n")
    with pytest.raises(DatasetError, match=r"communes\.csv"):
        resources.load("communes/80", Project(tmp_path))
