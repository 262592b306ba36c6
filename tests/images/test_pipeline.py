"""The way of a photograph into a network, as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from inception_lab.images.load import Photo, load
from inception_lab.images.pipeline import pipeline
from inception_lab.models.records import RECORDS
from tests.images.files import encoded, noise

LITE, GLUON = RECORDS["efficientnet_lite0"], RECORDS["inception_v3.gluon_in1k"]


def test_sizes_from_the_file_to_the_network() -> None:
    photo = load(encoded(noise(2048, 1024), "PNG"))
    found = pipeline(photo, LITE)
    assert (found.original, found.read, found.resized, found.boxes) == (
        (2048, 1024),
        (1024, 512),
        ((512, 256),),
        ((224, 224),),
    )
    assert [step["step"] for step in found.steps()] == ["file", "read", "resize", "crop", "range"]
    assert [step["out"] for step in found.steps()][:4] == ["2048×1024", "1024×512", "512×256", "1 crop of 224×224"]
    many = pipeline(photo, LITE, 144)
    assert [min(size) for size in many.resized] == [256, 288, 320, 352]
    assert set(many.boxes) == {(224, 224), (256, 256), (288, 288), (320, 320), (352, 352)}
    slim = pipeline(photo, LITE, 1, "slim")
    assert (slim.resized, slim.boxes) == (((1024, 512),), ((896, 448),))
    assert "TensorFlow 1" in slim.steps()[2]["how"] + slim.steps()[3]["how"]


def test_the_range_is_that_of_the_records_numbers() -> None:
    grey = Photo(Image.new("RGB", (400, 400), (51, 51, 51)), "grey")
    found = pipeline(grey, LITE)
    assert (found.lowest, found.highest) == ((-1, -1, -1), (1, 1, 1))
    assert found.seen == pytest.approx((-0.6, -0.6))
    gluon = pipeline(grey, GLUON)
    assert gluon.lowest == pytest.approx(tuple(-np.array(GLUON.mean) / np.array(GLUON.std)))
    assert gluon.seen == pytest.approx(((0.2 - 0.485) / 0.229, (0.2 - 0.406) / 0.225))
    assert "(0.485, 0.456, 0.406)" in gluon.steps()[-1]["how"]
