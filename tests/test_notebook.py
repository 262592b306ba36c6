"""The notebook's faces: training in this process, a sweep as a value, and the tour, executed."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
import pytest

import inception_lab as lab
from inception_lab.errors import RunError, SettingsError, UnknownRun
from inception_lab.jobs import launch
from inception_lab.jobs.store import Store
from inception_lab.notebook import Progress, Sweep, chosen, headline, resume
from inception_lab.training.events import read_steps
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
    end(home)


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


def test_a_sweep_over_two_settings_has_columns_arms_a_map_and_verdicts(supervised: Path, tmp_path: Path) -> None:
    found = lab.sweep("micro", over={"width": (0.125, 0.25), "scale": (1.0, 0.1)}, seeds=1, steps=2, progress=False)
    table = found.table()
    assert table["width"].tolist() == [0.125, 0.125, 0.25, 0.25]
    assert table["scale"].tolist() == [1.0, 0.1, 1.0, 0.1]
    assert list(table.columns)[:4] == ["run", "width", "scale", "seed"]
    assert [(arm.changes["width"], arm.n, arm.failed) for arm in found.arms()] == [
        (0.125, 1, 1), (0.125, 1, 1), (0.25, 1, 1), (0.25, 1, 1)
    ]  # fmt: skip
    assert list(found.map().data[0].x) == ["0.125", "0.25"]
    assert [said.group for said in found.verdicts()] == [{"width": 0.125}, {"width": 0.25}]
    with pytest.raises(RunError, match=r"differ in more than scale and seed \(width 0\.125 and 0\.25\)"):
        found.verdict()
    assert "<p>width 0.125. <b>undecided</b>" in found._repr_html_()
    names = {trace.name for trace in found.plot("accuracy").data if trace.name}
    assert any("width 0.125" in name for name in names)
    assert len({trace.line.dash for trace in found.plot("accuracy").data}) == 2
    assert found.export(tmp_path / "all.parquet") == tmp_path / "all.parquet"


def test_cases_are_arms_as_they_are_written(supervised: Path) -> None:
    found = lab.sweep("micro", cases=[{}, {"momentum": 0.0}], seeds=[4], steps=2, progress=False)
    assert [(run.settings.momentum, run.settings.seed) for run in found.runs] == [(0.9, 4), (0.0, 4)]


def test_a_sweep_shows_table_and_curves_in_a_notebook(sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda thing: shown.append(thing))
    monkeypatch.setattr(Sweep, "plot", lambda self: go.Figure(go.Scatter(y=[1, 2])))
    sweep._ipython_display_()
    assert "undecided" in shown[0].data
    assert list(shown[1].data[0].y) == [1, 2]


def test_an_interrupted_sweep_is_taken_up_again(supervised: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "show", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            lab.sweep("micro", scales=(1.0, 0.1), seeds=2, steps=100)
    [group] = {run.group for run in Store(supervised, supervised=False).runs()}
    assert group is not None
    again = resume(group, progress=False)
    assert [run.status for run in again.runs] == ["finished"] * 4
    assert [len(read_steps(run.folder / "events.jsonl")) for run in again.runs] == [100] * 4
    before = [run.started for run in again.runs]
    assert [run.started for run in resume(group, progress=False).runs] == before, "nothing is made twice"
    with pytest.raises(UnknownRun, match="There is no sweep 'nothing'"):
        resume("nothing")


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


def test_the_tour_runs(home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("INCEPTION_LAB_PARALLEL", "2")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    request.addfinalizer(lambda: end(home))
    from nbclient import NotebookClient

    tour = nbformat.read(ROOT / "notebooks" / "tour.ipynb", as_version=4)
    nbformat.validate(tour)
    NotebookClient(tour, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(ROOT)}}).execute()
    code = [cell for cell in tour.cells if cell.cell_type == "code"]
    shown = [said(cell) for cell in code]
    assert "55,843,464" in shown[1]
    assert shown[3].count("<svg") == shown[4].count("<svg") == 1
    assert "1088" in shown[5]
    assert "the closing 1x1 makes 1154" in shown[6]
    assert "Total params: 1,945,338" in shown[7]
    assert "13,155,794,016" in shown[9]
    assert "Here: parameters 9,280 → 6,272 (-32.4%)" in shown[10]
    assert "class ConvBnRelu(nn.Module):" in shown[11]
    assert len(re.findall(r"^step \d: loss +[\d.]+, zeros before the pooling 0\.\d+$", shown[12], re.MULTILINE)) == 10
    assert shown[13].count("<b>undecided</b>") == 2
    assert "width 0.05" in shown[13]
    assert shown[13].count("<tr") == 9
    drawn = [output.data.get("application/vnd.plotly.v1+json") for output in code[13].outputs if "data" in output]
    assert sum(bool(figure and figure["data"]) for figure in drawn) == 1, "a sweep plots itself"
    assert "share failed" in str(code[14].outputs)
    assert shown[15].count("<td>80.0</td>") == 4
    assert "espresso" in shown[16]
    maps = {cell.id: said(cell) for cell in code}
    assert "image/png" in next(cell for cell in code if cell.id == "tour-24").outputs[0].data
    for cell, pictures, words in (
        ("tour-24", 1, "for espresso"),
        ("test-trust", 1, "his map"),
        ("beside-compare", 3, "rank correlation"),
        ("beside-agreement", 3, "The deletion test"),
        ("inside-credit", 0, "shortcut"),
        ("inside-rho", 0, "espresso"),
        ("inside-damage", 0, "each block at 0"),
        ("inside-moved", 3, "residuals = 0.5"),
    ):
        assert maps[cell].count("data:image/png;base64,") == pictures, cell
        assert maps[cell].count("<img alt=") == pictures, cell
        assert words in maps[cell], cell
    assert "<svg role" in maps["test-trust"]


def test_the_tour_is_kept_without_outputs() -> None:
    tour = nbformat.read(ROOT / "notebooks" / "tour.ipynb", as_version=4)
    assert all(not cell.outputs and cell.execution_count is None for cell in tour.cells if cell.cell_type == "code")


def test_importing_the_notebook_face_loads_no_torch() -> None:
    import subprocess

    code = "import sys, inception_lab.notebook; sys.exit('torch' in sys.modules or 'plotly' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def end(home: Path) -> None:
    """End the supervisor of a home and every run of it."""
    if launch.is_running(home):
        launch.stop(home)
    for process in processes(home):
        process.kill()
    until(lambda: not processes(home))


def said(cell: Any) -> str:
    """Everything a cell shows, as text."""
    parts = []
    for output in cell.outputs:
        parts.append(output.get("text", ""))
        data = output.get("data", {})
        parts.append(data.get("text/html") or data.get("image/svg+xml") or data.get("text/plain") or "")
    return "\n".join(parts)
