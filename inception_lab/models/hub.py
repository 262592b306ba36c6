"""Fetching weights from the Hugging Face hub: resumable, cached in the hub's own layout, checked by SHA-256.

The hub names a large file by the SHA-256 of its content; that name is the checksum. A download that was cut off leaves
a `.part` file beside the finished ones and goes on from there. With the file in the cache the network is not asked.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from huggingface_hub import constants, hf_hub_download, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.file_download import HfFileMetadata, get_hf_file_metadata, http_get, repo_folder_name
from huggingface_hub.utils._fixes import WeakFileLock
from huggingface_hub.utils.tqdm import tqdm as HubBar

from inception_lab.errors import HubUnreachable, WeightsMismatch, WeightsUnavailable

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all); what it raises ends the download, which can be taken up again."""

FILE = "model.safetensors"
ANSWER_WITHIN = 4.0  # seconds the hub has to answer before it counts as out of reach
PLAIN = {"Accept-Encoding": "identity"}  # a compressed answer could not be resumed
SHA256 = re.compile(r"[0-9a-f]{64}")


def cached(repository: str) -> Path | None:
    """The file in the hub's cache, or None; asks nothing of the network."""
    found = try_to_load_from_cache(repository, FILE, cache_dir=cache_folder())
    return Path(found) if isinstance(found, str) and Path(found).is_file() else None


def unfinished(repository: str) -> int:
    """How many bytes of a download that was cut off are kept; the next fetch goes on behind them."""
    return sum(part.stat().st_size for part in _blobs(repository).glob("*.part"))


def fetch(repository: str, *, progress: Progress | None = None) -> Path:
    """The file, from the cache or from the hub.

    Raises `WeightsUnavailable` when the hub is out of reach or the connection breaks, `WeightsMismatch` when what came
    is not the file the hub announced.
    """
    return cached(repository) or _download(repository, progress)


def check(path: Path) -> None:
    """Raises `WeightsMismatch` if a cached file is not what its name in the cache promises.

    Where the file system has no links the cache keeps no name to compare with; then only the tensors are checked later.
    """
    promised = path.resolve().name
    if SHA256.fullmatch(promised) and _sha256(path) != promised:
        raise WeightsMismatch(
            f"{path} is damaged: its SHA-256 is not {promised[:12]}…. Delete {path.resolve()} and fetch it again."
        )


def _download(repository: str, progress: Progress | None) -> Path:
    endpoint = os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
    url = hf_hub_url(repository, FILE, endpoint=endpoint)
    announced = _announced(repository, url)
    blobs = _blobs(repository)
    digest = str(announced.etag)
    if not SHA256.fullmatch(digest):
        raise WeightsMismatch(f"The hub announced no SHA-256 for {repository}/{FILE}; nothing was fetched.")
    part = blobs / f"{digest}.part"
    try:
        blobs.mkdir(parents=True, exist_ok=True)
        with WeakFileLock(f"{part}.lock"):
            if not (blobs / digest).exists():
                _complete(part, url, announced, progress)
                part.replace(blobs / digest)
        # The hub's client finds the blob and only writes the snapshot and the ref, as after its own download.
        return Path(hf_hub_download(repository, FILE, endpoint=endpoint, cache_dir=cache_folder()))
    except httpx.HTTPError as problem:
        raise WeightsUnavailable(
            f"The download of {repository} broke off ({_short(problem)}); start it again and it goes on from there."
        ) from None
    except OSError as problem:
        raise WeightsUnavailable(
            f"{repository} could not be written into {blobs} ({problem.strerror or _short(problem)}): make room there, "
            "or set HF_HOME to a folder on another disk. What came is kept."
        ) from None


def _blobs(repository: str) -> Path:
    return cache_folder() / repo_folder_name(repo_id=repository, repo_type="model") / "blobs"


def _complete(part: Path, url: str, announced: HfFileMetadata, progress: Progress | None) -> None:
    """Brings `part` to its full length and checks it; what is wrong is deleted, what is short is kept."""
    size = announced.size
    if size is not None and part.exists() and part.stat().st_size > size:
        part.unlink()
    with part.open("ab") as file:
        have = file.tell()
        meter = _meter(progress, have, size)
        http_get(url, file, resume_size=have, headers=PLAIN, expected_size=size, tqdm_class=meter)
    if _sha256(part) != announced.etag:
        part.unlink()
        raise WeightsMismatch("What the hub sent is not the file it announced (its SHA-256 differs); fetch it again.")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def cache_folder() -> Path:
    """The hub's cache as the environment says now; the hub's own constant was read when it was imported."""
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    return Path(constants.HF_HUB_CACHE)


def _announced(repository: str, url: str) -> HfFileMetadata:
    """What the hub says of the file: size, SHA-256 and place; one question, no retries."""
    try:
        if constants.is_offline_mode():
            raise HubUnreachable(_out_of_reach(repository, "HF_HUB_OFFLINE is set"))
        return get_hf_file_metadata(url, timeout=ANSWER_WITHIN)
    except HfHubHTTPError as problem:
        raise WeightsUnavailable(_out_of_reach(repository, f"it answered {problem.response.status_code}")) from None
    except httpx.HTTPError as problem:
        raise HubUnreachable(_out_of_reach(repository, _short(problem))) from None


def _out_of_reach(repository: str, why: str) -> str:
    return (
        f"The weights {repository} are not in the cache and the hub cannot be reached ({why}): connect and try again, "
        "or use efficientnet_lite0, which needs no download."
    )


def _short(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:120].rstrip(".") if lines else type(problem).__name__


def _meter(progress: Progress | None, have: int, size: int | None) -> Any:
    """A stand-in for tqdm that tells `progress` how many bytes are there; silent without one."""

    class Meter(HubBar):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **{**options, "disable": True})  # type: ignore[no-untyped-call]
            self.done = have
            self._tell()

        def update(self, n: float | None = 1) -> bool | None:
            self.done += int(n or 0)
            self._tell()
            return None

        def _tell(self) -> None:
            if progress is not None:
                progress(self.done, size or self.done)

    return Meter
