"""Every add that cannot be, one behind the other."""

from __future__ import annotations

import pytest

from inception_lab.errors import InputTooSmall
from inception_lab.nets import catalog
from inception_lab.readers.refusals import mended
from inception_lab.readers.shapes import shapes


def test_the_printed_network_stops_twice_and_mended_costs_what_the_drawn_one_does() -> None:
    net, refused = mended(catalog.net("inception_resnet_v2_printed"))
    assert [(error.address, error.shortcut, error.residual) for error in refused] == [
        ("inception_resnet_v2_printed/B/01/add", 1152, 1154),
        ("inception_resnet_v2_printed/C/01/add", 2144, 2048),
    ]
    found, wanted = shapes(net), shapes("inception_resnet_v2_paper")
    assert (found.parameters, found.multiply_adds) == (wanted.parameters, wanted.multiply_adds)


def test_a_network_that_can_be_built_stays_as_it_is() -> None:
    net = catalog.net("inception_resnet_v2")
    assert mended(net) == (net, ())


def test_an_input_that_runs_out_is_another_refusal() -> None:
    with pytest.raises(InputTooSmall, match="gets 2x2") as refused:
        mended(catalog.net("inception_v4"), size=74)
    assert (refused.value.window, refused.value.grid) == ((3, 3), (2, 2))
