"""What the lab offers by name, and that what it needs is declared."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib
from importlib.metadata import packages_distributions, version
from pathlib import Path

import pytest

import inception_lab as lab

ROOT = Path(__file__).resolve().parents[1]
OWN = {"inception_lab", "tests", "bench", "pages", "app", *(folder.name for folder in (ROOT / "tests").iterdir())}


def declared(file: str) -> set[str]:
    """The distributions a requirements file names, itself and through -r."""
    names: set[str] = set()
    for line in (ROOT / file).read_text().splitlines():
        if line.startswith("-r "):
            names |= declared(line.removeprefix("-r "))
        elif found := re.match(r"[A-Za-z0-9._-]+", line):
            names.add(canonical(found.group()))
    return names


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*folders: str) -> dict[str, str]:
    """Top-level packages that files of the folders import, each with the file that does."""
    found: dict[str, str] = {}
    for folder in folders:
        files = [ROOT / folder] if folder.endswith(".py") else sorted((ROOT / folder).rglob("*.py"))
        for file in filter(Path.exists, files):
            for node in ast.walk(ast.parse(file.read_text())):
                for name in imported_by(node):
                    found.setdefault(name.split(".")[0], str(file.relative_to(ROOT)))
    return {name: file for name, file in found.items() if name not in sys.stdlib_module_names | OWN}


def imported_by(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), level=0):
            return [module]
    return []


def undeclared(packages: dict[str, str], allowed: set[str]) -> dict[str, str]:
    distributions = packages_distributions()
    owners = {name: {canonical(owner) for owner in distributions.get(name, [name])} for name in packages}
    return {name: file for name, file in packages.items() if owners[name].isdisjoint(allowed)}


def test_all_is_sorted_and_complete() -> None:
    assert lab.__all__ == sorted(lab.__all__, key=lambda name: (name != "LabError", name))
    assert set(lab.__all__) == set(lab._HOME) | {"__version__"}
    assert dir(lab) == sorted(lab.__all__)


@pytest.mark.parametrize("name", [name for name in lab.__all__ if name != "__version__"])
def test_public_name_is_what_its_module_defines(name: str) -> None:
    module = importlib.import_module(f"inception_lab.{lab._HOME[name]}")
    assert getattr(lab, name) is getattr(module, name)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'inception_lab' has no attribute 'nothing'"):
        lab.nothing  # noqa: B018


def test_version_is_one_string_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "inception_lab.version.__version__"}
    assert re.fullmatch(r"\d+\.\d+\.\d+", lab.__version__)


def test_what_the_lab_imports_is_in_requirements() -> None:
    optional = {"ray"}  # the extra of pyproject.toml
    packages = imported("inception_lab", "pages", "app.py")
    assert undeclared(packages, declared("requirements.txt") | optional) == {}


def test_what_the_tests_import_is_in_requirements_dev() -> None:
    assert undeclared(imported("tests", "bench", "scripts"), declared("requirements-dev.txt")) == {}


def test_requirements_are_satisfied_here() -> None:
    """Each declared name is installed: the lists and the environment have not drifted apart."""
    for name in declared("requirements-dev.txt"):
        assert version(name)
