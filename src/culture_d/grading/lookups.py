"""What nbgrader's tables lack for a large class: a way to the rows of one submission."""

from typing import Any

_LOOKED_UP = (
    ("submitted_assignment", "student_id"),
    ("submitted_notebook", "assignment_id"),
    ("grade", "notebook_id"),
    ("comment", "notebook_id"),
)


def add_lookups(book: Any) -> None:
    """Index the columns by which the rows of a submission are looked for.

    nbgrader 0.9.6 has no index on them, and reads every row of every learner to find those
    of one: each submission costs more than the one before. What nbgrader does with its
    gradebook is not changed.

    Args:
        book: a `nbgrader.api.Gradebook`.
    """
    from sqlalchemy import inspect, text

    session = book.db()
    there = inspect(session.get_bind())
    for table, column in _LOOKED_UP:
        name = f"culture_d_{table}_{column}"
        if name not in {one["name"] for one in there.get_indexes(table)}:
            session.execute(text(f"CREATE INDEX {name} ON {table} ({column})"))
    session.commit()
    book.db.remove()
