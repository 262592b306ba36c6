"""The Paper page: printed numbers, links that lead somewhere, facts that agree with the lab's own networks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.errors import ImpossibleAdd
from inception_lab.figures.errors import error_bars
from inception_lab.nets import catalog
from inception_lab.nets.address import locate
from inception_lab.readers.refusals import stops
from inception_lab.readers.shapes import shapes
from inception_lab.readers.slips import slips
from inception_lab.training.settings import FIELDS
from inception_lab.ui.paper import SECTIONS, content

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def paper() -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    return app.switch_page("pages/paper.py").run()


def links(paper: AppTest) -> list[tuple[str, str, str]]:
    """Page, query and label of every link but the menu's."""
    shown = [element.proto for element in paper.get("page_link")]
    return [
        (link.page, link.query_string, link.label) for link in shown if link.label not in {"Inception Lab", "Paper"}
    ]


def test_page_is_whole(paper: AppTest) -> None:
    assert not paper.exception
    assert not paper.error
    assert paper.title[0].value == "Paper"
    assert [header.value for header in paper.header] == list(SECTIONS.values())


def test_results_are_the_printed_ones(paper: AppTest) -> None:
    table = next(t.value for t in paper.table if "Inception-ResNet-v2" in t.value.iloc[:, 0].tolist())
    rows = {row[0]: tuple(row[1:]) for row in table.itertuples(index=False)}
    assert rows["Inception-ResNet-v2"] == ("19.9 / 4.9", "18.7 / 4.1", "17.8 / 3.7")
    assert rows["Inception-v4"] == ("20.0 / 5.0", "18.7 / 4.2", "17.7 / 3.8")
    assert rows["Inception-ResNet-v1"] == ("21.3 / 5.5", "19.8 / 4.6", "18.8 / 4.3")
    assert rows["Inception-v3"] == ("21.2 / 5.6", "19.8 / 4.6", "18.9 / 4.3")
    assert rows["ResNet-152"] == ("–", "21.4 / 5.7", "19.4 / 4.5")
    assert rows["BN-Inception"] == ("25.2 / 7.8", "–", "–")


def test_ensemble_names_what_the_two_prints_say(paper: AppTest) -> None:
    table = next(t.value for t in paper.table if "models" in t.value.columns)
    last = table.iloc[-1]
    assert (last["top-1"], last["top-5"]) == ("16.5", "3.1")
    assert "16.4" in last["note"]
    assert "3.08" in last["note"]


def test_chart_says_its_numbers_in_words(paper: AppTest) -> None:
    chart = paper.get("plotly_chart")[0].proto
    assert "Inception-ResNet-v2 19.9 and 4.9" in chart.alt
    assert "ResNet-152" not in chart.alt


def test_bars_start_at_zero_and_write_their_numbers() -> None:
    figure, alt = error_bars([("one", 20.04, 5.0), ("other", 19.9, 4.9)], protocol="one crop")
    assert [bar.text for bar in figure.data] == [("20.0", "19.9"), ("5.0", "4.9")]
    assert figure.layout.yaxis.rangemode == "tozero"
    assert alt == "Bars of top-1 and top-5 error in per cent, one crop: one 20.0 and 5.0; other 19.9 and 4.9."


def test_slips_link_to_their_blocks(paper: AppTest) -> None:
    opened = [query for path, query, _ in links(paper) if path == "explore" and query]
    wanted = [address for slip in slips() for address in (*slip.at, slip.refuses) if address]
    wanted += [claim["at"] for claim in content()["claims"] if "at" in claim]
    assert sorted(query.replace("%2F", "/") for query in opened) == sorted(f"at={address}" for address in wanted)


@pytest.mark.parametrize("address", [at for slip in slips() for at in slip.at])
def test_every_linked_address_exists(address: str) -> None:
    assert locate(catalog.net(address.split("/")[0]), address) == address


def test_a_slip_opens_its_op_on_explore() -> None:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=60)
    app.switch_page("pages/explore.py")
    app.query_params["at"] = "inception_resnet_v2_paper/B/01/linear"
    app.run()
    assert not app.exception
    assert "inception_resnet_v2_paper/B/01/linear" in " ".join(text.value for text in app.markdown)
    assert any("1152" in text.value for text in app.markdown)


def test_the_linked_stem_convolution_has_the_stride_the_drawing_lacks() -> None:
    row = shapes("inception_v4").row("inception_v4/stem/01/split6/branch1")
    assert (row.stride, row.padding, row.output) == (2, (0, 0), (192, 35, 35))


def test_widths_in_the_slips_follow_from_the_networks() -> None:
    table = shapes("inception_resnet_v2_paper")
    must = {slip.where: slip.must for slip in slips()}
    for figure, block in (("Fig 17: Inception-ResNet-v2, block B", "B"), ("Fig 19: Inception-ResNet-v2, block C", "C")):
        width = table.row(f"inception_resnet_v2_paper/{block}/01/linear").output[0]
        assert must[figure].startswith(f"{width}: ")


def test_the_printed_widths_refuse_where_the_page_says() -> None:
    with pytest.raises(ImpossibleAdd) as refused:
        shapes("inception_resnet_v2_printed")
    stopped = [stop.places[0] for stop in stops(shapes("inception_resnet_v2_printed", tolerant=True))]
    assert [slip.refuses for slip in slips() if slip.refuses] == stopped
    assert refused.value.address == stopped[0]


def test_costs_in_the_unconfirmed_list_are_the_networks_own() -> None:
    [text] = [item for item in content()["unconfirmed"]["items"] if item.startswith("Which Inception-ResNet-v2")]
    printed = re.findall(r"\d+\.\d\d", text)
    names = ("inception_v4", "inception_resnet_v2_paper", "inception_resnet_v2")
    assert printed == [f"{shapes(name).multiply_adds / 1e9:.2f}" for name in names]


def test_recipe_names_settings_that_exist() -> None:
    named = {word for row in content()["recipe"] for word in re.findall(r"[a-z_]+", row["lab"].split(";")[-1])}
    assert named - {"not", "offered", "see"} <= set(FIELDS)
    assert {"rate", "momentum", "decay", "eps", "clip", "average", "schedule"} <= named


def test_every_table_can_be_taken_away(paper: AppTest) -> None:
    labels = [element.proto.label for element in paper.get("download_button")]
    assert labels.count("CSV") == len(paper.table) + 1  # and the slips
    assert {".py", ".ipynb"} <= set(labels)
