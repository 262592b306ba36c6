"""The command evaluate."""

from __future__ import annotations

import os
import socket
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.asked import FILE
from inception_lab.cli.counting import counting
from inception_lab.cli.output import json_option, save, show, stopped
from inception_lab.errors import LabError, RunError

if TYPE_CHECKING:
    from inception_lab.images.evaluation import Evaluation

PATIENCE = 5.0  # seconds for the head of a cluster to answer


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--network", metavar="TAG", multiple=True, help="As for classify; may be repeated. Default: the embedded."
)
@click.option("--ensemble", is_flag=True, help="The average of the networks too.")
@click.option("--crops", type=int, default=1, show_default=True, help="1, 10, 12 or 144 views of each image.")
@click.option("--reading", default="timm", show_default=True, help="Whose single crop: timm or slim.")
@click.option(
    "--blacklist", type=FILE, help="Validation ids to leave out, one a line, as the development kit has them."
)
@click.option("--resume", type=FILE, help="Keep every answer in this file, and go on from what is in it.")
@click.option("--csv", "table", type=FILE, help="Write the rows beside the paper's to a file.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True)
@click.option("--workers", type=click.IntRange(min=1), help="Threads that decode ahead of the network.")
@click.option(
    "--precision",
    type=click.Choice(["fp32", "bf16"]),
    default="fp32",
    show_default=True,
    help="bf16 is quicker; how near it stays to fp32 is said first.",
)
@click.option("--ray", type=click.IntRange(min=1), help="So many parts on the Ray cluster at RAY_ADDRESS.")
@json_option
def evaluate(folder: Path, table: Path | None, ray: int | None, as_json: bool, **asked: Any) -> None:
    """Error rates on a FOLDER of photographs.

    It holds one folder per class. Class folders are named by WordNet id (n07920052), index (967) or label
    (espresso); for a run:ID by index or label. Shares are 0 to 1, with 95 % intervals; files that cannot be read
    are named on stderr and left out. Several GPUs: torchrun --nproc-per-node N -m inception_lab evaluate FOLDER.
    """
    from inception_lab.images.evaluate import evaluate as measure

    asked["network"] = asked["network"] or _embedded()
    first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes only one speaks
    if asked["precision"] == "bf16" and first and ray is None:
        _say_closeness(asked["network"], ensemble=asked["ensemble"])
    kept = asked["resume"]
    with stopped(f"What is in {kept} is kept: the same command goes on from there." if kept else "Nothing is kept."):
        if ray is not None:
            found = _on_ray(folder, ray, **asked)
        else:
            found = measure(folder, progress=counting("images") if first else None, **asked)
    if not first:
        return
    for sentence in found.skipped:
        click.echo(f"Left out: {sentence}", err=True)
    if table is not None:
        save(table, found.to_csv())
    show(found.to_dict() | {"folder": str(folder)}, as_json=as_json, text=lambda: str(found))


def _embedded() -> str:
    from inception_lab.models.records import EMBEDDED

    return EMBEDDED


def _say_closeness(network: str | tuple[str, ...], *, ensemble: bool) -> None:
    from inception_lab.images.ensemble import asked
    from inception_lab.images.precision import closeness

    for tag in asked(network, _embedded(), together=ensemble)[0]:
        click.echo(str(closeness(tag)), err=True)


def _on_ray(folder: Path, parts: int, *, blacklist: Path | None, resume: Path | None, **asked: Any) -> Evaluation:
    """The same in so many tasks of a cluster, which must see the folder at the same path and have the lab installed.

    With device cuda each task asks for a GPU.
    """
    from inception_lab.images.evaluate import evaluate_shard, merge, settings
    from inception_lab.images.ranking import absolute

    try:
        ray: Any = import_module("ray")
    except ImportError:
        raise RunError("Ray is not installed. Install it with pip install 'ray>=2.50,<3'.") from None
    wanted, place, address = settings(**asked), absolute(folder), os.environ.get("RAY_ADDRESS", "auto")
    kept, out = absolute(resume) if resume else None, absolute(blacklist) if blacklist else None
    try:
        _reach(address)
        ray.init(address=address, log_to_driver=False, configure_logging=False)
    except (OSError, ValueError, RuntimeError) as problem:
        raise RunError(
            f"There is no Ray cluster ({str(problem).splitlines()[0]}). Start one with ray start --head."
        ) from None
    try:
        task = ray.remote(evaluate_shard).options(num_cpus=1, num_gpus=int(wanted.device == "cuda"))
        tasks = [
            task.remote(place, wanted, rank=part, world=parts, blacklist=out, resume=kept) for part in range(parts)
        ]
        return merge(place, wanted, ray.get(tasks), blacklist=out)
    except ray.exceptions.RayTaskError as problem:
        raise (
            problem.cause if isinstance(problem.cause, LabError) else RunError(f"A part failed: {problem}")
        ) from None
    finally:
        ray.shutdown()


def _reach(address: str) -> None:
    """Raises `OSError` if nobody listens at host:port: Ray itself would go on asking for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE).close()
