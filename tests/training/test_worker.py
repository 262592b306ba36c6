"""A run as a process: its folder says the truth when it ends, is stopped, is killed, or could never start."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open

from inception_lab.readers.notation import parse
from inception_lab.training import events
from inception_lab.training.events import Step
from inception_lab.training.report import Report, settings_in
from inception_lab.training.run import run, work
from inception_lab.training.settings import Settings
from tests.training.tiny import tiny

PATIENCE = 120.0


def submitted(folder: Path, settings: Settings) -> Path:
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps(settings.to_dict()))
    return folder


def started(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "inception_lab.training", str(folder)])


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "result.json").read_text())
    return found


def steps_so_far(folder: Path, *, at_least: int) -> list[Step]:
    deadline = time.monotonic() + PATIENCE
    while len(found := events.read_steps(folder / "events.jsonl")) < at_least:
        assert time.monotonic() < deadline, f"only {len(found)} steps in {PATIENCE:g} s"
        time.sleep(0.02)
    return found


@pytest.fixture
def endless(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    """A process in a run that would take minutes."""
    folder = submitted(tmp_path / "endless", tiny(steps=100_000))
    process = started(folder)
    yield folder, process
    process.kill()
    process.wait()


def test_a_finished_run(tmp_path: Path) -> None:
    folder = submitted(tmp_path / "one", tiny())
    assert work(folder) == 0
    start, *steps, end = events.read(folder / "events.jsonl")[0]
    assert start["type"] == "start"
    assert start["addresses"][0] == "inception_resnet_v2_paper/A/01"
    assert (start["threads"], start["version"]) == (1, "0.1.0")
    assert [Step.from_dict(step) for step in steps] == list(run(tiny()))
    assert end == {"type": "end", "status": "finished", "error": None}
    found = result(folder)
    assert (found["run"], found["status"], found["steps"], found["error"]) == ("one", "finished", 6, None)
    assert found["outcome"] == "short"  # six steps
    assert Settings.from_dict(found["settings"]) == tiny()
    assert 0 <= found["test_accuracy"] <= 1
    assert not list(folder.glob("*.part"))
    with safe_open(folder / "model.safetensors", "pt") as weights:
        assert "C.01.linear.weight" in weights.keys()
        about = json.loads(weights.metadata()["inception_lab"])
    assert (about["version"], about["settings"]) == ("0.1.0", tiny().to_dict())
    assert parse(about["net"]) == tiny().net()
    assert about["labels"][:2] == ["T-shirt/top", "Trouser"]


def test_a_run_made_again_replaces_the_first_try(tmp_path: Path) -> None:
    folder = submitted(tmp_path / "again", tiny(steps=2))
    (folder / "events.jsonl").write_text('{"type":"step","st')
    (folder / "result.json").write_text("{}")
    assert work(folder) == 0
    assert len(events.read_steps(folder / "events.jsonl")) == 2
    assert result(folder)["steps"] == 2


def test_numbers_json_lacks_are_in_the_result_as_words(tmp_path: Path) -> None:
    folder = submitted(tmp_path / "wild", tiny(optimiser="sgd", rate=100.0, steps=20))
    assert work(folder) == 0
    found = result(folder)
    assert found["outcome"] == "nan"
    assert found["loss"] in ("nan", "inf")
    assert "</html>" in (folder / "autopsy.html").read_text()


def test_an_autopsy_that_fails_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[dict[str, Any]] = []

    def write(folder: Path) -> None:
        seen.append(result(folder))
        raise ZeroDivisionError

    monkeypatch.setattr("inception_lab.training.autopsy.write", write)
    folder = submitted(tmp_path / "well", tiny(steps=1))
    assert work(folder) == 0
    assert seen == [result(folder)]  # it found the result
    assert events.read(folder / "events.jsonl")[0][-1]["status"] == "finished"
    assert "has no autopsy" in caplog.text


def test_a_run_ends_with_its_own_limits_though_its_images_are_gone(tmp_path: Path) -> None:
    """Guessing between two classes gives 0.5, so 0.55 is a stall; between ten it would be slow."""
    images = tmp_path / "images"
    for name in ("cat", "dog"):
        (images / name).mkdir(parents=True)
        for number in range(6):
            (images / name / f"{number}.png").touch()
    folder = submitted(tmp_path / "run", tiny(data=f"folder:{images}"))
    with (folder / "events.jsonl").open("w") as file:
        report = Report(folder, file)
        report.settings = settings_in(folder)
        report.start(addresses=(), threads=1, device="cpu", parameters=1)
        for step in range(60):
            report.step(Step(step=step, loss=0.7, accuracy=0.55, rate=0.1))
        shutil.rmtree(images)
        report.close("finished", None)
    assert (result(folder)["outcome"], result(folder)["steps"]) == ("stalls", 60)
    start, *_, end = events.read(folder / "events.jsonl")[0]
    assert (start["classes"], end["type"], end["error"]) == (2, "end", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "There is no settings.json"),
        ("{", "is not JSON"),
        ("[1]", "holds no settings"),
        ('{"rate": -1}', "rate must be from 0"),
        ('{"speed": 1}', "no setting 'speed'"),
        ('{"network": "inception_resnet_v2_printed"}', "512"),
    ],
)
def test_a_run_that_cannot_start_says_why(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "settings.json").write_text(text)
    assert work(tmp_path) == 1
    (end,) = events.read(tmp_path / "events.jsonl")[0]
    assert end["status"] == "failed"
    found = result(tmp_path)
    assert (found["status"], found["outcome"], found["steps"], found["error"]) == ("failed", None, 0, end["error"])
    assert words in end["error"]
    assert "Traceback" not in end["error"]


def test_an_unforeseen_failure_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = submitted(tmp_path / "broken", tiny())
    monkeypatch.setattr("inception_lab.training.loop.Training.test_accuracy", lambda *_, **__: 1 / 0)
    assert work(folder) == 1
    assert result(folder)["error"] == "ZeroDivisionError: division by zero"
    assert result(folder)["steps"] == 6
    assert not (folder / "model.safetensors").exists()


def test_a_cancel_file_stops_it_within_two_seconds(endless: tuple[Path, subprocess.Popen[bytes]]) -> None:
    folder, process = endless
    steps_so_far(folder, at_least=3)
    (folder / "cancel").touch()
    assert process.wait(PATIENCE) == 3
    assert (folder / "result.json").stat().st_mtime - (folder / "cancel").stat().st_mtime < 2
    found = result(folder)
    assert (found["status"], found["test_accuracy"]) == ("cancelled", None)
    assert found["steps"] == len(events.read_steps(folder / "events.jsonl")) >= 3
    assert events.read(folder / "events.jsonl")[0][-1]["status"] == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_sigterm_stops_it_too(endless: tuple[Path, subprocess.Popen[bytes]]) -> None:
    folder, process = endless
    steps_so_far(folder, at_least=1)
    process.terminate()
    assert process.wait(PATIENCE) == 3
    assert result(folder)["status"] == "cancelled"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
def test_sigterm_while_torch_is_loading(endless: tuple[Path, subprocess.Popen[bytes]]) -> None:
    folder, process = endless
    deadline = time.monotonic() + PATIENCE
    while not (folder / "events.jsonl").exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.terminate()
    assert process.wait(PATIENCE) == 3
    assert result(folder)["status"] == "cancelled"


def test_a_run_cancelled_before_it_began_loads_nothing(tmp_path: Path) -> None:
    folder = submitted(tmp_path / "early", tiny())
    (folder / "cancel").touch()
    assert work(folder) == 3
    assert result(folder)["steps"] == 0
    assert result(folder)["outcome"] is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL to send")
def test_a_killed_run_stays_readable_and_claims_no_end(endless: tuple[Path, subprocess.Popen[bytes]]) -> None:
    folder, process = endless
    steps_so_far(folder, at_least=3)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    found, _ = events.read(folder / "events.jsonl")
    assert found[0]["type"] == "start"
    assert [event["step"] for event in found[1:]] == list(range(len(found) - 1))
    assert not (folder / "result.json").exists()


def test_signals_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM)
    work(submitted(tmp_path / "short", tiny(steps=1)))
    assert signal.getsignal(signal.SIGTERM) is before


def test_two_at_once_give_the_numbers_of_one_alone(tmp_path: Path) -> None:
    settings = tiny(width=0.1, steps=5)
    folders = [submitted(tmp_path / name, settings) for name in ("left", "right", "alone")]
    pair = [started(folder) for folder in folders[:2]]
    assert [process.wait(PATIENCE) for process in pair] == [0, 0]
    assert started(folders[2]).wait(PATIENCE) == 0
    left, right, alone = [(folder / "events.jsonl").read_bytes() for folder in folders]
    assert left == right == alone
    assert result(folders[0])["test_accuracy"] == result(folders[2])["test_accuracy"]
    assert (folders[0] / "model.safetensors").read_bytes() == (folders[2] / "model.safetensors").read_bytes()


def test_it_starts_without_torch_until_it_works() -> None:
    script = "import sys, inception_lab.training.run; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
