"""A fork shares its parent's past to the last digit, and goes on as its parent would have but for what was changed."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from inception_lab.errors import RunError, SettingsError, UnknownRun
from inception_lab.jobs import folder as folders
from inception_lab.jobs.follow import Follower
from inception_lab.jobs.fork import fork
from inception_lab.jobs.store import Store
from inception_lab.training import control, events, files
from inception_lab.training.control import Change, Control
from inception_lab.training.events import Step
from inception_lab.training.settings import Fork, Settings
from inception_lab.training.worker import work
from tests.training import datafiles
from tests.training.tiny import tiny


def made(store: Store, id: str) -> str:
    """The run's `events.jsonl` after it was made in this process."""
    assert work(store.folder(id)) == 0, (store.folder(id) / "events.jsonl").read_text()[-500:]
    return (store.folder(id) / "events.jsonl").read_text()


def steps(store: Store, id: str) -> list[Step]:
    return events.read_steps(store.folder(id) / "events.jsonl")


def without_checkpoints(store: Store, id: str) -> None:
    for file in files.checkpoints(store.folder(id)).values():
        file.unlink()


def result(store: Store, id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((store.folder(id) / "result.json").read_text())
    return found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test accuracy, which takes longer than the steps of a tiny run."""
    monkeypatch.setattr("inception_lab.training.loop.Training.test_accuracy", lambda *_, **__: 0.5)


@pytest.mark.parametrize(
    "how", [{}, {"average": 0.9, "dropout": 0.5, "augment": True, "gain": "learned"}, {"optimiser": "adam"}], ids=str
)
def test_a_fork_that_changes_nothing_is_its_parent(store: Store, how: dict[str, Any]) -> None:
    parent = store.submit(tiny(checkpoint_every=3, rate=0.01, **how))
    whole = made(store, parent)
    assert list(files.checkpoints(store.folder(parent))) == [3]
    weights = load_file(store.folder(parent) / "model.safetensors")
    from_checkpoint, from_the_start = (fork(store, parent, step=4) for _ in range(2))
    without_checkpoints(store, from_the_start)
    for child in (from_checkpoint, from_the_start):
        assert made(store, child) == whole
        assert result(store, child)["test_accuracy"] == result(store, parent)["test_accuracy"]
        found = load_file(store.folder(child) / "model.safetensors")
        assert found.keys() == weights.keys()
        assert all(torch.equal(found[name], weights[name]) for name in weights)
    assert store.run(from_checkpoint).settings == tiny(
        checkpoint_every=3, rate=0.01, fork=Fork(run=parent, step=4), **how
    )


@pytest.mark.usefixtures("quick")
def test_the_past_is_equal_and_the_rest_is_the_changes(store: Store) -> None:
    parent = store.submit(tiny(checkpoint_every=3, scale=1.0))
    before = made(store, parent).splitlines()
    scaled, slower = fork(store, parent, step=4, scale=0.1), fork(store, parent, step=4, rate=0.01)
    for child, change in ((scaled, {"scale": 0.1}), (slower, {"rate": 0.01})):
        after = made(store, child).splitlines()
        assert after[:5] == before[:5]  # start, steps 0 to 3
        assert after[5] == events.encode(events.change(4, change))
        assert [step.step for step in steps(store, child)] == list(range(6))
        assert result(store, child)["changes"] == [{"step": 4, "changes": change}]
    plain = steps(store, parent)
    assert steps(store, scaled)[4].residual[0] == pytest.approx(0.1 * plain[4].residual[0], rel=1e-4)
    assert steps(store, slower)[4].loss == plain[4].loss  # the weights it meets were made at the old rate
    assert [step.rate for step in steps(store, slower)] == [0.05] * 4 + [0.01] * 2
    assert steps(store, slower)[5].loss != plain[5].loss
    again = fork(store, parent, step=4, scale=0.1)
    without_checkpoints(store, again)
    assert made(store, again) == (store.folder(scaled) / "events.jsonl").read_text()
    assert Follower().changes(store.folder(scaled)) == (Change(4, {"scale": 0.1}),)


@pytest.mark.usefixtures("quick")
def test_a_fork_at_a_checkpoint_makes_nothing_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = store.submit(tiny(checkpoint_every=3))
    made(store, parent)
    counted: list[int] = []
    from inception_lab.training.loop import Training

    measured = Training._measured
    monkeypatch.setattr(Training, "_measured", lambda self: counted.append(self.at) or measured(self))
    child = fork(store, parent, step=3, rate=0.01)
    store.delete(parent)  # the fork has all it needs
    made(store, child)
    assert counted == [3, 4, 5]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("lost", ["optimiser", "order"])
def test_a_state_that_lacks_something_is_found_out(store: Store, lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = store.submit(tiny(checkpoint_every=2, steps=8))
    made(store, parent)
    child = fork(store, parent, step=4)
    (store.folder(child) / "checkpoint-000004.pt").unlink()
    shutil.copy(store.folder(parent) / "checkpoint-000002.pt", store.folder(child))
    file = store.folder(child) / "checkpoint-000002.pt"
    kept = torch.load(file, weights_only=True)
    file.unlink()  # it is a link to the parent's
    if lost == "optimiser":
        del kept["state"]["optimiser"]
    else:
        kept["state"]["at"] = 1
    torch.save(kept, file.with_name(files.checkpoint(kept["state"]["at"])))
    assert work(store.folder(child)) == 1
    assert "came out otherwise than run" in result(store, child)["error"]
    assert result(store, child)["status"] == "failed"
    assert steps(store, child) == steps(store, parent)[: len(steps(store, child))]  # nothing untrue was written


@pytest.mark.usefixtures("quick")
def test_a_damaged_checkpoint_costs_time_only(store: Store) -> None:
    parent = store.submit(tiny(checkpoint_every=3))
    whole = made(store, parent)
    child = fork(store, parent, step=5)
    file = store.folder(child) / "checkpoint-000003.pt"
    content = file.read_bytes()
    file.unlink()  # it is a link to the parent's
    file.write_bytes(content[: len(content) // 2])
    assert made(store, child) == whole


@pytest.mark.usefixtures("quick")
def test_a_fork_of_a_fork_and_of_a_changed_run(store: Store) -> None:
    first = store.submit(tiny(steps=8, scale=1.0))
    control.write(store.folder(first), Control(None, (Change(2, {"rate": 0.02}),)))
    whole = made(store, first)
    assert [step.rate for step in steps(store, first)] == [0.05] * 2 + [0.02] * 6
    assert made(store, fork(store, first, step=5)) == whole
    second = fork(store, first, step=4, scale=0.3)
    assert store.run(second).settings.rate == 0.02
    branched = made(store, second)
    third = fork(store, second, step=6, rate=0.001)
    assert store.run(third).settings == tiny(steps=8, scale=0.3, rate=0.001, fork=Fork(run=second, step=6))
    lines = made(store, third).splitlines()
    assert lines[:9] == branched.splitlines()[:9]  # start, two changes, steps 0 to 5
    assert lines[9] == events.encode(events.change(6, {"rate": 0.001}))
    early = fork(store, second, step=3, rate=0.001)  # before the second branched: what it shares is the first's
    assert store.run(early).settings == tiny(steps=8, scale=1.0, rate=0.001, fork=Fork(run=second, step=3))
    assert made(store, early).splitlines()[:5] == whole.splitlines()[:5]


@pytest.mark.usefixtures("quick")
def test_a_finished_run_can_go_on(store: Store) -> None:
    parent = store.submit(tiny(steps=4, checkpoint_every=2))
    made(store, parent)
    longer = store.submit(tiny(steps=7))
    child = fork(store, parent, step=4, steps=7)
    assert made(store, child) == made(store, longer)


@pytest.mark.usefixtures("quick")
def test_a_fork_can_be_resumed_wherever_it_was_killed(store: Store) -> None:
    parent = store.submit(tiny(checkpoint_every=2))
    made(store, parent)
    child = fork(store, parent, step=3, scale=0.5)
    folder = store.folder(child)
    store.change(child, rate=0.01)  # told before it began, held from the first step that is its own
    whole = made(store, child)
    assert [step.rate for step in steps(store, child)] == [0.05] * 3 + [0.01] * 3
    for lines, known_at in ((0, 0), (2, 0), (5, 0), (6, 3), (8, 3)):
        control.write(folder, Control(0, (Change(0, {"rate": 0.01}),)))
        (folder / "events.jsonl").write_text("".join(whole.splitlines(keepends=True)[:lines]))
        store.cancel(child)
        store.resume(child)
        assert control.read(folder) == Control(None, (Change(known_at, {"rate": 0.01}),))
        assert sorted(files.checkpoints(folder)) == [2]  # that of the past, not its own
        assert made(store, child) == whole


def test_what_would_change_the_past_is_refused(store: Store, quick: None) -> None:
    parent = store.submit(tiny())
    made(store, parent)
    for change in ({"width": 0.1}, {"batch": 4}, {"seed": 3}, {"init": "xavier"}, {"network": "inception_v4"}):
        with pytest.raises(SettingsError, match=f"{next(iter(change))} cannot change in a fork"):
            fork(store, parent, step=3, **change)
    with pytest.raises(SettingsError, match="fork cannot change"):
        fork(store, parent, step=3, fork=None)
    with pytest.raises(SettingsError, match="scale must be from 0 to 10"):
        fork(store, parent, step=3, scale=-1.0)
    with pytest.raises(SettingsError, match="of 6 steps has none left to make"):
        fork(store, parent, step=6)
    with pytest.raises(RunError, match="has made 6 steps, so it cannot be forked at step 7"):
        fork(store, parent, step=7, steps=20)
    with pytest.raises(RunError, match="from 0 on, not at -1"):
        fork(store, parent, step=-1)
    with pytest.raises(SettingsError, match="batch, seed cannot change in a fork"):
        store.submit(tiny(seed=4, batch=4, fork=Fork(run=parent, step=2)))
    assert [run.id for run in store.runs()] == [parent]


def test_a_scale_outweighs_the_stages_own(store: Store, quick: None) -> None:
    parent = store.submit(tiny(steps=2, stage_scales=(0.1, 0.2, 0.3)))
    made(store, parent)
    child = store.run(fork(store, parent, step=1, scale=0.5)).settings
    assert (child.scale, child.stage_scales) == (0.5, None)
    staged = fork(store, parent, step=1, stage_scales=(0.5, 0.5, 0.5))
    made(store, staged)
    assert result(store, staged)["changes"] == [{"step": 1, "changes": {"stage_scales": [0.5, 0.5, 0.5]}}]


def test_a_lost_or_damaged_parent_is_a_sentence(store: Store, quick: None) -> None:
    parent = store.submit(tiny())
    made(store, parent)
    file = store.folder(parent) / "events.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([*lines[:4], lines[4][:40] + "\n", *lines[5:]]))
    with pytest.raises(RunError, match="damaged: step 3 is missing"):
        fork(store, parent, step=5)
    child = fork(store, parent, step=3)
    (store.folder(child) / "past.jsonl").write_text(lines[1])
    assert work(store.folder(child)) == 1
    assert "its folder holds 1 steps of the past. Fork that run again." in result(store, child)["error"]
    (store.folder(child) / "origin.json").unlink()
    assert work(store.folder(child)) == 1
    assert "was forked from cannot be read" in result(store, child)["error"]
    store.delete(parent)
    with pytest.raises(UnknownRun, match=f"Run {parent} is no longer there, so nothing can branch"):
        fork(store, parent, step=3)


def test_a_fork_tells_when_its_past_was_made_otherwise(store: Store, quick: None) -> None:
    parent = store.submit(tiny())
    made(store, parent)
    file = store.folder(parent) / "events.jsonl"
    first, *rest = events.read(file)[0]
    rest[2]["loss"] *= 1.000001
    file.write_text("".join(f"{events.encode(event)}\n" for event in (first, *rest)))
    child = fork(store, parent, step=4, scale=0.1)
    assert work(store.folder(child)) == 1
    error = result(store, child)["error"]
    assert error.startswith(f"Step 2 came out otherwise than run {parent} recorded it")
    assert "another machine" in error


def test_a_folder_whose_images_changed_is_no_past_and_no_second_try(store: Store, quick: None, tmp_path: Path) -> None:
    images = datafiles.folder(tmp_path / "photos", {"x": 12, "y": 12})
    mine = tiny(data=f"folder:{images}", image_size=20, batch=4, steps=4)
    parent = store.submit(mine)
    made(store, parent)
    child = fork(store, parent, step=2, rate=0.01)
    made(store, child)
    late = fork(store, child, step=3, rate=0.02)
    assert steps(store, child)[:2] == steps(store, parent)[:2]
    image = images / "x" / "000.png"
    image.write_bytes(datafiles.picture((200, 200, 200), (20, 20)))
    for again in (parent, child):
        with pytest.raises(RunError, match=f"The images in {images} are not those that the run began with"):
            fork(store, again, step=2, rate=0.03)
    assert work(store.folder(late)) == 1
    assert "The images in" in str(result(store, late)["error"])
    kept = store.folder(parent) / "events.jsonl"
    before = kept.read_bytes()
    with pytest.raises(RunError, match="start a new run"):
        folders.clear(store.folder(parent), mine)
    assert kept.read_bytes() == before
    made(store, store.submit(mine))


def test_settings_of_a_fork_survive_json() -> None:
    settings = tiny(fork=Fork(run="a", step=2))
    assert Settings.from_dict(json.loads(json.dumps(settings.to_dict()))) == settings
