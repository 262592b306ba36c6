"""Inception Lab: take apart, train, break and question the networks of the Inception-v4 / Inception-ResNet paper.

    import inception_lab as lab
    lab.shapes("inception_resnet_v2", size=299)

Names are loaded when first used, so the import itself costs milliseconds and brings neither torch nor streamlit.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inception_lab.version import __version__

if TYPE_CHECKING:
    from inception_lab.errors import LabError as LabError
    from inception_lab.images.attribute import attribute as attribute
    from inception_lab.images.classify import classify as classify
    from inception_lab.images.trained import pretrained as pretrained
    from inception_lab.models.build import build as build
    from inception_lab.models.build import summary as summary
    from inception_lab.nets.catalog import net as net
    from inception_lab.notebook import resume as resume
    from inception_lab.notebook import sweep as sweep
    from inception_lab.notebook import train as train
    from inception_lab.readers.compare import compare as compare
    from inception_lab.readers.graph import graph as graph
    from inception_lab.readers.notation import notation as notation
    from inception_lab.readers.shapes import shapes as shapes

_HOME = {
    "LabError": "errors",
    "attribute": "images.attribute",
    "build": "models.build",
    "classify": "images.classify",
    "compare": "readers.compare",
    "graph": "readers.graph",
    "net": "nets.catalog",
    "notation": "readers.notation",
    "pretrained": "images.trained",
    "resume": "notebook",
    "shapes": "readers.shapes",
    "summary": "models.build",
    "sweep": "notebook",
    "train": "notebook",
}

__all__ = [
    "LabError",
    "__version__",
    "attribute",
    "build",
    "classify",
    "compare",
    "graph",
    "net",
    "notation",
    "pretrained",
    "resume",
    "shapes",
    "summary",
    "sweep",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
