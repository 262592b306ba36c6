"""What the README tells people to type works, and its numbers are the ones the lab prints."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from inception_lab.readers.shapes import shapes

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^\$ python -m (inception_lab .*?)(?:\s+#.*)?$", README, re.MULTILINE)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=[f"snippet{n}" for n in range(len(SNIPPETS))])
def test_python(snippet: str, home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", snippet], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    for expected in re.findall(r"^print\(.*\)\s+# (.*)$", snippet, re.MULTILINE):
        assert expected in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_command(command: str, home: Path, tmp_path: Path) -> None:
    words = [word.replace("assets/", f"{ROOT}/assets/") for word in shlex.split(command)]
    environment = {"PYTHONPATH": str(ROOT)}

    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tmp_path,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    for file in re.findall(r"-o (\S+)", command):
        assert (tmp_path / file).stat().st_size > 500


def test_table_of_networks() -> None:
    rows = re.findall(r"^\| `(\w+)` \| .*? \| ([\d,]+) \| ([\d,]+) \|$", README, re.MULTILINE)
    assert len(rows) == 5
    for name, parameters, work in rows:
        table = shapes(name, size=299)
        assert (f"{table.parameters:,}", f"{table.multiply_adds:,}") == (parameters, work)


def test_pictures_and_files_named_exist() -> None:
    named = re.findall(r"\]\(((?:assets|notebooks)/[^)]+)\)", README)
    assert named
    for file in named:
        assert (ROOT / file).is_file(), file


def test_table_of_reference_runs() -> None:
    from collections import Counter

    from inception_lab.training.reference import load

    rows = re.findall(
        r"^\| ([\d.]+) \| (\w+ \d[^|]*) \| ([\d.]+) to ([\d.]+) \| ([\d.]+) to ([\d.]+) \|$", README, re.M
    )
    assert len(rows) == 6
    for scale, words, *numbers in rows:
        runs = [run for run in load() if run.settings.scale == float(scale)]
        counted = Counter(run.outcome for run in runs)
        assert words == ", ".join(f"{word} {n}" for word, n in sorted(counted.items()))
        accuracies = [run.judgement.accuracy for run in runs]
        zeros = [run.judgement.zero_share or 0.0 for run in runs]
        measured = (min(accuracies), max(accuracies), min(zeros), max(zeros))
        assert [f"{m:.{len(n) - 2}f}" for m, n in zip(measured, numbers, strict=True)] == numbers


def test_table_of_remedies() -> None:
    from inception_lab.jobs.remedies import remedies_table
    from inception_lab.training.reference import load

    rows = re.findall(
        r"^\| ([^|]+) \| (\w+ \d[^|]*) \| (\d of \d) \| ([\d.]+) \| ([a-z –]+) \| [a-z ]+ \|$", README, re.M
    )
    made = remedies_table(load("remedies"))
    assert len(rows) == len(made) == 16
    for (label, words, failed, accuracy, word), row in zip(rows, made, strict=True):
        assert label == row.label
        assert words == ", ".join(f"{outcome} {count}" for outcome, count in sorted(row.outcomes.items()))
        assert (failed, accuracy) == (f"{row.failed} of {row.n}", f"{row.accuracy:.2f}")
        assert word == ("–" if row.key == "none" else row.word)


def test_the_forecasts_score_is_the_one_of_the_shipped_runs() -> None:
    from inception_lab.training import rule
    from inception_lab.training.reference import load

    cases = rule.cases_of(load())
    said = rule.score(cases)
    assert (len(cases), said.right) == (30, 26)
    assert "right in 26 (87 %, 95 % interval 70 to 95)" in README
