"""The line under a figure that says where its data come from, and until when."""

from html import escape

from culture_d.catalogue import Dataset, limit_label
from culture_d.french import NO_BREAK_SPACE, date_longue, typeset


def badge(dataset: Dataset, producer: str = "") -> str:
    """Write the line under a figure: kind, producer, vintage, date of expiry.

    Args:
        dataset: what the figure is drawn from.
        producer: its producer in full, where the page has not named it yet.

    The date is also given to machines, so that the site can warn once it has passed.
    """
    simulated = f"Données simulées{NO_BREAK_SPACE}· " if dataset.kind == "simulé" else ""
    return (
        f'<p class="cd-source" data-jeu="{escape(dataset.name)}" '
        f'data-valable-jusquau="{dataset.valid_until.isoformat()}">'
        f"{simulated}Source{NO_BREAK_SPACE}: {escape(typeset(producer or dataset.producer))}{NO_BREAK_SPACE}· "
        f"{escape(typeset(dataset.vintage))}{NO_BREAK_SPACE}· "
        f"{escape(typeset(limit_label(dataset)))} "
        f"{date_longue(dataset.valid_until)}</p>"
    )
