"""The course as someone finds it on a stick."""

from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from culture_d.project import Project
from culture_d.stick import make_archive


@pytest.fixture(scope="session")
def archive(project: Project, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ZIP file of the built site."""
    assert site.is_dir()
    target = tmp_path_factory.mktemp("cle") / "culture-d.zip"
    make_archive(project, target)
    return target


@pytest.fixture(scope="session")
def stick(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the course, unzipped where the path has spaces, accents and signs."""
    place = tmp_path_factory.mktemp("Clé USB n° 1 à l’élue (50 %) #2")
    with ZipFile(archive) as content:
        content.extractall(place)
    yield place / "culture-d"
