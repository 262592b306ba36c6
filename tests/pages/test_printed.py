"""What cannot be built, on Explore without a browser: drawn as it is, marked, taught, and a way out of it."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.nets import catalog
from inception_lab.readers.graph import Depth, graph
from inception_lab.readers.notation import notation
from inception_lab.readers.shapes import shapes
from tests.pages.test_explore import explore, totals, unescaped

PRINTED = "inception_resnet_v2_printed"


def marked(app: AppTest) -> dict[str, str]:
    """What the selected block's ops are marked with, by address: the column of its table."""
    table = next(table.value for table in app.dataframe if "mark" in table.value.columns)
    return {at: words for at, words in zip(table.address, table["mark"], strict=True) if words}


@pytest.mark.parametrize(
    ("at", "marks"),
    [
        ("A/03/add", {}),
        ("stem/01", {"stem/01/split6/branch1": "slip, Fig 3"}),
        ("B/07/add", {"B/07/linear": "slip, Fig 17", "B/07/add": "1152 + 1154"}),
        ("C/05", {"C/05/linear": "slip, Fig 19", "C/05/add": "2144 + 2048"}),
        ("reduction_b/01", {"reduction_b/01/concat": "slip, Fig 18"}),
    ],
)
def test_the_network_as_printed_is_shown_where_one_is(at: str, marks: dict[str, str]) -> None:
    app = explore(f"{PRINTED}/{at}")
    assert app.query_params["at"] == f"{PRINTED}/{at}"
    assert f"Block {'/'.join(at.split('/')[:2])}" in [subheader.value for subheader in app.subheader]
    assert marked(app) == {f"{PRINTED}/{op}": words for op, words in marks.items()}
    assert totals(app)["ops"] == "224"
    assert bool(app.info) == any("slip" in words for words in marks.values())
    crumbs = [unescaped(button.label) for button in app.button if str(button.key).startswith("crumb-")]
    assert crumbs == [PRINTED, *at.split("/")]


def test_both_adds_are_taught_with_the_papers_figures() -> None:
    app = explore(f"{PRINTED}/stem/01")
    first, second = (unescaped(error.value) for error in app.error)
    assert first.startswith("**Fig 17 prints 1154; Fig 7 with Table 1 gives 384 + 384 + 384 = 1152.**")
    assert "B/01/add cannot add: the shortcut brings 1152 channels, the closing 1x1 makes 1154." in first
    assert first.endswith("The same in all 10 copies.")
    assert second.startswith("**Fig 19 prints 2048; Fig 18 gives 384 + 288 + 320 + 1152 = 2144.**")
    assert any("(paper#contradictions)" in text.value for text in app.markdown)
    app.button(key="stop-1").click().run()
    assert app.query_params["at"] == f"{PRINTED}/C/01/add"
    text = " ".join(block.value for block in app.markdown)
    assert "2144 channels of the shortcut + 2048 of the residual cannot be added" in text


def test_the_network_as_drawn_is_one_click_away() -> None:
    app = explore(f"{PRINTED}/B/03/linear")
    app.button(key="open-sister").click().run()
    assert not app.exception
    assert not app.error
    assert app.session_state["explore_at"] == "inception_resnet_v2_paper/B/03/linear"
    assert totals(app)["parameters"] == "32.43 M"


@pytest.mark.parametrize("link", [{}, {"fine": "true"}, {"whole": "true"}])
def test_the_python_draws_the_network_as_printed_with_its_marks(link: dict[str, str]) -> None:
    app = explore(f"{PRINTED}/C/02/add", **link)
    *before, last = next(code.value for code in app.code if "lab.graph" in code.value).strip().splitlines()
    names: dict[str, object] = {}
    exec("\n".join([*before, f"shown = {last}"]), names)  # it is what the page offers for download
    depth: Depth = "ops" if link else "block"
    at = None if "whole" in link else f"{PRINTED}/C/02"
    assert names["shown"] == graph(PRINTED, at=at, depth=depth, direction="LR", tolerant=True, slips=True)
    assert "model" not in names, "there is nothing to build"


def test_what_cannot_be_built_is_not_sent_to_train() -> None:
    def trains(at: str, **link: str) -> list[str]:
        links = (element.proto for element in explore(at, **link).get("page_link"))
        return [link.query_string for link in links if link.page == "train" and link.query_string]

    assert trains(f"{PRINTED}/B/01") == ["network=inception_resnet_v2_paper"]
    assert trains("inception_v4/B/01") == ["network=inception_v4"]
    broken = notation(catalog.net(PRINTED).with_(classes=7), multiline=False)
    assert trains(f"{PRINTED}/B/01", design=broken) == []


def test_the_pytorch_of_a_part_that_can_be_built() -> None:
    app = explore(f"{PRINTED}/B/02/linear")
    app.toggle(key="source").set_value(True).run()
    assert any("nn.Conv2d(384, 1154, 1)" in code.value for code in app.code)
    app = explore(f"{PRINTED}/B/02")
    app.toggle(key="source").set_value(True).run()
    assert "B/02/add cannot add" in unescaped(app.error[-1].value)


def test_a_design_that_cannot_be_built_is_mended_with_a_click() -> None:
    text = notation(catalog.net("inception_resnet_v2_printed").with_(classes=7), multiline=False)
    app = explore("inception_resnet_v2_printed/C/02", design=text)
    assert marked(app) == {"inception_resnet_v2_printed/C/02/add": "2144 + 2048"}
    assert "B asks for 1154; reduction_a gives 384 + 384 + 384 = 1152." in unescaped(app.error[0].value)
    app.button(key="take-mended").click().run()
    assert not app.exception
    assert not app.error
    assert totals(app)["parameters"] == f"{shapes('inception_resnet_v2_paper').parameters / 1e6 - 993 * 2145e-6:.2f} M"


def test_where_the_input_runs_out_is_marked() -> None:
    app = explore("inception_v4/B/03", 74)
    app.button(key="stop-0").click().run()
    assert app.query_params["at"] == "inception_v4/reduction_b/01/branch1/conv2"
    inside = {f"inception_v4/reduction_b/01/{op}" for op in ("branch1/conv2", "branch2/conv4", "branch3")}
    assert marked(app) == dict.fromkeys(inside, "3×3 on 2×2")
    assert "2 more ops run out of cells too" in unescaped(app.error[0].value)
    assert any("does not fit on 2×2 cells: nothing comes out" in text.value for text in app.markdown)
