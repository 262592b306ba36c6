"""The command fetch: several networks, what is here, the room there is."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from inception_lab.cli import fetch as command
from inception_lab.cli.main import main
from tests.models.hubfolder import randomised, safetensors_bytes, serving, store

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
