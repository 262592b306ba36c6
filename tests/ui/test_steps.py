"""The way of a design: whatever is done in whatever order, the Python makes the network, and nothing gets lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from inception_lab.nets.catalog import net
from inception_lab.nets.ops import Net
from inception_lab.readers.notation import notation, parse
from inception_lab.ui.steps import KEPT, Call, History, Step

START = Step(net("inception_resnet_v1"), 'net = lab.net("inception_resnet_v1")')
CALLS = st.one_of(
    st.builds(lambda size: Call("with_", named={"size": size}), st.integers(75, 400)),
    st.builds(lambda width: Call("thin", (width,)), st.sampled_from([0.5, 0.8, 1.25])),
    st.builds(lambda scale: Call("rescaled", (scale,), {"stage": "B"}), st.sampled_from([0.1, 0.17, 1.0])),
    st.builds(lambda a, b: Call("repeats", (a, b, 2)), st.integers(1, 4), st.integers(1, 4)),
    st.builds(
        lambda channels: Call("changed", ("B/01/body/branch2/conv2",), {"channels": channels, "copies": "all"}),
        st.integers(1, 200),
    ),
)
ACTS = st.lists(st.one_of(CALLS, st.sampled_from(["undo", "redo", "reset", "load"])), max_size=25)


def done(history: History, act: Call | str) -> History:
    match act:
        case Call():
            width = act.given[0] if act.method == "thin" else 1.0
            return history.taken(Step(act(history.net), act.python, act.method, width=width))
        case "load":
            loaded = net("inception_resnet_v1").thin(0.5)
            python = f"\nnet = parse({notation(loaded, multiline=False)!r})"
            return history.taken(Step(loaded, python, "a file", whole=True))
        case _:
            return history.at({"undo": history.place - 1, "redo": history.place + 1, "reset": 0}[act])


def made(history: History) -> Net:
    names: dict[str, Any] = {"lab": type("lab", (), {"net": staticmethod(net)}), "parse": parse}
    exec(history.python, names)
    return names["net"]  # type: ignore[no-any-return]


@settings(max_examples=40, deadline=None, database=None)
@given(ACTS)
def test_any_way(acts: list[Call | str]) -> None:
    history, known, place = History((START,)), [START.net], 0
    for act in acts:
        before, history = history, done(history, act)
        if act in ("undo", "redo", "reset"):
            place = {"undo": max(place - 1, 0), "redo": min(place + 1, len(known) - 1), "reset": 0}[str(act)]
        elif history is not before:
            known, place = [*known[: place + 1], history.net], place + 1
        assert (history.place, history.net, history.start) == (place, known[place], START.net)
        assert [step.net for step in history.steps] == known
        assert made(history) == history.net
        assert parse(notation(history.net)) == history.net


def test_a_long_way_keeps_its_start_and_its_python() -> None:
    history = History((START,))
    for size in range(100, 100 + 2 * KEPT):
        history = done(history, Call("with_", named={"size": size}))
    assert len(history.steps) == KEPT
    assert history.start == START.net
    assert made(history) == START.net.with_(size=99 + 2 * KEPT)
    assert made(history.at(1)) == history.at(1).net


def test_widths_count_from_what_was_loaded_last() -> None:
    history = done(done(History((START,)), Call("thin", (0.5,))), Call("thin", (0.8,)))
    assert (history.width, history.origin) == (0.4, "the start")
    history = done(done(history, "load"), Call("thin", (0.5,)))
    assert (history.width, history.origin) == (0.5, "a file")
    assert "thin(0.8)" not in history.python
    assert history.at(1).width == 0.5
