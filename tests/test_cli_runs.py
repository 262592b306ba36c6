"""Training and runs on the command line: one real run, and a stand-in worker where only the handling matters."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import click
import pytest
from click.testing import CliRunner, Result

from inception_lab.cli.main import main
from inception_lab.cli.train import Numbers
from inception_lab.errors import SettingsError
from inception_lab.jobs import launch
from inception_lab.jobs.grid import told
from inception_lab.jobs.store import Store
from inception_lab.notebook import headline, share, watch
from inception_lab.training.fields import HELP, parse
from inception_lab.training.presets import preset
from inception_lab.training.settings import FIELDS, Fork, Settings
from tests.jobs.live import processes, until

ROOT = Path(__file__).resolve().parents[1]


def lab(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def answer(*words: str) -> Any:
    result = lab(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def start(*words: str, home: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "inception_lab", *words],
        cwd=ROOT,
        env={**os.environ, "INCEPTION_LAB_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests behind an & has shells make them, and all they start, deaf to Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def end(home: Path) -> None:
    """End the supervisor of a home and every run of it."""
    if launch.is_running(home):
        launch.stop(home)
    for process in processes(home):
        process.kill()
    until(lambda: not processes(home))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any], str]]:
    """A home with one real run of three steps, what the command printed, and what it said on stderr."""
    home = tmp_path_factory.mktemp("cli") / "home"
    run = start("train", "micro", "--scale", "0.3", "--seed", "4", "--steps", "3", "--json", home=home)
    stdout, stderr = run.communicate(timeout=240)
    assert run.returncode == 0, stderr
    yield home, json.loads(stdout), stderr
    end(home)


@pytest.fixture
def real(trained: tuple[Path, dict[str, Any], str], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The real run, in the home that this test sees.

    The command may print the result before the supervisor has written down the end: that one time then moves a little.
    """
    monkeypatch.setenv("INCEPTION_LAB_HOME", str(trained[0]))
    return trained[1] | {"ended": pytest.approx(trained[1]["ended"], abs=2.0)}


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


def test_train_prints_the_result(trained: tuple[Path, dict[str, Any], str]) -> None:
    home, data, stderr = trained
    assert {"run", "outcome", "steps", "loss", "accuracy", "zero_share", "died_at", "seconds"} <= set(data)
    assert (data["status"], data["steps"], data["died_at"]) == ("finished", 3, None)
    assert (data["settings"]["scale"], data["settings"]["seed"]) == (0.3, 4)
    assert 0 <= data["zero_share"] <= 1
    assert data["seconds"] > 0
    result = json.loads((home / "runs" / data["run"] / "result.json").read_text())
    assert {key: data[key] for key in ("loss", "accuracy", "outcome")} == {
        key: result[key] for key in ("loss", "accuracy", "outcome")
    }
    assert "step 1/3: loss " in stderr or "all steps made" in stderr


def test_the_run_is_in_the_list(real: dict[str, Any]) -> None:
    data = answer("runs", "list")
    assert [one["run"] for one in data["runs"]] == [real["run"]]
    assert data["runs"][0] == real
    assert answer("runs") == data


def test_the_list_for_people(real: dict[str, Any]) -> None:
    lines = lab("runs").stdout.splitlines()
    assert lines[0].split()[:6] == ["run", "preset", "scale", "seed", "status", "outcome"]
    assert lines[2].split()[:5] == [real["run"], "micro", "0.3", "4", "finished"]


def test_show_gives_the_fields_and_the_list_of_one(real: dict[str, Any]) -> None:
    data = answer("runs", "show", real["run"])
    assert data["runs"] == [real]
    assert data["outcome"] == real["outcome"]
    shown = lab("runs", "show", real["run"]).stdout
    assert "rmsprop_tf" in shown
    assert "[5, 10, 5]" in shown


def test_export_as_a_table(real: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "run.csv"
    assert answer("runs", "export", real["run"], "-o", str(file)) == {
        "run": real["run"],
        "file": str(file),
        "format": "csv",
        "steps": 3,
        "runs": 1,
        "files": [str(file), f"{file}.json"],
    }
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [int(row["step"]) for row in rows] == [0, 1, 2]
    assert math.isclose(sum(float(row["loss"]) for row in rows) / 3, real["loss"], rel_tol=1e-6)
    assert len(rows[0]) == 7 + 6 * 20
    assert json.loads(Path(f"{file}.json").read_text())["runs"][0]["settings"]["seed"] == 4
    assert 0 < float(rows[0]["residual inception_resnet_v2_paper/B/07"]) < 10


def test_export_as_events(real: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    answer("runs", "export", real["run"], "-o", str(file))
    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event["type"] for event in events] == ["about", "start", "step", "step", "step", "end"]
    refused = lab("runs", "export", real["run"], "-o", str(tmp_path / "run.xls"))
    assert refused.exit_code == 2
    assert "must end in .csv, .jsonl or .parquet" in refused.stderr
    data = answer("runs", "export", real["run"], "--format", "tensorboard", "-o", str(tmp_path / "board"))
    assert (data["format"], data["steps"]) == ("tensorboard", 3)
    assert len(list((tmp_path / "board" / real["run"]).glob("events.out.tfevents.*"))) == 1


def test_nan_is_a_string_in_json(supervised: Path) -> None:
    result = lab("train", "micro", "--steps", "3", "--json")
    assert result.exit_code == 0, result.output
    data = json.loads(result.stdout, parse_constant=lambda word: pytest.fail(f"{word} printed bare"))
    assert (data["loss"], data["outcome"], data["steps"]) == ("nan", "nan", 3)
    assert answer("runs")["runs"][0]["loss"] == "nan"
    assert "nan" in lab("runs").stdout


def test_train_for_people(supervised: Path) -> None:
    result = lab("train", "micro", "--steps", "2", "--repeats", "1", "1", "1", "--no-small", "--image-size", "96")
    assert result.exit_code == 0
    lines = dict(line.split(maxsplit=1) for line in result.stdout.splitlines() if line)
    assert lines["status"] == "finished"
    assert lines["steps"] == "2"
    [run] = Store(supervised, supervised=False).runs()
    assert (run.settings.repeats, run.settings.small) == ((1, 1, 1), False)


def test_sweep(supervised: Path) -> None:
    data = answer("sweep", "micro", "--scales", "1.0,0.1", "--seeds", "2", "--steps", "2")
    assert [(one["settings"]["scale"], one["settings"]["seed"]) for one in data["runs"]] == [
        (1.0, 0),
        (0.1, 0),
        (1.0, 1),
        (0.1, 1),
    ]
    assert {one["sweep"] for one in data["runs"]} == {data["sweep"]}
    assert data["verdict"]["word"] == "undecided"
    assert data["verdict"]["unscaled"] == {"failed": 2, "n": 2, "low": pytest.approx(0.3424, abs=1e-4), "high": 1.0}
    assert any("2 steps" in line for line in data["verdict"]["shrunk"])
    assert len(answer("runs", "list", "--sweep", data["sweep"])["runs"]) == 4
    assert len(answer("runs", "list", "--limit", "1")["runs"]) == 1


def test_sweep_for_people_ends_in_the_verdict(supervised: Path) -> None:
    result = lab("sweep", "micro", "--scales", "1 0.3", "--seeds", "5,7", "--steps", "2")
    assert result.exit_code == 0
    assert "undecided: 2 of 2 runs failed at scale 1.0, 2 of 2 at scales 0.1 to 0.3" in result.stdout
    assert "  length: 2 steps; the paper" in result.stdout
    assert {run.settings.seed for run in Store(supervised, supervised=False).runs()} == {5, 7}


def test_sweep_over_two_settings_and_its_export(supervised: Path, tmp_path: Path) -> None:
    words = ("--over", "width=0.125,0.25", "--over", "scale=1,0.1", "--seeds", "1", "--steps", "2", "--set", "clip=1")
    data = answer("sweep", "micro", *words)
    ran = [(one["settings"]["width"], one["settings"]["scale"], one["settings"]["clip"]) for one in data["runs"]]
    assert ran == [(0.125, 1.0, 1.0), (0.125, 0.1, 1.0), (0.25, 1.0, 1.0), (0.25, 0.1, 1.0)]
    assert data["verdict"] is None
    assert [one["group"] for one in data["verdicts"]] == [{"width": 0.125}, {"width": 0.25}]
    assert len(data["verdicts"][0]["effect"]) == 3
    file = tmp_path / "sweep.csv"
    done = answer("runs", "export", data["sweep"], "-o", str(file))
    assert (done["runs"], done["steps"]) == (4, 8)
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert {(row["settings.width"], row["settings.scale"]) for row in rows} == {
        ("0.125", "1.0"), ("0.125", "0.1"), ("0.25", "1.0"), ("0.25", "0.1")
    }  # fmt: skip


def test_sweep_of_cases_for_people(supervised: Path) -> None:
    result = lab("sweep", "micro", "--case", "", "--case", "optimiser=sgd,rate=0.02", "--seeds", "1", "--steps", "2")
    assert result.exit_code == 0, result.output
    assert "2 runs: about 1 second and 1.4 GB, 2 at a time; estimated from multiply-adds." in result.stderr
    head, _, first, second = result.stdout.splitlines()[:4]
    assert head.split()[:5] == ["run", "optimiser", "rate", "scale", "seed"]
    assert (first.split()[1:4], second.split()[1:4]) == (["rmsprop_tf", "0.2", "1"], ["sgd", "0.02", "1"])
    assert "optimiser sgd, rate 0.02: undecided: 1 of 1 runs failed" in result.stdout


def test_a_combination_that_cannot_be_run_is_refused_by_name(home: Path) -> None:
    refused = lab("sweep", "micro", "--over", "width=0.125,9")
    assert refused.exit_code == 2
    assert "With width 9: width must be from 0.03 to 4" in refused.stderr
    refused = lab("sweep", "micro", "--over", "width")
    assert "'width' is not field=values, such as width=0.25." in refused.stderr
    assert Store(home, supervised=False).runs() == []


def test_a_cancelled_sweep_is_resumed_and_waited_for(supervised: Path) -> None:
    ids = answer("sweep", "micro", "--scales", "1,0.1", "--seeds", "2", "--steps", "250", "--detach")
    group, runs = ids["sweep"], [one["run"] for one in ids["runs"]]
    answer("runs", "cancel", *runs[1:])
    store = Store(supervised, supervised=False)
    until(lambda: not any(run.active for run in store.runs(group=group)))
    assert [store.run(id).status for id in runs] == ["finished", *3 * ["cancelled"]]
    begun = store.run(runs[0]).started
    data = answer("runs", "resume", group, "--wait")
    assert [one["run"] for one in data["runs"]] == runs
    assert {one["status"] for one in data["runs"]} == {"finished"}
    assert data["verdict"]["n"] == 4
    assert store.run(runs[0]).started == begun, "what had finished was not run again"
    assert lab("runs", "resume", "nothing").exit_code == 2


def test_detached_run_can_be_cancelled_resumed_and_deleted(supervised: Path) -> None:
    run = answer("train", "micro", "--steps", "100000", "--detach")["run"]
    until(lambda: Store(supervised, supervised=False).run(run).status == "running")
    assert lab("runs", "delete", run).exit_code == 2
    [cancelled] = answer("runs", "cancel", run)["runs"]
    assert cancelled["status"] == "cancelled"
    [queued] = answer("runs", "resume", run)["runs"]
    assert queued["status"] in ("queued", "running")
    answer("runs", "cancel", run)
    assert answer("runs", "delete", run) == {"deleted": [run]}
    assert answer("runs") == {"runs": []}
    assert not (supervised / "runs" / run).exists()


def test_ctrl_c_cancels_the_run(supervised: Path) -> None:
    command = start("train", "micro", "--steps", "100000", "--json", home=supervised)
    assert command.stderr is not None
    wait_for(command.stderr, "step ")
    command.send_signal(signal.SIGINT)
    begun = time.monotonic()
    stdout, stderr = command.communicate(timeout=30)
    assert command.returncode == 130, stderr
    assert time.monotonic() - begun < 5
    data = json.loads(stdout)
    assert data["status"] == "cancelled"
    assert 0 < data["steps"] < 100_000
    assert Store(supervised, supervised=False).run(data["run"]).status == "cancelled"


def test_a_failed_run_is_a_sentence_with_status_2(supervised: Path) -> None:
    store = Store(supervised, supervised=False)
    id = store.submit(preset("micro").with_(preset="broken", steps=2))
    until(lambda: not store.run(id).active)
    from inception_lab.cli.train import _report_failures
    from inception_lab.errors import RunError

    with pytest.raises(RunError, match="exit status 1 before its first step: ValueError: no such luck"):
        _report_failures([store.run(id)])


def test_no_runs_yet() -> None:
    assert answer("runs") == {"runs": []}
    assert lab("runs").stdout == "No runs yet. Start one: python -m inception_lab train micro\n"


def test_every_setting_has_an_option() -> None:
    assert set(HELP) == set(FIELDS) - {"preset"}
    shown = lab("train", "--help").stdout
    assert all(f"--{name.replace('_', '-')}" in shown for name in HELP)
    assert lab("train", "micro", "--optimiser", "lion").exit_code == 2


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "0.125", 0.125),
        ("scale", "1", 1.0),
        ("batch", "64", 64),
        ("clip", "none", None),
        ("clip", "2", 2.0),
        ("repeats", "5/10/5", (5, 10, 5)),
        ("repeats", "none", None),
        ("stage_scales", "0.1/0.2/1", (0.1, 0.2, 1.0)),
        ("end_norm", "true", True),
        ("small", "no", False),
        ("optimiser", "sgd", "sgd"),
        ("gain", "zero", "zero"),
        ("design", 'Net("a", stages=(1, 2))', 'Net("a", stages=(1, 2))'),
        ("fork", "0t9mm6r4730a4@40", Fork(run="0t9mm6r4730a4", step=40)),
    ],
)
def test_a_value_is_read_by_the_type_of_its_field(name: str, text: str, value: Any) -> None:
    assert parse(name, text) == value
    assert type(parse(name, text)) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("wdth", "1", "Did you mean 'width'"),
        ("width", "none", "width cannot be 'none'; it is a number."),
        ("batch", "1.5", "batch cannot be '1.5'; it is a whole number."),
        ("repeats", "5/x/5", "it is three numbers with / between them, such as 5/10/5, or none."),
        ("end_norm", "maybe", "it is true or false."),
        ("fork", "40", "it is a run and a step, as RUN@40, or none."),
    ],
)
def test_a_text_that_is_no_value_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        parse(name, text)


def test_what_the_lab_tells_of_a_setting_is_read_back() -> None:
    usual = Settings(clip=0.5, stage_scales=(0.1, 0.3, 1.0), fork=Fork(run="a@b", step=3))
    values = {name: getattr(usual, name) for name in FIELDS if getattr(usual, name) is not None}
    assert {name: parse(name, told(value)) for name, value in values.items()} == values


def test_set_outweighs_the_option_and_can_say_none(supervised: Path) -> None:
    words = ("--set", "repeats=none", "--set", "gain=learned", "--rate", "0.1", "--set", "rate=0.05")
    settings = answer("train", "micro", "--steps", "2", "--repeats", "1", "1", "1", *words)["settings"]
    assert (settings["repeats"], settings["gain"], settings["rate"]) == (None, "learned", 0.05)


def test_numbers_take_commas_or_spaces() -> None:
    assert Numbers(float).convert("1, 0.3 0.1,", None, None) == (1.0, 0.3, 0.1)
    assert Numbers(int).convert("3", None, None) == (3,)
    with pytest.raises(click.BadParameter):
        Numbers(int).convert("1.5", None, None)


def test_watching_ends_with_the_runs(supervised: Path) -> None:
    store = Store(supervised)
    ids = store.submit_many([preset("micro", steps=2), preset("micro", steps=2, seed=1)])
    states = list(watch(store, ids, poll=0.02))
    assert share(states[-1]) == 1.0
    assert headline(states[-1]) == "100% of 2 runs: 2 finished (nan 2)"
    assert [len(steps) for _, steps in states[-1]] == [2, 2]
    assert headline(states[-1][:1]).startswith("step 2/2: loss ")


def wait_for(stream: IO[str], text: str) -> None:
    """Read until a line holds `text`."""
    for line in stream:
        if text in line:
            return
    pytest.fail(f"{text!r} was never said")
