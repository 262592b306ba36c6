"""The architecture holds: layers, who may load what, and what the bare import costs."""

from __future__ import annotations

import ast
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "inception_lab"
SCREENS = [path for path in (ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py"))) if path.exists()]
HEAVY = ("torch", "torchvision", "timm", "captum", "streamlit")
TORCH_FREE = ["nets", "readers", "jobs", "figures"]
TORCH_FREE_MODULES = [
    *("settings", "presets", "events", "outcomes", "bounds", "fields", "datasets", "control", "replay", "files"),
    *("rule", "foretold", "experiments", "deviations", "autopsy", "story", "runnable"),
]


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter has after the statement."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{name.split('.')[0] for name in sys.modules}})))"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(answer.stdout))


def modules(package: str) -> list[str]:
    """Every module of a package, by its dotted name."""
    files = sorted((PACKAGE / package).rglob("*.py"))
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


def imports(path: Path) -> set[str]:
    """Every absolute module name that the file imports, wherever in the file that happens."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a screen has nothing to import relatively"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with our contracts on the package that lies in `folder`."""
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    config = str(ROOT / ".importlinter")
    return subprocess.run(
        [command, "--no-logo", "--no-cache", "--config", config],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_contracts_are_kept() -> None:
    answer = lint_imports(ROOT)
    assert answer.returncode == 0, answer.stdout + answer.stderr


@pytest.mark.parametrize(
    ("file", "line", "broken"),
    [
        ("nets/ops.py", "import inception_lab.readers", "Each package imports only what stands to its left"),
        ("readers/shapes.py", "import inception_lab.models", "Each package imports only what stands to its left"),
        ("nets/ops.py", "def late():\n    import torch", "What describes, draws and queues does without torch"),
        ("jobs/__init__.py", "import streamlit", "Streamlit is imported in ui/ only"),
        ("stray.py", "", "Each package imports only what stands to its left"),
    ],
)
def test_contracts_can_break(tmp_path: Path, file: str, line: str, broken: str) -> None:
    """A contract that nothing can break proves nothing."""
    shutil.copytree(PACKAGE, tmp_path / "inception_lab", ignore=shutil.ignore_patterns("__pycache__"))
    with (tmp_path / "inception_lab" / file).open("a") as target:
        target.write(f"\n{line}\n")
    answer = lint_imports(tmp_path)
    assert answer.returncode == 1
    verdict = next(row for row in answer.stdout.splitlines() if row.startswith(broken))
    assert verdict.endswith("BROKEN")


def test_torch_free_packages_load_without_torch() -> None:
    names = [name for package in TORCH_FREE for name in modules(package)]
    names += [f"inception_lab.training.{name}" for name in TORCH_FREE_MODULES]
    assert loaded_by("import " + ", ".join(names)).isdisjoint(HEAVY)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda path: path.name)
def test_screens_import_public_parts_of_the_lab_only(screen: Path) -> None:
    for name in imports(screen):
        first, *rest = name.split(".")
        assert first in {"inception_lab", "streamlit", "__future__", *sys.stdlib_module_names}, f"{screen.name}: {name}"
        private = [part for part in rest if part.startswith("_")]
        assert first != "inception_lab" or not private, f"{screen.name} imports something private: {name}"


def test_import_loads_nothing_heavy() -> None:
    assert loaded_by("import inception_lab").isdisjoint({*HEAVY, "numpy", "plotly", "pandas", "PIL"})


def test_import_is_quick() -> None:
    """Processor time, so that a busy machine makes no difference; the clock's time is `python -m bench import`."""
    code = "import time; t = time.process_time(); import inception_lab; print(time.process_time() - t)"
    answers = [
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    assert statistics.median(float(answer.stdout) for answer in answers) < 0.15
