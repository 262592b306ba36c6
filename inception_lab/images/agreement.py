"""Many maps of one photograph as a matrix of how far they agree, with the deletion test as arbiter."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from inception_lab.errors import SettingsError
from inception_lab.images import deletion, methods, shown, verdict
from inception_lab.images.attribute import Attribution, attribute
from inception_lab.images.comparison import correlation
from inception_lab.images.deletion import SEEDS, STEPS, Asked, Curve, Curves, Ground, Measure, Progress
from inception_lab.images.load import Photo, Source, load
from inception_lab.images.methods import TITLES, Method, later
from inception_lab.images.networks import borrowed, threads_set
from inception_lab.images.trained import known
from inception_lab.models.records import EMBEDDED
from inception_lab.readers.columns import as_html, as_text

Array = np.ndarray[Any, np.dtype[Any]]

USUAL: tuple[Method, ...] = ("integrated_gradients", "saliency", "grad_cam")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranked:
    """One map of the matrix with the arbiter's word.

    `area` is that of its deletion curve, `chance` and `deviation` mean and standard deviation over random orders, all
    of `measure`. `gain` is chance less area as a share of the whole fall, so that networks can be compared. `passes` if
    it is clearly better than chance by the rules of `images.verdict`, and none does where the score hardly falls at all
    (`testable` is false).
    """

    result: Attribution
    area: float
    chance: float
    deviation: float
    gain: float
    passes: bool
    testable: bool
    measure: Measure

    @property
    def name(self) -> str:
        """Method and network, as the lab's calls take them."""
        return f"{self.result.method}, {self.result.network}"

    @property
    def title(self) -> str:
        """The same as sentences write it."""
        return f"{TITLES[self.result.method]} of {self.result.network}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Agreement:
    """`matrix` (n, n) holds Spearman's correlations of `ranked`, in their order; `best` is the arbiter's choice."""

    ranked: tuple[Ranked, ...]
    matrix: Array
    best: int | None
    sentence: str
    setting: str
    forwards: int
    seconds: float

    def rows(self) -> list[dict[str, Any]]:
        """A row for each map: what it is, its areas, and its correlation with each map."""
        names = [one.name for one in self.ranked]
        numbers = ("area", "chance", "deviation", "gain", "passes", "measure")
        return [
            {"map": one.name, "class": one.result.question}
            | {name: getattr(one, name) for name in numbers}
            | dict(zip(names, map(float, line), strict=True))
            for one, line in zip(self.ranked, self.matrix, strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values without the maps, as machines read them."""
        best = None if self.best is None else self.ranked[self.best].name
        named = ("sentence", "setting", "forwards", "seconds")
        return {"best": best, "maps": self.rows(), **{name: getattr(self, name) for name in named}}

    def __str__(self) -> str:
        return f"{as_text(*self._table())}\n\n{self.sentence}\n{self.setting}"

    def _repr_html_(self) -> str:
        maps = (
            shown.column(
                shown.picture(one.result.overlay(), f"Map: {one.result.named}", side=shown.SMALL),
                shown.paragraph(one.title),
                width=shown.SMALL,
            )
            for one in self.ranked
        )
        caption = f"Correlations of the maps, and what the deletion test says. {self.setting}."
        return shown.paragraph(self.sentence, strong=True) + shown.row(*maps) + as_html(*self._table(), caption=caption)

    def _table(self) -> tuple[list[str], list[list[Any]]]:
        rows = self.rows()
        return list(rows[0]), [list(row.values()) for row in rows]


def cost(
    *,
    networks: Sequence[str] = (EMBEDDED,),
    methods: Sequence[Method] = USUAL,
    steps: int = STEPS,
    seeds: int = SEEDS,
) -> int:
    """About how many images `agreement` runs through the networks; exact but for feature ablation."""
    return sum(_cost(network, methods, steps, seeds) for network in networks)


def agreement(
    image: Source | Photo,
    *,
    networks: Sequence[str] = (EMBEDDED,),
    methods: Sequence[Method] = USUAL,
    target: int | None = None,
    against: int | None = None,
    steps: int = STEPS,
    seeds: int = SEEDS,
    ground: Ground = "blur",
    threads: int | None = None,
    progress: Progress | None = None,
) -> Agreement:
    """How far the maps of several methods and networks agree on one class, and which one's marks count most.

    `target` is a class of the first network (its first choice if None), explained rather than its class `against` if
    there is one; a network with other classes explains the one of that name, or else its own first choice, and must
    know the name of `against`. Layers are the default ones. Where both maps are signed the values are ranked, else
    their sizes. Errors as `attribute`; `SettingsError` also for fewer than two maps.
    """
    deletion.checked(steps, seeds, ground, "squares")
    if len(networks) * len(methods) < 2 or len(set(networks)) < len(networks) or len(set(methods)) < len(methods):
        raise SettingsError("An agreement needs at least two different maps: name more methods or networks, each once.")
    start, photo = time.perf_counter(), load(image)
    total, done = cost(networks=networks, methods=methods, steps=steps, seeds=seeds), 0
    found: list[Ranked] = []
    with threads_set(threads):
        for network in networks:
            classes = _classes(network, target, against, found)
            part = later(progress, done, total)
            found += _of_network(
                photo, network, methods, classes, steps=steps, seeds=seeds, ground=ground, progress=part
            )
            done += _cost(network, methods, steps, seeds)
    setting = (
        f"deletion of squares to {deletion.ground_in_words(ground)} in {steps} steps; {seeds} random orders "
        "for each network and class; Spearman's correlation over squares"
    )
    return _agreed(found, setting, forwards=total, seconds=time.perf_counter() - start)


def _agreed(found: Sequence[Ranked], setting: str, *, forwards: int, seconds: float) -> Agreement:
    """The matrix of all maps, and the one that the arbiter prefers."""
    best = max((n for n, one in enumerate(found) if one.passes), key=lambda n: found[n].gain, default=None)
    return Agreement(
        ranked=tuple(found),
        matrix=np.array([[correlation(a.result, b.result) for b in found] for a in found]),
        best=best,
        sentence=_sentence(found, best),
        setting=setting,
        forwards=forwards,
        seconds=seconds,
    )


def _of_network(
    photo: Photo,
    network: str,
    chosen: Sequence[Method],
    classes: tuple[int | None, int | None],
    *,
    steps: int,
    seeds: int,
    ground: Ground,
    progress: Progress | None,
) -> list[Ranked]:
    """All maps of one network; its random orders are run once and serve every map."""
    total, done, maps = _cost(network, chosen, steps, seeds), 0, []
    target, against = classes
    for method in chosen:
        part = later(progress, done, total)
        one = attribute(photo, network, method=method, target=target, against=against, progress=part)
        maps.append(one)
        target, done = one.target, done + one.forwards
    regions = deletion.regions_of(maps[0].pixels, "squares")
    with borrowed(network) as loaded:
        pass  # asked for in parts: others get their turn in between
    asked = Asked(
        loaded,
        maps[0].pixels,
        target=maps[0].target,
        against=against,
        ground=ground,
        regions=regions,
        progress=later(progress, done, total),
        total=total,
    )
    ends = asked.ends()
    shuffled = deletion.random_orders(int(regions.max()) + 1, seeds)
    chance = tuple(deletion.joined(ends, asked.between(order, steps)) for order in shuffled)
    orders = [deletion.order_of(one.values, regions) for one in maps]
    return [
        _ranked(one, deletion.joined(ends, asked.between(order, steps)), chance)
        for one, order in zip(maps, orders, strict=True)
    ]


def _ranked(result: Attribution, curve: Curve, chance: tuple[Curve, ...]) -> Ranked:
    shares = np.linspace(0, 1, len(curve.logit))
    curves = Curves(shares=shares, deletion=curve, insertion=curve.reversed, chance=chance)
    measure = verdict.measure_of(curves)
    areas, drop = curves.chance_areas(measure), curves.drop(measure)
    testable = verdict.testable(curves, measure)
    return Ranked(
        result=result,
        area=curve.area(measure),
        chance=float(areas.mean()),
        deviation=float(areas.std(ddof=1)),
        gain=float(areas.mean() - curve.area(measure)) / drop if testable else 0.0,
        testable=testable,
        passes=testable and verdict.better(curves, measure)[0],
        measure=measure,
    )


def _classes(
    network: str, target: int | None, against: int | None, found: Sequence[Ranked]
) -> tuple[int | None, int | None]:
    """The class for one more network and the one it is compared with: those of the maps before, by their names."""
    if not found:
        return target, against
    first = found[0].result
    record, other = known(first.network), known(network)
    if record.labels == other.labels:
        return first.target, first.against
    with borrowed(network) as loaded:
        names = loaded.labels
    own = names.index(first.label) if first.label in names else None
    if first.against_label is None:
        return own, None
    if first.against_label not in names:
        raise SettingsError(f"{network} knows no {first.against_label} to compare with; leave it out.")
    return own, names.index(first.against_label)


def _sentence(found: Sequence[Ranked], best: int | None) -> str:
    if not any(one.testable for one in found):
        return (
            "The deletion test says nothing about this image: the network is hardly less sure without the whole of it."
        )
    if best is None:
        return "The deletion test favours none: no map's marks clearly hurt more when removed than random parts do."
    one, others = found[best], sum(other.passes for other in found) - 1
    also = f"{others} more of {len(found)} pass too" if others else f"none of the other {len(found) - 1} passes"
    return f"The deletion test favours {one.title}: removing what it marks hurts most; {also}."


def _cost(network: str, chosen: Sequence[Method], steps: int, seeds: int) -> int:
    size = known(network).size
    maps = sum(1 + methods.passes(method, size).images for method in chosen)
    return maps + deletion.forwards(steps, seeds, maps=len(chosen), insertion=False)
