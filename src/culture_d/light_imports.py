"""What a process that starts often leaves out of the libraries it imports."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_GRAMMAR = "rfc3987_syntax"


@contextmanager
def without_address_grammar() -> Iterator[None]:
    """Import meanwhile what imports jsonschema, without what it only uses to check addresses.

    `rfc3987_syntax` compiles a grammar as it is imported: 1.2 s of processor, half of the time
    that a process of the grading takes to begin. No schema of notebooks, nor of Jupyter's
    messages, holds an address; jsonschema does without it when it is not there.
    """
    if _GRAMMAR in sys.modules:
        yield
        return
    sys.modules[_GRAMMAR] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_GRAMMAR]
