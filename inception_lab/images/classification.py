"""What `classify` answers: guesses, what each crop said, and how that is printed, exported and shown."""

from __future__ import annotations

import csv
import html
from dataclasses import asdict, dataclass
from io import StringIO
from typing import Any, final

from inception_lab.images.crops import Box, Reading
from inception_lab.images.networks import Precision


@dataclass(frozen=True, slots=True)
class Prediction:
    """One class with its probability, 0 to 1; `index` is the network's (ImageNet-1k's, where two classes share some
    labels, or that of a run's own data)."""

    label: str
    index: int
    probability: float

    def to_dict(self) -> dict[str, Any]:
        return {"label": self.label, "index": self.index, "probability": self.probability}


@dataclass(frozen=True, slots=True)
class Vote:
    """What one crop said: its place on the photograph, its first choice, and the probabilities of the classes of
    `Classification.predictions`, in their order."""

    box: Box
    label: str
    index: int
    probabilities: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        return asdict(self) | {"probabilities": list(self.probabilities)}


@dataclass(frozen=True, slots=True)
class Classification:
    """What one network, or several averaged, says of one image, most probable class first.

    `error` is the sentence for a file that is no readable photograph (then there are no predictions), `note` what was
    changed in reading it, `seconds` the time the network took, crops included. `members` are the networks of an
    ensemble with their shares; `votes` is kept only where it was asked for.
    """

    file: str
    network: str
    crops: int
    predictions: tuple[Prediction, ...]
    error: str | None = None
    note: str | None = None
    seconds: float = 0.0
    reading: Reading = "timm"
    members: tuple[tuple[str, float], ...] = ()
    votes: tuple[Vote, ...] = ()
    precision: Precision = "fp32"

    @property
    def agreeing(self) -> int:
        """How many crops have the average's first choice first; 0 where votes were not kept."""
        return sum(vote.index == self.predictions[0].index for vote in self.votes)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as the command line prints them for one image."""
        return {
            "file": self.file,
            "error": self.error,
            "predictions": [prediction.to_dict() for prediction in self.predictions],
            "network": self.network,
            "crops": self.crops,
            "reading": self.reading,
            "precision": self.precision,
            "members": [{"network": tag, "share": share} for tag, share in self.members],
            "votes": [vote.to_dict() for vote in self.votes],
            "note": self.note,
            "seconds": self.seconds,
        }

    def __str__(self) -> str:
        if self.error:
            return self.error
        rows = (f"  {p.probability:6.1%}  {p.label}" for p in self.predictions)
        return "\n".join([f"{self.file}, {self.network}, {_crops(self)}", *rows])

    def _repr_html_(self) -> str:
        caption = html.escape(f"{self.file}, {self.network}, {_crops(self)}")
        if self.error:
            return f"<p>{html.escape(self.error)}</p>"
        rows = "".join(
            f"<tr><td style='text-align:left'>{html.escape(p.label)}</td><td>{p.probability:.1%}</td></tr>"
            for p in self.predictions
        )
        return f"<table><caption>{caption}</caption><tbody>{rows}</tbody></table>"


@final
class Classifications(list[Classification]):
    """A list that shows itself in a notebook and knows the command line's JSON."""

    def to_dict(self) -> dict[str, Any]:
        """`network` and `crops` of the call (several networks joined by commas) and one entry per image and network."""
        networks = dict.fromkeys(entry.network for entry in self)
        return {
            "network": ", ".join(networks),
            "crops": self[0].crops if self else None,
            "reading": self[0].reading if self else None,
            "precision": self[0].precision if self else None,
            "images": [entry.to_dict() for entry in self],
        }

    def rows(self) -> list[dict[str, Any]]:
        """One row per image, network and guess, for a table or CSV; a file that could not be read has one row."""
        found: list[dict[str, Any]] = []
        for entry in self:
            head = {name: getattr(entry, name) for name in ("file", "network", "crops", "reading", "precision")}
            for place, one in enumerate(entry.predictions, 1):
                found.append({**head, "guess": place, **one.to_dict(), "error": None})
            if entry.error:
                nothing = {"guess": None, "label": None, "index": None, "probability": None}
                found.append({**head, **nothing, "error": entry.error})
        return found

    def to_csv(self) -> str:
        """`rows` as comma-separated values with a head."""
        out = StringIO()
        heads = ("file", "network", "crops", "reading", "precision", "guess", "label", "index", "probability", "error")
        writer = csv.DictWriter(out, heads, lineterminator="\n")
        writer.writeheader()
        writer.writerows(self.rows())
        return out.getvalue()

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    def _repr_html_(self) -> str:
        return "".join(entry._repr_html_() for entry in self)


def _crops(one: Classification) -> str:
    """The protocol in words, and the precision where it is not the usual one."""
    near = ", bf16" * (one.precision == "bf16")
    if one.reading == "slim":
        return f"1 crop as slim cuts it{near}"
    return f"{one.crops} crop{'s' * (one.crops > 1)}{near}"
