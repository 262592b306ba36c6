"""Branches and residuals on the page, without a browser: every kind of network, and links that ask too much."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from inception_lab.images.credit import credit
from inception_lab.images.moved import moved
from inception_lab.images.residuals import damage, rho
from inception_lab.images.samples import samples
from inception_lab.ui.maps import squares
from tests.trained import train

COFFEE = samples()[0].path


@pytest.fixture(autouse=True)
def no_warm_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    monkeypatch.setenv("INCEPTION_LAB_WARM", "0")
    st.cache_data.clear()
    st.cache_resource.clear()


def page(network: str = "efficientnet_lite0", **link: str) -> AppTest:
    """The view alone, for the first sample and the network's first guess."""

    def script(network: str) -> None:
        import streamlit as st

        from inception_lab.images.samples import samples
        from inception_lab.ui import blocks, photos

        st.code(blocks.show(photos.of_sample(samples()[0]), network))

    app = AppTest.from_function(script, kwargs={"network": network}, default_timeout=120)
    for name, value in link.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(caption.value for caption in app.caption).replace("\\", "")


def test_the_page_says_what_the_library_says() -> None:
    app = page(part="blocks/4/1")
    assert "at most about" in said(app), "what it takes is said before"
    found = credit(COFFEE, target=967)
    (node,) = found.under("blocks/4/1")
    shortcut, residual = node.parts
    assert f"shortcut {shortcut.credit:+.3g}" in said(app)
    assert f"residual {residual.credit:+.3g}" in said(app)
    tables = [table.value for table in app.dataframe]
    assert list(next(table for table in tables if "node" in table.columns).credit) == [shortcut.credit, residual.credit]
    app = page(part="blocks/4/1", rho="50", scope="block")
    before, after = rho(COFFEE, scales=(1, 0.5), at="blocks/4/1", relative=True, target=967)
    assert f"{before.probability:.1%} as built, {after.probability:.1%} now" in said(app)
    assert "ρ = 0.5 in 1 block, built with 1." in said(app)
    assert app.query_params["rho"] in ("50", ["50"])
    assert said(app).count("at most about") >= 2, "what a position and the damage take is said before"
    worst = damage(COFFEE, target=967).ranked()[0]
    assert f"loses most with {worst.address.split('/', 1)[1]} ({worst.logit_fall:+.2f} logits" in said(app)
    code = app.code[0].value
    assert 'at="blocks/4/1"' in code
    assert "scales=[1, 0.5]" in code


def test_credit_for_one_class_rather_than_another() -> None:
    asked = {"class": "967", "against": "968"}
    app = page(**asked)
    found = credit(COFFEE, target=967, against=968)
    assert f"the logit of espresso less that of cup ({found.score:.2f})" in said(app)
    assert "Credit for espresso rather than cup at 9 adds." in said(app)
    app = page(ask="rho", scope="block", part="blocks/1/1", **asked)
    *_, moved_, _ = app.code[0].value.splitlines()
    assert "target=967, against=968" in app.code[0].value
    assert "the maps are of it rather than the other" in said(app)
    assert "not to its lead over the other" in said(app)
    assert any("Where espresso rather than cup is seen" in text.value for text in app.markdown)
    assert moved_.startswith("lab.moved(")
    expected = moved(COFFEE, scales={"blocks/1/1": 0.0}, relative=True, target=967, against=968)
    after = next(table.value for table in app.dataframe if "at 0 %" in table.value.columns)
    assert after["at 0 %"].tolist() == [one["map"] for one in squares({"map": expected.values})]


def test_all_blocks_of_a_run(home: Path) -> None:
    tag = f"run:{train(home)}"
    app = page(tag, scope="all", rho="50")
    assert "in 4 blocks" in said(app)
    app = page(tag, part="B/02", ask="credit", joint="concat", steps="true")
    assert "B/02/body/concat" in said(app)
    assert "concatenations" in said(app)
    assert "direction" in app.code[0].value


def test_a_network_without_adds_says_so(home: Path) -> None:
    tag = f"run:{train(home, network='inception_v4')}"
    app = page(tag)
    assert any("no residual adds" in info.value for info in app.info)
    assert not app.slider
    assert not app.button_group, "there is one question"
    assert "lab.rho" not in app.code[0].value


@pytest.mark.parametrize("wrong", ["-1", "37", "1e999", "x", "٣", "205"])
def test_a_link_with_an_impossible_scale_is_told_so(wrong: str) -> None:
    app = page(rho=wrong)
    assert any("0 to 200 in steps of 5" in warning.value for warning in app.warning)
    assert app.slider(key="rho").value == 0


def test_a_block_of_another_network_in_the_link() -> None:
    app = page(part="B/07")
    assert any("has nothing to ask at B/07" in info.value.replace("\\", "") for info in app.info)
    assert app.selectbox(key="part").value == "blocks/1/1"
