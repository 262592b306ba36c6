"""Downloads from a server of one's own: whole, resumed, broken, wrong, offline, from a folder and from a mirror."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from filelock import FileLock

from inception_lab.errors import DataError
from inception_lab.training import datasets
from inception_lab.training.download import fetch
from tests.training import datafiles

ONE, TWO = datafiles.noise(300_000, seed=1).tobytes(), datafiles.noise(1_000, seed=2).tobytes()
FILES = {"one.gz": ONE, "two.gz": TWO}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[datafiles.Server]:
    monkeypatch.delenv("INCEPTION_LAB_MIRROR", raising=False)
    with datafiles.serving(FILES) as found:
        datafiles.described_as(monkeypatch, "fashion_mnist", FILES, url=found.url)
        yield found


def test_the_files_come_whole_and_progress_counts_them_all(server: datafiles.Server) -> None:
    told: list[tuple[int, int]] = []
    place = fetch("fashion_mnist", progress=lambda done, whole: told.append((done, whole)))
    assert {file.name: file.read_bytes() for file in place.glob("*.gz*")} == FILES
    assert {whole for _, whole in told} == {301_000}
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert (told[0][0], told[-1][0]) == (0, 301_000)
    assert datasets.described("fashion_mnist").present()


def test_what_is_there_is_checked_and_not_fetched_again(server: datafiles.Server) -> None:
    place = fetch("fashion_mnist")
    server.requests.clear()
    fetch("fashion_mnist")
    assert server.requests == []
    (place / "two.gz").write_bytes(b"damaged")
    fetch("fashion_mnist")
    assert server.requests == ["/two.gz 0"]
    assert (place / "two.gz").read_bytes() == TWO


def test_a_broken_download_says_so_and_goes_on_from_there(server: datafiles.Server) -> None:
    server.stop_at = 200_000
    with pytest.raises(DataError, match=r"one\.gz broke off at 0\.2 of 0\.3 MB .*goes on from there"):
        fetch("fashion_mnist")
    place = datasets.described("fashion_mnist").place()
    assert not (place / "one.gz").exists()
    assert (place / "one.gz.part").read_bytes() == ONE[:200_000]
    server.stop_at = None
    fetch("fashion_mnist")
    assert server.requests == ["/one.gz 0", "/one.gz 200000", "/two.gz 0"]
    assert (place / "one.gz").read_bytes() == ONE
    assert not (place / "one.gz.part").exists()


def test_a_server_without_ranges_starts_afresh(server: datafiles.Server) -> None:
    server.stop_at = 200_000
    with pytest.raises(DataError):
        fetch("fashion_mnist")
    server.stop_at, server.ranges = None, False
    assert (fetch("fashion_mnist") / "one.gz").read_bytes() == ONE


def test_the_wrong_file_is_refused_and_deleted(server: datafiles.Server) -> None:
    server.files["one.gz"] = ONE[:-1] + b"?"
    with pytest.raises(DataError, match=r"one\.gz is not the file that was published"):
        fetch("fashion_mnist")
    assert list(datasets.described("fashion_mnist").place().glob("*.gz*")) == []
    server.files["one.gz"] = ONE + b"more" * 1_000_000
    with pytest.raises(DataError, match=r"one\.gz is not the file that was published"):
        fetch("fashion_mnist")


def test_progress_may_end_it_and_it_can_be_taken_up(server: datafiles.Server) -> None:
    def stop(done: int, whole: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch("fashion_mnist", progress=stop)
    assert (datasets.described("fashion_mnist").place() / "one.gz.part").stat().st_size > 0
    assert (fetch("fashion_mnist") / "one.gz").read_bytes() == ONE


def test_the_next_address_is_asked_when_the_first_has_nothing(
    server: datafiles.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = datafiles.described_as(monkeypatch, "cifar10", {"one.gz": ONE}, url=f"{server.url}/missing")
    file = found.files[0]
    two = datasets.File(name=file.name, urls=(*file.urls, f"{server.url}/one.gz"), bytes=file.bytes, sha256=file.sha256)
    monkeypatch.setitem(datasets.DATASETS, "cifar10", replace(found, files=(two,)))
    fetch("cifar10")
    assert server.requests == ["/missing/one.gz 0", "/one.gz 0"]


def test_out_of_reach_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with datafiles.serving({}) as gone:
        url = gone.url
    datafiles.described_as(monkeypatch, "cifar10", {"one.gz": ONE}, url=url)
    with pytest.raises(DataError) as refused:
        fetch("cifar10")
    assert str(refused.value).startswith("CIFAR-10 is not on this machine and cannot be fetched (127.0.0.1: ")
    assert str(refused.value).endswith("fashion_mnist_extract or textures, which need no download.")


def test_a_server_that_refuses_is_named(server: datafiles.Server) -> None:
    server.status = 503
    with pytest.raises(DataError, match=r"127\.0\.0\.1: it answered 503"):
        fetch("fashion_mnist")


def test_from_a_folder_in_either_layout(server: datafiles.Server, tmp_path: Path) -> None:
    (tmp_path / "stick" / "fashion_mnist").mkdir(parents=True)
    (tmp_path / "stick" / "fashion_mnist" / "one.gz").write_bytes(ONE)
    with pytest.raises(DataError, match=r"There is no two\.gz in"):
        fetch("fashion_mnist", source=str(tmp_path / "stick"))
    (tmp_path / "stick" / "two.gz").write_bytes(b"something else")
    with pytest.raises(DataError, match=r"two\.gz is not the file that was published"):
        fetch("fashion_mnist", source=str(tmp_path / "stick"))
    (tmp_path / "stick" / "two.gz").write_bytes(TWO)
    place = fetch("fashion_mnist", source=str(tmp_path / "stick"))
    assert {file.name: file.read_bytes() for file in place.glob("*.gz")} == FILES
    assert server.requests == []


def test_from_another_lab_by_http(server: datafiles.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    other = {f"fashion_mnist/{name}": content for name, content in FILES.items()}
    with datafiles.serving(other) as teacher:
        monkeypatch.setenv("INCEPTION_LAB_MIRROR", f"{teacher.url}/")
        fetch("fashion_mnist")
        assert teacher.requests == ["/fashion_mnist/one.gz 0", "/fashion_mnist/two.gz 0"]
    assert server.requests == []


def test_another_form_of_the_same_content_is_taken_from_a_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found = datafiles.described_as(monkeypatch, "cifar10", {"one.gz": ONE})
    file = found.files[0]
    packed = datasets.File(
        name=file.name, urls=file.urls, bytes=file.bytes, sha256=(*file.sha256, hashlib.sha256(TWO).hexdigest())
    )
    monkeypatch.setitem(datasets.DATASETS, "cifar10", replace(found, files=(packed,)))
    (tmp_path / "one.gz").write_bytes(TWO)
    assert (fetch("cifar10", source=str(tmp_path)) / "one.gz").read_bytes() == TWO


def test_two_at_once_do_not_write_one_file(server: datafiles.Server) -> None:
    place = datasets.described("fashion_mnist").place()
    place.mkdir(parents=True)
    with FileLock(place / ".lock"), pytest.raises(DataError, match="is being fetched by another process"):
        fetch("fashion_mnist")


def test_what_needs_no_download_asks_nobody(server: datafiles.Server) -> None:
    fetch("fashion_mnist_extract")
    fetch("textures")
    assert server.requests == []


def test_a_home_that_cannot_be_written_is_named(server: datafiles.Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"could not be written to .*Make room, or set INCEPTION_LAB_HOME"):
        fetch("fashion_mnist", home=tmp_path / "file")
