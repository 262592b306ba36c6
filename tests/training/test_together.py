"""Several runs in one process: each folder as if its run were alone, whatever happens to the others."""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from inception_lab.training import attempt, company, control, events
from inception_lab.training.control import Change, Control
from inception_lab.training.events import Step
from inception_lab.training.loop import Training
from inception_lab.training.report import Report
from inception_lab.training.run import run, work, work_together
from inception_lab.training.settings import Settings
from inception_lab.training.stacked import Stacked
from tests.training.tiny import tiny

CALM: dict[str, Any] = {"repeats": (1, 1, 1), "batch": 4, "rate": 0.001}
ARMS = [tiny(**CALM, scale=scale, seed=seed) for scale, seed in ((0.1, 0), (0.3, 1), (0.2, 2))]
Told = Callable[[Path, int], None]


def submitted(place: Path, arms: list[Settings]) -> list[Path]:
    folders = [place / f"run{number}" for number in range(len(arms))]
    for folder, arm in zip(folders, arms, strict=True):
        folder.mkdir(parents=True)
        (folder / "settings.json").write_text(json.dumps(arm.to_dict()))
    return folders


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def losses(folder: Path) -> list[float]:
    return [step.loss for step in events.read_steps(folder / "events.jsonl")]


def kinds(folder: Path) -> list[str]:
    return [event["type"] for event in events.read(folder / "events.jsonl")[0]]


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def tell(monkeypatch: pytest.MonkeyPatch) -> Callable[[Told], None]:
    """Let something be said to a run right after a step that it made in a stack."""
    written = company._step

    def start(told: Told) -> None:
        def step(report: Report, *, step: Step) -> None:
            written(report, step=step)
            told(report.folder, step.step)

        monkeypatch.setattr(company, "_step", step)

    return start


def test_each_folder_holds_what_a_run_alone_leaves(tmp_path: Path) -> None:
    """Losses of six steps to 1e-4, weights to 1e-3: in 32 bits sums in another order, at a low rate."""
    together, alone = submitted(tmp_path / "stack", ARMS), submitted(tmp_path / "alone", ARMS)
    assert work_together(together) == 0
    for folder, other, arm in zip(together, alone, ARMS, strict=True):
        assert work(other) == 0
        assert sorted(file.name for file in folder.iterdir()) == sorted(file.name for file in other.iterdir())
        assert kinds(folder) == kinds(other) == ["start", *6 * ["step"], "end"]
        (first, *_), (expected, *_) = (events.read(place / "events.jsonl")[0] for place in (folder, other))
        assert (first.pop("together"), expected.pop("together")) == (3, 1)
        assert first == expected
        assert losses(folder) == pytest.approx(losses(other), rel=1e-4)
        found, wanted = result(folder), result(other)
        assert found.keys() == wanted.keys()
        assert [found[name] for name in ("status", "outcome", "steps", "settings", "together")] == [
            "finished",
            wanted["outcome"],
            6,
            arm.to_dict(),
            3,
        ]
        assert found["test_accuracy"] == pytest.approx(wanted["test_accuracy"], abs=0.02)
        weights = load_file(other / "model.safetensors")
        for name, value in load_file(folder / "model.safetensors").items():
            assert torch.allclose(value.float(), weights[name].float(), rtol=1e-3, atol=1e-4), name


def test_one_that_is_cancelled_leaves_the_others(tmp_path: Path, tell: Callable[[Told], None]) -> None:
    folders = submitted(tmp_path, ARMS)
    tell(lambda folder, step: (folder / "cancel").touch() if (folder.name, step) == ("run1", 2) else None)
    assert work_together(folders) == 3
    assert [result(folder)["status"] for folder in folders] == ["finished", "cancelled", "finished"]
    assert [len(losses(folder)) for folder in folders] == [6, 3, 6]
    assert not (folders[1] / "model.safetensors").exists()


def test_one_that_is_changed_goes_on_by_itself(tmp_path: Path, tell: Callable[[Told], None]) -> None:
    folders = submitted(tmp_path / "stack", ARMS)
    changed = Control(None, (Change(0, {"rate": 0.002}),))
    tell(lambda folder, step: control.write(folder, changed) if (folder.name, step) == ("run1", 2) else None)
    assert work_together(folders) == 0
    assert kinds(folders[1]) == ["start", *3 * ["step"], "change", *3 * ["step"], "end"]
    assert result(folders[1])["changes"] == [{"step": 3, "changes": {"rate": 0.002}}]
    (alone,) = submitted(tmp_path / "alone", ARMS[1:2])
    control.write(alone, Control(None, (Change(3, {"rate": 0.002}),)))
    work(alone)
    assert losses(folders[1]) == pytest.approx(losses(alone), rel=1e-3)
    assert [step.rate for step in events.read_steps(folders[1] / "events.jsonl")] == [*3 * [0.001], *3 * [0.002]]
    assert [kinds(folder).count("step") for folder in folders] == [6, 6, 6]


def test_one_that_pauses_waits_while_the_others_end(tmp_path: Path) -> None:
    folders = submitted(tmp_path, ARMS)
    control.write(folders[0], Control(2))
    worker = threading.Thread(target=work_together, args=(folders,), daemon=True)
    worker.start()
    until(lambda: all((folder / "result.json").exists() for folder in folders[1:]))
    until(lambda: "pause" in kinds(folders[0]))
    assert (kinds(folders[0]), worker.is_alive()) == (["start", "step", "step", "pause"], True)
    control.write(folders[0], Control(3))
    until(lambda: kinds(folders[0]).count("pause") == 2)
    assert kinds(folders[0]) == ["start", "step", "step", "pause", "step", "pause"]
    control.write(folders[0], Control())
    worker.join(60)
    assert (result(folders[0])["status"], len(losses(folders[0]))) == ("finished", 6)
    assert len({round(loss, 9) for loss in losses(folders[0])}) == 6


def test_one_that_becomes_nan_hurts_nobody(tmp_path: Path) -> None:
    calm = tiny(**CALM, optimiser="sgd", steps=20)
    arms = [calm.with_(scale=0.1), calm.with_(rate=100.0, scale=1.0), calm.with_(scale=0.3, seed=1)]
    folders = submitted(tmp_path, arms)
    assert work_together(folders) == 0
    assert result(folders[1])["outcome"] == "nan"
    assert not math.isfinite(losses(folders[1])[-1])
    assert "</html>" in (folders[1] / "autopsy.html").read_text()
    for place in (0, 2):
        assert losses(folders[place]) == pytest.approx([step.loss for step in run(arms[place])], rel=1e-3)


def test_one_that_cannot_begin_fails_alone(tmp_path: Path) -> None:
    folders = submitted(tmp_path, ARMS)
    (folders[0] / "settings.json").unlink()
    (folders[2] / "cancel").touch()
    assert work_together(folders) == 3
    assert [result(folder)["status"] for folder in folders] == ["failed", "finished", "cancelled"]
    assert "There is no settings.json" in result(folders[0])["error"]
    assert len(losses(folders[1])) == 6


def test_one_that_fails_at_its_end_fails_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = submitted(tmp_path, ARMS[:2])
    kept = attempt.keep

    def keep(training: Training, settings: Settings, folder: Path) -> None:
        if folder == folders[0]:
            raise OSError("No space left on device")
        kept(training, settings, folder)

    monkeypatch.setattr(attempt, "keep", keep)
    assert work_together(folders) == 1
    assert [result(folder)["status"] for folder in folders] == ["failed", "finished"]
    assert result(folders[0])["error"] == "OSError: No space left on device"


@pytest.mark.parametrize("cause", ["it broke", "they do not stack"])
def test_without_a_stack_each_is_made_by_itself(
    cause: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    arms = ARMS[:2] if cause == "it broke" else [ARMS[0], ARMS[1].with_(batch=5)]
    steps = Stacked.steps

    def breaking(self: Stacked, *, until: int | None = None) -> Any:
        if self.at == 2:
            raise RuntimeError("out of memory")
        return steps(self, until=until)

    monkeypatch.setattr(Stacked, "steps", breaking)
    folders = submitted(tmp_path, arms)
    assert work_together(folders) == 0
    for folder, arm in zip(folders, arms, strict=True):
        assert events.read_steps(folder / "events.jsonl") == list(run(arm))
        assert events.read(folder / "events.jsonl")[0][0]["together"] == result(folder)["together"] == 1
    assert "made one after another" in caplog.text


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_a_signal_ends_them_all(tmp_path: Path) -> None:
    folders = submitted(tmp_path, [arm.with_(steps=100_000) for arm in ARMS[:2]])
    script = "import sys; from inception_lab.training.run import work_together; sys.exit(work_together(sys.argv[1:]))"
    process = subprocess.Popen([sys.executable, "-c", script, *map(str, folders)])
    try:
        until(lambda: all(losses(folder) for folder in folders))
        os.kill(process.pid, signal.SIGTERM)
        assert process.wait(60) == 3
    finally:
        process.kill()
    assert [result(folder)["status"] for folder in folders] == ["cancelled", "cancelled"]
