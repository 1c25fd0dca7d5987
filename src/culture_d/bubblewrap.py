"""The bubblewrap that keeps a learner's code apart while it is graded.

Run as `python -m culture_d.bubblewrap` to try it, or install it where that can be done
without asking.
"""

import shutil
import sys

from culture_d import debian


def main() -> None:
    """Say that isolation works here, or leave with what to do."""
    from culture_d.grading.sandbox import available

    if not shutil.which("bwrap"):
        print("bubblewrap manque : installation…", flush=True)
        debian.install("bubblewrap")
    missing = available()
    if missing:
        sys.exit(missing)
    print(shutil.which("bwrap"))


if __name__ == "__main__":
    main()
