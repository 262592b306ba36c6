"""Classification with the embedded network and with a small one, errors by name, and the models' cache."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError, UnknownNetwork
from inception_lab.images import networks
from inception_lab.images.classify import Classification, Classifications, Prediction, classify
from inception_lab.images.crops import crops
from inception_lab.images.load import load
from inception_lab.images.networks import MODELS, Models, borrowed, tensor
from inception_lab.images.samples import samples
from inception_lab.images.voting import votes
from tests.images.files import encoded, noise, scene

COFFEE = samples()[0].path


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_a_cup_of_coffee_is_espresso() -> None:
    [found] = classify(COFFEE)
    assert (found.file, found.network, found.crops, found.error) == (str(COFFEE), "efficientnet_lite0", 1, None)
    assert (found.predictions[0].label, found.predictions[0].index) == ("espresso", 967)
    assert len(found.predictions) == 5
    assert [p.probability for p in found.predictions] == sorted(
        (p.probability for p in found.predictions), reverse=True
    )
    assert found.seconds > 0


@pytest.mark.parametrize("n", [1, 10, 12])
def test_probabilities_are_the_mean_of_the_softmax_over_the_crops(n: int) -> None:
    photo = load(COFFEE)
    with borrowed("efficientnet_lite0") as loaded:
        found = votes(loaded, photo, n).mean(dim=0)
        rows = [loaded.model(tensor([square], loaded.record)).softmax(1) for square in crops(photo, loaded.record, n)]
    assert torch.allclose(found, torch.cat(rows).mean(dim=0), atol=1e-6)
    assert found.sum().item() == pytest.approx(1, abs=1e-5)


def test_bad_files_are_reported_by_name_and_the_rest_goes_on(tmp_path: Path) -> None:
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"")
    found = classify([broken, encoded(scene(), "PNG"), tmp_path / "missing.jpg"], top=2)
    assert [len(entry.predictions) for entry in found] == [0, 2, 0]
    assert found[0].error == "broken.png is empty (0 bytes); choose a JPEG or PNG photograph."
    assert found[1].error is None
    assert str(found[2].error).startswith("missing.jpg cannot be opened")


def test_each_network_has_its_own_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "pretrained", lambda tag, *, progress: Constant(len(tag)).eval())
    monkeypatch.setattr("inception_lab.images.networks.MODELS", Models())
    tags = ["inception_v3.tf_in1k", "inception_v4"]
    found = classify([noise(40, 40), noise(40, 40)], networks=tags, top=1)
    assert [entry.network for entry in found] == 2 * ["inception_v3.tf_in1k", "inception_v4.tf_in1k"]
    assert [entry.predictions[0].index for entry in found] == 4 * [20]
    assert found.to_dict()["network"] == "inception_v3.tf_in1k, inception_v4.tf_in1k"


def test_json_has_the_contracts_shape() -> None:
    shape = json.loads(json.dumps(classify([COFFEE, b""], top=1).to_dict()))
    assert (shape["network"], shape["crops"]) == ("efficientnet_lite0", 1)
    good, bad = shape["images"]
    assert good["error"] is None
    assert set(good["predictions"][0]) == {"label", "index", "probability"}
    assert (bad["file"], bad["predictions"]) == ("the image", [])
    assert "0 bytes" in bad["error"]


def test_a_notebook_shows_names_escaped() -> None:
    entry = Classification("<b>.jpg", "net", 12, (Prediction("a & b", 1, 0.25),))
    assert "<b>.jpg" not in entry._repr_html_()
    assert "&lt;b&gt;.jpg, net, 12 crops" in entry._repr_html_()
    assert "a &amp; b</td><td>25.0%" in entry._repr_html_()
    broken = Classification("x", "net", 1, (), error="<script> is broken")
    assert Classifications([broken])._repr_html_() == "<p>&lt;script&gt; is broken</p>"
    assert str(entry) == "<b>.jpg, net, 12 crops\n   25.0%  a & b"


def test_wrong_requests() -> None:
    with pytest.raises(SettingsError, match="no protocol of 3 crops"):
        classify(COFFEE, crops=3)
    with pytest.raises(SettingsError, match="best 0 of 1000"):
        classify(COFFEE, top=0)
    with pytest.raises(UnknownNetwork, match="inception_v9"):
        classify(COFFEE, networks="inception_v9")


def test_threads_are_set_for_the_call_only() -> None:
    seen: list[int] = []
    with borrowed("efficientnet_lite0") as loaded:
        hook = loaded.model.register_forward_hook(lambda *_: seen.append(torch.get_num_threads()))
    try:
        classify(COFFEE, threads=2)
    finally:
        hook.remove()
    assert (seen, torch.get_num_threads()) == ([2], 1)


def test_many_threads_get_the_answers_of_one() -> None:
    expected = [classify(sample.path, top=1)[0].predictions for sample in samples()[:4]]
    found: dict[int, object] = {}

    def ask(place: int) -> None:
        torch.set_num_threads(1)
        found[place] = classify(samples()[place % 4].path, top=1)[0].predictions

    crowd = [threading.Thread(target=ask, args=(place,)) for place in range(12)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert [found[place] for place in range(12)] == 3 * expected


class Constant(nn.Module):
    """Always the same class, whatever it is shown."""

    def __init__(self, index: int) -> None:
        super().__init__()
        self.index = index

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.one_hot(torch.full((len(x),), self.index), 1000).float()


def test_a_model_is_loaded_once_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    def slow(tag: str, *, progress: object) -> nn.Module:
        loads.append(tag)
        time.sleep(0.05)
        return Constant(0).eval()

    monkeypatch.setattr(networks, "pretrained", slow)
    models = Models(kept=2)
    crowd = [threading.Thread(target=models.get, args=("inception_v4",)) for _ in range(8)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert loads == ["inception_v4.tf_in1k"]
    models.get("inception_v3.tf_in1k")
    assert models.get("inception_v4.tf_in1k") is models.get("inception_v4")
    models.get("inception_v3.tv_in1k")
    assert models.names() == ("inception_v4.tf_in1k", "inception_v3.tv_in1k")
    models.clear()
    assert models.names() == ()


def test_a_borrowed_model_is_one_threads_alone() -> None:
    entered = threading.Event()

    def enter() -> None:
        with borrowed("efficientnet_lite0"):
            entered.set()

    with borrowed("efficientnet_lite0"):
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.1)
    thread.join()
    assert entered.is_set()
    assert "efficientnet_lite0" in MODELS.names()
