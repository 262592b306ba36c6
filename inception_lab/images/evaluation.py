"""What `evaluate` answers: error rates with two intervals, and the paper's printed ones beside them."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any

from inception_lab.images import bootstrap
from inception_lab.images.crops import Reading
from inception_lab.images.networks import Precision
from inception_lab.images.paper_tables import Printed, printed
from inception_lab.images.trained import is_run, known
from inception_lab.intervals import wilson

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Shares of images (0 to 1) whose class was not first, or not among the first five, of one network or ensemble.

    `interval` and `top5_interval` are Wilson's, the others the percentile bootstrap's; all are of 95 %.
    """

    network: str
    images: int
    top1_error: float
    top5_error: float
    interval: Interval
    top5_interval: Interval
    bootstrap: Interval
    top5_bootstrap: Interval
    members: tuple[tuple[str, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        members = [{"network": tag, "share": share} for tag, share in self.members]
        intervals = ("interval", "top5_interval", "bootstrap", "top5_bootstrap")
        return asdict(self) | {"members": members} | {name: list(getattr(self, name)) for name in intervals}


def row(network: str, ranks: Sequence[int], *, members: tuple[tuple[str, float], ...] = ()) -> Row:
    """Error rates from the place of the right class in each image, 0 for first."""
    n = len(ranks)
    wrong1, wrong5 = sum(rank > 0 for rank in ranks), sum(rank > 4 for rank in ranks)
    return Row(
        network=network,
        images=n,
        top1_error=wrong1 / n,
        top5_error=wrong5 / n,
        interval=wilson(wrong1, n),
        top5_interval=wilson(wrong5, n),
        bootstrap=bootstrap.percentile(wrong1, n),
        top5_bootstrap=bootstrap.percentile(wrong5, n),
        members=members,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Error rates of each network, the ensemble's last, over one set of images.

    `skipped` holds the sentences for files that could not be read, `blacklisted` how many were left out by the list,
    `resumed` how many answers were there before. `idle` is the share of the time, 0 to 1, in which the networks waited
    for pictures (of several processes the largest), nan if nothing was run.
    """

    rows: tuple[Row, ...]
    crops: int
    reading: Reading = "timm"
    precision: Precision = "fp32"
    skipped: tuple[str, ...] = ()
    blacklisted: int = 0
    resumed: int = 0
    seconds: float = 0.0
    idle: float = 0.0
    device: str = "cpu"
    processes: int = 1

    @property
    def headline(self) -> Row:
        """The ensemble, or else the first network."""
        return self.rows[-1] if self.rows[-1].members else self.rows[0]

    @property
    def network(self) -> str:
        return self.headline.network

    @property
    def images(self) -> int:
        """How many were read."""
        return self.headline.images

    @property
    def top1_error(self) -> float:
        return self.headline.top1_error

    @property
    def top5_error(self) -> float:
        return self.headline.top5_error

    @property
    def interval(self) -> Interval:
        return self.headline.interval

    @property
    def top5_interval(self) -> Interval:
        return self.headline.top5_interval

    def beside_paper(self) -> list[dict[str, Any]]:
        """Each row in per cent, with the paper's numbers for that network and protocol (None where it prints none).

        `top1_interval` and `top5_interval` are the bootstrap's, which has no width where all or none were wrong,
        `top1_wilson` and `top5_wilson` Wilson's.
        """
        found = []
        for one in self.rows:
            paper = _printed(one, self.crops, blacklisted=bool(self.blacklisted))
            found.append(
                {
                    "network": one.network,
                    "crops": self.crops,
                    "images": one.images,
                    "top1": round(100 * one.top1_error, 2),
                    "top5": round(100 * one.top5_error, 2),
                    "top1_interval": _hundredfold(one.bootstrap),
                    "top1_wilson": _hundredfold(one.interval),
                    "top5_interval": _hundredfold(one.top5_bootstrap),
                    "top5_wilson": _hundredfold(one.top5_interval),
                    "paper": paper.network if paper else None,
                    "table": paper.table if paper else None,
                    "paper_top1": paper.top1 if paper else None,
                    "paper_top5": paper.top5 if paper else None,
                    "note": paper.note if paper else None,
                }
            )
        return found

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them; `interval` is that of the headline's top-1 error."""
        plain = ("crops", "reading", "precision", "blacklisted", "resumed", "seconds", "idle", "device", "processes")
        return {
            **self.headline.to_dict(),
            **{name: getattr(self, name) for name in plain},
            "skipped": list(self.skipped),
            "bootstrap_resamples": bootstrap.RESAMPLES,
            "bootstrap_seed": bootstrap.SEED,
            "rows": [one.to_dict() for one in self.rows],
            "beside_paper": self.beside_paper(),
        }

    def to_csv(self) -> str:
        """The rows beside the paper's, as comma-separated values with a head."""
        out = StringIO()
        rows = self.beside_paper()
        for one in rows:
            for place in ("top1", "top5"):
                for interval, name in ((f"{place}_interval", place), (f"{place}_wilson", f"{place}_wilson")):
                    one[f"{name}_low"], one[f"{name}_high"] = one.pop(interval)
            one |= {"reading": self.reading, "precision": self.precision, "blacklisted": self.blacklisted}
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def __str__(self) -> str:
        left = f", {self.blacklisted:,} blacklisted ones left out" if self.blacklisted else ""
        crops = f"{self.crops} crop{'s' if self.crops > 1 else ''}" + " as slim cuts it" * (self.reading == "slim")
        crops += ", bf16" * (self.precision == "bf16")
        lines = [
            f"{one.network}, {one.images:,} images{left}, {crops}: "
            f"top-1 error {_percent(one.top1_error, one.interval, one.bootstrap)}, "
            f"top-5 error {_percent(one.top5_error, one.top5_interval, one.top5_bootstrap)}" + _beside(paper)
            for one, paper in zip(self.rows, self.beside_paper(), strict=True)
        ]
        return "\n".join([*lines, *([self._pace()] if self.device != "none" else [])])

    def _pace(self) -> str:
        """How long it took, and how much of that the networks waited for pictures."""
        run = self.images + len(self.skipped) - self.resumed
        waited = "" if math.isnan(self.idle) else f"; the networks waited {self.idle:.0%} of the time for photographs"
        return f"{run:,} photographs in {self.seconds:.1f} s on {self.device}{waited}"


def _printed(row: Row, crops: int, *, blacklisted: bool) -> Printed | None:
    """The paper's row; none for a run of this machine: it has the network's name, but learned other classes."""
    if is_run(row.network):
        return None
    return printed(row.network if row.members else known(row.network).network, crops, blacklisted=blacklisted)


def _beside(row: dict[str, Any]) -> str:
    if row["paper"] is None:
        return ""
    note = f": {row['note']}" if row["note"] else ""
    return f"; the paper prints {row['paper_top1']} / {row['paper_top5']} % for {row['paper']} ({row['table']}){note}"


def _percent(share: float, wilson: Interval, drawn: Interval) -> str:
    """The share with both intervals, as the head of the README's table calls them."""
    return f"{share:.1%} (Wilson {wilson[0]:.1%} to {wilson[1]:.1%}, bootstrap {drawn[0]:.1%} to {drawn[1]:.1%})"


def _hundredfold(interval: Interval) -> list[float]:
    return [round(100 * end, 2) for end in interval]
