"""Build the table of thresholds from the law cards of the course (`book/lois.yml`)."""

from pathlib import Path

from culture_d.laws import load_laws
from culture_d.project import Project
from culture_d.territory import write_csv
from culture_d.thresholds import Threshold, thresholds


def build(folder: Path) -> None:
    """Write `seuils.csv` in `folder`."""
    laws = load_laws(Project.find(Path(__file__).parent))
    write_csv(folder / "seuils.csv", Threshold._fields, thresholds(laws))


if __name__ == "__main__":
    build(Path(__file__).parent)
