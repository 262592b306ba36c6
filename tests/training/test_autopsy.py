"""The autopsy says what the events say, opens without a network, and its code makes the same numbers again."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from html.parser import HTMLParser
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import get_args

from inception_lab.training import autopsy, events, files, reference
from inception_lab.training.events import Step
from inception_lab.training.experiments import experiment
from inception_lab.training.loop import Training
from inception_lab.training.outcomes import Outcome, judge
from inception_lab.training.recipe import command, python
from inception_lab.training.settings import Fork, Settings
from inception_lab.training.subject import Subject
from inception_lab.training.worker import work
from tests.training.tiny import tiny


class Page(HTMLParser):
    """Tables as rows of text, code, and everything that could be fetched."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.code: list[str] = []
        self.fetched: list[str] = []
        self.tags: list[str] = []
        self.bold: list[list[str]] = []
        self._cell, self._code, self._death = False, False, False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "action", "srcset")]
        match tag:
            case "table":
                self.tables.append([])
            case "tr":
                self.tables[-1].append([])
                if ("class", "death") in attrs:
                    self.bold.append(self.tables[-1][-1])
            case "td" | "th":
                self.tables[-1][-1].append("")
                self._cell = True
            case "code":
                self.code.append("")
                self._code = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = False
        if tag == "code":
            self._code = False

    def handle_data(self, data: str) -> None:
        if self._cell:
            self.tables[-1][-1][-1] += data
        if self._code:
            self.code[-1] += data

    def table(self, head: str) -> list[list[str]]:
        return next(table[1:] for table in self.tables if table[0][0] == head)


def shipped(scale: float) -> Subject:
    found = next(run for run in reference.load() if run.settings.scale == scale and run.settings.seed == 0)
    return Subject.of_reference(found)


def broken(folder: Path, settings: Settings) -> Path:
    """The folder of a real run."""
    (folder / files.SETTINGS).write_text(json.dumps(settings.to_dict()), encoding="utf-8")
    assert work(folder) == 0
    return folder


def printed(code: str) -> list[list[float]]:
    """What the code of an autopsy prints, as numbers."""
    out = StringIO()
    with redirect_stdout(out):
        exec(compile(code, "autopsy", "exec"), {})
    return [[float(word) for word in line.split()] for line in out.getvalue().splitlines()]


def test_a_shipped_death_in_full() -> None:
    subject = shipped(1.0)
    text = autopsy.page(subject)
    page = Page(text)
    died = subject.judgement.died_at
    facts = dict(page.tables[0])
    assert facts["outcome"].startswith("dies: Over the last 20 steps")
    assert facts["step of death"] == str(died)
    first = min((s.step, p) for s in subject.steps for p, share in enumerate(s.zeros) if share >= 0.99)
    assert facts["first silent block"] == f"{subject.addresses[first[1]]}, at step {first[0]}, with 99% zeros or more"
    blocks = page.table("block")
    assert [row[0] for row in blocks] == list(subject.addresses)
    assert [row[2] for row in blocks] == [f"{share:.7g}" for share in subject.steps[-1].zeros]
    around, last = (table[1:] for table in page.tables if table[0][0] == "step")
    assert [int(row[0]) for row in around] == list(range(died + autopsy.AFTER + 1))  # type: ignore[operator]
    assert [int(row[0]) for row in last] == list(range(70, 120))
    for row in [*around, *last]:
        step = subject.steps[int(row[0])]
        numbers = [step.loss, step.accuracy, step.rate, step.gradient_norm, step.zero_share]
        assert [float(cell) for cell in row[1:6]] == [float(f"{number:.7g}") for number in numbers]
    assert [row[0] for row in page.bold] == [str(died)]
    settings = dict(page.table("setting"))
    assert settings.keys() == subject.settings.to_dict().keys()
    assert settings["rate"] == "0.2"
    assert page.code[0].startswith('import inception_lab as lab\n\nfor step in lab.train("micro", scale=1.0, seed=0):')
    assert page.code[1] == "python -m inception_lab train micro --scale 1.0 --seed 0"


def test_it_is_one_small_file_that_fetches_nothing_and_is_light_or_dark() -> None:
    text = autopsy.page(shipped(1.0))
    page = Page(text)
    assert len(text.encode()) < 300_000
    assert page.fetched == []
    assert "script" not in page.tags
    assert not re.search(r"https?:|url\(|@import", text)
    assert "prefers-color-scheme: dark" in text
    assert page.tags.count("svg") == 3


def test_text_from_outside_is_escaped() -> None:
    text = autopsy.page(replace(shipped(1.0), name="<img src=x onerror=alert(1)>", addresses=["n/<b>"] * 20))
    assert "<img" not in text
    assert "<b>" not in text
    assert "&lt;b&gt;" in text


def test_what_is_no_number_is_said_and_drawn() -> None:
    steps = [Step(step=n, loss=[2.3, math.inf, math.nan][min(n, 2)], accuracy=0.1, rate=0.2) for n in range(45)]
    steps[0] = replace(steps[0], zero_share=0.2)
    subject = replace(shipped(1.0), steps=steps, addresses=(), judgement=judge(steps))
    page = Page(autopsy.page(subject))
    assert subject.judgement.outcome == "nan"
    assert [row[:2] for row in page.table("step")[:3]] == [["0", "2.3"], ["1", "inf"], ["2", "nan"]]
    assert page.bold[0][0] == "1"
    assert dict(page.tables[0])["first silent block"] == "no block was measured"
    assert "step 1: inf" in autopsy.page(subject)


def test_a_real_run_writes_its_own_and_the_code_makes_it_again(tmp_path: Path) -> None:
    folder = broken(tmp_path, tiny(rate=100.0, steps=45, telemetry_every=5))
    made = events.read_steps(folder / files.EVENTS)
    page = Page((folder / files.AUTOPSY).read_text(encoding="utf-8"))
    again = printed(page.code[0].replace("step.zero_share", "step.accuracy"))
    assert again == [[s.step, s.loss, s.accuracy] for s in made]
    assert dict(page.tables[0])["run"] == tmp_path.name
    assert "1 thread" in dict(page.tables[0])["made"]
    assert f"torch {version('torch')}" in dict(page.tables[0])["made"]


def test_the_libraries_are_those_of_the_run_and_not_of_today(tmp_path: Path) -> None:
    (tmp_path / files.SETTINGS).write_text(json.dumps(tiny(rate=100.0).to_dict()), encoding="utf-8")
    first = events.start(addresses=(), version="0.0.9", threads=1, device="cpu", parameters=1)
    assert first["libraries"].keys() == {"torch", "timm", "numpy"}
    first["libraries"] = {"torch": "1.2.3", "numpy": "4.5"}
    step = Step(step=0, loss=math.nan, accuracy=0.1, rate=0.2).to_dict()

    def made() -> str:
        lines = "".join(f"{events.encode(event)}\n" for event in (first, step))
        (tmp_path / files.EVENTS).write_text(lines, encoding="utf-8")
        written = autopsy.write(tmp_path)
        assert written is not None
        return dict(Page(written.read_text(encoding="utf-8")).tables[0])["made"]

    assert made() == "by lab 0.0.9 with torch 1.2.3, numpy 4.5; on cpu, 1 thread"
    del first["libraries"]
    assert made() == "by lab 0.0.9 with libraries whose versions were not recorded; on cpu, 1 thread"


def test_the_code_repeats_changes_and_values_that_are_none() -> None:
    began = tiny(steps=5, clip=1.0, repeats=None, width=0.03, small=False, image_size=96)
    small = tiny(steps=5)
    training = Training(small)
    wanted = [[s.step, s.loss, s.zero_share] for s in training.steps(until=2)]
    training.change(rate=0.001)
    wanted += [[s.step, s.loss, s.zero_share] for s in training.steps()]
    code = python(small, changes=[(2, {"rate": 0.001})], fork=Fork(run="0abc", step=2))
    assert printed(code) == wanted
    assert code.startswith(
        "# A fork of run 0abc at step 2; the steps they share are made again from step 0.\n"
        "# From step 2 on: rate 0.001.\nfrom "
    )
    assert python(began).startswith("from inception_lab.training.presets import preset")
    assert "repeats=None" in python(began)
    assert command(began) == command(small, changes=[(2, {})]) == ""


def test_a_fork_is_made_again_from_its_first_ancestor(tmp_path: Path) -> None:
    first, fork = tiny(steps=3), tiny(steps=5, rate=0.001, fork=Fork(run="parent", step=2))
    training = Training(tiny(steps=5))
    made = list(training.steps(until=2))
    training.change(rate=0.001)
    made += training.steps()
    said = [step.to_dict() for step in made]
    said.insert(2, events.change(2, {"rate": 0.001}))
    (tmp_path / files.SETTINGS).write_text(json.dumps(fork.to_dict()))
    (tmp_path / files.ORIGIN).write_text(json.dumps(first.to_dict()))
    (tmp_path / files.EVENTS).write_text("".join(f"{events.encode(event)}\n" for event in said))
    subject = Subject.of_folder(tmp_path)
    assert subject is not None
    page = Page(autopsy.page(subject))
    assert page.table("from step") == [["2", "rate 0.001"]]
    assert page.code[0].startswith("# A fork of run parent at step 2;")
    assert printed(page.code[0]) == [[step.step, step.loss, step.zero_share] for step in made]
    assert [row[0] for row in page.table("block")] == [f"block/{n:02}" for n in range(1, 5)]  # it has no first event
    assert len(page.code) == 1  # no command line says it


def test_the_command_line_says_every_setting_there_is_an_option_for() -> None:
    from inception_lab.cli.train import train

    settings = tiny(clip=1.5, init="xavier", seed=3, scale=0.1, repeats=(1, 2, 1), image_size=32)
    assert command(settings).split()[:5] == ["python", "-m", "inception_lab", "train", "micro"]
    read = train.make_context("train", command(settings).split()[4:]).params
    plain = settings.to_dict()
    given = {name: value for name, value in read.items() if value is not None and name in plain}
    assert given.pop("repeats") == (1, 2, 1)
    assert given == {name: plain[name] for name in given}
    assert {"clip", "init", "seed", "scale", "image_size", "width", "batch", "steps", "rate"} <= given.keys()


def test_only_what_failed_that_way_gets_one(tmp_path: Path) -> None:
    said = shipped(1.0).judgement
    deserving = [word for word in get_args(Outcome) if autopsy.deserves(replace(said, outcome=word, zero_share=0.5))]
    assert set(deserving) == {"dies", "nan", "diverges"}
    assert autopsy.deserves(replace(said, outcome="stalls", zero_share=0.991))
    assert not autopsy.deserves(replace(said, outcome="stalls", zero_share=None))
    folder = broken(tmp_path, tiny())
    assert autopsy.write(folder) is None
    assert not (folder / files.AUTOPSY).exists()


def some_remedies() -> Iterator[Subject]:
    yield from map(Subject.of_reference, reference.load("remedies"))


def test_long_runs_stay_small() -> None:
    subject = shipped(1.0)
    steps = [replace(subject.steps[n % 120], step=n) for n in range(6000)]
    text = autopsy.page(replace(subject, steps=steps))
    assert len(text.encode()) < 300_000
    assert "Up to 15 steps a column" in text


def test_every_shipped_arm_can_be_told(tmp_path: Path) -> None:
    arms = {experiment("remedies").arm_of(subject.settings).key: subject for subject in some_remedies()}  # type: ignore[union-attr]
    for subject in arms.values():
        assert "<h1>Autopsy: " in autopsy.page(subject)
