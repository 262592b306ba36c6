"""Makes assets/samples from photographs that scikit-image bundles (its wheel; nothing is downloaded).

    python scripts/make_samples.py

Authors and licences are those of the docstrings in `skimage.data`; only CC0 and public-domain pictures are taken.
"""

import json
from pathlib import Path

import skimage.data
from PIL import Image

HERE = Path(__file__).resolve().parent.parent / "assets" / "samples"
LONGEST = 640
PHOTOGRAPHS = [
    {
        "file": "coffee.jpg",
        "made_from": "coffee.png",
        "title": "Cup of coffee",
        "author": "Rachel Michetti, courtesy of Pikolo Espresso Bar",
        "licence": "CC0",
        "source": "scikit-image, data.coffee",
        "note": "One clear object: the network is sure, and the attribution should lie on the cup.",
    },
    {
        "file": "chelsea.jpg",
        "made_from": "chelsea.png",
        "title": "Chelsea the cat",
        "author": "Stefan van der Walt",
        "licence": "CC0",
        "source": "scikit-image, data.chelsea",
        "note": "Three breeds share the probability: ImageNet asks for more than the picture shows.",
    },
    {
        "file": "camera.jpg",
        "made_from": "camera.png",
        "title": "Photographer",
        "author": "Lav Varshney",
        "licence": "CC0",
        "source": "scikit-image, data.camera",
        "note": "Black and white; the tripod decides.",
    },
    {
        "file": "rocket.jpg",
        "made_from": "rocket.jpg",
        "title": "Falcon 9 carrying DSCOVR",
        "author": "SpaceX",
        "licence": "public domain",
        "source": "scikit-image, data.rocket; flickr.com/photos/spacexphotos/16511594820",
        "note": "ImageNet has missiles and shuttles, but no such rocket.",
    },
    {
        "file": "astronaut.jpg",
        "made_from": "astronaut.png",
        "title": "Eileen Collins",
        "author": "NASA",
        "licence": "public domain",
        "source": "scikit-image, data.astronaut; NASA Great Images, flic.kr/p/r9qvLn",
        "note": "ImageNet has no class for a person: look at what the network makes of the rest.",
    },
    {
        "file": "clock.jpg",
        "made_from": "clock_motion.png",
        "title": "Wall clock, moved camera",
        "author": "Stefan van der Walt",
        "licence": "public domain",
        "source": "scikit-image, data.clock",
        "note": "A class the network knows, blurred beyond its experience.",
    },
    {
        "file": "hubble.jpg",
        "made_from": "hubble_deep_field.jpg",
        "title": "Hubble eXtreme Deep Field",
        "author": "NASA",
        "licence": "public domain",
        "source": "scikit-image, data.hubble_deep_field; hubblesite.org",
        "note": "Nothing in it is a class of ImageNet; the softmax has to name something.",
    },
]


def main() -> None:
    HERE.mkdir(parents=True, exist_ok=True)
    bundled = Path(skimage.data.__file__).parent
    entries = []
    for photograph in PHOTOGRAPHS:
        entry = dict(photograph)
        with Image.open(bundled / entry.pop("made_from")) as opened:
            image = opened.convert("RGB")
        image.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        image.save(HERE / entry["file"], "JPEG", quality=92, optimize=True)
        entries.append(entry)
    (HERE / "samples.json").write_text(json.dumps(entries, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
