"""Reading uploads: what is read comes out upright and RGB, what is refused is refused in one sentence."""

import random
import subprocess
import sys
import textwrap
import tracemalloc
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inception_lab.errors import ImageError
from inception_lab.images.load import LONGEST, Photo, load
from tests.images.files import bomb, encoded, noise, scene

RED, GREEN, BLUE, YELLOW = (200, 20, 20), (20, 200, 20), (20, 20, 200), (200, 200, 20)


def corners(photo: Photo) -> list[tuple[int, ...]]:
    """Upper left, upper right, lower left, lower right."""
    right, bottom = photo.image.width - 1, photo.image.height - 1
    places = [(0, 0), (right, 0), (0, bottom), (right, bottom)]
    return [tuple(np.asarray(photo.image)[y, x].tolist()) for x, y in places]


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_through_unchanged(form: str) -> None:
    photo = load(encoded(scene(), form), name=f"scene.{form}")
    assert photo.image.mode == "RGB"
    assert np.array_equal(np.asarray(photo.image), np.asarray(scene()))
    assert (photo.name, photo.note) == (f"scene.{form}", None)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(form: str) -> None:
    photo = load(encoded(scene(), form, quality=95))
    assert photo.image.size == (60, 40)
    assert np.allclose(corners(photo), [RED, GREEN, BLUE, YELLOW], atol=12)


def test_sources(tmp_path: Path) -> None:
    content = encoded(scene(), "PNG")
    file = tmp_path / "a scene.png"
    file.write_bytes(content)
    upload = BytesIO(content)
    upload.name = "upload.png"
    upload.read()
    for source, name in [
        (file, "a scene.png"),
        (str(file), "a scene.png"),
        (upload, "upload.png"),
        (scene(), "the image"),
    ]:
        photo = load(source)  # type: ignore[arg-type]
        assert (photo.name, corners(photo)) == (name, [RED, GREEN, BLUE, YELLOW])
        assert load(photo) is photo


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        (1, [RED, GREEN, BLUE, YELLOW]),
        (3, [YELLOW, BLUE, GREEN, RED]),
        (6, [BLUE, RED, YELLOW, GREEN]),
        (8, [GREEN, YELLOW, RED, BLUE]),
    ],
)
def test_exif_rotation_is_applied(orientation: int, expected: list[tuple[int, int, int]]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    photo = load(encoded(scene(), "PNG", exif=exif))
    assert corners(photo) == expected
    assert photo.image.size == ((40, 60) if orientation in (6, 8) else (60, 40))
    assert photo.note == (None if orientation == 1 else "turned upright by its EXIF entry")


def test_cmyk_jpeg() -> None:
    photo = load(encoded(scene().convert("CMYK"), "JPEG", quality=95))
    assert photo.note == "converted from CMYK without its colour profile"
    assert np.allclose(corners(photo), [RED, GREEN, BLUE, YELLOW], atol=15)


def test_16_bit_grey_keeps_its_range() -> None:
    values = np.array([[0, 257, 32_896, 65_535]], np.uint16)
    photo = load(encoded(Image.fromarray(values), "PNG"))
    assert np.asarray(photo.image)[0, :, 0].tolist() == [0, 1, 128, 255]
    assert photo.note == "16 bits per value reduced to 8"


def test_32_bit_grey_is_not_black() -> None:
    values = np.array([[0, 100, 255]], np.int32)
    photo = load(encoded(Image.fromarray(values), "TIFF"))
    assert np.asarray(photo.image)[0, :, 0].tolist() == [0, 100, 255]
    assert photo.note == "32 bits per value, used as 8: none is above 255"
    assert np.asarray(load(encoded(Image.fromarray(values * 257), "TIFF")).image)[0, :, 0].tolist() == [0, 100, 255]


def test_transparent_parts_are_laid_on_white() -> None:
    half = Image.fromarray(np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 51]]], np.uint8))
    photo = load(encoded(half, "PNG"))
    assert np.asarray(photo.image)[0].tolist() == [[255, 0, 0], [255, 255, 255], [204, 204, 204]]
    assert photo.note == "transparent parts laid on white"
    grey = load(encoded(half.convert("LA"), "PNG"))
    assert np.asarray(grey.image)[0, 1].tolist() == [255, 255, 255]


def test_an_opaque_alpha_channel_is_not_worth_a_note() -> None:
    assert load(encoded(scene().convert("RGBA"), "PNG")).note is None


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_other_modes_become_rgb(mode: str) -> None:
    photo = load(encoded(scene().convert(mode), "PNG"))
    assert (photo.image.mode, photo.image.size) == ("RGB", (60, 40))


def test_a_palette_with_a_transparent_colour() -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    photo = load(encoded(image, "PNG", transparency=1))
    assert np.asarray(photo.image)[0].tolist() == [[10, 20, 30], [255, 255, 255]]


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame(form: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    photo = load(encoded(frames[0], form, save_all=True, append_images=frames[1:], lossless=True))
    assert photo.note == "first of 3 frames"
    assert np.allclose(np.asarray(photo.image), (255, 0, 0), atol=2)


def test_large_pictures_are_made_small() -> None:
    photo = load(encoded(noise(3000, 1500), "JPEG"))
    assert photo.image.size == (LONGEST, LONGEST // 2)
    assert load(encoded(noise(1500, 900), "PNG"), longest=None).image.size == (1500, 900)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"^x is empty \(0 bytes\); choose a JPEG or PNG photograph\.$"),
        (b"hello, world", "^x is not a picture the lab can read; it takes JPEG, PNG"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "^x is an SVG drawing.*save it as PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "^x is a HEIC or AVIF picture or a film.*save it as JPEG"),
        (b"%PDF-1.7", "^x is a PDF"),
        (encoded(noise(300, 300), "JPEG")[:9000], "^x ends before the picture is complete; fetch or save it again"),
        (encoded(noise(300, 300), "PNG")[:9000], "^x ends before the picture is complete"),
        (encoded(noise(3000, 10), "PNG"), r"^x is 3,000 x 10 pixels, too long and thin"),
        (encoded(Image.new("F", (4, 4)), "TIFF"), "^x is damaged or in a form the lab cannot read"),
        (bytes(50_000_001), "^x is larger than 50 MB"),
    ],
)
def test_refusals_name_the_file_and_the_way_out(content: bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message) as caught:
        load(content, name="x")
    assert "\n" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"^cat\.jpg cannot be opened \(No such file or directory\)"):
        load(tmp_path / "cat.jpg")
    with pytest.raises(ImageError, match=r"cannot be opened \(Is a directory\)"):
        load(tmp_path)
    with pytest.raises(ImageError, match="cannot be opened"):
        load("nul\0byte")


def test_names_are_made_presentable() -> None:
    with pytest.raises(ImageError, match=r"^a\?b is empty"):
        load(b"", name="a\nb")
    with pytest.raises(ImageError) as caught:
        load(b"", name="n" * 500 + ".jpg")
    assert len(str(caught.value)) < 150


@pytest.mark.parametrize("side", [5_001, 9_000, 12_000, 20_000])
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_a_bomb_is_refused_before_it_is_unpacked(side: int) -> None:
    content = bomb(side, side)
    assert len(content) < 60_000
    tracemalloc.start()
    try:
        with pytest.raises(ImageError, match=r"bomb\.png .*25 million pixels.*save it smaller"):
            load(content, name="bomb.png")
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_a_bomb_leaves_the_process_small() -> None:
    """Pillow's own memory is not Python's, so the peak of a whole process is what counts."""
    script = """
        import resource
        from inception_lab.errors import ImageError
        from inception_lab.images.load import load
        from tests.images.files import bomb
        content = bomb()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            load(content, name="bomb.png")
        except ImageError:
            print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    unit = 1 if sys.platform == "darwin" else 1024
    assert int(run.stdout) * unit < 5_000_000


@pytest.mark.filterwarnings("ignore")
def test_mutated_files_give_a_photo_or_an_image_error() -> None:
    """Seeded fuzz: bytes flipped, cut, repeated. Whatever comes, nothing but `Photo` or `ImageError` may."""
    chance = random.Random(20261123)
    exif = Image.Exif()
    exif[0x0112] = 6
    seeds = [
        encoded(scene(), "JPEG", exif=exif),
        encoded(scene(), "JPEG", progressive=True),
        encoded(scene().convert("CMYK"), "JPEG"),
        encoded(scene(), "PNG"),
        encoded(scene().convert("P"), "PNG", transparency=1),
        encoded(scene(), "WEBP"),
        encoded(scene().convert("P"), "GIF", save_all=True, append_images=[scene().convert("P")] * 2),
        encoded(scene(), "BMP"),
        encoded(scene(), "TIFF"),
        encoded(scene(), "TIFF", compression="tiff_lzw"),
    ]
    refusals: list[str] = []
    for turn in range(300):
        content = bytearray(seeds[turn % len(seeds)])
        for _ in range(chance.randint(1, 3)):
            place = chance.randrange(min(len(content), chance.choice([200, len(content)])))
            match chance.randrange(4):
                case 0:
                    content[place] = chance.randrange(256)
                case 1:
                    content[place] ^= 1 << chance.randrange(8)
                case 2:
                    content[place : place + 4] = chance.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
                case _:
                    del content[place : place + chance.randint(1, 20)]
        try:
            photo = load(bytes(content), name="mutant")
        except ImageError as refusal:
            refusals.append(str(refusal))
        else:
            assert photo.image.mode == "RGB"
            assert 1 <= max(photo.image.size) <= LONGEST
    assert 50 < len(refusals) < 250  # both ways out were taken often
    assert all(refusal.startswith("mutant ") and "\n" not in refusal for refusal in refusals)
