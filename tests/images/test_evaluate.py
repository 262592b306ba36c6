"""Error rates on a folder: the embedded network's, answers made up, kills and resumes, several processes."""

from __future__ import annotations

import json
import math
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from inception_lab.errors import DataError, SettingsError
from inception_lab.images import bootstrap, networks, ranking
from inception_lab.images.classify import classify
from inception_lab.images.evaluate import class_index, evaluate, evaluate_shard, merge, settings
from inception_lab.images.labelled import ids, validation_id
from inception_lab.images.networks import Models
from inception_lab.images.paper_tables import printed
from inception_lab.images.samples import samples
from inception_lab.intervals import wilson
from inception_lab.models.weights import wnids
from tests.images.files import encoded, noise

TORCHRUN = ("torch.distributed.run", "--standalone", "--nproc-per-node", "2")
ROOT = Path(__file__).resolve().parents[2]
V4, IR, IR_ADV = "inception_v4.tf_in1k", "inception_resnet_v2.tf_in1k", "inception_resnet_v2.tf_ens_adv_in1k"


def sample(name: str) -> Path:
    return next(entry.path for entry in samples() if entry.file == name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photographs the network gets right, second and not at all, and a file that is none."""
    for place, name in [("n07920052", "coffee.jpg"), ("285", "chelsea.jpg"), ("acoustic_guitar", "rocket.jpg")]:
        (tmp_path / "set" / place).mkdir(parents=True)
        shutil.copy(sample(name), tmp_path / "set" / place / name)
    (tmp_path / "set" / "285" / "broken.jpg").write_bytes(b"x")
    (tmp_path / "set" / "285" / "notes.txt").write_text("no picture")
    (tmp_path / "set" / ".cache").mkdir()
    return tmp_path / "set"


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """Forty tiny pictures of two classes under the names of ILSVRC's validation set."""
    for number in range(1, 41):
        place = tmp_path / "val" / str(number % 2)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"ILSVRC2012_val_{number:08}.JPEG").write_bytes(encoded(noise(24, 20, number), "PNG"))
    return tmp_path / "val"


class Brightness(nn.Module):
    """Logits from the picture's mean colour: quick, and different for every picture."""

    def __init__(self, sign: float) -> None:
        super().__init__()
        self.sign = sign

    def forward(self, x: Tensor) -> Tensor:
        red, green = self.sign * x[:, 0].mean((1, 2)), x[:, 1].mean((1, 2))
        return torch.cat([torch.stack([red, green], 1) * 100, torch.full((len(x), 998), -50.0)], 1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hub tags answer with Brightness."""

    def made(tag: str) -> nn.Module:
        return Brightness(-1.0 if "resnet" in tag else 1.0).eval()

    monkeypatch.setattr(networks, "pretrained", lambda tag, *, progress: made(tag))
    monkeypatch.setattr(networks, "MODELS", Models())


def test_error_rates(folder: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = evaluate(folder, threads=1, progress=lambda done, total: seen.append((done, total)))
    assert (found.images, found.top1_error, found.top5_error) == (3, pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (found.interval, found.top5_interval) == (wilson(2, 3), wilson(1, 3))
    assert found.headline.bootstrap == bootstrap.percentile(2, 3)
    assert [sentence.split()[0] for sentence in found.skipped] == ["285/broken.jpg"]
    assert seen == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]
    assert str(found).startswith(
        "efficientnet_lite0, 3 images, 1 crop: top-1 error 66.7% (Wilson 20.8% to 93.9%, bootstrap 0.0% to 100.0%), "
        "top-5 error 33.3% (Wilson "
    )
    assert f"on cpu; the networks waited {found.idle:.0%} of the time for photographs" in str(found)
    shape = json.loads(json.dumps(found.to_dict()))
    assert {"network", "crops", "images", "top1_error", "top5_error", "interval", "rows"} <= set(shape)
    assert len(shape["interval"]) == 2
    assert (shape["bootstrap_resamples"], shape["bootstrap_seed"]) == (10_000, 0)


def test_a_link_that_leads_nowhere_is_named(folder: Path) -> None:
    (folder / "285" / "gone.jpg").symlink_to(folder / "nothing.jpg")
    (folder / "285" / "nested.jpg").mkdir()
    shutil.copy(sample("chelsea.jpg"), folder / "285" / "nested.jpg" / "again.PNG")
    found = evaluate(folder, threads=1)
    assert found.images == 4
    assert [sentence.split()[0] for sentence in found.skipped] == ["285/broken.jpg", "285/gone.jpg"]


def test_all_pixels_are_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    real = ranking.load

    def noted(path: Path, *, name: str, longest: int | None) -> object:
        asked.append(longest)
        return real(path, name=name, longest=longest)

    monkeypatch.setattr(ranking, "load", noted)
    assert evaluate(folder).images == 3
    assert asked == [None] * 4


def test_the_place_of_the_right_class() -> None:
    shares = torch.tensor([0.1, 0.4, 0.1, 0.3, 0.1])
    assert [ranking.rank(shares, target) for target in range(5)] == [2, 0, 3, 1, 4]


@pytest.mark.parametrize(("crops", "reading"), [(1, "timm"), (1, "slim"), (12, "timm")])
def test_answers_are_those_of_classify(many: Path, quick: None, crops: int, reading: str) -> None:
    found = evaluate(many, network=[V4, IR], ensemble=True, crops=crops, reading=reading)  # type: ignore[arg-type]
    wrong = [0, 0, 0]
    files = sorted(many.rglob("*.JPEG"))
    for file in files:
        said = classify(file, networks=[V4, IR], ensemble=True, crops=crops, reading=reading)  # type: ignore[arg-type]
        for place, one in enumerate(said):
            wrong[place] += one.predictions[0].index != int(file.parent.name)
    assert [row.network for row in found.rows] == [V4, IR, "ensemble"]
    assert [round(row.top1_error * 40) for row in found.rows] == wrong
    assert 0 < wrong[0] < 40
    assert found.network == "ensemble"
    assert found.headline.members == ((V4, 0.5), (IR, 0.5))


def test_the_blacklist_leaves_out_by_id(many: Path, quick: None, tmp_path: Path) -> None:
    file = tmp_path / "blacklist.txt"
    file.write_text("36\n\n1\n40000\n")
    found = evaluate(many, network=V4, blacklist=file)
    assert (found.images, found.blacklisted) == (38, 2)
    assert "38 images, 2 blacklisted ones left out" in str(found)
    assert validation_id("a/ILSVRC2012_val_00000123.JPEG") == 123
    assert validation_id("b/photo_00000123.JPEG") is None
    file.write_text("49999\n")
    with pytest.raises(DataError, match=r"None of the 1 ids of .* is a file below"):
        evaluate(many, network=V4, blacklist=file)
    for bad in ("12\nn01440764\n", "0\n", "50001\n", "-1\n", "１\n"):
        file.write_text(bad, encoding="utf-8")
        with pytest.raises(DataError, match="a blacklist holds one id from 1 to 50,000"):
            ids(file)
    with pytest.raises(DataError, match="cannot be read"):
        ids(tmp_path / "nothing.txt")


def test_what_was_stopped_goes_on(many: Path, quick: None, tmp_path: Path) -> None:
    whole, file = evaluate(many, network=V4), tmp_path / "deep" / "answers.jsonl"

    def stop(done: int, total: int) -> None:
        if done == 17:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(many, network=V4, resume=file, progress=stop)
    assert len(file.read_text().splitlines()) == 18
    with file.open("a") as torn:
        torn.write('{"file": "0/ILSV')
    seen: list[int] = []
    found = evaluate(many, network=V4, resume=file, progress=lambda done, _: seen.append(done))
    assert (seen[0], seen[-1], found.resumed) == (17, 40, 17)
    assert found.rows == whole.rows
    assert len(file.read_text().splitlines()) == 41
    again = evaluate(many, network=V4, resume=file)
    assert (again.resumed, again.rows, again.device) == (40, whole.rows, "none")
    assert math.isnan(again.idle)


def test_answers_to_another_question_are_refused(many: Path, quick: None, tmp_path: Path) -> None:
    file = tmp_path / "answers.jsonl"
    evaluate(many, network=V4, resume=file)
    before = file.read_bytes()
    with pytest.raises(DataError, match="another networks"):
        evaluate(many, network=IR, resume=file)
    with pytest.raises(DataError, match="another crops"):
        evaluate(many, network=V4, crops=10, resume=file)
    (many / "0" / "ILSVRC2012_val_00000002.JPEG").unlink()
    with pytest.raises(DataError, match="another files"):
        evaluate(many, network=V4, resume=file)
    assert file.read_bytes() == before
    file.write_text("some notes\n")
    with pytest.raises(DataError, match="is not a file of an evaluation"):
        evaluate(many, network=V4, resume=file)


@pytest.mark.parametrize("world", [1, 2, 3, 50])
def test_shards_together_are_the_whole(many: Path, quick: None, world: int) -> None:
    wanted = settings([V4, IR], ensemble=True)
    shards = [evaluate_shard(many, wanted, rank=rank, world=world) for rank in range(world)]
    assert merge(many, wanted, shards).rows == evaluate(many, network=[V4, IR], ensemble=True).rows
    if world == 2:
        with pytest.raises(DataError, match="20 of 40 files have no answer"):
            merge(many, wanted, shards[:1])
    with pytest.raises(SettingsError, match="There is no part"):
        evaluate_shard(many, wanted, rank=world, world=world)


def test_wrong_words_are_refused_for_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="There is no device 'tpu'; there are auto, cpu, cuda"):
        evaluate(tmp_path, device="tpu")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="The list of networks is empty; name one or more"):
        evaluate(tmp_path, network=[])


@pytest.mark.parametrize("crops", [1, 10])
def test_answers_do_not_depend_on_their_neighbours(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, crops: int
) -> None:
    """Every bit of the softmax, however the list is cut into processes and batches."""
    for place, entry in enumerate(samples()):
        shutil.copy(entry.path, folder / "285" / f"{place}.jpg")
    seen: list[Tensor] = []
    real = ranking.rank

    def rank(shares: Tensor, target: int) -> int:
        seen.append(shares.clone())
        return real(shares, target)

    monkeypatch.setattr(ranking, "rank", rank)
    wanted = settings(crops=crops)
    evaluate_shard(folder, wanted, rank=0, world=1)
    whole = {tuple(shares[:9].tolist()) for shares in seen}
    seen.clear()
    for part in range(3):
        evaluate_shard(folder, wanted, rank=part, world=3)
    assert len(whole) == len(seen) - 3, "three photographs stand there twice"
    assert {tuple(shares[:9].tolist()) for shares in seen} == whole


def test_the_number_of_processes_may_change_after_a_kill(many: Path, quick: None, tmp_path: Path) -> None:
    wanted, file = settings(V4), tmp_path / "answers.jsonl"
    evaluate_shard(many, wanted, rank=1, world=2, resume=file)
    assert (tmp_path / "answers.jsonl.1of2").exists()
    found = evaluate(many, network=V4, resume=file)
    assert (found.resumed, found.rows) == (20, evaluate(many, network=V4).rows)


def test_pictures_ahead_are_bounded_and_waiting_is_measured(
    many: Path, quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, judged = [0], [0]
    most = [0]
    real_picture, real_rank = ranking.decoded, ranking.rank

    def picture(*given: object) -> object:
        made[0] += 1
        most[0] = max(most[0], made[0] - judged[0])
        time.sleep(0.01)
        return real_picture(*given)  # type: ignore[arg-type]

    def rank(shares: Tensor, target: int) -> int:
        judged[0] += 1
        return real_rank(shares, target)

    monkeypatch.setattr(ranking, "decoded", picture)
    monkeypatch.setattr(ranking, "rank", rank)
    found = evaluate(many, network=V4, workers=1)
    assert (made[0], judged[0]) == (40, 40)
    assert most[0] <= 2 * 4 + 1 + 4, "two batches and one per thread, and the batch that is being judged"
    assert 0.3 < found.idle <= 1, "one slow thread cannot keep a quick network busy"


class Slow(nn.Module):
    """A device that takes its time, and leaves the processor to others meanwhile."""

    def forward(self, x: Tensor) -> Tensor:
        time.sleep(0.08)
        return torch.zeros(len(x), 1000)


def test_a_network_slower_than_decoding_does_not_wait(many: Path, quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 tiny pictures in 10 groups of 80 ms: two threads are done with a group long before its turn."""
    monkeypatch.setattr(networks, "pretrained", lambda tag, *, progress: Slow().eval())
    found = evaluate(many, network=V4, workers=2)
    assert found.seconds > 0.8
    assert found.idle < 0.25
    assert f"40 photographs in {found.seconds:.1f} s on cpu; the networks waited {found.idle:.0%}" in str(found)


def test_as_many_threads_decode_as_there_are_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(16)), raising=False)
    assert ranking.workers(settings()) == 16
    assert ranking.workers(settings(workers=3)) == 3


def test_beside_the_paper(many: Path, quick: None) -> None:
    [row] = evaluate(many, network=V4).beside_paper()
    assert (row["paper"], row["paper_top1"], row["paper_top5"]) == ("Inception-v4", 20.0, 5.0)
    assert all(len(row[f"top{n}_{kind}"]) == 2 for n in (1, 5) for kind in ("interval", "wilson"))
    found = evaluate(many, network="paper-ensemble", crops=1)
    assert [row.network for row in found.rows] == [V4, IR, IR_ADV, "paper-ensemble"]
    assert found.beside_paper()[-1]["paper"] is None, "the paper's ensemble has 144 crops"
    assert found.to_csv().splitlines()[0].startswith("network,crops,images,top1,top5,paper,table")
    heads = set(found.to_csv().splitlines()[0].split(","))
    for name in ("top1", "top1_wilson", "top5", "top5_wilson"):
        assert {f"{name}_low", f"{name}_high"} <= heads
    note = "public weights, not the paper's own training; the paper leaves the blacklisted images out"
    assert f"; the paper prints 20.0 / 5.0 % for Inception-v4 ({row['table']}): {note}" in str(found)
    assert len(found.to_csv().splitlines()) == 5
    four = printed("paper-ensemble", 144)
    assert four is not None
    assert (four.top1, four.top5) == (16.5, 3.1)
    assert "one of them adversarial" in four.note
    assert printed("inception_resnet_v2", 144) is not None
    assert printed("tf_efficientnet_lite0", 1) is None
    assert "released network" in str(printed("inception_resnet_v2", 12))


def test_the_bootstrap_is_that_of_drawing_images_again() -> None:
    wrong = np.array([1] * 30 + [0] * 70)
    rng = np.random.default_rng(1)
    drawn = rng.choice(wrong, (20_000, 100)).mean(axis=1)
    low, high = bootstrap.percentile(30, 100)
    assert (low, high) == pytest.approx(tuple(np.percentile(drawn, (2.5, 97.5))), abs=0.011)
    assert bootstrap.percentile(30, 100) == (low, high), "seeded"
    assert bootstrap.percentile(0, 10) == (0.0, 0.0)
    assert bootstrap.percentile(0, 0) == (0.0, 1.0)


def test_class_names() -> None:
    assert class_index("n07920052") == class_index("967") == class_index("espresso") == class_index("Espresso") == 967
    assert class_index("coffee_mug") == 504
    assert [class_index(wnid) for wnid in wnids()] == list(range(1000))
    with pytest.raises(DataError, match=r"Two classes are called 'crane'; name the folder n02012849 or n03126707\."):
        class_index("crane")
    with pytest.raises(DataError, match="The folder 'val' is no class"):
        class_index("val")
    with pytest.raises(DataError, match="The folder '1000' is no class"):
        class_index("1000")


def test_folders_that_cannot_be_evaluated(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is no folder"):
        evaluate(tmp_path / "nothing")
    with pytest.raises(DataError, match="has no class folders with photographs"):
        evaluate(tmp_path)
    (tmp_path / "967").mkdir()
    (tmp_path / "967" / "a.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"None of the 1 files below .*: 967/a\.jpg is empty"):
        evaluate(tmp_path)


def _command(folder: Path, *words: str) -> list[str]:
    return ["inception_lab", "evaluate", str(folder), "--json", *words]


def test_a_killed_process_and_then_torchrun_with_two(folder: Path, tmp_path: Path) -> None:
    for place in range(12):
        shutil.copy(sample("coffee.jpg"), folder / "n07920052" / f"{place}.jpg")
    file = tmp_path / "answers.jsonl"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(
        [sys.executable, "-m", *_command(folder, "--resume", str(file))],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + 120
    while not (file.exists() and file.read_bytes().count(b"\n") >= 4):
        assert time.monotonic() < until
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    kept = file.read_bytes().count(b"\n") - 1
    done = subprocess.run(
        [sys.executable, "-m", *TORCHRUN, "-m", *_command(folder, "--resume", str(file))],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert (data["images"], data["processes"], data["resumed"]) == (15, 2, kept)
    assert (data["top1_error"], data["top5_error"]) == (pytest.approx(2 / 15), pytest.approx(1 / 15))
    assert done.stderr.count("Left out: 285/broken.jpg") == 1


def test_bf16_is_another_question(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "has_bf16", lambda: True)
    file = tmp_path / "answers.jsonl"
    found = evaluate(folder, precision="bf16", resume=file)
    assert (found.images, found.to_dict()["precision"]) == (3, "bf16")
    assert "1 crop, bf16: top-1 error 66.7%" in str(found)
    with pytest.raises(DataError, match="another precision"):
        evaluate(folder, resume=file)
    monkeypatch.setattr(networks, "has_bf16", lambda: False)
    monkeypatch.setattr(networks, "MODELS", Models())
    with pytest.raises(SettingsError, match="no bf16 arithmetic"):
        evaluate(folder, precision="bf16")
