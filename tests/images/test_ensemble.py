"""Softmax averaged over crops and networks: the arithmetic, the paper's preset, and what cannot be averaged."""

from __future__ import annotations

import csv
import json
from io import StringIO
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images import networks
from inception_lab.images.classify import classify
from inception_lab.images.crops import crops
from inception_lab.images.ensemble import PAPERS, asked
from inception_lab.images.load import Photo
from inception_lab.images.networks import Models, borrowed
from inception_lab.images.samples import samples
from inception_lab.images.voting import of_squares, votes
from inception_lab.models.records import EMBEDDED
from tests.images.files import noise
from tests.trained import train

V4, IR, IR_ADV = PAPERS.tags
V3 = "inception_v3.tf_in1k"
SHARES = {V4: 0.8, IR: 0.4, IR_ADV: 0.1, V3: 0.3}


class Sure(nn.Module):
    """Always the same probabilities: `share` for class 0, the rest for class 1."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        found = torch.full((len(x), 1000), -100.0)
        found[:, 0], found[:, 1] = torch.tensor(self.share).log(), torch.tensor(1 - self.share).log()
        return found


@pytest.fixture
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "pretrained", lambda tag, *, progress: Sure(SHARES[tag]).eval())
    monkeypatch.setattr(networks, "MODELS", Models())


def test_networks_count_the_same(sure: None) -> None:
    one, two, both = classify(noise(40, 40), networks=[V4, V3], ensemble=True, crops=10)
    assert [entry.predictions[0].probability for entry in (one, two)] == pytest.approx([0.8, 0.7])
    assert (both.network, both.members, both.crops) == ("ensemble", ((V4, 0.5), (V3, 0.5)), 10)
    assert [p.probability for p in both.predictions[:2]] == pytest.approx([0.55, 0.45])
    assert both.to_dict()["members"][0] == {"network": V4, "share": 0.5}


def test_the_papers_ensemble_says_what_it_is(sure: None) -> None:
    found = classify([noise(40, 40), b""], networks="paper-ensemble")
    assert [entry.network for entry in found] == 2 * [V4, IR, IR_ADV, "paper-ensemble"]
    best = found[3].predictions[0]
    assert (best.index, best.probability) == (1, pytest.approx(1 - (0.25 * 0.8 + 0.375 * 0.4 + 0.375 * 0.1)))
    assert [entry.error is None for entry in found] == 4 * [True] + 4 * [False]
    assert sum(share for _, share in PAPERS.members) == 1
    assert sum(share for tag, share in PAPERS.members if "resnet" in tag) == 0.75
    assert "not public" in PAPERS.note


def test_what_cannot_be_averaged(home: Path) -> None:
    with pytest.raises(SettingsError, match="two networks or more"):
        classify(noise(40, 40), ensemble=True)
    with pytest.raises(SettingsError, match="two networks or more"):
        classify(noise(40, 40), networks=[EMBEDDED, EMBEDDED], ensemble=True)
    with pytest.raises(SettingsError, match="is itself an ensemble"):
        classify(noise(40, 40), networks=["paper-ensemble", V4])
    run = f"run:{train(home)}"
    with pytest.raises(SettingsError, match=f"{EMBEDDED} and {run} cannot be averaged: .*1000 and"):
        asked([EMBEDDED, run], EMBEDDED, together=True)


def test_every_crop_is_kept_when_asked_for() -> None:
    path = samples()[0].path
    [plain], [kept] = classify(path, crops=12), classify(path, crops=12, each=True)
    assert plain.predictions == kept.predictions
    assert (plain.votes, len(kept.votes)) == ((), 12)
    for place, one in enumerate(kept.predictions):
        assert sum(vote.probabilities[place] for vote in kept.votes) / 12 == pytest.approx(one.probability, abs=1e-6)
    assert 0 < kept.agreeing <= 12
    assert kept.agreeing == sum(vote.label == kept.predictions[0].label for vote in kept.votes)


def test_batches_do_not_change_the_answers() -> None:
    photo = samples()[1].photo()
    with borrowed(EMBEDDED) as loaded:
        together = votes(loaded, photo, 12)
        alone = torch.cat([of_squares(loaded, [square]) for square in crops(photo, loaded.record, 12)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_crops_that_fall_on_each_other_run_once() -> None:
    ran: list[int] = []
    photo, seen = Photo(noise(300, 300), "square"), list[int]()
    with borrowed(EMBEDDED) as loaded:
        hook = loaded.model.register_forward_hook(lambda _, given, __: ran.append(len(given[0])))
        try:
            rows = votes(loaded, photo, 144, tick=seen.append)
        finally:
            hook.remove()
    assert (sum(ran), sum(seen), rows.shape) == (48, 144, (144, 1000))
    assert torch.equal(rows[:12], rows[12:24])


def test_crops_can_be_cancelled() -> None:
    def stop(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        classify(samples()[0].path, crops=144, forwards=stop)
    assert classify(samples()[0].path)[0].predictions[0].label == "espresso"


def test_tables_for_other_programs(tmp_path: Path) -> None:
    found = classify([samples()[0].path, b""], top=2, reading="slim")
    rows = list(csv.DictReader(StringIO(found.to_csv())))
    assert [row["guess"] for row in rows] == ["1", "2", ""]
    assert (rows[0]["label"], rows[0]["reading"], rows[2]["error"][:9]) == ("espresso", "slim", "the image")
    data = json.loads(json.dumps(found.to_dict()))
    assert (data["crops"], data["reading"]) == (1, "slim")
    assert "1 crop as slim cuts it" in str(found[0])
