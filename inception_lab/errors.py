"""Everything the lab refuses, as one tree.

LabError
├── NetworkError
│   ├── UnknownNetwork      a name that is not in the catalogue
│   ├── UnknownAddress      an address that names nothing in the network
│   └── Impossible          an op that cannot be
│       ├── InputTooSmall   an input on which a valid kernel no longer fits
│       ├── ImpossibleAdd   a residual whose two sides have different channels
│       └── UnequalGrids    branches, or the two sides of a residual, whose cells do not meet
├── WeightsError
│   ├── WeightsUnavailable  the hub is out of reach and nothing is cached
│   │   └── HubUnreachable  nobody answers there: no other weights can come either
│   └── WeightsMismatch     a file whose tensors or checksum are not the expected ones
├── ImageError              an upload that is no photograph the lab can read
├── DataError               a data set that is missing or damaged
├── SettingsError           an experiment that cannot be run as described
└── RunError
    └── UnknownRun          a run id that is not in the store

Every message is one sentence or two: what is wrong, with the numbers, and the way out. The page, the notebook and the
command line show the same text.
"""


class LabError(Exception):
    """Base of all errors that are the lab's own."""


class NetworkError(LabError):
    """A network cannot be what it was asked to be."""


class UnknownNetwork(NetworkError):
    """A name that is not in the catalogue."""


class UnknownAddress(NetworkError):
    """An address that names nothing in the network."""


class Impossible(NetworkError):
    """An op that cannot be; `address` is its own."""

    address: str


class InputTooSmall(Impossible):
    """An input on which a valid kernel no longer fits."""

    def __init__(self, address: str, *, window: tuple[int, int], grid: tuple[int, int], size: tuple[int, int]) -> None:
        super().__init__(
            f"{address} needs at least {window[0]}x{window[1]} cells and gets {grid[0]}x{grid[1]}: "
            f"an image of {size[0]}x{size[1]} pixels is too small for this network. "
            "Take a larger one, or the small stem."
        )
        self.address, self.window, self.grid = address, window, grid


class UnequalGrids(Impossible):
    """Branches of a concatenation, or the two sides of a residual, whose cells do not meet."""

    def __init__(self, address: str, *, grids: tuple[tuple[int, int], ...]) -> None:
        said = " and ".join(f"{high}x{wide}" for high, wide in grids)
        super().__init__(
            f"{address} cannot join grids of {said} cells: what meets there has to have equal rows and columns. "
            "Give their ops the same strides and paddings."
        )
        self.address, self.grids = address, grids


class ImpossibleAdd(Impossible):
    """A residual whose shortcut and closing 1x1 have different channels."""

    def __init__(self, address: str, *, shortcut: int, residual: int) -> None:
        super().__init__(
            f"{address} cannot add: the shortcut brings {shortcut} channels, the closing 1x1 makes {residual}. "
            f"An add needs equal channels on both sides: the closing 1x1 must make {shortcut} as well."
        )
        self.address = address
        self.shortcut = shortcut
        self.residual = residual


class WeightsError(LabError):
    """Weights cannot be had or do not fit."""


class WeightsUnavailable(WeightsError):
    """The hub is out of reach and nothing is cached."""


class HubUnreachable(WeightsUnavailable):
    """Nobody answers at the hub: no other weights can come either."""


class WeightsMismatch(WeightsError):
    """A file whose tensors or checksum are not the expected ones."""


class ImageError(LabError):
    """An upload that is no photograph the lab can read."""


class DataError(LabError):
    """A data set that is missing or damaged."""


class SettingsError(LabError):
    """An experiment that cannot be run as described."""


class RunError(LabError):
    """A run cannot do what was asked of it."""


class UnknownRun(RunError):
    """A run id that is not in the store."""
