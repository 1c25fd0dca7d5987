"""Grade one submission the fast way: as `plain.py` does, with a kernel forked ready.

Everything is that of the plain runner, but for two things: where kernels come from
(`forked_kernel.py`), and what nbgrader prepares again for each submission (`kept_ready.py`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culture_d.errors import SandboxError
from culture_d.grading.forked_kernel import ForkClient, ForkedKernel, ForkServer
from culture_d.grading.kept_ready import KeptReady, freeze_imports
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired

if TYPE_CHECKING:
    from culture_d.grading.plain import CheckerFor


class FastRunner:
    """Grades a submission with a kernel forked from a process that has everything imported.

    Args:
        checker_for: gives what handles some test cells outside of the learner's interpreter.
        address: that of a `ForkServer` of another process, which lends it; otherwise this
            runner starts its own.

    Raises:
        SandboxError: submissions cannot be isolated in this way here; the message says why.
            `PlainRunner` may still do.
    """

    def __init__(
        self, checker_for: "CheckerFor | None" = None, address: Path | None = None
    ) -> None:
        # Before nbgrader is imported: the other process works meanwhile.
        self.server: ForkClient = ForkClient(address) if address else ForkServer()
        try:
            from culture_d.grading.plain import PlainRunner

            class ForkingRunner(PlainRunner):
                """The plain runner, its kernels forked."""

                def _kernels(inner, course: Any, limits: Limits) -> Callable[[], Any]:
                    room = inner._room(course, limits)
                    return lambda: ForkedKernel(self.server, room)

            self._runner = ForkingRunner(checker_for=checker_for)
            self._kept = KeptReady()
            freeze_imports()
            self.server.wait()
        except BaseException:
            self.server.close()
            raise

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        """Run and score one submission; leave nothing behind, whatever it does.

        Not for threads: nbgrader changes the current folder while it works.
        """
        result = self._grade(assignment, repaired, limits)
        if isinstance(result, Failed) and not self.server.alive:
            # Lost as it was asked: not before, where it would have been seen.
            result = self._grade(assignment, repaired, limits)
        return result

    def _grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        try:
            self._revive()
        except SandboxError as error:
            return Failed(repaired.submission.learner, assignment.name, str(error))
        with self._kept.lent():
            return self._runner.grade(assignment, repaired, limits)

    def close(self) -> None:
        """Stop the preloaded process, unless it is another's."""
        self.server.close()

    def _revive(self) -> None:
        """Start a preloaded process again, should the system have ended the one there was."""
        if not self.server.alive:
            self.server.close()
            self.server = ForkServer()
            self.server.wait()
