"""The forecast computed: equal to step 0 of a run, to the shipped map, and told line by line."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import torch

from inception_lab.errors import InputTooSmall
from inception_lab.training.forecast import answer, forecast, make_map
from inception_lab.training.foretold import FILE, load
from inception_lab.training.presets import preset
from inception_lab.training.run import run
from tests.training.tiny import tiny


def test_a_forecast_is_step_0_of_the_run_itself() -> None:
    first = next(run(tiny()))
    found = forecast(tiny(telemetry_every=0, clip=1.0, average=0.9, schedule="warmup"))
    assert found.loss == first.loss
    assert found.gradient_norm == first.gradient_norm
    assert (found.shortcut, found.residual) == (first.shortcut, first.residual)
    assert found.p == tiny().rate * first.gradient_norm
    assert len(found.addresses) == len(found.additive) == len(found.product) == 4


def test_the_callers_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    forecast(tiny())
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "point",
    [
        preset("micro"),
        preset("micro", scale=0.05, seed=2),
        preset("micro", scale=0.3, repeats=(1, 2, 1), width=0.125, init="xavier"),
        preset("micro", scale=1.0, repeats=(2, 4, 2), width=0.5),
    ],
)
def test_points_of_the_map_are_made_again(point: object) -> None:
    kept = load().at(point)
    assert kept is not None
    again = forecast(point)
    assert again.gradient_norm == pytest.approx(kept.gradient_norm, rel=1e-4)
    assert again.loss == pytest.approx(kept.loss, rel=1e-4)
    assert again.shortcut == pytest.approx(kept.shortcut, rel=1e-3)


def test_each_line_has_its_answer_and_a_bad_one_stops_no_other() -> None:
    told = io.StringIO()
    small = tiny(image_size=16, small=False)
    lines = ["{", "[1]", '{"no": 1}', json.dumps(small.to_dict()), json.dumps(tiny().to_dict())]
    answer(io.StringIO("\n".join(lines) + "\n\n"), told)
    broken, listed, unknown, refused, made = map(json.loads, told.getvalue().splitlines())
    assert "not JSON" in broken["error"]
    assert "JSON object" in listed["error"]
    assert "no setting 'no'" in unknown["error"]
    assert "too small" in refused["error"]
    assert made["gradient_norm"] == forecast(tiny()).gradient_norm


def test_what_cannot_be_run_is_refused() -> None:
    with pytest.raises(InputTooSmall):
        forecast(tiny(image_size=16, small=False))


def test_a_map_is_made_by_the_command(tmp_path: Path) -> None:
    file = make_map(tmp_path / "map", settings=[tiny(), tiny(scale=0.1)])
    assert file.name == FILE
    found = load(tmp_path / "map").at(tiny(scale=0.1))
    assert found is not None
    assert found.gradient_norm == forecast(tiny(scale=0.1)).gradient_norm
