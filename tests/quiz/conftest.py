"""A page of the course with a quiz of every kind, built once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
import yaml
from playwright.sync_api import Browser, Page

from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server
from culture_d.site import build

Open = Callable[..., Page]

HOSTILE = '<img src=x onerror="window.intruded = 1">&amp; </script>'
PAGE = f"""---
description: Une page qui n'est là que pour les tests.
---

# Essai

```{{quiz}} tous-les-genres
Pour se situer, quel repère prendre : la moyenne ou la médiane ?

( ) La moyenne
    Quelques grandes communes la tirent vers le haut :
    la plupart sont au-dessous.
(x) La médiane
    Elle est au milieu de la file.
( ) Le total
    Il ne dit rien d'une seule commune.
---
Quelles phrases sont vraies ?
[x] La médiane est au milieu.
    Autant de communes au-dessous qu'au-dessus.
[ ] La moyenne est au milieu.
    Elle partage le total, pas la file.
[x] La moyenne suit les plus grandes.
    Elle compte chaque habitant.
[ ] Les deux sont toujours égales.
    Elles le sont rarement.
---
Dans quel ordre vérifier un chiffre ?
1. Lire sa fiche
   Sans elle, on ne sait pas ce que l'on compte.
2. Regarder sa date
   Un chiffre périmé ne se discute plus.
3. Le recalculer
   On recalcule ce qui vaut la peine.
4. Le citer
   On cite en dernier.
---
Quelle part des communes est sous la moyenne ?
= 83,9 %, à 0,5 près
    Être sous la moyenne est la règle.
! 50
    C'est la part sous la médiane.
! 16,1 %
    C'est la part au-dessus.
! autre
    Comptez les communes au-dessous, puis divisez par leur nombre.
```

Puis un autre quiz, dont le contenu est hostile.

```{{quiz}} hostile
{HOSTILE} ?
( ) {HOSTILE}
    Faux {HOSTILE}
(x) Juste {HOSTILE}
    Bien {HOSTILE}
```
"""


@pytest.fixture(scope="session")
def quiz_site(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's site, with one page more."""
    root = tmp_path_factory.mktemp("cours")
    shutil.copy(project.root / "_config.yml", root)
    for name in ("book", "notebooks", "datasets", "exercises/source"):
        shutil.copytree(project.root / name, root / name)
    contents = yaml.safe_load((project.root / "_toc.yml").read_text(encoding="utf-8"))
    contents["parts"][0]["chapters"].append({"file": "book/essai"})
    (root / "_toc.yml").write_text(yaml.safe_dump(contents), encoding="utf-8")
    (root / "book" / "essai.md").write_text(PAGE, encoding="utf-8")
    return build(Project(root))


@pytest.fixture(scope="session")
def quiz_address(quiz_site: Path) -> Iterator[str]:
    """The same site served, without a final slash."""
    with make_server(quiz_site, port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{ADDRESS}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def open_quiz(browser: Browser, quiz_address: str) -> Iterator[Open]:
    """Open the page of quizzes; checks at the end that nothing failed nor left the site."""
    faults: list[str] = []
    contexts = []

    def opened(name: str = "book/essai", base: str = quiz_address, **options: object) -> Page:
        wanted: dict[str, object] = {"viewport": {"width": 390, "height": 844}, **options}
        context = browser.new_context(**wanted)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda one: None if one.url.startswith((base, "data:")) else faults.append(one.url),
        )
        page.goto(f"{base}/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
