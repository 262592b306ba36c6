"""Where the networks of an evaluation run: the GPU's branch on a stand-in, and on a real one where there is one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from inception_lab.errors import SettingsError
from inception_lab.images import ranking
from inception_lab.images.evaluate import evaluate
from inception_lab.images.networks import MODELS
from inception_lab.images.placed import Gpus, Place, place, placed
from inception_lab.images.samples import samples
from inception_lab.images.voting import BATCH, BATCH_GPU
from inception_lab.models.records import EMBEDDED

FOUR = Gpus(count=lambda: 4, device=lambda number: torch.device("cuda", number))
NONE = Gpus(count=lambda: 0)
STANDS_IN = Place(torch.device("cpu"), copies=True, batch=BATCH_GPU)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for kind, name in (("967", "coffee.jpg"), ("285", "chelsea.jpg"), ("546", "rocket.jpg")):
        (tmp_path / "set" / kind).mkdir(parents=True)
        shutil.copy(next(one.path for one in samples() if one.file == name), tmp_path / "set" / kind)
    return tmp_path / "set"


def test_each_process_of_torchrun_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert place("auto", FOUR) == place("cuda", FOUR) == Place(torch.device("cuda", 0), copies=True, batch=BATCH_GPU)
    for rank, number in (("3", 3), ("5", 1)):
        monkeypatch.setenv("LOCAL_RANK", rank)
        assert place("auto", FOUR).device.index == number
    assert place("cpu", FOUR) == place("auto", NONE) == Place(torch.device("cpu"), copies=False, batch=BATCH)
    with pytest.raises(SettingsError, match="no GPU that torch can use"):
        place("cuda", NONE)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_process_keeps_its_own_network(precision: str) -> None:
    """What goes to the device is a copy, in bf16 too; without the cuDNN shortcut of fp32 in 10 bits while it runs."""
    [network] = placed([EMBEDDED], STANDS_IN, precision)  # type: ignore[arg-type]
    own = MODELS.get(EMBEDDED).model
    assert network.copied is not None
    assert network.copied.model is not own
    assert all(tensor.dtype == torch.float32 for tensor in own.parameters())
    kinds = {tensor.dtype for tensor in network.copied.model.parameters()}
    assert kinds == {torch.bfloat16 if precision == "bf16" else torch.float32}
    seen: list[bool] = []
    network.copied.model.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    assert network.said([samples()[0].photo().image.resize((224, 224))]).shape == (1, 1000)
    assert seen == [False]


def test_copies_answer_as_the_network_itself(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = evaluate(folder)
    monkeypatch.setattr(ranking, "place", lambda asked: STANDS_IN)
    assert evaluate(folder).rows == whole.rows


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_a_gpu_answers_as_the_processor(folder: Path) -> None:
    found, whole = evaluate(folder, device="cuda"), evaluate(folder, device="cpu")
    assert found.device == "cuda:0"
    assert [row.top5_error for row in found.rows] == [row.top5_error for row in whole.rows]
    [there] = placed([EMBEDDED], place("cuda"))
    [here] = placed([EMBEDDED], place("cpu"))
    squares = [one.photo().image.resize((224, 224)) for one in samples()]
    assert torch.allclose(there.said(squares), here.said(squares), atol=1e-4)
