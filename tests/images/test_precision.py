"""bf16 beside fp32: counted by hand on made-up networks, and the embedded one's numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from torch import Tensor, nn

from inception_lab.cli.main import main
from inception_lab.errors import SettingsError
from inception_lab.images import networks
from inception_lab.images.classify import classify
from inception_lab.images.evaluate import settings
from inception_lab.images.networks import Loaded, Models
from inception_lab.images.precision import closeness
from inception_lab.images.samples import samples
from inception_lab.models.records import EMBEDDED, RECORDS


class Fixed(nn.Module):
    """The same logits for every image."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.tensor([*logits, *(1000 - len(logits)) * [-50.0]]), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.logits.float().expand(len(x), -1)


def test_counts_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """8 bits cannot tell 4.001 from 4: the two first classes tie, and the earlier one wins in bf16."""
    models = Models()
    monkeypatch.setattr(networks, "MODELS", models)
    monkeypatch.setattr(networks, "has_bf16", lambda: True)
    monkeypatch.setattr(
        networks, "_loaded", lambda tag, progress: Loaded(RECORDS[tag], Fixed(4.0, 4.001, 3.0, 2.0, 1.0, 0.0))
    )
    found = closeness()
    exact, near = (torch.tensor(values).softmax(0) for values in ([4, 4.001, 3, 2, 1, 0], [4.0, 4, 3, 2, 1, 0]))
    assert (found.images, found.first, found.five) == (len(samples()), 0, len(samples()))
    assert found.shift == pytest.approx((exact - near).abs().max().item(), abs=1e-6)
    assert f"first guess the same in 0, best five in {found.images}" in str(found)


def test_a_processor_without_it_refuses(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "has_bf16", lambda: False)
    with pytest.raises(SettingsError, match="This processor has no bf16 arithmetic, so bf16 would only be slower"):
        closeness()
    with pytest.raises(SettingsError, match="There is no precision 'fp64'; there are fp32 and bf16"):
        settings(precision="fp64")  # type: ignore[arg-type]


@pytest.mark.skipif(not networks.has_bf16(), reason="this processor has no bf16")
def test_the_embedded_network_stays_near() -> None:
    found = closeness(EMBEDDED, threads=1)
    assert found.first == found.images
    assert found.five >= found.images - 2
    assert 0 < found.shift < 0.1


def test_a_photograph_can_be_asked_in_bf16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "has_bf16", lambda: True)
    [exact], [near] = classify(samples()[0].path), classify(samples()[0].path, precision="bf16")
    assert near.predictions[0].label == exact.predictions[0].label
    assert near.predictions[0].probability != exact.predictions[0].probability
    assert near.predictions[0].probability == pytest.approx(exact.predictions[0].probability, abs=0.1)
    assert (exact.precision, near.precision) == (exact.to_dict()["precision"], near.to_dict()["precision"])
    assert near.to_dict()["precision"] == "bf16"
    assert ", 1 crop, bf16\n" in str(near)
    assert "bf16" not in str(exact)


def test_the_command_line_says_how_near_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(networks, "has_bf16", lambda: True)
    table, photo = tmp_path / "guesses.csv", str(samples()[0].path)
    done = CliRunner().invoke(main, ["classify", photo, "--precision", "bf16", "--csv", str(table), "--json"])
    assert done.exit_code == 0, done.stderr
    assert str(closeness()) in done.stderr
    assert json.loads(done.stdout)["precision"] == "bf16"
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert {row["precision"] for row in rows} == {"bf16"}
