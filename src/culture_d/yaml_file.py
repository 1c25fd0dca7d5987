"""Read one of the course's YAML files, and say in French what is wrong with it."""

from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from culture_d.errors import CultureDError, reason

# The same rules as SafeLoader, by the C library where PyYAML was built with it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """Return what a YAML text holds; a text read again and again is parsed once.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return deepcopy(_parsed(text))


@lru_cache(maxsize=32)
def _parsed(text: str) -> Any:
    return yaml.load(text, Loader=LOADER)


def read_yaml(path: Path, error: type[CultureDError]) -> Any:
    """Return what a YAML file holds.

    Raises:
        CultureDError: of the kind given: missing, unreadable, not in UTF-8, not YAML.
    """
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise error(
            f"« {path} » est introuvable. Remettez-le en place (« git checkout -- {path.name} » "
            "dans son dossier)."
        ) from None
    except OSError as fault:
        raise error(f"« {path} » ne peut pas être lu : {reason(fault)}.") from None
    except UnicodeDecodeError:
        raise malformed(path, "il n'est pas en UTF-8 (enregistrez-le en UTF-8)", error) from None
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        place = f", ligne {mark.line + 1}" if mark else ""
        raise malformed(path, f"ce n'est pas du YAML{place}", error) from None


def malformed(path: Path, fault: str, error: type[CultureDError]) -> CultureDError:
    """Return the error of a file that can be read and is not what it should be."""
    return error(f"« {path} » est mal formé : {fault}. Corrigez-le en suivant les lignes voisines.")
