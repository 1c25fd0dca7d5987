"""nbgrader's `collect` replaced by ours, for the command and for formgrader's button alike.

Named in the trainer's nbgrader settings (`ExchangeFactory.collect`); see `arrivals`.
"""

from datetime import UTC, datetime
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect
from traitlets import Dict, Unicode

from culture_d.workshop.arrivals import read_inbound, take_in


class SafeCollect(ExchangeCollect):  # type: ignore[misc]
    """nbgrader's `collect`, for learners who are not trusted."""

    learners = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="What each learner is called, by their name in nbgrader. Others are nobody.",
    ).tag(config=True)

    def init_src(self) -> None:
        """Find the submissions of the assignment."""
        if not self.coursedir.course_id:
            self.fail("Aucun cours : donnez « --course ».")
        inbound = Path(self.root) / self.coursedir.course_id / "inbound"
        if not inbound.is_dir():
            self.fail(f"Aucun dépôt possible : « {inbound} » n'existe pas.")
        now = datetime.now(UTC)
        name = self.coursedir.assignment_id
        self.found = read_inbound(inbound, name, self.learners, now, self.check_owner)

    def copy_files(self) -> None:
        """Take them in."""
        course = Path(self.coursedir.root)
        self.received = take_in(course, self.found, self.learners)
        for remark in self.found.remarks:
            self.log.warning("%s", remark)
        for one in self.received:
            self.log.info("%s : %s", self.learners[one.learner], "pris" if one.new else "inchangé")
