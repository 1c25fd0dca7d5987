"""Build the tables of the fictitious territory: communes, public buildings, schools, associations."""

from pathlib import Path

from culture_d.fictitious import Association, Building, Commune, School, territory
from culture_d.territory import write_csv


def build(folder: Path) -> None:
    """Write the four tables in `folder`."""
    made = territory()
    write_csv(folder / "communes.csv", Commune._fields, made.communes)
    write_csv(folder / "batiments.csv", Building._fields, made.buildings)
    write_csv(folder / "ecoles.csv", School._fields, made.schools)
    write_csv(folder / "associations.csv", Association._fields, made.associations)


if __name__ == "__main__":
    build(Path(__file__).parent)
