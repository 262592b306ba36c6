"""Tiny data sets in the layout of the real ones, and a web server that holds files and can misbehave."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from inception_lab.training import datasets
from inception_lab.training.datasets import Described, File

Bytes = NDArray[np.uint8]


def noise(*shape: int, below: int = 256, seed: int = 0) -> Bytes:
    return np.random.default_rng(seed).integers(0, below, shape).astype(np.uint8)


def idx(values: Bytes) -> bytes:
    head = struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape)
    return gzip.compress(head + values.tobytes(), mtime=0)


def archive(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in members.items():
            told = tarfile.TarInfo(name)
            told.size = len(content)
            tar.addfile(told, io.BytesIO(content))
    return out.getvalue()


def cifar(train: Bytes, train_labels: Bytes, test: Bytes, test_labels: Bytes) -> bytes:
    """The archive of images (N, 3, 32, 32); the training ones in five equal parts."""
    records = [
        np.concatenate((labels[:, None], images.reshape(len(images), -1)), axis=1)
        for images, labels in ((train, train_labels), (test, test_labels))
    ]
    parts = np.split(records[0], 5)
    members = {f"cifar-10-batches-bin/data_batch_{n + 1}.bin": part.tobytes() for n, part in enumerate(parts)}
    members["cifar-10-batches-bin/batches.meta.txt"] = b"airplane\n"
    return archive(members | {"cifar-10-batches-bin/test_batch.bin": records[1].tobytes()})


def picture(colour: tuple[int, int, int], size: tuple[int, int] = (40, 30), *, form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, form)
    return out.getvalue()


def folder(root: Path, classes: Mapping[str, int], *, side: int = 20) -> Path:
    """A folder with so many images of each class; each class has one grey level, 10 apart."""
    for place, (name, count) in enumerate(classes.items()):
        (root / name).mkdir(parents=True)
        for number in range(count):
            level = 10 + 10 * place
            (root / name / f"{number:03}.png").write_bytes(picture((level, level, level), (side, side)))
    return root


def described_as(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    contents: Mapping[str, bytes],
    *,
    url: str = "http://nowhere.invalid",
    **changes: int,
) -> Described:
    """Lets the data set `name` consist of these small files for one test."""
    files = tuple(
        File(
            name=file,
            urls=(f"{url}/{file}",),
            bytes=len(content),
            sha256=(hashlib.sha256(content).hexdigest(),),
        )
        for file, content in contents.items()
    )
    found = replace(datasets.DATASETS[name], files=files, **changes)  # type: ignore[arg-type]
    monkeypatch.setitem(datasets.DATASETS, name, found)
    return found


def put(found: Described, contents: Mapping[str, bytes]) -> None:
    """Writes the files to where a download would."""
    found.place().mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        (found.place() / file).write_bytes(content)


class Server(ThreadingHTTPServer):
    """Serves `files` by path; `stop_at` breaks off after so many bytes of a file, `ranges` false ignores Range."""

    daemon_threads = True

    def __init__(self, files: Mapping[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(files)
        self.stop_at: int | None = None
        self.ranges = True
        self.status = 200
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        asked = self.headers.get("Range") if self.server.ranges else None
        start = int(asked.removeprefix("bytes=").split("-")[0]) if asked else 0
        self.server.requests.append(f"{self.path} {start}")
        content = self.server.files.get(self.path.lstrip("/"))
        if content is None or self.server.status != 200:
            self.send_response(404 if content is None else self.server.status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if asked else 200)
        self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start : self.server.stop_at])
        if self.server.stop_at is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(files: Mapping[str, bytes]) -> Iterator[Server]:
    server = Server(files)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
