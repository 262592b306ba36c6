"""Boxes and agreement as figures: what is drawn where, with a legend and words."""

from __future__ import annotations

import pytest

from inception_lab.figures.crops import Crop, agreement, on_photo

CROPS = [
    Crop(0, 0, 10, 10, False, 256, "cat"),
    Crop(0, 0, 10, 10, True, 256, "cat"),
    Crop(5, 0, 12, 7, False, 288, "dog"),
]


def test_boxes_lie_where_they_are() -> None:
    figure, alt = on_photo("data:,", (20, 12), CROPS)
    halo, small, _, large = figure.data
    assert (list(halo.x), halo.showlegend) == (list(small.x), False)
    assert (small.name, large.name) == ("shorter side 256: 2 crops", "shorter side 288: 1 crop")
    assert list(small.x) == [0, 10, 10, 0, 0, None], "a box and its mirror image are one line"
    assert list(large.y) == [0, 0, 7, 7, 0, None]
    assert small.line.color != large.line.color
    image = figure.layout.images[0]
    assert (image.sizex, image.sizey, image.layer) == (20, 12, "below")
    assert alt == "3 crops on a photograph of 20×12 pixels, 1 of them mirrored, cut at a shorter side of 256, 288."


def test_agreement_has_a_dot_per_crop_and_class() -> None:
    figure, alt = agreement(["cat", "dog"], [0.5, 0.4], [(0.9, 0.1), (0.5, 0.3), (0.1, 0.8)], CROPS)
    small, large, average = figure.data
    assert list(small.x) == [0.9, 0.5, 0.1, 0.3]
    assert [round(y) for y in small.y] == [0, 0, 1, 1]
    assert list(large.x) == [0.1, 0.8]
    assert (list(average.x), list(average.y)) == ([0.5, 0.4], [0, 1])
    assert "crop 2, mirrored, cat; first choice cat" in small.customdata
    assert alt.startswith("What 3 crops say: cat from 10.0% to 90.0%, average 50.0%; dog")
    assert all(trace.name for trace in figure.data)


@pytest.mark.parametrize("n", [1, 72])
def test_one_crop_and_many(n: int) -> None:
    crops = [Crop(place, 0, place + 5, 5, False, 256) for place in range(n)]
    figure, _ = agreement(["a"], [0.5], [(0.5,)] * n, crops)
    assert len(figure.data[0].x) == n
