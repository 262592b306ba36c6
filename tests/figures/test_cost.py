"""The bars of cost add up to the whole network."""

import pytest

from inception_lab.figures.cost import stage_bars
from inception_lab.readers.shapes import shapes


@pytest.mark.parametrize("network", ["inception_v4", "inception_resnet_v2"])
def test_shares_add_up_and_the_words_carry_the_totals(network: str) -> None:
    table = shapes(network)
    figure, words = stage_bars(table)
    for bars, total in zip(figure.data, (table.parameters, table.multiply_adds, table.activation_bytes), strict=True):
        assert sum(bars.y) == pytest.approx(100)
        assert sum(bars.customdata) == total
    assert f"{table.multiply_adds:,}" in words
