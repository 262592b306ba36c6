"""`runs pause|step|go|rate|fork`: what they tell a run, and what they print."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inception_lab.cli.main import main
from inception_lab.jobs import launch
from inception_lab.jobs.store import Store
from inception_lab.training import control, events
from inception_lab.training.control import Change, Control
from inception_lab.training.settings import Fork
from inception_lab.training.worker import work
from tests.training.tiny import tiny


@pytest.fixture(autouse=True)
def unsupervised(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is queued stays queued."""
    monkeypatch.setattr(launch, "ensure_running", lambda *_, **__: None)


def lab(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def answer(*words: str) -> Any:
    result = lab(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_runs_are_told_to_pause_step_change_and_go(home: Path) -> None:
    store = Store()
    one, two = store.submit_many([tiny(), tiny(seed=1)])
    first = answer("runs", "pause", one, two)["runs"][0]
    assert (first["run"], first["status"], first["paused"]) == (one, "queued", None)
    assert control.read(store.folder(one)) == control.read(store.folder(two)) == Control(0)
    answer("runs", "step", one)
    assert control.read(store.folder(one)) == Control(1)
    answer("runs", "step", one, "--steps", "25")
    answer("runs", "rate", one, "0.01")
    assert control.read(store.folder(one)) == Control(26, (Change(0, {"rate": 0.01}),))
    assert lab("runs", "go", one).stdout.splitlines()[0].split() == ["run", "status", "steps", "paused"]
    assert control.read(store.folder(one)).pause_at is None
    store.claim(1)
    (store.folder(one) / "events.jsonl").write_text(events.encode(events.pause(7)) + "\n")
    assert answer("runs", "go", one)["runs"][0]["paused"] == 7  # until it has heard


def test_a_fork_is_queued_with_its_settings() -> None:
    store = Store()
    run = store.submit(tiny())
    assert work(store.folder(run)) == 0
    store.cancel(run)
    data = answer("runs", "fork", run, "--step", "4", "--set", "scale=0.1", "--set", "schedule=ramp", "--set", "clip=2")
    assert (data["status"], data["settings"]["fork"]) == ("queued", {"run": run, "step": 4})
    assert store.run(data["run"]).settings == tiny(
        scale=0.1, schedule="ramp", clip=2, fork=Fork(run=run, step=4), stage_scales=None
    )
    staged = answer("runs", "fork", run, "--step", "0", "--set", "stage-scales=0.1/0.2/0.3", "--set", "clip=none")
    assert store.run(staged["run"]).settings == tiny(stage_scales=(0.1, 0.2, 0.3), fork=Fork(run=run, step=0))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("rate", "{run}", "-1"), "No such option"),
        (("rate", "{run}", "--", "-1"), "rate must be from 0 to 100"),
        (("pause", "nothing"), "There is no run 'nothing'"),
        (("fork", "{run}", "--step", "9"), "has made 0 steps, so it cannot be forked at step 9"),
        (("fork", "{run}", "--step", "0", "--set", "seed=3"), "seed cannot change in a fork"),
        (("fork", "{run}", "--step", "0", "--set", "scale"), "'scale' is not field=value"),
        (("fork", "{run}", "--step", "0", "--set", "rate=fast"), "it is a number"),
        (("fork", "gone", "--step", "0"), "Run gone is no longer there"),
    ],
)
def test_what_is_refused_is_a_sentence(words: tuple[str, ...], says: str) -> None:
    run = Store().submit(tiny())
    result = lab("runs", *(word.format(run=run) for word in words))
    assert result.exit_code == 2
    assert says in result.stderr
    assert "Traceback" not in result.stderr
