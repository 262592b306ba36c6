"""The command line as scripts and people see it: what describes networks, and what holds for every command."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from inception_lab.cli.main import main
from inception_lab.cli.output import SIZE, table
from inception_lab.nets.catalog import CATALOG
from inception_lab.readers.shapes import shapes

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = [
    *("nets", "shapes", "graph", "compare", "train", "sweep", "runs", "classify", "attribute"),
    *("trust", "compare-maps", "agreement", "credit", "rho", "damage", "evaluate"),
]


def lab(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(main, words)


def answer(*words: str) -> Any:
    """The JSON of a command that must succeed."""
    result = lab(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def process(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command as a shell does."""
    return subprocess.run(
        [sys.executable, "-m", "inception_lab", *words],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_help_lists_every_command_in_order() -> None:
    assert list(main.commands) == [*COMMANDS, "fetch", "data", "serve"]
    shown = lab("--help").stdout
    assert all(f"\n  {name} " in shown for name in main.commands)
    assert "..." not in shown.split("Commands:")[1], "a line that says what it does in its whole length"


def test_every_command_has_help_and_json() -> None:
    for name, command in main.commands.items():
        result = lab(name, "--help")
        assert result.exit_code == 0
        assert "--json" in result.stdout, name
        assert command.help, name


def test_entry_points_are_the_same_group() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"inception-lab": "inception_lab.__main__:main"}
    import inception_lab.__main__ as entry

    assert entry.main is main


def test_version() -> None:
    import inception_lab

    assert lab("--version").stdout == f"inception-lab {inception_lab.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [("nets",), ("shapes", "inception_v4"), ("graph", "inception_v4"), ("compare", "inception_v3", "inception_v4")],
    ids=lambda words: words[0],
)
def test_describing_loads_no_torch(words: tuple[str, ...]) -> None:
    code = (
        "import sys\nfrom inception_lab.__main__ import main\n"
        f"main({list(words)!r}, standalone_mode=False)\n"
        "heavy = {'torch', 'timm', 'streamlit', 'plotly', 'pandas'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nets_as_a_process_prints_one_object_and_nothing_else() -> None:
    done = process("nets", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
    networks = {entry["name"]: entry for entry in json.loads(done.stdout)["networks"]}
    assert list(networks) == list(CATALOG)
    assert networks["inception_resnet_v2"]["parameters"] == 55_843_464
    assert networks["inception_resnet_v2"]["multiply_adds"] == 13_155_794_016
    assert networks["inception_v4"]["source"].startswith("as drawn")
    assert networks["inception_v4"]["weights"] == ["inception_v4.tf_in1k"]


def test_the_printed_network_has_no_cost_but_a_reason() -> None:
    printed = answer("nets")["networks"][-1]
    assert (printed["name"], printed["parameters"]) == ("inception_resnet_v2_printed", None)
    assert "1154" in printed["error"]


def test_nets_for_people() -> None:
    lines = lab("nets").stdout.splitlines()
    assert lines[0].split() == ["name", "parameters", "multiply-adds", "source"]
    assert "inception_v3 23,834,568 5,713,216,096 as released" in " ".join(lines[2].split())


def test_shapes_are_those_of_the_reader() -> None:
    data = answer("shapes", "inception_v4", "--size", "400x600")
    found = shapes("inception_v4", size=(400, 600))
    assert data["size"] == [400, 600]
    assert (data["parameters"], data["multiply_adds"]) == (42_679_816, found.multiply_adds)
    assert sum(row["multiply_adds"] for row in data["rows"]) == found.multiply_adds
    last = next(row for row in data["rows"] if row["address"] == "inception_v4/C/03/concat")
    assert last["output"] == [1536, 11, 17]
    assert {"address", "op", "output", "parameters", "multiply_adds", "receptive_field"} <= set(last)


def test_shapes_of_one_block() -> None:
    data = answer("shapes", "inception_resnet_v2", "--at", "B/07", "--size", "299")
    assert data["size"] == [299, 299]
    assert all(row["address"].startswith("inception_resnet_v2/B/07/") for row in data["rows"])
    assert sum(row["parameters"] for row in data["rows"]) == 1_126_784


def test_shapes_for_people_end_in_the_totals() -> None:
    result = lab("shapes", "inception_resnet_v1", "--stages")
    assert "inception_resnet_v1/B" in result.stdout
    whole = "22,756,328 parameters, 6,206,361,696 multiply-adds"
    assert result.stdout.splitlines()[-1] == f"inception_resnet_v1 at 299×299, one image: {whole}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shapes", "inception_v5"), "There is no network 'inception_v5'. Did you mean 'inception_v4'?"),
        (("shapes", "inception_v4", "--at", "Q/01"), "There is no 'Q' in inception_v4;"),
        (("shapes", "inception_v4", "--size", "40"), "an image of 40x40 pixels is too small"),
        (("shapes", "inception_resnet_v2_printed"), "the closing 1x1 makes 1154"),
        (("graph", "inception_v4", "-o", "nowhere/at/all.svg"), "nowhere/at/all.svg: No such file or directory"),
        (("graph", "inception_v4", "-o", "net.gif"), "net.gif must end in one of .svg .png .html .dot"),
        (("shapes", "inception_v4", "--size", "4x"), "'4x' is neither a side like 299 nor height x width"),
        (("shapes", "inception_v4", "--size", "0"), "'0' is neither a side like 299 nor height x width"),
        (("train", "mico"), "There is no preset 'mico'. Did you mean 'micro'?"),
        (("train", "micro", "--batch", "1"), "batch must be a whole number from 2 to 2000, not 1."),
        (("runs", "show", "nothing"), "There is no run 'nothing'"),
    ],
)
def test_refusals_are_a_sentence_with_status_2(words: tuple[str, ...], said: str) -> None:
    result = lab(*words, "--json")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_refusal_as_a_process() -> None:
    done = process("shapes", "inception_v5", "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: There is no network 'inception_v5'. Did you mean 'inception_v4'?\n"


def test_a_console_without_the_letters_still_gets_an_answer() -> None:
    done = process("shapes", "inception_v3", "--stages", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert "23,834,568 parameters" in done.stdout


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".html", b"<!doctype"), (".dot", b"digraph")]
)
def test_graph_files(tmp_path: Path, suffix: str, begins: bytes) -> None:
    file = tmp_path / f"block{suffix}"
    data = answer("graph", "inception_resnet_v2", "--at", "B/07", "-o", str(file))
    assert data["file"] == str(file)
    assert (data["at"], data["depth"]) == ("inception_resnet_v2/B/07", "block")
    assert file.read_bytes().lstrip()[: len(begins)].lower() == begins.lower()


def test_graph_depths_and_edges() -> None:
    ops = answer("graph", "inception_resnet_v2", "--at", "B/07", "--depth", "ops")
    block = answer("graph", "inception_resnet_v2", "--at", "B/07")
    addresses = [node["address"] for node in block["nodes"]]
    assert "inception_resnet_v2/B/07/add" in addresses
    assert len(ops["nodes"]) > len(block["nodes"])
    [shortcut] = [edge for edge in block["edges"] if edge["is_shortcut"]]
    assert (shortcut["tail"], shortcut["head"]) == ("inception_resnet_v2/B/06", "inception_resnet_v2/B/07/add")


def test_graph_in_the_colours_of_an_amount(tmp_path: Path) -> None:
    output = tmp_path / "block.svg"
    found = lab("graph", "inception_v4", "--at", "B/02", "--colour", "parameters", "-o", str(output))
    assert found.exit_code == 0, found.stderr
    assert "by-parameters" in output.read_text(encoding="utf-8")
    assert lab("graph", "inception_v4", "--colour", "jet").exit_code == 2


def test_graph_without_a_file_is_dot() -> None:
    printed = lab("graph", "inception_v3").stdout
    assert printed.startswith("digraph")
    assert '"inception_v3/stem"' in printed


def test_compare() -> None:
    data = answer("compare", "inception_resnet_v2_paper", "inception_resnet_v2")
    assert data["same"] is False
    found = {(one["address"], one["kind"]): (one["a"], one["b"]) for one in data["differences"]}
    assert found["B", "repeats"] == (10, 20)
    assert found["B/01/linear", "width"] == (1152, 1088)
    assert answer("compare", "inception_v3", "inception_v3") == {
        "a": "inception_v3",
        "b": "inception_v3",
        "same": True,
        "differences": [],
    }


def test_compare_for_people_cuts_long_structures() -> None:
    lines = lab("compare", "inception_resnet_v2_paper", "inception_resnet_v2").stdout.splitlines()
    assert lines[0].split()[:2] == ["address", "what"]
    assert max(map(len, lines)) < 200
    assert "B/01/branch1 (second: B/01/body/branch1)" in lab("compare", "inception_v4", "inception_resnet_v2").stdout
    assert lab("compare", "inception_v4", "inception_v4").stdout.endswith("are the same network.\n")


def test_table_aligns_numbers_right_and_words_left() -> None:
    assert table(("name", "n"), [("a", 1), ("longer", 1234), ("none", None)]).splitlines() == [
        "name        n",
        "------  -----",
        "a           1",
        "longer  1,234",
        "none        –",
    ]


@pytest.mark.parametrize(("text", "size"), [("299", (299, 299)), ("400x600", (400, 600)), ("400×600", (400, 600))])
def test_sizes_are_height_times_width(text: str, size: tuple[int, int]) -> None:
    assert SIZE.convert(text, None, None) == size


def test_nothing_that_is_no_size_passes() -> None:
    for text in ("", "x", "-5", "1e3", "400x", "400x600x3", "0x5"):
        with pytest.raises(click.BadParameter):
            SIZE.convert(text, None, None)


def test_serve_says_where_and_serves(home: Path) -> None:
    port = free_port()
    flags = ["--browser.gatherUsageStats", "false"]
    with subprocess.Popen(
        [sys.executable, "-m", "inception_lab", "serve", "--json", "--port", str(port), *flags],
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as server:
        try:
            assert server.stdout is not None
            said = json.loads(server.stdout.readline())
            assert said == {"url": f"http://localhost:{port}", "port": port}
            assert healthy(port, server)
        finally:
            server.terminate()
            rest = server.stdout.read() if server.stdout else ""
    assert rest == ""


def test_serve_refuses_a_taken_port() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        result = lab("serve", "--port", str(busy.getsockname()[1]))
    assert result.exit_code == 2
    assert "is taken" in result.stderr


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def healthy(port: int, server: subprocess.Popen[str]) -> bool:
    """Whether the server answers ok before it ends or a minute is over."""
    until = time.monotonic() + 60
    while server.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=5) as reply:
                return bool(reply.read() == b"ok")
        except OSError:
            time.sleep(0.1)
    return False
