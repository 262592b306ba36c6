"""The command fetch: several networks, what is here, the room there is."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from inception_lab.cli import fetch as command
from inception_lab.cli.main import main
from inception_lab.models import hub
from inception_lab.models.records import RECORDS
from tests.models.hubfolder import randomised, safetensors_bytes, serving, store

ROOT = Path(__file__).resolve().parents[1]
TAG = "inception_v3.tf_in1k"


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    return tmp_path / "hf"


@pytest.fixture(scope="module")
def content() -> bytes:
    return safetensors_bytes(randomised("inception_v3").state_dict())


def test_several_at_once_and_what_is_here_is_said(content: bytes, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store(empty, "inception_v3.gluon_in1k", content)
    with serving(content) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        done = CliRunner().invoke(main, ["fetch", TAG, "inception_v3.gluon_in1k", "efficientnet_lite0", "--json"])
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert [(one["network"], one["fetched"]) for one in found["networks"]] == [
        (TAG, True),
        ("inception_v3.gluon_in1k", False),
        ("efficientnet_lite0", False),
    ]
    assert found["failed"] == {}
    assert "Here already: inception_v3.gluon_in1k, efficientnet_lite0." in done.stderr
    assert "To fetch: 1 files, 95 MB; " in done.stderr


def test_one_that_fails_does_not_stop_the_others(content: bytes, empty: Path) -> None:
    store(empty, TAG, content)
    done = CliRunner().invoke(main, ["fetch", "inception_v4", TAG, "--json"])
    assert done.exit_code == 2
    found = json.loads(done.stdout)
    assert [one["network"] for one in found["networks"]] == [TAG]
    assert "hub cannot be reached" in found["failed"]["inception_v4.tf_in1k"]


def test_a_hub_that_does_not_answer_is_asked_once(content: bytes, empty: Path) -> None:
    """What is here is told, the first that is not gets the sentence, and the others stand in one line."""
    store(empty, TAG, content)
    done = CliRunner().invoke(main, ["fetch", "--all", "--json"])
    assert done.exit_code == 2
    found = json.loads(done.stdout)
    assert {one["network"] for one in found["networks"]} == {TAG, "efficientnet_lite0"}
    assert len(found["failed"]) == len(RECORDS) - 2
    assert done.stderr.count("the hub cannot be reached (") == 1
    assert "Here already: " in done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Not asked for either, as the hub cannot be reached: ")
    assert last.count(",") == len(found["failed"]) - 2 + 1


def test_all_without_room_begins_nothing(empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_free", lambda folder: 10**9)
    done = CliRunner().invoke(main, ["fetch", "--all"])
    assert done.exit_code == 2
    assert "There is no room for 1977 MB" in done.stderr
    assert "set HF_HOME" in done.stderr
    assert not list(empty.rglob("*.part"))


@pytest.mark.parametrize("words", [[], ["--all", TAG]])
def test_names_or_all(words: list[str]) -> None:
    done = CliRunner().invoke(main, ["fetch", *words])
    assert done.exit_code == 2
    assert "name the networks to fetch, or say --all" in done.stderr


def test_ctrl_c_keeps_what_came(content: bytes, empty: Path) -> None:
    """As a shell does it: the process is interrupted in the middle, and the same command brings the rest."""
    with serving(content) as server:
        server.stops_at = len(content) // 2
        words = [sys.executable, "-m", "inception_lab", "fetch", TAG, "--json"]
        given = {**os.environ, "HF_ENDPOINT": server.url}
        first = subprocess.Popen(
            words,
            cwd=ROOT,
            env=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # it is ignored in what runs behind an &
        )
        until = time.monotonic() + 60
        while not any(part.stat().st_size for part in empty.rglob("*.part")):
            assert time.monotonic() < until
            time.sleep(0.01)
        first.send_signal(signal.SIGINT)
        out, err = first.communicate(timeout=60)
        assert (first.returncode, out) == (130, "")
        assert "Stopped. What came is kept: the same command goes on from there." in err
        [part] = empty.rglob("*.part")
        kept = part.stat().st_size
        server.stops_at = None
        second = subprocess.run(words, cwd=ROOT, env=given, capture_output=True, text=True, check=True, timeout=60)
    assert 0 < kept < len(content)
    assert f"GET {kept}" in server.requests
    assert Path(json.loads(second.stdout)["file"]).read_bytes() == content


def test_a_full_disk_is_a_sentence(content: bytes, empty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(hub, "http_get", full)
    with serving(content) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        done = CliRunner().invoke(main, ["fetch", TAG])
    assert done.exit_code == 2
    assert "(No space left on device): make room there, or set HF_HOME to a folder on another disk." in done.stderr
