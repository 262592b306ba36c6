"""Worker functions without torch: what a run does is in its preset's name, how long in its steps (10 ms each)."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from inception_lab.jobs.store import Store
from inception_lab.training import events
from inception_lab.training.settings import Settings


def work(folder: Path) -> int:
    """A run as its preset says: `micro` is well, `deaf` to the cancel file, `stubborn` even to SIGTERM, or `broken`."""
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
            time.sleep(0.01)
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
        say(file, events.end(status))
    return 3 if status == "cancelled" else 0


def say(file, event) -> None:
    file.write(events.encode(event) + "\n")
    file.flush()


def claim_all(home: Path) -> list[str]:
    """Claim one run at a time until none is left."""
    store = Store(home, supervised=False)
    taken = []
    while runs := store.claim(1):
        taken += [run.id for run in runs]
    return taken
