"""Which Chromium is taken: the one without windows before the whole one, ours before none."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from culture_d import chromium, debian


def made(path: Path) -> Path:
    """Write an executable that answers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any browser; what is put in this folder is on its path."""
    monkeypatch.delenv("CULTURE_D_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(chromium, "_playwright_build", lambda: None)
    return tmp_path / "bin"


def test_the_one_without_windows_is_preferred(machine: Path) -> None:
    whole = made(machine / "chromium")
    assert chromium.find() == whole
    shell = made(machine / chromium.SHELL)
    assert chromium.find() == shell


def test_the_one_that_is_named_goes_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(machine / chromium.SHELL)
    monkeypatch.setenv("CULTURE_D_CHROMIUM", str(machine / "le-mien"))
    assert chromium.find() == machine / "le-mien"
    with pytest.raises(chromium.ChromiumMissing, match="le-mien"):
        chromium.ensure()


def test_none_is_said_with_what_to_type(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "_install", lambda: None)
    with pytest.raises(chromium.ChromiumMissing, match=f"apt-get install {chromium.SHELL}"):
        chromium.ensure()


def test_the_package_without_windows_is_asked_for_first(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def install(*packages: str) -> bool:
        asked.extend(packages)
        return bool(made(machine / packages[0]))

    monkeypatch.setattr(debian, "install", install)
    assert chromium.ensure() == machine / chromium.SHELL
    assert asked == [chromium.SHELL]


def test_beside_a_whole_one_the_other_is_added(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(debian, "install", lambda *names: asked.extend(names))
    chromium.add_shell()
    made(machine / "chromium")
    chromium.add_shell()
    assert asked == [chromium.SHELL]
    made(machine / chromium.SHELL)
    chromium.add_shell()
    assert asked == [chromium.SHELL]


def test_playwright_s_own_is_found_in_its_folder_beside_one_that_runs(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    assert chromium._playwright_build() is None
    usual = Path(browser.browser_type.executable_path)
    depth = next(rank for rank, one in enumerate(usual.parents) if one.name.startswith("chromium-"))
    build = tmp_path / usual.parents[depth].name
    whole = made(build / usual.relative_to(usual.parents[depth]))
    assert chromium._playwright_build() == whole
    name = build.name.replace("chromium-", "chromium_headless_shell-")
    suffix = ".exe" if os.name == "nt" else ""
    shell = made(tmp_path / name / "chrome-headless-shell-x" / f"chrome-headless-shell{suffix}")
    made(tmp_path / "chromium_headless_shell-1" / "x" / "chrome-headless-shell")
    assert chromium._playwright_build() == shell
