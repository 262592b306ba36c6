"""Designs from a link that cannot be, or would take for ever: a sentence in every view, and never an exception."""

from __future__ import annotations

import pytest

from inception_lab.nets import catalog
from inception_lab.readers.notation import notation
from tests.pages.test_explore import explore, unescaped

APART = notation(catalog.net("inception_resnet_v2").changed("reduction_a/01/branch1", kernel=(5, 5)), multiline=False)
STRIDED = 'Net(name="x", source="", stages=(Stage("B", (Residual(Conv(3, 3, stride=2)),)),), size=32)'
HUGE = 'Net(name="x", source="", stages=(Stage("a", (Conv(65536, 999) >> Conv(65536, 999),)),))'
DEEP = f'Net(name="x", source="", stages=(Stage("B", ({"Residual(" * 60}Conv(3){")" * 60},)),), size=32)'
MANY = 'Net(name="x", source="", stages=(*(99999999999999999999 * ()), Stage("B", (Conv(3),))), size=32)'
WIDE = 'Net(name="x", source="", stages=(Stage("B", (Conv(65536, 1) >> Conv(65536, 1),)),), size=32)'


@pytest.mark.parametrize("view", ["picture", "inside", "design", "compare", "cost"])
@pytest.mark.parametrize(
    ("design", "at", "said"),
    [
        (APART, "inception_resnet_v2/reduction_a/01", "cannot join grids of 16x16 and 17x17 cells"),
        (STRIDED, "x/B/01", "cannot join grids of 32x32 and 16x16 cells"),
        (HUGE, "x/a/01", "more work than can be counted"),
        (DEEP, "x/B/01", "deep inside one another"),
        (MANY, "x/B/01", "a tuple is repeated at most"),
    ],
    ids=["apart", "strided", "huge", "deep", "many"],
)
def test_it_is_said_in_every_view(design: str, at: str, said: str, view: str) -> None:
    app = explore(at, design=design, view=view)
    told = [unescaped(one.value) for one in [*app.error, *app.warning, *app.info]]
    assert any(said in one for one in told), told


def test_what_does_not_fit_into_memory_is_not_made() -> None:
    app = explore("x/B/01", design=WIDE, view="inside")
    assert any("GB for its weights and maps" in unescaped(error.value) for error in app.error)
