"""Exports read back with the readers people use: pandas, pyarrow, TensorBoard's own accumulator."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from inception_lab.errors import RunError
from inception_lab.jobs.export import export
from inception_lab.jobs.folder import Ending
from inception_lab.jobs.store import Run, Store
from inception_lab.training import events
from inception_lab.training.events import Step
from inception_lab.training.presets import preset
from inception_lab.version import __version__

ADDRESSES = ("net/A/01", "net/B/07")
STEPS = (
    Step(step=0, loss=2.3, accuracy=0.125, rate=0.2),
    Step(
        step=1,
        loss=math.nan,
        accuracy=0.25,
        rate=0.2,
        gradient_norm=math.inf,
        zero_share=0.5,
        shortcut=(1.0, 2.0),
        residual=(0.1, math.nan),
        zeros=(0.25, 1.0),
        cosine=(0.0, -1.0),
        gradient=(1e-9, 0.5),
        update=(0.001, 0.002),
    ),
    Step(step=2, loss=-math.inf, accuracy=0.5, rate=0.1, gradient_norm=4.0, zero_share=0.75, zeros=(0.0, 1.0)),
)


@pytest.fixture
def runs(store: Store) -> list[Run]:
    """Two runs that differ in width and seed, the second without an end and with one block."""
    settings = [preset("micro"), preset("micro", width=0.125, seed=3, repeats=(1, 1, 1))]
    ids = store.submit_many(settings, group="g")
    store.claim(2)
    for id, addresses, steps in zip(ids, (ADDRESSES, ("net/C/01",)), (STEPS, STEPS[:1]), strict=True):
        start = events.start(addresses=addresses, version="9", threads=1, device="cpu", parameters=1)
        lines = [start, *(step.to_dict() for step in steps)]
        (store.folder(id) / "events.jsonl").write_text("".join(f"{events.encode(line)}\n" for line in lines))
    store.finish(ids[0], Ending("finished", None, {"outcome": "nan", "version": "9", "died_at": None}))
    return [store.run(id) for id in ids]


def test_csv_has_a_row_for_each_step_and_an_about_beside_it(runs: list[Run], tmp_path: Path) -> None:
    done = export(runs, tmp_path / "all.csv")
    assert (done.format, done.runs, done.steps) == ("csv", 2, 4)
    table = pd.read_csv(tmp_path / "all.csv", keep_default_na=False, na_values=[""])
    assert table["run"].tolist() == [runs[0].id] * 3 + [runs[1].id]
    assert table["step"].tolist() == [0, 1, 2, 0]
    assert table["settings.width"].tolist() == [0.25] * 3 + [0.125]
    assert table["settings.repeats"].tolist() == ["5/10/5"] * 3 + ["1/1/1"]
    assert table["settings.seed"].tolist() == [0, 0, 0, 3]
    assert table["zeros net/B/07"].tolist()[1:3] == [1.0, 1.0]
    lines = (tmp_path / "all.csv").read_text().splitlines()
    assert lines[2].split(",")[5:10] == ["nan", "0.25", "0.2", "inf", "0.5"]
    assert lines[1].split(",")[5:10] == ["2.3", "0.125", "0.2", "", ""], "not measured is empty, not nan"
    about = json.loads((tmp_path / "all.csv.json").read_text())
    assert (about["n"], about["seeds"], about["version"]) == (2, [0, 3], __version__)
    assert about["runs"][0]["settings"] == runs[0].settings.to_dict()
    assert (about["runs"][0]["outcome"], about["runs"][0]["version"], about["runs"][1]["status"]) == (
        "nan", "9", runs[1].status
    )  # fmt: skip
    assert done.files == (tmp_path / "all.csv", tmp_path / "all.csv.json")


def test_parquet_keeps_every_bit(runs: list[Run], tmp_path: Path) -> None:
    assert export(runs, tmp_path / "all.parquet").steps == 4
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.column("loss").to_pylist()[0] == 2.3
    assert math.isnan(table.column("loss").to_pylist()[1])
    assert table.column("loss").to_pylist()[2] == -math.inf
    assert table.column("gradient_norm").to_pylist() == [None, math.inf, 4.0, None]
    assert table.column("gradient net/A/01").to_pylist() == [None, 1e-9, None, None]
    assert math.isnan(table.column("residual net/B/07").to_pylist()[1])
    assert [str(table.schema.field(name).type) for name in ("step", "settings.width", "settings.seed")] == [
        "int64", "double", "int64"
    ]  # fmt: skip
    about = json.loads(table.schema.metadata[b"inception_lab"])
    assert (about["n"], about["version"], len(about["runs"])) == (2, __version__, 2)
    assert pd.read_parquet(tmp_path / "all.parquet")["settings.repeats"].tolist()[-1] == "1/1/1"


def test_what_stands_beside_a_csv_is_written_whole_or_not_at_all(
    runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(runs, tmp_path / "all.csv")
    before = (tmp_path / "all.csv.json").read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("inception_lab.training.files.os.fsync", full)
    with pytest.raises(OSError, match="no space left"):
        export(runs[:1], tmp_path / "all.csv")
    assert (tmp_path / "all.csv.json").read_bytes() == before
    assert sorted(file.name for file in tmp_path.glob("*all*")) == ["all.csv", "all.csv.json"]


def test_json_lines_are_the_events_with_their_run(runs: list[Run], tmp_path: Path) -> None:
    export(runs, tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == ["about", "start", "step", "step", "step", "start", "step"]
    assert {line["run"] for line in lines[1:5]} == {runs[0].id}
    again = Step.from_dict({key: events.parsed(value) for key, value in lines[3].items()})
    assert repr(again) == repr(STEPS[1])


def test_tensorboard_reads_every_scalar(runs: list[Run], tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    done = export(runs, tmp_path / "board", format="tensorboard")
    assert (done.files, done.steps) == ((tmp_path / "board",), 4)
    found = reader.EventAccumulator(str(tmp_path / "board" / runs[0].id))
    found.Reload()
    loss = found.Scalars("loss")
    assert [event.step for event in loss] == [0, 1, 2]
    assert loss[0].value == pytest.approx(2.3, rel=1e-7)
    assert math.isnan(loss[1].value)
    assert loss[2].value == -math.inf
    assert loss[0].wall_time == runs[0].started
    assert [(event.step, event.value) for event in found.Scalars("gradient_norm")] == [(1, math.inf), (2, 4.0)]
    assert [(event.step, event.value) for event in found.Scalars("zeros/net/B/07")] == [(1, 1.0), (2, 1.0)]
    assert len(found.Tags()["scalars"]) == 5 + 6 * 2
    settings = found.Tensors("settings")[0].tensor_proto.string_val[0].decode()
    assert "| repeats | 5/10/5 |" in settings
    assert "| clip | none |" in settings
    assert json.loads(found.Tensors("about")[0].tensor_proto.string_val[0])["n"] == 1
    other = reader.EventAccumulator(str(tmp_path / "board" / runs[1].id))
    other.Reload()
    assert len(other.Scalars("loss")) == 1
    with pytest.raises(RunError, match="is not empty"):
        export(runs, tmp_path / "board", format="tensorboard")


def test_without_tensorboard_the_way_out_is_told(
    runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for name in [name for name in sys.modules if name.startswith("tensorboard.")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(RunError, match=r"pip install 'tensorboard>=2\.20,<3'"):
        export(runs, tmp_path / "board", format="tensorboard")
    assert not (tmp_path / "board").exists()


def test_an_unknown_ending_and_no_run_are_refused(runs: list[Run], tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"runs\.xls must end in \.csv, \.jsonl or \.parquet"):
        export(runs, tmp_path / "runs.xls")
    with pytest.raises(RunError, match="no run to export"):
        export([], tmp_path / "runs.csv")
    assert list(tmp_path.glob("runs*")) == []


def test_a_file_that_is_there_is_replaced_whole_or_not_at_all(
    runs: list[Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "one.csv"
    place.write_text("before")
    monkeypatch.setattr("inception_lab.jobs.export.read_steps", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(runs, place)
    assert place.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir() if "one" in path.name] == ["one.csv"]


def test_a_run_that_has_not_begun_is_in_the_about_only(store: Store, tmp_path: Path) -> None:
    run = store.run(store.submit(preset("micro")))
    assert export([run], tmp_path / "none.parquet").steps == 0
    assert pq.read_table(tmp_path / "none.parquet").num_rows == 0
    assert export([run], tmp_path / "none.csv").steps == 0
    assert len((tmp_path / "none.csv").read_text().splitlines()) == 1


def test_exporting_loads_no_torch() -> None:
    code = "import sys, inception_lab.jobs.export; sys.exit('torch' in sys.modules or 'tensorboard' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0
