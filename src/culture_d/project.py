"""Where the course lies on disk, and the folders it is made of."""

from dataclasses import dataclass
from pathlib import Path

from culture_d.errors import ProjectNotFound


@dataclass(frozen=True)
class Project:
    """The folder that holds the course (`_config.yml`, `notebooks/`, `datasets/`…)."""

    root: Path

    @property
    def datasets(self) -> Path:
        return self.root / "datasets"

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def exercises(self) -> Path:
        return self.root / "exercises"

    @property
    def book(self) -> Path:
        return self.root / "book"

    @property
    def curriculum(self) -> Path:
        return self.book / "curriculum.yml"

    @property
    def toc(self) -> Path:
        return self.root / "_toc.yml"

    @property
    def build(self) -> Path:
        return self.root / "_build"

    @property
    def site(self) -> Path:
        """The built pages, ready for any web server."""
        return self.build / "html"

    @property
    def cache(self) -> Path:
        """Downloaded packages; safe to delete."""
        return self.root / ".cache"

    @property
    def is_working_copy(self) -> bool:
        """Whether only notebooks and data are here, as `culture-d lab` copies them."""
        return not (self.root / "_config.yml").exists()

    @classmethod
    def find_whole(cls) -> "Project":
        """Find the course, for what a working copy is not enough for.

        Raises:
            ProjectNotFound: no course, or a working copy of it.
        """
        project = cls.find()
        if project.is_working_copy:
            raise ProjectNotFound(
                f"« {project.root} » est une copie de travail : les carnets et les données, sans le "
                "reste du cours. Pour cette commande, placez-vous dans le dossier du cours, puis "
                "relancez-la."
            )
        return project

    @classmethod
    def find(cls, start: Path | None = None) -> "Project":
        """Find the course at or above `start` (the current folder by default).

        Falls back on the checkout this package was installed from.

        Raises:
            ProjectNotFound: neither place holds a course.
        """
        start = (start or Path.cwd()).resolve()
        checkout = Path(__file__).resolve().parents[2]
        for folder in (start, *start.parents, checkout):
            if any((folder / "datasets").glob("*/datapackage.json")):
                return cls(folder)
        raise ProjectNotFound(
            f"Aucun cours Culture D dans « {start} » ni au-dessus : il y faut un dossier « datasets » "
            "et ses fichiers « datapackage.json ». Placez-vous dans le dossier du cours, puis "
            "relancez la commande."
        )
