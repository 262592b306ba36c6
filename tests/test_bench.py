"""The arithmetic of the benchmarks, and that the command runs. What they measure is not judged here."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bench import rates
from bench.harness import BENCHES, Bench, Result, Sides, Target, amount, bench, duration, measure, timed
from bench.runtimes import earned

ROOT = Path(__file__).resolve().parents[1]


def result(target: Target, **seconds: tuple[float, ...]) -> Result:
    return Result(Bench("some", "something", target, 3, lambda: iter(())), seconds)


def test_medians_and_ratio_are_of_the_sides_in_their_order() -> None:
    measured = result(Target(2, "ratio"), ours=(3.0, 9.0, 4.0), theirs=(1.0, 2.0, 100.0))
    assert measured.medians == {"ours": 4.0, "theirs": 2.0}
    assert measured.ratio == 2.0
    assert not measured.met, "less than 2 times is promised"


def test_a_ratio_below_the_limit_keeps_the_promise() -> None:
    assert result(Target(2.01, "ratio"), ours=(4.0,), theirs=(2.0,)).met


def test_a_promise_may_allow_for_noise_and_says_so() -> None:
    target = Target(1.0, "ratio", 0.05)
    assert str(target) == "< 1 × +5%"
    assert result(target, ours=(1.04,), theirs=(1.0,)).met
    assert not result(target, ours=(1.06,), theirs=(1.0,)).met


def test_ours_alone_has_no_ratio_and_is_judged_by_its_seconds() -> None:
    alone = result(Target(0.15, "seconds"), ours=(0.1, 0.2, 0.14))
    assert alone.ratio is None
    assert alone.met
    assert not result(Target(0.14, "seconds"), ours=(0.1, 0.2, 0.14)).met


def test_sides_run_in_turns_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []

    def side(name: str, *seconds: float) -> float:
        calls.append(name)
        return seconds[calls.count(name) - 1]

    def sides() -> Iterator[Sides]:
        yield {"a": lambda: side("a", 99, 1, 2), "b": lambda: side("b", 88, 3, 4)}
        calls.append("closed")

    measured = measure(Bench("some", "something", Target(1, "ratio"), 2, sides))
    assert calls == ["b", "a", "a", "b", "b", "a", "closed"]
    assert measured.seconds == {"a": (1, 2), "b": (3, 4)}


def test_sides_are_closed_when_the_work_fails() -> None:
    closed: list[bool] = []

    def sides() -> Iterator[Sides]:
        try:
            yield {"a": lambda: 1 / 0}
        finally:
            closed.append(True)

    with pytest.raises(ZeroDivisionError):
        measure(Bench("some", "something", Target(1, "ratio"), 2, sides))
    assert closed == [True]


def test_timed_divides_by_the_repeats() -> None:
    calls: list[int] = []
    assert 0 <= timed(lambda: calls.append(1), times=5)() < 1
    assert len(calls) == 5


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.0, "2 s"), (0.1234, "123 ms"), (0.005, "5 ms"), (0.00004, "40 µs"), (0.0, "0 µs")]
)
def test_duration_has_three_digits_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_benchmark_needs_one_promise_and_a_name_of_its_own() -> None:
    with pytest.raises(ValueError, match="one promise"):
        bench("neither", "nothing")
    with pytest.raises(ValueError, match="one promise"):
        bench("both", "everything", seconds=1, ratio=1)
    assert not {"neither", "both"} & set(BENCHES)


def test_the_command_prints_one_object_for_machines() -> None:
    command = [sys.executable, "-m", "bench", "shapes", "--rounds", "2", "--json"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    document = json.loads(answer.stdout)
    assert [one["name"] for one in document["benches"]] == ["shapes"]
    assert document["benches"][0]["n"] == 2
    assert answer.returncode == (0 if document["benches"][0]["met"] else 1)


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "bench", "speed"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 2
    assert "no benchmark speed; there are" in answer.stderr


def test_amounts_have_their_unit() -> None:
    assert amount(0.25, "s") == "250 ms"
    assert amount(69_062_656, "bytes") == "69 MB"
    assert amount(0.0000213, "logits") == "2e-05"


def test_a_start_up_is_earned_back_or_never() -> None:
    slow, quick = {"ours": [9.0, 0.3, 0.3], "other": [9.0, 0.2, 0.2]}, {"ours": [9.0, 0.2], "other": [1.0, 0.3]}
    assert earned("other", 20, slow) == "other: 20 s to start, 100 ms saved an image: earned back after 200 images"
    assert earned("other", 20, quick).endswith("never earned back")


def test_rates_are_shares_of_the_machines_product(capsys: pytest.CaptureFixture[str]) -> None:
    taken = {"product": [9.0, 2 * rates.PRODUCT**3 / 50e9], "ours": [9.0, 0.5]}
    rates.tell("a network", {"ours": 10e9}, taken)
    assert "ours 20 GFLOP/s (40%) of torch.mm's 50" in capsys.readouterr().err


def test_operations_are_counted_by_torch() -> None:
    layer = torch.nn.Conv2d(3, 8, 3)
    assert rates.flops(lambda: layer(torch.zeros(2, 3, 10, 10))) == 2 * 2 * 8 * 8 * 8 * 27


def test_a_fresh_process_tells_its_peak_and_its_cap() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "bench.peak", "efficientnet_lite0", "classify"],
        cwd=rates.ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    [(task, one)] = json.loads(said.stdout).items()
    assert task == "classify"
    assert 10e6 < one["taken"] < one["cap"]
