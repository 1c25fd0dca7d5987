"""Grade one submission the fast way: as `plain.py` does, with a kernel forked ready.

Everything is that of the plain runner, but for two things: where kernels come from, and what
nbgrader prepares again for each submission, kept here from one to the next.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from culture_d.grading.forked_kernel import ForkedKernel, ForkServer
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired
from culture_d.grading.plain import PLACE, CheckerFor, PlainRunner, _Course, checking_modules
from culture_d.grading.sandbox import Room


class FastRunner(PlainRunner):
    """Grades a submission with a kernel forked from a process that has everything imported.

    Args:
        checker_for: gives what handles some test cells outside of the learner's interpreter.

    Raises:
        SandboxError: submissions cannot be isolated here; the message has the remedy.
    """

    def __init__(self, checker_for: CheckerFor | None = None) -> None:
        self.server = ForkServer()
        try:
            super().__init__(checker_for=checker_for)
            self.server.wait()
        except BaseException:
            self.server.close()
            raise

    def close(self) -> None:
        """Stop the preloaded process."""
        self.server.close()

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        """Run and score one submission; leave nothing behind, whatever it does.

        Not for threads: nbgrader changes the current folder while it works.
        """
        if not self.server.alive:
            self.server.close()
            self.server = ForkServer()
            self.server.wait()
        before = self.server.cpu_seconds
        done = super().grade(assignment, repaired, limits)
        if isinstance(done, Graded):
            used = done.cpu_seconds + self.server.cpu_seconds - before
            done = dataclasses.replace(done, cpu_seconds=used)
        return done

    def _kernels(self, course: _Course, limits: Limits) -> Callable[[], Any]:
        room = Room(
            folder=course.root,
            files=course.files,
            limits=limits,
            protected=checking_modules(course.assignment),
            place=f"{PLACE}/{course.assignment.name}",
        )
        return lambda: ForkedKernel(self.server, room)
