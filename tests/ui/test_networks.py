"""The choice of a network: its card, the fetch, and the table of all."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.models.records import EMBEDDED, RECORDS
from tests.models.hubfolder import randomised, safetensors_bytes, serving

TAG = "inception_v3.tf_in1k"


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("INCEPTION_LAB_HOME", str(tmp_path / "lab"))
    return tmp_path


def script() -> None:
    import streamlit as st

    from inception_lab.ui import cards, networks

    st.session_state["picked"] = networks.pick()
    if st.query_params.get("view"):
        cards.show()


def opened(tag: str = "", *, view: str = "") -> AppTest:
    app = AppTest.from_function(script, default_timeout=60)
    if view:
        app.query_params["view"] = view
    if tag:
        app.query_params["network"] = tag
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(str(one.value) for one in (*app.caption, *app.info, *app.error)).replace("\\", "")


def test_the_embedded_network_needs_nothing() -> None:
    app = opened()
    assert app.session_state["picked"] == EMBEDDED
    assert "19 MB, ships with the lab" in said(app)
    assert "the middle 224×224" in said(app)
    assert not app.button


def test_every_network_has_a_card_and_a_row() -> None:
    app = opened(view="networks")
    [table] = app.dataframe
    rows = table.value
    assert list(rows["network"]) == list(RECORDS)
    assert dict(zip(rows["network"], rows["where"], strict=True))[TAG] == "not on this machine"
    assert rows["top-1 %"].isna().sum() == 2
    assert "measures it on your own images" in said(app), "of those two"
    assert [button.key for button in app.button if button.key.startswith("ask-")] == [f"ask-{EMBEDDED}"]
    assert len([button for button in app.button if button.key.startswith("fetch-")]) == len(RECORDS) - 1


def test_a_network_that_is_away_is_offered_and_the_embedded_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    app = opened(TAG)
    assert app.session_state["picked"] == EMBEDDED
    assert "is not on this machine yet. Going on with the embedded network" in said(app)
    assert "GB are free where it would be kept" in said(app)
    [fetch] = app.button
    assert fetch.label == f"Fetch {TAG}, about 95 MB"
    fetch.click().run()
    assert not app.exception
    assert "hub cannot be reached" in said(app)
    assert app.session_state["picked"] == EMBEDDED


def test_a_fetch_brings_it_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(safetensors_bytes(randomised("inception_v3").state_dict())) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        app = opened(TAG)
        app.button[0].click().run()
    assert not app.exception
    assert app.session_state["picked"] == TAG
    assert "95 MB, on this machine" in said(app)


def test_a_card_fetches_and_then_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(safetensors_bytes(randomised("inception_v3").state_dict())) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        app = opened(view="networks")
        app.button(key=f"fetch-{TAG}").click().run()
    assert not app.exception
    assert app.session_state["picked"] == EMBEDDED, "it is only brought here"
    assert dict(zip(app.dataframe[0].value["network"], app.dataframe[0].value["where"], strict=True))[TAG] == (
        "on this machine"
    )
    app.button(key=f"ask-{TAG}").click().run()
    assert app.session_state["picked"] == TAG
    assert app.session_state["view"] == "guesses"


def test_what_was_cut_off_is_said(empty: Path) -> None:
    part = empty / "hf" / "hub" / f"models--timm--{TAG}" / "blobs" / f"{'0' * 64}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(bytes(3_000_000))
    assert opened(TAG).button[0].label == f"Go on fetching {TAG}: 3 of about 95 MB are here"
