"""timm's tensors under our names, and public weights from the hub's cache, from a stand-in hub and from nowhere."""

import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
import torchvision
from torch import nn

from inception_lab.errors import WeightsMismatch, WeightsUnavailable
from inception_lab.models import hub, weights
from inception_lab.models.build import build
from inception_lab.models.weights import EMBEDDED, RECORDS, fetch, from_timm, is_cached, labels, pretrained, wnids
from tests.models.hubfolder import randomised, safetensors_bytes, serving, store

TAG = "inception_v3.tf_in1k"
IMAGES = torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1)) * 2 - 1


@pytest.fixture
def hub_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return tmp_path / "hf"


@pytest.fixture(scope="module")
def v3() -> nn.Module:
    return randomised("inception_v3")


@pytest.fixture(scope="module")
def v3_file(v3: nn.Module) -> bytes:
    """Its tensors and those of a side head, as torchvision's weights have it on the hub."""
    side = randomised("inception_v3", aux_logits=True).state_dict()
    tensors = {name: tensor for name, tensor in side.items() if name.startswith("AuxLogits.")}
    assert len(tensors) == 14
    return safetensors_bytes({**v3.state_dict(), **tensors})


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Fails any question to the hub; the list names those that were tried."""
    tried: list[str] = []

    def refuse(url: str, **_: object) -> None:
        tried.append(url)
        raise AssertionError(f"asked the network for {url}")

    monkeypatch.setattr(hub, "get_hf_file_metadata", refuse)
    monkeypatch.setattr(hub, "hf_hub_download", refuse)
    yield tried
    assert tried == []


def relative_error(ours: nn.Module, theirs: nn.Module) -> float:
    with torch.inference_mode():
        expected = theirs(IMAGES)
        difference = (ours.eval()(IMAGES) - expected).abs().max() / expected.abs().max()
    return float(difference)


@pytest.mark.parametrize("name", ["inception_v3", "inception_v4", "inception_resnet_v2"])
def test_logits_equal_timms(name: str) -> None:
    theirs = randomised(name)
    ours = build(name)
    ours.load_state_dict(from_timm(name, theirs.state_dict()), strict=True)
    assert relative_error(ours, theirs) < 1e-5


def test_order_of_the_tensors_does_not_matter() -> None:
    tensors = randomised("inception_v4").state_dict()
    shuffled = dict(random.Random(0).sample(sorted(tensors.items()), len(tensors)))
    expected, found = from_timm("inception_v4", tensors), from_timm("inception_v4", shuffled)
    assert list(found) == list(build("inception_v4").state_dict())
    assert all(found[key] is expected[key] for key in expected)


def test_torchvisions_v3_fits_too() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        theirs = torchvision.models.inception_v3(weights=None, init_weights=False, transform_input=False)
    ours = build("inception_v3")
    ours.load_state_dict(from_timm("inception_v3", theirs.state_dict()), strict=True)
    assert relative_error(ours, theirs.eval()) < 1e-5


def test_counters_may_be_missing() -> None:
    tensors = timm.create_model("inception_v4").state_dict()
    bare = {key: tensor for key, tensor in tensors.items() if not key.endswith("num_batches_tracked")}
    assert len(bare) < len(tensors)
    build("inception_v4").load_state_dict(from_timm("inception_v4", bare), strict=True)


def test_a_wrong_shape_names_the_tensor_and_both_shapes() -> None:
    tensors = timm.create_model("inception_v4").state_dict()
    tensors["features.3.conv.bn.bias"] = torch.zeros(95)
    with pytest.raises(WeightsMismatch, match=r"features\.3\.conv\.bn\.bias is 95, stem\.01\.split4\.\S+ needs 96"):
        from_timm("inception_v4", tensors)


def test_missing_and_foreign_tensors_are_named() -> None:
    tensors = timm.create_model("inception_v4").state_dict()
    with pytest.raises(WeightsMismatch, match=r"inception_v4 has no extra\.weight"):
        from_timm("inception_v4", {**tensors, "extra.weight": torch.zeros(1)})
    del tensors["last_linear.bias"]
    with pytest.raises(WeightsMismatch, match=r"last_linear\.bias \(head\.classifier\.bias here\) is missing"):
        from_timm("inception_v4", tensors)


def test_a_network_timm_lacks() -> None:
    with pytest.raises(WeightsMismatch, match="timm has no inception_resnet_v1"):
        from_timm("inception_resnet_v1", {})


def test_cached_weights_load_without_the_network(
    hub_home: Path, v3: nn.Module, v3_file: bytes, no_network: list[str]
) -> None:
    assert not is_cached(TAG)
    store(hub_home, TAG, v3_file)
    assert is_cached(TAG)
    model = pretrained(TAG)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert relative_error(model, v3) < 1e-5
    assert fetch(TAG).name == "model.safetensors"


def test_a_damaged_file_is_refused(hub_home: Path, v3_file: bytes, no_network: list[str]) -> None:
    blob = store(hub_home, TAG, v3_file)
    damaged = bytearray(v3_file)
    damaged[-1000] ^= 1
    blob.write_bytes(damaged)
    with pytest.raises(WeightsMismatch, match=r"is damaged: its SHA-256 is not .* Delete .* and fetch it again\."):
        pretrained(TAG)


def test_another_networks_weights_are_refused(hub_home: Path, v3_file: bytes, no_network: list[str]) -> None:
    store(hub_home, "inception_v4.tf_in1k", v3_file)
    with pytest.raises(WeightsMismatch, match="These are not inception_v4's weights: "):
        pretrained("inception_v4.tf_in1k")


def test_a_file_that_is_no_safetensors_is_refused(hub_home: Path, no_network: list[str]) -> None:
    store(hub_home, TAG, b"\x80\x04pickle")
    with pytest.raises(WeightsMismatch, match="is no readable safetensors file"):
        pretrained(TAG)


def test_out_of_reach_is_one_quick_sentence(hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"") as server:
        closed = server.url
    monkeypatch.setenv("HF_ENDPOINT", closed)
    start = time.monotonic()
    with pytest.raises(WeightsUnavailable, match=r"not in the cache and the hub cannot be reached \(") as caught:
        pretrained(TAG)
    assert time.monotonic() - start < hub.ANSWER_WITHIN + 1
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_hubs_offline_switch_is_obeyed(hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsUnavailable, match="HF_HUB_OFFLINE is set"):
        pretrained(TAG)


def test_a_download_reports_itself_and_lands_in_the_cache(
    hub_home: Path, v3: nn.Module, v3_file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, int]] = []
    with serving(v3_file) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        model = pretrained(TAG, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, len(v3_file))
    assert seen[-1] == (len(v3_file), len(v3_file))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert relative_error(model, v3) < 1e-5
    assert is_cached(TAG)


def test_a_cut_download_goes_on_from_where_it_stopped(
    hub_home: Path, v3_file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(Exception):
        pass

    def stop_halfway(done: int, total: int) -> None:
        if done > total // 2:
            raise Stopped

    with serving(v3_file) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        with pytest.raises(Stopped):
            fetch(TAG, progress=stop_halfway)
        assert not is_cached(TAG)
        [part] = hub_home.rglob("*.part")
        have = part.stat().st_size
        assert hub.unfinished(RECORDS[TAG].repository) == have
        assert have > 0
        fetch(TAG)
        assert server.requests[-2:] == [f"GET {have}", "HEAD 0"]
    assert is_cached(TAG)
    assert not list(hub_home.rglob("*.part"))
    assert hub.unfinished(RECORDS[TAG].repository) == 0


def test_what_is_not_what_was_announced_is_thrown_away(hub_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(b"x" * 1000) as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.digest = "0" * 64
        with pytest.raises(WeightsMismatch, match="not the file it announced"):
            fetch(TAG)
    assert not is_cached(TAG)
    assert not list(hub_home.rglob("*.part"))


@pytest.mark.parametrize("status", [404, 503])
def test_an_error_of_the_hub_is_a_sentence(hub_home: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    with serving(b"x") as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        server.status = status
        with pytest.raises(WeightsUnavailable, match=f"it answered {status}"):
            fetch(TAG)


def test_a_baseline_loads_strictly_into_timms_module(
    hub_home: Path, no_network: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = randomised("resnet26")  # ResNet-152's module with fewer blocks
    small = replace(RECORDS["resnet152.tv_in1k"], tag="resnet26.x", network="resnet26")
    monkeypatch.setitem(RECORDS, "resnet26.x", small)
    store(hub_home, "resnet26.x", safetensors_bytes(theirs.state_dict()))
    model = pretrained("resnet26.x")
    with torch.inference_mode():
        assert torch.equal(model(IMAGES), theirs(IMAGES))
    monkeypatch.setitem(RECORDS, "resnet26.y", replace(small, tag="resnet26.y"))
    tensors = {**theirs.state_dict(), "extra.weight": torch.zeros(1)}
    store(hub_home, "resnet26.y", safetensors_bytes(tensors))
    with pytest.raises(WeightsMismatch, match=r"resnet26 has no extra\.weight"):
        fetch("resnet26.y")


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.ckpt"])
def test_a_pickle_in_the_cache_is_never_read(
    hub_home: Path, no_network: list[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    link = store(hub_home, TAG, b"")
    [safetensors] = hub_home.rglob("model.safetensors")
    safetensors.unlink()
    pickle = safetensors.with_name(name)
    pickle.write_bytes(b"cos\nabort\n(tR.")  # a pickle that ends the process which reads it
    assert link.exists()
    assert not is_cached(TAG)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsUnavailable, match="not in the cache"):
        pretrained(TAG)
    pickle.rename(safetensors)  # and under the right name it is no safetensors file
    with pytest.raises(WeightsMismatch, match="no readable safetensors file"):
        pretrained(TAG)


def test_embedded_network_equals_its_package() -> None:
    model = pretrained(EMBEDDED)
    assert is_cached(EMBEDDED)
    assert sum(parameter.numel() for parameter in model.parameters()) == 4_652_008
    first = torch.load(fetch(EMBEDDED), weights_only=True)["_conv_stem.weight"]
    assert torch.equal(model.get_submodule("conv_stem").weight, first)  # type: ignore[arg-type]


def test_a_changed_embedded_file_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = tmp_path / "changed.pth"
    shutil.copyfile(fetch(EMBEDDED), copy)
    with copy.open("ab") as file:
        file.write(b"x")
    monkeypatch.setattr(weights, "_embedded_file", lambda: copy)
    with pytest.raises(WeightsMismatch, match="not the known one"):
        pretrained(EMBEDDED)


def test_labels() -> None:
    assert len(labels()) == len(wnids()) == 1000
    assert (labels()[967], wnids()[967]) == ("espresso", "n07920052")
    assert labels()[0] == "tench"
    assert all(RECORDS[tag].classes == 1000 for tag in RECORDS)
