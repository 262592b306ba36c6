"""Explore serves those who click in the same instant one after the other, and nobody keeps his turn."""

from __future__ import annotations

from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.ui import explore


def visit(**link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    for name, value in link.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize(
    "link",
    [{}, {"view": "cost"}, {"view": "compare"}, {"at": "nonsense"}, {"design": "Net("}, {"size": "40"}],
    ids=str,
)
def test_a_page_ends_its_turn_however_it_ends(link: dict[str, str]) -> None:
    app = visit(**link)
    assert not app.exception
    assert not explore._TURN.locked()


def test_one_waits_while_another_is_served() -> None:
    waiting = Thread(target=visit)
    with explore._TURN:
        waiting.start()
        ends = monotonic() + 1.5
        while monotonic() < ends:
            assert waiting.is_alive()
            sleep(0.05)
    waiting.join(60)
    assert not waiting.is_alive()
