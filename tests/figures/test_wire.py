"""What a browser can put together from the messages is what was sent, whatever was lost on the way."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inception_lab.figures.wire import Wire


class Browser:
    """The other end, as assets/components/wire.js does it."""

    def __init__(self) -> None:
        self.base, self.kept = "", dict[str, NDArray[Any]]()

    def take(self, message: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        news = {name: (kind, start, base64.b64decode(text)) for name, (kind, start, text) in message["arrays"].items()}
        if message["whole"]:
            self.base = message["base"]
            self.kept = {name: np.frombuffer(data, kind) for name, (kind, _, data) in news.items()}
        if self.base != message["base"]:
            return None
        joined = {
            name: np.concatenate([self.kept[name][:start], np.frombuffer(data, kind)])
            if start
            else np.frombuffer(data, kind)
            for name, (kind, start, data) in news.items()
        }
        return {**self.kept, **joined}


def line(count: int) -> NDArray[Any]:
    return np.sin(np.arange(count)).astype("f4")


def test_a_line_that_grows_costs_its_new_points() -> None:
    wire, browser = Wire(), Browser()
    first = wire.send({"loss": line(1000)})
    assert (first["whole"], len(first["arrays"]["loss"][2])) == (True, 5336)
    browser.take(first)
    wire.send({"loss": line(1005)})  # lost
    third = wire.send({"loss": line(1010)})
    assert (third["whole"], third["arrays"]["loss"][:2], len(third["arrays"]["loss"][2])) == (False, ["f4", 1000], 56)
    got = browser.take(third)
    assert got is not None
    assert np.array_equal(got["loss"], line(1010))


def test_nothing_new_is_nothing_sent() -> None:
    wire = Wire()
    values = line(50)
    values[7] = np.nan
    wire.send({"loss": values, "steps": np.arange(50)})
    assert wire.send({"loss": values.copy(), "steps": np.arange(50)})["arrays"] == {}


def test_what_changed_in_the_middle_shrank_or_is_new_arrives() -> None:
    wire, browser = Wire(), Browser()
    browser.take(wire.send({"a": line(100), "b": line(100), "c": line(300)}))
    changed = line(100)
    changed[90] = 5
    wanted = {"a": changed, "b": line(60), "c": line(300), "d": np.arange(3)}
    message = wire.send(wanted)
    assert not message["whole"]
    assert message["arrays"]["a"][1] == 90
    got = browser.take(message)
    assert got is not None
    assert all(np.array_equal(got[name], values) for name, values in wanted.items())


def test_news_of_a_quarter_become_a_base_of_their_own() -> None:
    wire = Wire()
    base = wire.send({"a": line(100)})["base"]
    assert not wire.send({"a": line(125)})["whole"]
    again = wire.send({"a": line(126)})
    assert again["whole"]
    assert again["base"] != base


def test_a_browser_without_the_base_sees_that_it_lacks_it() -> None:
    wire = Wire()
    wire.send({"a": line(100)})
    assert Browser().take(wire.send({"a": line(101)})) is None


def test_a_figures_arrays_stand_under_names_and_its_lists_stay() -> None:
    drawn = {"data": [{"uid": "t0", "x": [1, 2], "y": line(2)}], "layout": {"title": "x"}}
    message = Wire().figure(drawn)
    assert message["figure"] == {"data": [{"uid": "t0", "x": [1, 2], "y": {"wire": "t0 y"}}], "layout": {"title": "x"}}
    assert list(message["arrays"]) == ["t0 y"]
    assert isinstance(drawn["data"][0]["y"], np.ndarray), "what it was made from is not touched"  # type: ignore[index]
