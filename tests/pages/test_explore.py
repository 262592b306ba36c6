"""Explore without a browser: every box, link and number follows from the one selected address."""

from __future__ import annotations

import csv
import html
import io
import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.nets import catalog
from inception_lab.readers import tint
from inception_lab.readers.graph import Graph, graph
from inception_lab.readers.notation import notation
from inception_lab.readers.shapes import shapes
from inception_lab.ui import exporting, finding

DESIGN = notation(catalog.net("inception_v4").with_(classes=7, size=139), multiline=False)


def explore(at: str | None = None, size: int | None = None, **link: str) -> AppTest:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    if at:
        app.query_params["at"] = at
    if size:
        app.query_params["size"] = str(size)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def totals(app: AppTest) -> dict[str, str]:
    """The line of totals: what each is called, and its short form; the exact number must agree with that."""
    line = next(caption.value for caption in app.caption if "multiply-adds (" in caption.value)
    found = re.findall(r"\*\*([\d.,]+) ?(M|G|)\*\* ([a-z-]+)(?: \(([\d,]+)\))?", line)
    for short, unit, _, exact in found:
        if exact:
            assert f"{int(exact.replace(',', '')) / {'M': 1e6, 'G': 1e9}[unit]:,.2f}" == short
    return {name: f"{short} {unit}".strip() for short, unit, name, _ in found}


def unescaped(markdown: str) -> str:
    return markdown.replace("\\", "")


@pytest.mark.parametrize(
    ("network", "parameters", "work"),
    [
        ("inception_v3", "23.83 M", "5.71 G"),
        ("inception_v4", "42.68 M", "12.25 G"),
        ("inception_resnet_v1", "22.76 M", "6.21 G"),
        ("inception_resnet_v2", "55.84 M", "13.16 G"),
        ("inception_resnet_v2_paper", "32.43 M", "9.26 G"),
    ],
)
def test_totals_of_every_network(network: str, parameters: str, work: str) -> None:
    shown = totals(explore(network))
    assert (shown["parameters"], shown["multiply-adds"]) == (parameters, work)


def test_boxes_follow_the_link_and_write_it() -> None:
    app = explore("inception_resnet_v2/B/07/add")
    assert [box.value for box in app.selectbox] == ["inception_resnet_v2", "B", "07", "add"]
    app.selectbox[1].select("C").run()
    assert app.session_state["explore_at"] == "inception_resnet_v2/C"
    assert [box.value for box in app.selectbox] == ["inception_resnet_v2", "C", "01", ""]
    app.selectbox[0].select("inception_v3").run()
    assert app.session_state["explore_at"] == "inception_v3"
    assert not app.exception


def test_one_op_shows_its_arithmetic() -> None:
    text = " ".join(block.value for block in explore("inception_v4/C/02/branch3/conv2").markdown)
    assert "384 × (3×1) × 448 weights + 2 × 448 of batch norm = 516,992" in text
    assert "weights × 8 × 8 cells = 33,030,144" in text


def test_the_head_can_be_selected() -> None:
    app = explore("inception_v4/head/classifier")
    assert [box.value for box in app.selectbox][:3] == ["inception_v4", "head", "classifier"]


def test_refusals_are_sentences() -> None:
    printed, small, unknown = (
        explore("inception_resnet_v2_printed/B/01"),
        explore("inception_v4", 74),
        explore("nothing/at"),
    )
    assert "cannot add: the shortcut brings 1152" in unescaped(printed.error[0].value)
    assert "gets 2x2" in unescaped(small.error[0].value)
    assert "no network 'nothing'" in unescaped(unknown.warning[0].value)


def test_code_of_the_view_runs() -> None:
    app = explore("inception_v4/B/03", 139)
    source = next(code.value for code in app.code if "lab.graph" in code.value)
    made: dict[str, object] = {}
    exec(source, made)  # it is what the page offers for download
    assert made["model"].net.name == "inception_v4"  # type: ignore[attr-defined]


def test_too_small_an_input_is_one_click_from_the_right_one() -> None:
    app = explore("inception_v4/B/03", 74)
    app.button(key="use-size").click().run()
    assert not app.exception
    assert not app.error
    assert app.number_input(key="size").value == 299
    assert totals(app)["parameters"] == "42.68 M"


@pytest.mark.parametrize("size", ["1e309", "9" * 400, "nan", "abc", "-1"])
def test_a_hostile_size_in_the_link_is_survived(size: str) -> None:
    app = AppTest.from_file(Path(__file__).parents[2] / "app.py", default_timeout=60)
    app.switch_page("pages/explore.py")
    app.query_params["size"] = size
    app.run()
    assert not app.exception
    assert totals(app)["parameters"] == "55.84 M"
    assert "it is a whole number from 32 to 1024" in app.warning[0].value


def test_the_breadcrumb_leads_back_up() -> None:
    app = explore("inception_resnet_v2/B/07/body/branch2/conv1")
    crumbs = [button.label for button in app.button if str(button.key).startswith("crumb-")]
    assert [unescaped(crumb) for crumb in crumbs] == ["inception_resnet_v2", "B", "07", "body/branch2/conv1"]
    for place, address in ((2, "/B/07"), (1, "/B"), (0, "")):
        app.button(key=f"crumb-{place}").click().run()
        assert not app.exception
        assert app.query_params["at"] == f"inception_resnet_v2{address}"
    assert len([button for button in app.button if str(button.key).startswith("crumb-")]) == 1


def test_a_design_in_the_link_is_opened_and_left() -> None:
    app = explore(at="B/03/branch2", design=DESIGN)
    assert not app.warning
    assert app.number_input(key="size").value == 139
    assert [box.value for box in app.selectbox][1:] == ["B", "03", "branch2"]
    assert totals(app)["parameters"] == f"{(42_679_816 - 1537 * 993) / 1e6:.2f} M"
    assert app.query_params == {"at": "inception_v4/B/03/branch2", "design": DESIGN}
    names: dict[str, object] = {}
    exec(next(code.value for code in app.code if "lab.graph" in code.value), names)  # what the page offers for download
    assert names["net"] == catalog.net("inception_v4").with_(classes=7, size=139)
    app.button(key="leave-design").click().run()
    assert not app.exception
    assert app.query_params == {"at": "inception_v4"}
    assert app.number_input(key="size").value == 299


@pytest.mark.parametrize(
    ("design", "why"),
    [
        ("Conv(3, 1)", "single Conv; a design is a whole network"),
        ("__import__('os')", "Line 1"),
        ("Net(", "Line 1"),
        ("9" * 9, "not a network"),
    ],
)
def test_a_design_that_is_none_is_refused_with_a_sentence(design: str, why: str) -> None:
    app = explore(design=design)
    assert why in unescaped(app.warning[0].value)
    assert app.query_params == {"at": "inception_resnet_v2/B/01"}


def test_a_design_goes_before_nothing_but_a_run() -> None:
    app = explore(design=DESIGN, run="gone")
    assert "There is no run 'gone'" in unescaped(app.warning[0].value)


def test_taking_a_design_keeps_the_place_that_it_has() -> None:
    def take() -> None:
        import streamlit as st

        from inception_lab.nets import catalog
        from inception_lab.nets.ops import Net
        from inception_lab.ui import selection

        def shorter(net: Net) -> Net:
            return net.repeats(2, 2, 2)

        net = catalog.net("inception_v4")
        st.button("shorter", key="shorter", on_click=selection.take, args=(shorter(net),))
        st.button("same", key="same", on_click=selection.take, args=(net,))
        chosen = selection.current()
        st.text(f"{chosen.address} {len(chosen.net.stages[3].blocks)} {bool(chosen.design)}")

    app = AppTest.from_function(take, default_timeout=60)
    app.query_params["at"] = "inception_v4/B/03/branch2"
    app.run()
    assert app.text[0].value == "inception_v4/B/03/branch2 7 False"
    app.button(key="shorter").click().run()
    assert app.text[0].value == "inception_v4/B 2 True"
    app.button(key="same").click().run()
    assert app.text[0].value == "inception_v4/B 7 False"
    assert "design" not in app.query_params


@pytest.mark.parametrize("scale", ["network", "block", "panel"])
def test_colours_come_from_the_link_and_go_into_the_code(scale: str) -> None:
    app = explore("inception_v4/B/03", colour="parameters", scale=scale, dir="TB")
    names: dict[str, object] = {}
    *before, last = next(code.value for code in app.code if "lab.graph" in code.value).strip().splitlines()
    exec("\n".join([*before, f"shown = {last}"]), names)
    shown, strip = names["shown"], names["strip"]
    assert isinstance(shown, Graph)
    assert isinstance(strip, Graph)
    table = shapes("inception_v4")
    ends = {
        "network": max(row.parameters for row in table.rows),
        "block": max(row.parameters for row in table.under("inception_v4/B/03")),
        "panel": max(row.parameters for row in table.under("inception_v4/B/03")),
    }
    assert shown.most == ends[scale]
    assert shown.node("inception_v4/B/03/branch2").fill
    assert (shown.tint, shown.direction, strip.direction) == ("parameters", "TB", "TB")
    assert strip.most == shown.most, "one scale for both"
    reduction = max(row.parameters for row in table.under("inception_v4/reduction_b"))
    assert strip.node("inception_v4/reduction_b").fill == tint.colour(reduction / strip.most)
    (legend,) = [html.unescape(each.proto.body) for each in app.get("html") if "linear-gradient" in each.proto.body]
    words = {"network": "to the network's largest op", "block": "to the largest op of B/03", "panel": "lower drawing"}
    assert words[scale] in legend
    assert ("and more" in legend) == (scale != "network"), "other stages have larger ops than this block"


def test_the_stepper_changes_the_copy_and_keeps_the_op() -> None:
    app = explore("inception_resnet_v2/C/09/relu")
    app.number_input(key="copy").increment().run()
    assert not app.exception
    assert app.query_params["at"] == "inception_resnet_v2/C/10", "the last block has no ReLU"
    assert "copy" not in [box.key for box in explore("inception_v4/stem").number_input]


def test_every_op_of_the_network_is_announced_and_drawn() -> None:
    app = explore("inception_v4/B/03")
    boxes = len(graph("inception_v4", depth="ops").nodes)
    assert app.toggle(key="whole").label.startswith(f"Every op: {boxes} boxes, ≈ ")
    app.toggle(key="whole").set_value(True).run()
    assert not app.exception
    assert 'lab.graph(net, depth="ops"' in next(code.value for code in app.code if "lab.graph" in code.value)


def test_find_goes_round() -> None:
    table = shapes("inception_v4")
    assert finding.matches(table, " ") == ()
    assert finding.matches(table, "7x1") == finding.matches(table, "7×1") != ()
    app = explore("inception_v4/C/03")
    app.text_input(key="find").set_value("max pool").run()
    assert app.query_params["at"] == "inception_v4/stem/01/split4/branch1", "the first again, after the last"
    app.button(key="find-Previous").click().run()
    assert app.query_params["at"] == "inception_v4/reduction_b/01/branch3"


def test_the_head_is_drawn_and_counted() -> None:
    app = explore("inception_v4/head/classifier")
    assert "Head" in [subheader.value for subheader in app.subheader]
    assert "1536 × 1000 weights + 1000 biases = 1,537,000" in " ".join(block.value for block in app.markdown)


def test_boxes_as_csv_and_the_block_as_notation() -> None:
    drawn = graph("inception_v4", at="B/03", depth="block")
    lines = list(csv.DictReader(io.StringIO(exporting.as_csv(drawn))))
    assert [line["address"] for line in lines] == [node.id for node in drawn.nodes]
    assert lines[-1]["output"] == "1024x17x17"
    assert sum(int(line["parameters"]) for line in lines) == sum(node.parameters for node in drawn.nodes)
    app = explore("inception_v4/B/03", size=331)
    links = [code.value for code in app.code if "at=inception_v4" in code.value and "lab." not in code.value]
    assert len(links) == 2
    assert links[0].endswith("at=inception_v4%2FB%2F03&size=331")


def test_each_drawing_has_its_boxes_as_a_table() -> None:
    app = explore("inception_v4/B/03", fine="true")
    twins = [list(table.value.address) for table in app.dataframe if "said" in table.value.columns]
    assert twins == [
        [node.id for node in graph("inception_v4").nodes],
        [node.id for node in graph("inception_v4", at="B/03", depth="ops").nodes],
    ]
    app = explore("inception_resnet_v2", whole="true")
    assert [len(table.value) for table in app.dataframe if "said" in table.value.columns] == [11], "823 rows on request"
    app.toggle(key="whole-drawing-rows").set_value(True).run()
    assert [len(table.value) for table in app.dataframe if "said" in table.value.columns] == [11, 823]


def test_the_network_itself_has_no_block_to_end_a_scale() -> None:
    app = explore("inception_v4", colour="memory", scale="block")
    assert any("network&#x27;s largest op" in each.proto.body for each in app.get("html"))
