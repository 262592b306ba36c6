"""Weights with random tensors, and where they come from: the hub's cache on disk, and a stand-in for the hub."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import timm
import torch
from safetensors.torch import save
from torch import Tensor, nn

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def randomised(network: str, *, seed: int = 0, **options: bool) -> nn.Module:
    """timm's network with random batch-norm statistics too, so that every tensor shows in the logits."""
    torch.manual_seed(seed)
    model: nn.Module = timm.create_model(network, **options)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)  # type: ignore[arg-type]
            nn.init.uniform_(module.running_var, 0.5, 1.5)  # type: ignore[arg-type]
    return model.eval()


def safetensors_bytes(tensors: dict[str, Tensor]) -> bytes:
    """As the hub holds them; safetensors writes its tensors sorted, not in the module's order."""
    return save({name: tensor.contiguous() for name, tensor in tensors.items()}, metadata={"format": "pt"})


def store(home: Path, tag: str, content: bytes, *, digest: str | None = None) -> Path:
    """Puts `content` into the hub's cache under `home` as its client does: blob, snapshot link, ref."""
    folder = home / "hub" / f"models--timm--{tag}"
    blob = folder / "blobs" / (digest or hashlib.sha256(content).hexdigest())
    link = folder / "snapshots" / COMMIT / "model.safetensors"
    for parent in (blob.parent, link.parent, folder / "refs"):
        parent.mkdir(parents=True, exist_ok=True)
    blob.write_bytes(content)
    link.symlink_to(Path("../../blobs") / blob.name)
    (folder / "refs" / "main").write_text(COMMIT)
    return blob


class StandIn(ThreadingHTTPServer):
    """Serves `content` as `model.safetensors` of every repository; may stop, break off or lie about the checksum."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.digest = hashlib.sha256(content).hexdigest()
        self.status = 200
        self.stops_at: int | None = None  # from this byte on nothing more comes, and the connection stays
        self.requests: list[str] = []
        self.closing = Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: StandIn
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._answer(0, body=False)

    def do_GET(self) -> None:
        self._answer(int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0]), body=True)

    def _answer(self, start: int, *, body: bool) -> None:
        self.server.requests.append(f"{self.command} {start}")
        content = self.server.content
        self.send_response(self.server.status if self.server.status != 200 else 206 if start else 200)
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("X-Linked-Etag", f'"{self.server.digest}"')
        self.send_header("X-Linked-Size", str(len(content)))
        self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        if body:
            self.wfile.write(content[start : self.server.stops_at])
            self.wfile.flush()
            while self.server.stops_at is not None and not self.server.closing.wait(0.02):
                pass

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def serving(content: bytes) -> Iterator[StandIn]:
    server = StandIn(content)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
