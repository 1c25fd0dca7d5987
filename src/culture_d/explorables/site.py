"""Write what the explorables need on the static site: classic scripts and data files.

No ES module there: `import()` of a file fails from `file://`, while a classic script
works everywhere. Pages load `explorables.css`, `host.js` and the scripts of the
explorables they show; `host.js` loads the data files, from `donnees/` beside it.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from culture_d.explorables import FOLDER, SHARED, ExplorableError, module_source, resources
from culture_d.project import Project

HOST = "host.js"
STYLE = "explorables.css"
_IMPORT = re.compile(r"(?:^|[;}])\s*import\b|\bimport\s*[.(]", re.MULTILINE)
_EXPORT = re.compile(r"^export\s+default\b", re.MULTILINE)
_ANY_EXPORT = re.compile(r"^\s*export\b", re.MULTILINE)


def modules() -> dict[str, str]:
    """Return the ES module of each explorable, by name (`moyenne-mediane`)."""
    others = {HOST, SHARED.name}
    paths = (path for path in sorted(FOLDER.glob("*.js")) if path.name not in others)
    names = [path.stem.replace("_", "-") for path in paths]
    return {name: module_source(name) for name in names}


def classic_script(name: str, source: str) -> str:
    """Turn an ES module into a script that registers `cultureD.explorables[name]`.

    Raises:
        ExplorableError: the module imports something, or has not exactly one
            `export default` as its only export.
    """
    if _IMPORT.search(source):
        raise ExplorableError(
            f"Le module de l'explorable « {name} » contient « import » : il doit tenir en un seul "
            "fichier, pour fonctionner aussi depuis une clé USB. Recopiez-y ce qu'il importe."
        )
    exports, defaults = len(_ANY_EXPORT.findall(source)), len(_EXPORT.findall(source))
    if (exports, defaults) != (1, 1):
        raise ExplorableError(
            f"Le module de l'explorable « {name} » doit avoir un seul « export », de la forme "
            f"« export default {{ render }} » en début de ligne. Trouvé : {exports} « export », "
            f"dont {defaults} « export default »."
        )
    body = _EXPORT.sub(f"explorables[{json.dumps(name)}] =", source)
    return (
        f'(function (explorables) {{\n"use strict";\n{body}\n'
        "})((window.cultureD ||= {}).explorables ||= {});\n"
    )


def data_script(path: str, value: object) -> str:
    """Write a resource as a script that hands it to `host.js`."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"cultureD.recevoir({json.dumps(path)},{text});\n"


def static_files(project: Project) -> dict[str, str]:
    """Return every file of the site's explorables, text by relative path.

    Raises:
        ExplorableError: a module that cannot be a classic script.
        DatasetError: the data of the course are missing or were changed.
    """
    files = {name: (FOLDER / name).read_text(encoding="utf-8") for name in (STYLE, HOST)}
    for name, source in modules().items():
        files[f"{name}.js"] = classic_script(name, source)
    for path, value in resources.load_all(project).items():
        files[f"donnees/{path}.js"] = data_script(path, value)
    return files


def write_static_files(folder: Path, project: Project) -> list[Path]:
    """Write every file under `folder`; nothing is written if one cannot be made."""
    written = []
    for name, text in static_files(project).items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
        written.append(target)
    return written


def scripts(names: Iterable[str]) -> list[str]:
    """Return the scripts a page showing the explorables `names` loads, all deferred."""
    return [HOST, *(f"{name}.js" for name in sorted(set(names)))]
