"""Worker functions without torch: what a run does is in its preset's name, how long in its steps (10 ms each)."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

from inception_lab.jobs.store import Store
from inception_lab.training import events
from inception_lab.training.settings import Settings


def work(folder: Path) -> int:
    """A run as its preset says: `micro` is well, `deaf` to the cancel file, `stubborn` even to SIGTERM, `late`
    with its end, or `broken`."""
    for _ in made(folder):
        time.sleep(0.01)
    return 3 if (folder / "cancel").exists() else 0


def work_together(folders: list[Path]) -> int:
    """Such runs in turns."""
    going = [made(folder) for folder in folders]
    while going := [run for run in going if next(run, "over") != "over"]:
        time.sleep(0.01)
    time.sleep(0.5)  # a process that is slower to go than its runs are to end
    return 0


def made(folder: Path) -> Iterator[None]:
    """Such a run, step by step."""
    settings = Settings.from_dict(json.loads((folder / "settings.json").read_text()))
    print("working", flush=True)
    if settings.preset == "broken":
        raise ValueError("no such luck")
    if settings.preset == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])  # a child in the group
    status: events.Status = "finished"
    with (folder / "events.jsonl").open("w") as file:
        say(file, events.start(addresses=(), version="0", threads=1, device="cpu", parameters=1))
        for step in range(settings.steps):
            if settings.preset == "micro" and (folder / "cancel").exists():
                status = "cancelled"
                break
            say(file, events.Step(step=step, loss=settings.seed + 1 / (step + 1), accuracy=0.5, rate=0.1).to_dict())
            yield
        result = {
            "run": folder.name,
            "outcome": "nan",
            "status": status,
            "steps": step + 1,
            "loss": "nan",
            "accuracy": 0.5,
        }
        (folder / "draft").write_text(json.dumps(result))
        (folder / "draft").rename(folder / "result.json")
        while settings.preset == "late" and not (folder / "go").exists():
            yield
        say(file, events.end(status))


def say(file, event) -> None:
    file.write(events.encode(event) + "\n")
    file.flush()


_line: list[Barrier] = []


def lined_up(line: Barrier) -> None:
    """Let this process open homes at the same moment as others; for its start."""
    _line.append(line)


def open_new(homes: list[Path]) -> list[int]:
    """How many runs there are in each of the homes, as one of many that look into it for the first time."""
    found = []
    for home in homes:
        _line[0].wait(60)
        found.append(len(Store(home, supervised=False).runs()))
    return found


def claim_all(home: Path) -> list[str]:
    """Claim one run at a time until none is left."""
    store = Store(home, supervised=False)
    taken = []
    while runs := store.claim(1):
        taken += [run.id for run in runs]
    return taken
