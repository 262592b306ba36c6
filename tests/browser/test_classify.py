"""Classify in a real browser: samples, uploads of every kind, a map, and refusals that lose nothing."""

from __future__ import annotations

import io
import re
import struct
import time
import zlib
from typing import Any

import numpy as np
import psutil
from PIL import Image
from playwright.sync_api import BrowserType, FilePayload, Page, expect

from inception_lab.assets import asset
from tests.browser.conftest import Visit
from tests.browser.live import SETTLED_WITHIN, Live, settled


def payload(name: str, data: bytes, mime: str = "image/png") -> FilePayload:
    return {"name": name, "mimeType": mime, "buffer": data}


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of side × side black pixels in a few kilobytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compressobj(9)
    body = b"".join(rows.compress(b"\0" * (side // 8 + 1)) for _ in range(side)) + rows.flush()
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def upload(page: Page, *files: FilePayload) -> None:
    page.get_by_role("radio", name="Upload").click()
    settled(page)
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(list(files))
    page.wait_for_timeout(300)  # the upload itself starts a run of the script
    settled(page)


def test_espresso_on_a_cup_of_coffee_and_where_it_is_seen(visit: Visit) -> None:
    page = visit("/classify")
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")
    page.get_by_role("radio", name="Pixels").click()
    expect(page).to_have_url(re.compile("view=pixels"))
    settled(page)
    expect(page.get_by_text("Grad-CAM for espresso, layer")).to_be_visible(timeout=60_000)
    settled(page)
    expect(page.get_by_role("img", name="colours from 0 to")).to_be_visible()


def test_several_files_at_once_and_the_bad_ones_by_name(visit: Visit) -> None:
    page = visit("/classify")
    coffee = Image.open(asset("samples", "coffee.jpg"))
    wide = Image.fromarray((np.linspace(0, 65535, 300 * 300).reshape(300, 300)).astype(np.uint16))
    frames = [coffee.resize((320, 240)), coffee.resize((320, 240)).rotate(90)]
    upload(
        page,
        payload("cmyk.jpg", encoded(coffee.convert("CMYK"), "JPEG"), "image/jpeg"),
        payload("alpha.png", encoded(coffee.convert("RGBA"), "PNG")),
        payload("sixteen.png", encoded(wide, "PNG")),
        payload("moves.gif", encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]), "image/gif"),
        payload("notes.png", b"not a picture at all"),
        payload("half.jpg", encoded(coffee, "JPEG")[:2000], "image/jpeg"),
        payload("empty.png", b""),
        payload("huge.png", bomb(12_000)),
    )
    for name in ("notes.png", "half.jpg", "empty.png", "huge.png"):
        expect(page.get_by_test_id("stAlert").filter(has_text=name).first).to_be_visible()
    for name in ("cmyk.jpg", "alpha.png", "sixteen.png", "moves.gif"):
        expect(page.get_by_test_id("stAlert").filter(has_text=name)).to_have_count(0)
    box = page.get_by_role("combobox", name="Look closer at")
    expect(box).to_be_visible()
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")


def test_a_photograph_taken_sideways_is_turned_upright(visit: Visit) -> None:
    page = visit("/classify")
    coffee = Image.open(asset("samples", "coffee.jpg"))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    turned = encoded(coffee.rotate(90, expand=True), "JPEG", exif=exif)
    upload(page, payload("sideways.jpg", turned, "image/jpeg"))
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")


def test_a_hub_network_out_of_reach_is_one_sentence_and_the_page_goes_on(visit: Visit) -> None:
    page = visit("/classify?network=inception_v4.tf_in1k")
    page.get_by_role("button", name="Fetch inception_v4.tf_in1k").click()
    settled(page)
    alerts = page.get_by_test_id("stAlert").filter(has_text="inception_v4.tf_in1k")
    expect(alerts.filter(has_text="is not on this machine yet. Going on with the embedded")).to_have_count(1)
    expect(alerts).to_have_count(2)  # the refusal is the other one
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")


def test_a_bad_word_in_the_link_is_said(visit: Visit) -> None:
    page = visit("/classify?view=pixels&method=magic")
    expect(page.get_by_text("The link asks for method 'magic'")).to_be_visible()


def test_a_hostile_file_name_is_only_text(visit: Visit) -> None:
    page = visit("/classify")
    name = '![x](http://example.org/x.png) <img src=x onerror=alert(1)> ".png'
    upload(page, payload(name, b"no picture"))
    expect(page.get_by_test_id("stAlert").filter(has_text="![x](http://example.org/x.png)")).to_be_visible()
    coffee = encoded(Image.open(asset("samples", "coffee.jpg")), "JPEG")
    upload(page, payload('a"); import os; ("b.jpg', coffee, "image/jpeg"))
    expect(page.locator(".st-key-guesses")).to_contain_text("espresso")


def test_a_bomb_leaves_the_servers_memory_alone(visit: Visit, live: Live) -> None:
    page = visit("/classify")
    upload(page, payload("small.png", encoded(Image.new("RGB", (64, 64)), "PNG")))
    server = psutil.Process(live.process.pid)
    before = server.memory_info().rss
    upload(page, payload("huge.png", bomb(12_000)))
    expect(page.get_by_test_id("stAlert").filter(has_text="huge.png").first).to_be_visible()
    assert server.memory_info().rss - before < 60e6, "decoded, it would take 144 MB as bytes and 432 MB as RGB"


def choose(page: Page, box: str, option: str) -> None:
    """Takes the option that begins so; a list that is open closes when the page scrolls, so that is done before."""
    combobox = page.get_by_role("combobox", name=box)
    combobox.evaluate(
        """box => new Promise(done => {
            box.scrollIntoView({block: "center"});
            requestAnimationFrame(() => requestAnimationFrame(done));
        })"""
    )
    combobox.click()
    begins = re.escape(option).replace("/", ".")  # Playwright stumbles over a slash
    page.get_by_role("option", name=re.compile(f"^{begins}")).click()


def test_the_link_brings_back_every_choice(visit: Visit) -> None:
    page = visit("/classify?view=pixels")
    chosen = (
        ("Sample", "Chelsea the cat", r"sample=chelsea\.jpg"),
        ("Method", "Perturbations: Occlusion", "method=occlusion"),
        ("Class", "Egyptian cat", "class=285"),
        ("Rather than", "tabby", "against=281"),
    )
    for box, option, link in chosen:
        choose(page, box, option)
        expect(page).to_have_url(re.compile(link))
        settled(page)
    page.reload()
    settled(page)
    for box, option, _ in chosen:
        expect(page.get_by_role("combobox", name=box)).to_have_value(re.compile(f"^{option}"))


def test_the_link_brings_back_network_and_source(visit: Visit) -> None:
    page = visit("/classify")
    choose(page, "Network", "inception_v4.tf_in1k")
    expect(page).to_have_url(re.compile(r"network=inception_v4\.tf_in1k"))
    settled(page)
    page.get_by_role("radio", name="Upload").click()
    expect(page).to_have_url(re.compile("source=upload"))
    settled(page)
    page.reload()
    settled(page)
    expect(page.get_by_role("radio", name="Upload")).to_be_checked()
    expect(page.get_by_role("button", name="Fetch inception_v4.tf_in1k")).to_be_visible()


def test_stop_ends_an_explanation_and_the_next_one_works(visit: Visit) -> None:
    page = visit("/classify?view=pixels&method=occlusion")
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text(re.compile(r"^[1-9]\d* of 171"))).to_be_visible(timeout=60_000)
    start = time.monotonic()
    stop = page.locator(".st-key-explain-stop").get_by_role("button")  # Streamlit's own in the header is another
    stop.click()
    expect(stop).to_be_hidden()
    settled(page)
    assert time.monotonic() - start < 3
    expect(page.get_by_role("img", name="colours from")).to_have_count(0)
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("171 images through the network in")).to_be_visible(timeout=60_000)
    settled(page)


def test_the_camera_gives_a_photograph(
    live: Live, browser_type: BrowserType, browser_type_launch_args: dict[str, Any]
) -> None:
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    options = {**browser_type_launch_args, "args": [*browser_type_launch_args["args"], *fake]}
    browser = browser_type.launch(**options)
    try:
        page = browser.new_context(permissions=["camera"]).new_page()
        page.set_default_timeout(SETTLED_WITHIN)
        page.goto(f"{live.url}/classify?source=camera")
        settled(page)
        page.wait_for_function("document.querySelector('.st-key-camera video')?.videoWidth > 0")
        page.get_by_role("button", name="Take Photo").click()
        expect(page.get_by_text("one crop, softmax")).to_be_visible()
        expect(page.get_by_alt_text("camera.jpg as efficientnet_lite0 sees it")).to_be_visible()
        settled(page)
    finally:
        browser.close()
