"""What the residuals of a network are worth once it is trained: their scale moved, or one block after another off.

`rho` moves the scale of one block or all and asks again; `damage` does it to each block by itself. With a scale of 0 a
block is its shortcut alone (and the ReLU after the add), as in the lesion study of Veit et al. 2016.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from inception_lab.errors import SettingsError
from inception_lab.images.classify import Prediction
from inception_lab.images.credit import best
from inception_lab.images.crops import pixels
from inception_lab.images.joints import Residue, chosen, residues, scaled, trunk
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.methods import Progress
from inception_lab.images.networks import MODELS, Loaded, aimed, borrowed, tensor, threads_set
from inception_lab.images.parts import Damage, Damaged
from inception_lab.images.rescaled import Rho, Rhos
from inception_lab.models.records import EMBEDDED

__all__ = ["Damage", "Damaged", "Rho", "Rhos", "blocks", "cost", "damage", "rho", "scaled"]

SCALES = (0.0, 0.25, 0.5, 0.75, 1.0)
TOP = 5
ROWS = 8  # images in one pass: the widest maps of eight take about 0.1 GB at 299 pixels


def blocks(network: str = EMBEDDED) -> dict[str, float]:
    """The residual blocks of a network in order, address to the scale it was built with; empty if it has none."""
    return {one.address: one.built for one in residues(MODELS.get(network))}


def cost(network: str = EMBEDDED) -> tuple[int, float]:
    """For `damage`: how many blocks are tried, and about how many runs of one image through the whole network that is.

    A block that is changed leaves everything before it as it was, so only what follows is run again; parts of the
    network are counted as equally long.
    """
    loaded = MODELS.get(network)
    rows = _rows(loaded)
    return len(residues(loaded)), sum(rows) / len(rows)


def rho(
    image: Source | Photo,
    network: str = EMBEDDED,
    *,
    scales: Iterable[float] = SCALES,
    at: str | None = None,
    relative: bool = False,
    target: int | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Rhos:
    """The best five classes at each of `scales`, single centre crop: the scale of the block (or stage) `at`, or of all.

    It runs the network once for each, and once more as it was built if no `target` is given. With `relative` the
    numbers multiply the scale that each block was built with. `progress` is called with (scales
    done, scales in all) and may raise to cancel. Raises as `images.credit.credit`, and `SettingsError` for a network
    without residuals and for scales that are no numbers.
    """
    numbers, photo = _listed(scales), load(image)
    found = Rhos()
    with threads_set(threads), borrowed(network) as loaded:
        x = tensor([pixels(photo, loaded.record)], loaded.record)
        aim = best(loaded, _logits(loaded, x), None) if target is None else aimed(loaded, target)
        for place, number in enumerate(numbers):
            if progress is not None:
                progress(place, len(numbers))
            where = number if at is None else {at: number}
            with scaled(loaded, where, relative=relative):
                logits = _finite(_logits(loaded, x), number, loaded)
            names = tuple(one.address for one, _ in chosen(loaded, where))
            found.append(_rho(loaded, logits, number, relative, names, aim))
    if progress is not None:
        progress(len(numbers), len(numbers))
    return found


def damage(
    image: Source | Photo,
    network: str = EMBEDDED,
    *,
    scale: float = 0.0,
    relative: bool = False,
    target: int | None = None,
    progress: Progress | None = None,
    threads: int | None = None,
) -> Damage:
    """What class `target` (the first choice if None) loses when each residual block by itself is set to `scale`.

    One pass through the network: from each block on one more image goes along, the one in which that block is changed.
    `progress` is called with (images x parts of the network run, all of them) and may raise to cancel. Raises as `rho`.
    """
    photo = load(image)
    with threads_set(threads), borrowed(network) as loaded:
        start = time.perf_counter()
        tried = chosen(loaded, scale)
        x = tensor([pixels(photo, loaded.record)], loaded.record)
        rows = _finite(_cascade(loaded, x, tried, relative, progress), scale, loaded)
        before, after = rows[0], rows[1:]
        aim = best(loaded, before, target)
        whole = before.softmax(dim=0)[aim].item()
        each = tuple(_damaged(loaded, one, before, row, aim) for (one, _), row in zip(tried, after, strict=True))
    return Damage(
        file=photo.name,
        network=loaded.record.tag,
        target=aim,
        label=loaded.labels[aim],
        probability=whole,
        logit=before[aim].item(),
        scale=scale,
        relative=relative,
        blocks=each,
        seconds=time.perf_counter() - start,
    )


def _listed(scales: Iterable[float]) -> list[float]:
    try:
        found = [] if isinstance(scales, str) else list(scales)
    except TypeError:
        found = []
    if not found:
        raise SettingsError(f"{scales!r} holds no scales to try; give a list of numbers, such as [0, 0.5, 1].")
    return found


def _cascade(
    loaded: Loaded,
    x: Tensor,
    tried: Sequence[tuple[Residue, float]],
    relative: bool,
    progress: Progress | None,
) -> Tensor:
    """Logits (1 + residuals, classes): of the image, then with each residual in turn held at its number.

    Before a block all rows are one, so each row is made where its block stands; residuals come in the trunk's order.
    """
    done, total = 0, sum(_rows(loaded))
    rows = x
    with torch.inference_mode():
        for module in trunk(loaded):
            first = rows[:1]
            fresh = [_held(module, first, one, number, relative) for one, number in tried if _holds(module, one)]
            made: list[Tensor] = []
            for some in torch.split(rows, ROWS):
                if progress is not None:
                    progress(done, total)
                made.append(module(some))
                done += len(some)
            rows = torch.cat([*made, *fresh])
            done += len(fresh)
    if progress is not None:
        progress(total, total)
    return rows


def _held(module: nn.Module, x: Tensor, residue: Residue, number: float, relative: bool) -> Tensor:
    handle = residue.hold(number * residue.built if relative else number)
    try:
        made: Tensor = module(x.clone())  # some of timm's steps work in place
    finally:
        handle.remove()
    return made


def _holds(module: nn.Module, residue: Residue) -> bool:
    return any(inner is residue.module for inner in module.modules())


def _rows(loaded: Loaded) -> list[int]:
    """How many images run through each part of the trunk."""
    every, rows, counts = residues(loaded), 1, []
    for module in trunk(loaded):
        fresh = sum(_holds(module, residue) for residue in every)
        counts.append(rows + fresh)
        rows += fresh
    return counts


def _logits(loaded: Loaded, x: Tensor) -> Tensor:
    with torch.inference_mode():
        logits: Tensor = loaded.model(x)[0]
    return logits


def _finite(logits: Tensor, scale: float, loaded: Loaded) -> Tensor:
    if not logits.isfinite().all():
        raise SettingsError(
            f"With a residual scale of {scale:g} {loaded.record.tag} puts out nan or infinity; "
            "take one nearer to its own."
        )
    return logits


def _rho(loaded: Loaded, logits: Tensor, scale: float, relative: bool, names: tuple[str, ...], target: int) -> Rho:
    probabilities = logits.softmax(dim=0)
    top = probabilities.topk(min(TOP, len(probabilities)))
    return Rho(
        scale=scale,
        relative=relative,
        blocks=names,
        predictions=tuple(
            Prediction(loaded.labels[index], index, share)
            for index, share in zip(top.indices.tolist(), top.values.tolist(), strict=True)
        ),
        target=target,
        label=loaded.labels[target],
        probability=probabilities[target].item(),
        logit=logits[target].item(),
    )


def _damaged(loaded: Loaded, residue: Residue, before: Tensor, after: Tensor, target: int) -> Damaged:
    was, now = before.softmax(dim=0), after.softmax(dim=0)
    top = int(now.argmax())
    return Damaged(
        address=residue.address,
        built=residue.built,
        fall=(was[target] - now[target]).item(),
        logit_fall=(before[target] - after[target]).item(),
        top=top,
        label=loaded.labels[top],
        probability=now[top].item(),
        changed=top != int(was.argmax()),
    )
