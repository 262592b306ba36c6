"""The shipped photographs: licences named, files small, and what the embedded network says of each."""

import pytest
from PIL import Image

from inception_lab.assets import asset
from inception_lab.images.classify import classify
from inception_lab.images.samples import Sample, samples

# index and probability as the embedded network gave them when the files were made
TOP5 = {
    "coffee.jpg": [(967, 0.954), (968, 0.014), (925, 0.009), (960, 0.004), (504, 0.003)],
    "chelsea.jpg": [(282, 0.386), (285, 0.342), (281, 0.182), (287, 0.017), (904, 0.001)],
    "camera.jpg": [(872, 0.939), (593, 0.010), (447, 0.008), (650, 0.007), (759, 0.004)],
    "rocket.jpg": [(657, 0.252), (744, 0.150), (540, 0.115), (812, 0.054), (668, 0.021)],
    "astronaut.jpg": [(560, 0.162), (450, 0.125), (573, 0.066), (422, 0.045), (746, 0.030)],
    "clock.jpg": [(971, 0.332), (818, 0.174), (892, 0.085), (722, 0.030), (673, 0.030)],
    "hubble.jpg": [(110, 0.187), (971, 0.088), (111, 0.058), (107, 0.017), (115, 0.012)],
}


def test_every_file_has_its_entry_and_every_entry_its_file() -> None:
    assert {sample.file for sample in samples()} == {path.name for path in asset("samples").glob("*.jpg")} == set(TOP5)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.file)
def test_a_sample_is_free_small_and_described(sample: Sample) -> None:
    assert sample.licence in ("CC0", "public domain")
    assert sample.title
    assert sample.author
    assert sample.source
    assert sample.path.stat().st_size < 130_000
    with Image.open(sample.path) as image:
        assert max(image.size) <= 640
    assert (sample.photo().name, sample.photo().note) == (sample.title, None)


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.file)
def test_the_embedded_network_says_what_it_said(sample: Sample) -> None:
    [found] = classify(sample.path, threads=1)
    expected = TOP5[sample.file]
    assert {p.index for p in found.predictions} == {index for index, _ in expected}
    assert found.predictions[0].index == expected[0][0]
    assert [p.probability for p in found.predictions] == pytest.approx([share for _, share in expected], abs=0.005)
