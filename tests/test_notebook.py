"""The notebook's faces: training in this process, a sweep as a value, and the tour, executed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import inception_lab as lab
from inception_lab.errors import RunError, SettingsError
from inception_lab.jobs import launch
from inception_lab.jobs.store import Store
from inception_lab.notebook import Progress, Sweep, chosen, headline
from inception_lab.training.presets import preset
from tests.jobs.live import processes, until

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def supervised(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home whose runs are made by a stand-in without torch: 10 ms a step, and a loss that ends as NaN."""
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "2")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    home.mkdir()
    launch.ensure_running(home, work="tests.jobs.stand_in:work")
    until(lambda: launch.is_running(home))
    yield home
    if launch.is_running(home):
        launch.stop(home)
    for process in processes(home):
        process.kill()
    until(lambda: not processes(home))


@pytest.fixture
def sweep(supervised: Path) -> Sweep:
    return lab.sweep("micro", scales=(1.0, 0.1), seeds=2, steps=2, progress=False)


def test_train_gives_steps_that_the_seed_fixes() -> None:
    first = list(lab.train("micro", scale=0.1, seed=3, steps=2, width=0.1, repeats=(1, 1, 1)))
    again = list(lab.train("micro", scale=0.1, seed=3, steps=2, width=0.1, repeats=(1, 1, 1)))
    other = list(lab.train("micro", scale=0.1, seed=4, steps=2, width=0.1, repeats=(1, 1, 1)))
    assert [step.step for step in first] == [0, 1]
    assert first == again
    assert first != other
    assert len(first[0].ratio) == 3


def test_train_refuses_at_the_call() -> None:
    with pytest.raises(SettingsError, match="There is no setting 'scales'"):
        lab.train("micro", scales=0.1)


def test_none_means_what_the_preset_has() -> None:
    assert chosen("micro", {"scale": None, "steps": 5}) == preset("micro", steps=5)


def test_train_keeps_nothing(home: Path) -> None:
    next(iter(lab.train("micro", steps=1, width=0.1, repeats=(1, 1, 1))))
    assert not home.exists()


def test_sweep_is_kept_in_the_store(supervised: Path, sweep: Sweep) -> None:
    assert [(run.settings.scale, run.settings.seed) for run in sweep.runs] == [(1.0, 0), (0.1, 0), (1.0, 1), (0.1, 1)]
    assert {run.status for run in sweep.runs} == {"finished"}
    stored = Store(supervised, supervised=False).runs(group=sweep.group)
    assert {run.id for run in stored} == {run.id for run in sweep.runs}


def test_sweep_table_and_verdict(sweep: Sweep) -> None:
    table = sweep.table()
    assert table["scale"].tolist() == [1.0, 1.0, 0.1, 0.1]
    assert table["n"].tolist() == [2, 2, 2, 2]
    assert table["outcome"].tolist() == ["nan"] * 4
    said = sweep.verdict()
    assert (said.word, said.n, said.seeds) == ("undecided", 4, (0, 1))
    shown = sweep._repr_html_()
    assert said.sentence in shown
    assert "length: 2 steps" in shown
    assert shown.count("<tr") == 5


def test_sweep_plot_draws_every_run(sweep: Sweep) -> None:
    drawn = sweep.plot("accuracy")
    thin = [trace for trace in drawn.data if trace.line.width == 1]
    assert len(thin) == 4
    assert list(thin[0].y) == [0.5, 0.5]
    assert sweep.plot().data == ()  # the stand-in measures no zeros, so nothing is drawn


def test_sweep_refuses_before_anything_is_queued(home: Path) -> None:
    with pytest.raises(RunError, match="at least one scale"):
        lab.sweep("micro", scales=(), seeds=1)
    with pytest.raises(SettingsError, match="steps must be a whole number"):
        lab.sweep("micro", scales=(1.0,), seeds=1, steps=0)
    assert Store(home, supervised=False).runs() == []


def test_an_interrupted_sweep_is_cancelled(supervised: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Progress, "show", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lab.sweep("micro", scales=(1.0, 0.1), seeds=3, steps=100_000)
    runs = Store(supervised, supervised=False).runs()
    assert len(runs) == 6
    assert {run.status for run in runs} == {"cancelled"}


def test_progress_says_each_state_once(sweep: Sweep, capsys: pytest.CaptureFixture[str]) -> None:
    state = [(run, ()) for run in sweep.runs]
    line = Progress()
    line.show(state)
    line.show(state)
    line.close()
    assert capsys.readouterr().err == f"{headline(state)}\n"
    assert headline(state) == "100% of 4 runs: 4 finished (nan 4)"


def test_the_tour_runs(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    from nbclient import NotebookClient

    tour = nbformat.read(ROOT / "notebooks" / "tour.ipynb", as_version=4)
    nbformat.validate(tour)
    NotebookClient(tour, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    shown = [said(cell) for cell in tour.cells if cell.cell_type == "code"]
    assert "55,843,464" in shown[1]
    assert shown[3].count("<svg") == shown[4].count("<svg") == 1
    assert "1088" in shown[5]
    assert "the closing 1x1 makes 1154" in shown[6]
    assert "Total params: 1,945,338" in shown[7]
    assert len(re.findall(r"^step \d: loss +[\d.]+, zeros before the pooling 0\.\d+$", shown[9], re.MULTILINE)) == 10
    assert "espresso" in shown[10]
    assert "image/png" in tour.cells[-1].outputs[0].data


def test_the_tour_is_kept_without_outputs() -> None:
    tour = nbformat.read(ROOT / "notebooks" / "tour.ipynb", as_version=4)
    assert all(not cell.outputs and cell.execution_count is None for cell in tour.cells if cell.cell_type == "code")


def test_importing_the_notebook_face_loads_no_torch() -> None:
    import subprocess

    code = "import sys, inception_lab.notebook; sys.exit('torch' in sys.modules or 'plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def said(cell: Any) -> str:
    """Everything a cell shows, as text."""
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        data = output.get("data", {})
        parts.append(data.get("text/html") or data.get("image/svg+xml") or data.get("text/plain") or "")
    return "\n".join(parts)
