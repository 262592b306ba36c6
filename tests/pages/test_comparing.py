"""Two networks side by side on Explore, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.nets.address import blocks
from inception_lab.nets.catalog import net
from inception_lab.readers.compare import compare
from inception_lab.readers.notation import notation
from inception_lab.readers.slips import Slip, slips
from inception_lab.ui.pairs import PAIRS
from tests.pages.test_drawers import drawer, made, page


def rows(app: AppTest, column: str) -> list[dict[str, Any]]:
    found = next(table.value for table in (*app.dataframe, *app.table) if column in table.value.columns)
    return [dict(row) for row in found.to_dict("records")]


def test_drawn_beside_released_in_the_same_block() -> None:
    app = page("explore", view="compare", at="inception_resnet_v2/B/07")
    assert app.selectbox(key="beside").value == "inception_resnet_v2_paper"
    wanted = compare("inception_resnet_v2", "inception_resnet_v2_paper")
    assert [row["where"] for row in rows(app, "where")] == [each.address for each in wanted.differences]
    assert app.button_group(key="pair").value is None, "the pair is the other way round"
    costs = {row["what"]: (row["first"], row["second"]) for row in rows(app, "second / first")}
    assert costs["parameters"] == (55_843_464, 32_433_928)
    names = made(drawer(app))
    assert names["shown"] == wanted


@pytest.mark.parametrize(
    ("place", "first", "second"),
    [
        (0, "inception_resnet_v2_paper", "inception_resnet_v2"),
        (1, "inception_v4", "inception_resnet_v2"),
        (2, "inception_v3", "inception_resnet_v1"),
        (3, "inception_resnet_v2", "unscaled"),
    ],
)
def test_preset_pairs(place: int, first: str, second: str) -> None:
    app = page("explore", view="compare", at="inception_resnet_v1/A/01")
    title = list(PAIRS)[place]
    app.button_group(key="pair").set_value(title).run()
    assert not app.exception
    assert app.button_group(key="pair").value == title
    app.button_group(key="pair").set_value(None).run()
    assert app.button_group(key="pair").value == title, "what is shown stays lit"
    link = {name: app.query_params[name] for name in ("at", "beside") if name in app.query_params}
    again = page("explore", view="compare", **link)
    assert again.button_group(key="pair").value == title
    assert not again.info, "each opens at a block of both"
    assert app.query_params["at"].split("/")[0] == first
    assert app.selectbox(key="beside").value == second
    shown = made(drawer(app))["shown"]
    assert not shown.same
    assert {each.kind for each in shown.differences} == {"scale"} or place != 3


def test_a_place_the_other_does_not_have_is_said() -> None:
    app = page("explore", view="compare", at="inception_resnet_v2/mixed_5b/01", beside="inception_v4")
    assert any("has nothing at mixed" in info.value for info in app.info)
    assert not app.error


def test_what_answers_to_the_selection_is_said() -> None:
    """Branch by branch through the residual: v4's B beside that of Inception-ResNet-v2."""
    link = {"view": "compare", "beside": "inception_resnet_v2"}

    def said(at: str, **more: str) -> str:
        app = page("explore", at=at, **link, **more)
        assert not app.exception
        return next(block.value for block in app.markdown if block.value.startswith("Selected: "))

    both = said("inception_v4/B/01/branch2/conv2")
    assert "`B/01/branch2/conv2` (1×7 · 224) in the first, `B/01/body/branch2/conv2` (1×7 · 160) in the second" in both
    assert "224 → 160" in both
    assert "no counterpart in the second" in said("inception_v4/B/01/branch3/conv2")
    assert "`B/01/add` in the second" in said("inception_v4/B/01", lone="B/01/add")
    assert "no counterpart in the first" in said("inception_v4/B/01", lone="B/01/add")


def test_a_stage_that_only_the_second_has() -> None:
    app = page("explore", view="compare", at="inception_v4", beside="inception_resnet_v2", lone="mixed_5b/01")
    assert any("inception\\_v4 has nothing at mixed" in info.value for info in app.info)
    for stale in ("nowhere/01", "B/01/add", "head/pool"):
        app = page("explore", view="compare", at="inception_v4", beside="inception_resnet_v2", lone=stale)
        assert "lone" not in app.query_params, "the first has a B of its own, and none of it is selected"
        assert not app.info
    app = page("explore", view="compare", at="inception_v4/B/01/concat", beside="inception_resnet_v2", lone="B/01/add")
    assert any("`B/01/body/concat` in the second: the same" in block.value for block in app.markdown)
    assert "lone" not in app.query_params, "the later selection holds"


def test_the_last_blocks_stand_side_by_side() -> None:
    app = page("explore", view="compare", at="inception_resnet_v2_paper/C/05", beside="inception_resnet_v2")
    assert any(block.value == "**Second: C/10**" for block in app.markdown)


def test_the_printed_network_is_compared_though_it_cannot_be_built() -> None:
    app = page("explore", view="compare", at="inception_resnet_v2_printed/B/01", beside="inception_resnet_v2_paper")
    assert ["1154" in error.value for error in app.error] == [True], "said once"
    drawn = [table.value for table in app.dataframe if "said" in table.value.columns]
    add = "inception_resnet_v2_printed/B/01/add"
    said = [table.set_index("address").said.get(add) for table in drawn]
    assert said[2] == "1152 + 1154", "two strips come first, then the block of each"
    assert said[3] is None
    assert len(drawn) == 4
    assert ("1154", "1152") in [(row["first"], row["second"]) for row in rows(app, "where")]


def test_the_first_is_held_while_a_design_is_opened_and_the_link_brings_it_back() -> None:
    app = page("explore", view="compare", at="inception_resnet_v2/B/07")
    app.button(key="hold").click().run()
    assert not app.exception
    assert made(drawer(app))["shown"].same
    app.selectbox(key="pick-Network").select("inception_v4").run()
    assert app.selectbox(key="beside").value == "inception_resnet_v2"
    design = net("inception_v4").thin(0.5)
    text = notation(design, multiline=False)
    app = page("explore", view="compare", at="inception_v4/B/01", design=text)
    app.button(key="hold").click().run()
    app.selectbox(key="pick-Network").select("inception_v4").run()
    link = app.query_params["beside"]
    again = page("explore", view="compare", at="inception_v4/B/01", beside=link)
    assert made(drawer(again))["other"] == design
    assert made(drawer(again))["shown"] == compare("inception_v4", design)


def test_every_drawing_has_its_boxes_as_a_table() -> None:
    app = page("explore", view="compare", at="inception_resnet_v2/B/07")
    assert sum("said" in table.value.columns for table in app.dataframe) == 4


def test_the_papers_slips_stand_at_their_blocks() -> None:
    app = page("explore", at="inception_resnet_v2_paper/B/01")
    assert any("1154" in info.value and "Must be: 1152" in info.value for info in app.info)
    assert any("Fig 17" in info.value for info in app.info)
    assert not page("explore", at="inception_resnet_v2/B/01").info, "the released one has no such slip"


@pytest.mark.parametrize(("slip", "address"), [(slip, at) for slip in slips() for at in slip.at])
def test_a_slip_stands_at_every_copy_of_its_block(slip: Slip, address: str) -> None:
    network, stage, *_ = address.split("/")
    copies = [at for at, _ in blocks(net(network)) if at.startswith(f"{network}/{stage}/")] or [f"{network}/{stage}"]
    for at in dict.fromkeys((copies[0], copies[-1])):
        assert any(slip.must in info.value.replace("\\", "") for info in page("explore", at=at).info), at
    design = notation(net(network).with_(classes=10), multiline=False)
    assert not page("explore", at=copies[0], design=design).info, "a design is not the paper's"
