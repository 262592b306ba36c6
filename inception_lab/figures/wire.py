"""A figure on its way to the browser: long numbers as base64 of float32, and of a line that grows only what is new.

Each message rests on a base, a full set of numbers that the browser keeps. Until the news outgrow a quarter of the base
a message brings just what follows it, so that a lost message is made good by the next one; a browser that lacks the
base asks for it.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

GROWN = 0.25
"""Share of the base that the news may reach before all is sent afresh."""

Numbers = NDArray[Any]


@final
@dataclass(slots=True)
class Wire:
    """What one browser has of one figure."""

    base: str = ""
    kept: dict[str, Numbers] = field(default_factory=dict)

    def send(self, arrays: Mapping[str, Numbers]) -> dict[str, Any]:
        """The message that takes a browser with the base to `arrays`, each int32 or float32 in the end.

        `arrays` names each array that differs from the base: [type, how much of the base stays, the rest as base64].
        A `whole` message is itself the base from then on.
        """
        lean = {name: _lean(values) for name, values in arrays.items()}
        stays = {name: _shared(self.kept.get(name), values) for name, values in lean.items()}
        news = sum(len(values) - stays[name] for name, values in lean.items())
        if not self.base or news > GROWN * sum(map(len, self.kept.values())):
            self.base, self.kept = secrets.token_hex(6), lean
            return {"base": self.base, "whole": True, "arrays": {name: _packed(v, 0) for name, v in lean.items()}}
        changed = {
            name: _packed(values, stays[name])
            for name, values in lean.items()
            if name not in self.kept or not stays[name] == len(values) == len(self.kept[name])
        }
        return {"base": self.base, "whole": False, "arrays": changed}

    def figure(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """`data` and `layout` of a figure as a message: in `figure` {"wire": name} stands for an array."""
        arrays: dict[str, Numbers] = {}
        traces = [dict(trace) for trace in drawn["data"]]
        for trace in traces:
            for axis in ("x", "y"):
                if isinstance(trace.get(axis), np.ndarray):
                    name = f"{trace['uid']} {axis}"
                    arrays[name] = trace[axis]
                    trace[axis] = {"wire": name}
        return {"figure": {"data": traces, "layout": drawn["layout"]}, **self.send(arrays)}


def _lean(values: Numbers) -> Numbers:
    return values.astype("<i4" if np.issubdtype(values.dtype, np.integer) else "<f4")


def _shared(kept: Numbers | None, values: Numbers) -> int:
    """How many numbers at the beginning are the same, bit for bit, so that NaN equals itself."""
    if kept is None or kept.dtype != values.dtype:
        return 0
    length = min(len(kept), len(values))
    differ = kept[:length].view("<i4") != values[:length].view("<i4")
    return int(differ.argmax()) if differ.any() else length


def _packed(values: Numbers, start: int) -> list[Any]:
    return [values.dtype.str[1:], start, base64.b64encode(values[start:].tobytes()).decode("ascii")]
