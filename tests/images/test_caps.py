"""The announced memory of the long questions, held against processes that ask them."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from inception_lab.cli.main import main
from inception_lab.errors import SettingsError
from inception_lab.images.caps import TASKS, cap, cap_in_words
from inception_lab.images.methods import Method
from inception_lab.images.samples import samples

ROOT = Path(__file__).resolve().parents[2]

MEASURE = """
import os
from pathlib import Path
import torch
torch.set_num_threads(1)
from inception_lab.images import agreement, attribute, caps, credit, methods, networks, residuals, samples, trust

def read(field):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))

methods.prepare()
photo = samples.samples()[0].path
networks.MODELS.get("efficientnet_lite0")
RUN = {
    "credit": lambda: credit.credit(photo),
    "rho": lambda: residuals.rho(photo, target=967),
    "damage": lambda: residuals.damage(photo, target=967),
    "trust": lambda: trust.trust(attribute.attribute(photo, method="saliency"), steps=8, seeds=3),
    "agreement": lambda: agreement.agreement(photo, methods=("saliency", "smoothgrad"), steps=8, seeds=3),
}
for task, run in RUN.items():
    if os.fork():
        assert os.wait()[1] == 0
        continue
    Path("/proc/self/clear_refs").write_text("5")  # the peak of now on
    before = read("VmRSS")
    run()
    taken = read("VmHWM") - before
    print(task, taken, caps.cap(task, method="smoothgrad" if task == "agreement" else "saliency"), flush=True)
    os._exit(0)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="Linux tells a process its own peak")
def test_each_question_stays_under_its_cap() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    rows = [line.split() for line in done.stdout.splitlines()]
    assert {row[0] for row in rows} == set(TASKS)
    for task, taken, most in rows:
        assert int(most) / 10 < int(taken) < int(most), (
            f"{task}: {int(taken) / 1e6:.0f} MB taken, {int(most) / 1e6:.0f} announced"
        )


def test_a_cap_is_for_what_there_is() -> None:
    with pytest.raises(SettingsError, match="no task 'dream'; there are credit, rho"):
        cap("dream")  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="no method 'lime'"):
        cap("trust", method="lime")  # type: ignore[arg-type]
    assert cap("rho") < cap("damage")


def test_the_commands_announce_it() -> None:
    """Before the work, beside its cost."""
    coffee = str(samples()[0].path)
    for command, words in (("damage", []), ("credit", []), ("trust", ["--method", "saliency", "--steps", "2"])):
        done = CliRunner().invoke(main, [command, coffee, *words])
        assert done.exit_code == 0, done.stderr
        method: Method = "saliency" if command == "trust" else "integrated_gradients"
        assert f"{command}: {cap_in_words(command, method=method)}." in done.stderr  # type: ignore[arg-type]
    assert cap_in_words("damage") == f"at most about {cap('damage') / 1e6:,.0f} MB of memory"
