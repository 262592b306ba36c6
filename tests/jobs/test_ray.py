"""Runs on a real Ray cluster that the test starts; needs the extra `ray`."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from inception_lab.assets import asset
from inception_lab.errors import RunError
from inception_lab.jobs import launch
from inception_lab.jobs.executors import RayExecutor
from inception_lab.jobs.store import Store
from inception_lab.training.events import read_steps
from inception_lab.training.settings import Settings
from tests.jobs.conftest import Supervise
from tests.jobs.live import until

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.heavy


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """A cluster of two CPUs on this machine; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = tempfile.mkdtemp(prefix="r", dir="/tmp")  # short: Ray puts Unix sockets in it
    ray = Path(sys.executable).with_name("ray")
    options = f"--head --block --port={port} --num-cpus=2 --include-dashboard=false --object-store-memory=80000000"
    head = subprocess.Popen(
        [ray, "start", *options.split(), f"--temp-dir={place}", "--node-ip-address=127.0.0.1"],
        env={**os.environ, "RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: _listens(port), seconds=60)
    yield f"127.0.0.1:{port}"
    os.killpg(head.pid, signal.SIGTERM)
    head.wait(60)
    shutil.rmtree(place, ignore_errors=True)


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def ray_supervise(cluster: str, supervise: Supervise, monkeypatch: pytest.MonkeyPatch) -> Supervise:
    """A supervisor that gives its runs to the cluster."""
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    return supervise


def test_runs_finish_fail_are_cancelled_and_adopted(store: Store, ray_supervise: Supervise) -> None:
    first = ray_supervise()
    short, broken = store.submit_many([Settings(steps=5), Settings(preset="broken")])
    until(lambda: not store.run(short).active and not store.run(broken).active, seconds=90)
    assert store.run(short).status == "finished"
    assert [step.step for step in read_steps(store.folder(short) / "events.jsonl")] == list(range(5))
    assert (store.folder(short) / "log.txt").read_text().startswith("working\n")
    assert store.run(broken).status == "interrupted"

    long, stubborn = store.submit_many([Settings(steps=100_000), Settings(steps=100_000, preset="stubborn")])
    for run in (long, stubborn):
        until(lambda run=run: read_steps(store.folder(run) / "events.jsonl"), seconds=60)
    store.cancel(stubborn)
    until(lambda: store.run(stubborn).status == "cancelled", seconds=10)

    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not first.alive)
    assert store.run(long).status == "running"
    assert ray_supervise() != first
    made = len(read_steps(store.folder(long) / "events.jsonl"))
    until(lambda: len(read_steps(store.folder(long) / "events.jsonl")) > made)
    store.cancel(long)
    until(lambda: store.run(long).status == "cancelled", seconds=30)
    result = store.run(long).result
    assert result is not None
    assert result["steps"] > made


def test_parts_of_an_evaluation_are_the_whole(cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tasks of the cluster, whose workers start elsewhere and must find the lab by themselves."""
    for place in ("967", "285", "504"):
        (tmp_path / "set" / place).mkdir(parents=True)
        shutil.copy(asset("samples", "coffee.jpg"), tmp_path / "set" / place)
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    words = [sys.executable, "-m", "inception_lab", "evaluate", str(tmp_path / "set"), "--json"]
    asked = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 240}
    whole, parts = (subprocess.run([*words, *more], **asked) for more in ([], ["--ray", "2"]))  # type: ignore[call-overload]
    assert parts.returncode == 0, parts.stderr
    found = json.loads(parts.stdout)
    assert (found["rows"], found["processes"]) == (json.loads(whole.stdout)["rows"], 2)
    assert "2 of 2 parts" in parts.stderr
    refused = subprocess.run([*words[:4], str(tmp_path / "set" / "967"), "--ray", "2"], **asked)  # type: ignore[call-overload]
    assert refused.returncode == 2
    assert "has no class folders with photographs" in refused.stderr


def test_missing_cluster_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=r"There is no Ray cluster at 127\.0\.0\.1:1: "):
        RayExecutor(launch.WORK, address="127.0.0.1:1")
