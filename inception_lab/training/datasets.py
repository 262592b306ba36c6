"""The data sets a run can take, described without reading them: nothing here imports torch or opens an image.

`folder:/path/to/images` is a data set too: one sub-folder for each class (see `folder_data`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from inception_lab.errors import DataError
from inception_lab.home import lab_home
from inception_lab.training import folder_data

SHIPPED = "fashion_mnist_extract"
FOLDER = "folder:"
LARGEST = 331
"""The largest side a run may ask for, so the largest at which a folder's images are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to download: where from, in the order to try, its bytes, and the SHA-256 of each form it is known in.

    The first form is the publisher's and has `bytes` bytes; another is the same content packed by someone else.
    """

    name: str
    urls: tuple[str, ...]
    bytes: int
    sha256: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A data set: its images have `channels` channels and a side of `size` pixels as they come; `classes` labels.

    `labels` names the classes in order; `train` and `test` count the images. With `shrunk` the images come in many
    sizes and are kept as squares of the run's image size, at most `size`; otherwise they are kept as they come.
    """

    name: str
    title: str
    channels: int
    classes: int
    size: int
    labels: tuple[str, ...]
    train: int
    test: int
    source: str
    licence: str
    shrunk: bool = False
    files: tuple[File, ...] = ()

    @property
    def download(self) -> int:
        """Bytes to download, 0 for a set that needs none."""
        return sum(file.bytes for file in self.files)

    def present(self, home: Path | str | None = None) -> bool:
        """Whether a run can start: all its files were fetched and checked, or it needs none."""
        return all((self.place(home) / file.name).is_file() for file in self.files)

    def place(self, home: Path | str | None = None) -> Path:
        """The folder for its files, whether it exists or not."""
        return Path(self.source) if self.name.startswith(FOLDER) else data_home(home) / self.name

    def side(self, size: int) -> int:
        """The side in pixels at which its images are kept for runs whose image size is `size`."""
        return min(self.size, size) if self.shrunk else self.size


def data_home(home: Path | str | None = None) -> Path:
    """The folder of all downloaded and prepared data."""
    return lab_home(home) / "data"


_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)  # fmt: skip
_THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_NETTE = (
    "tench",
    "English springer",
    "cassette player",
    "chain saw",
    "church",
    "French horn",
    "garbage truck",
    "gas pump",
    "golf ball",
    "parachute",
)  # fmt: skip
TEXTURES = ("lying stripes", "standing stripes", "slanting stripes", "checks", "dots", "rings", "grain", "blotches")


def _fashion(name: str, size: int, *sha256: str) -> File:
    """A file of Fashion-MNIST; its second form is that of Debian's package dataset-fashion-mnist."""
    hosts = (
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    )
    return File(name=name, urls=tuple(host + name for host in hosts), bytes=size, sha256=sha256)


DATASETS = {
    found.name: found
    for found in (
        Described(
            name=SHIPPED,
            title="Fashion-MNIST, extract",
            channels=1,
            classes=10,
            size=28,
            labels=_CLOTHES,
            train=12_000,
            test=2_000,
            source="Fashion-MNIST (Xiao, Rasul, Vollgraf 2017); ships with the lab",
            licence="MIT, Copyright 2017 Zalando SE",
        ),
        Described(
            name="textures",
            title="Synthetic textures",
            channels=3,
            classes=len(TEXTURES),
            size=32,
            labels=TEXTURES,
            train=8_000,
            test=2_000,
            source="made by the lab from a seed",
            licence="Apache-2.0, as the lab",
        ),
        Described(
            name="fashion_mnist",
            title="Fashion-MNIST",
            channels=1,
            classes=10,
            size=28,
            labels=_CLOTHES,
            train=60_000,
            test=10_000,
            source="Xiao, Rasul, Vollgraf 2017, https://github.com/zalandoresearch/fashion-mnist",
            licence="MIT, Copyright 2017 Zalando SE",
            files=(
                _fashion(
                    "train-images-idx3-ubyte.gz",
                    26_421_880,
                    "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
                    "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
                ),
                _fashion(
                    "train-labels-idx1-ubyte.gz",
                    29_515,
                    "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
                    "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
                ),
                _fashion(
                    "t10k-images-idx3-ubyte.gz",
                    4_422_102,
                    "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
                    "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
                ),
                _fashion(
                    "t10k-labels-idx1-ubyte.gz",
                    5_148,
                    "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
                    "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
                ),
            ),
        ),
        Described(
            name="cifar10",
            title="CIFAR-10",
            channels=3,
            classes=10,
            size=32,
            labels=_THINGS,
            train=50_000,
            test=10_000,
            source="Krizhevsky 2009, https://www.cs.toronto.edu/~kriz/cifar.html (the binary version, without pickle)",
            licence="none stated by its authors; cite Krizhevsky, Learning Multiple Layers of Features (2009)",
            files=(
                File(
                    name="cifar-10-binary.tar.gz",
                    urls=("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
                    bytes=170_052_171,
                    sha256=("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",),
                ),
            ),
        ),
        Described(
            name="imagenette",
            title="Imagenette, 160 pixels",
            channels=3,
            classes=10,
            size=160,
            labels=_NETTE,
            train=9_469,
            test=3_925,
            source="fast.ai, ten classes of ImageNet, https://github.com/fastai/imagenette",
            licence="Apache-2.0 for the selection; the photographs: ImageNet's terms (non-commercial research)",
            shrunk=True,
            files=(
                File(
                    name="imagenette2-160.tgz",
                    urls=("https://s3.amazonaws.com/fast-ai-imageclas/imagenette2-160.tgz",),
                    bytes=99_003_388,
                    sha256=("64d0c4859f35a461889e0147755a999a48b49bf38a7e0f9bd27003f10db02fe5",),
                ),
            ),
        ),
    )
}


def check_name(name: str) -> None:
    """Raise `DataError` for a name that no data set can have. Nothing on disk is asked: a run whose folder of images
    has gone can still be read."""
    if name in DATASETS or (name.startswith(FOLDER) and Path(name.removeprefix(FOLDER)).is_absolute()):
        return
    if name.startswith(FOLDER):
        raise DataError(f"{name!r} must give the whole path of the folder, as in folder:/home/me/photos.")
    raise DataError(f"There is no data set {name!r}. There are {', '.join(DATASETS)} and folder:/path/to/images.")


def described(name: str) -> Described:
    """What is known of a data set. Raises `DataError` for a name there is not, and for a folder that is no data set."""
    check_name(name)
    if name in DATASETS:
        return DATASETS[name]
    found = folder_data.scan(Path(name.removeprefix(FOLDER)))
    return Described(
        name=name,
        title=found.path.name,
        channels=3,
        classes=len(found.labels),
        size=LARGEST,
        labels=found.labels,
        train=len(found.train),
        test=len(found.test),
        source=str(found.path),
        licence="your own",
        shrunk=True,
    )


def fingerprint(name: str) -> str:
    """What tells a folder of images from the same folder with other images (see `folder_data.state`); empty for a set
    of the lab's own, whose files are checked by their SHA-256. Raises `DataError` as `described`."""
    return folder_data.state(folder_data.scan(Path(name.removeprefix(FOLDER)))) if name.startswith(FOLDER) else ""


def ready(name: str, *, batch: int = 1, home: Path | str | None = None) -> Described:
    """The description of a data set from which a run can take batches of `batch` images here and now.

    Raises `DataError` with the way to fetch one that is not on this machine, and for a batch larger than the set.
    """
    found = described(name)
    if not found.present(home):
        raise DataError(
            f"{found.title} is not on this machine: fetch its {found.download / 1e6:.0f} MB with `python -m "
            f"inception_lab data fetch {name}`, or with the button Fetch beside the data set on the Train page."
        )
    if batch > found.train:
        raise DataError(f"A batch of {batch:,} is more than the {found.train:,} training images of {found.title}.")
    return found


def bytes_needed(name: str, size: int) -> int:
    """Bytes that all images and labels of a data set take on the device in runs whose image size is `size`."""
    found = described(name)
    return (found.train + found.test) * (found.channels * found.side(size) ** 2 + 8)
