"""Pictures become squares: cut from the middle, upright, in RGB, without aliasing, in order."""

import io

import numpy as np
from PIL import ExifTags, Image

from inception_lab.training.pictures import square, squares
from tests.training import datafiles


def saved(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)  # type: ignore[arg-type]
    return out.getvalue()


def test_the_middle_is_kept() -> None:
    wide = np.zeros((20, 60, 3), np.uint8)
    wide[:, 20:40] = (10, 20, 30)
    found = square(saved(Image.fromarray(wide)), 20)
    assert found is not None
    assert found.shape == (3, 20, 20)
    assert (found == np.array([10, 20, 30])[:, None, None]).all()


def test_shrinking_does_not_alias() -> None:
    checks = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    found = square(saved(Image.fromarray(checks)), 16)
    assert found is not None
    assert found.min() > 110
    assert found.max() < 145


def test_turned_by_exif() -> None:
    image = Image.fromarray(np.repeat(np.array([[0], [255]], np.uint8), 32, axis=0).repeat(64, axis=1))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    found = square(saved(image, exif=exif), 16)
    assert found is not None
    assert found[0, 0, 0] == 255
    assert found[0, -1, 0] == 0


def test_modes_become_rgb() -> None:
    clear = Image.new("RGBA", (16, 16), (200, 0, 0, 0))
    assert (square(saved(clear), 16) == 255).all()  # type: ignore[union-attr]
    for mode in ("1", "L", "P", "CMYK", "LA"):
        form = "TIFF" if mode == "CMYK" else "PNG"
        found = square(saved(Image.new(mode, (16, 16)), form), 16)
        assert found is not None, mode
        assert found.shape == (3, 16, 16), mode


def test_what_cannot_be_read_is_none() -> None:
    assert square(b"", 16) is None
    assert square(b"GIF89a", 16) is None
    assert square(datafiles.picture((1, 2, 3), form="JPEG")[:300], 16) is None
    assert square(saved(Image.fromarray(np.full((16, 16), 40_000, np.uint16))), 16) is None


def test_order_is_kept() -> None:
    files = [datafiles.picture((level, 0, 0)) for level in range(100)]
    assert [int(found[0, 0, 0]) for found in squares(files, 8) if found is not None] == list(range(100))
