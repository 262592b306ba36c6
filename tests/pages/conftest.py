"""Pages without a browser: no warm-up in the background, and no supervisor left behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from inception_lab.jobs import launch


@pytest.fixture(autouse=True)
def quiet(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing cached from the test before, and nothing running after this one."""
    monkeypatch.setenv("INCEPTION_LAB_WARM", "0")
    st.cache_resource.clear()
    st.cache_data.clear()
    yield
    if home.exists():
        launch.stop(home)
