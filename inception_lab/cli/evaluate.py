"""The command evaluate."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.asked import FILE, embedded
from inception_lab.cli.counting import counting, say_closeness, say_cost
from inception_lab.cli.output import json_option, save, show, stopped

if TYPE_CHECKING:
    from inception_lab.images.evaluation import Evaluation

PART = "inception_lab.images.evaluate:evaluate_shard"  # what each task of a cluster runs


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
    With --ray N the cluster's machines must find the folder, and the lab, at the same paths; each part asks for a GPU
    with --device cuda, or with auto where the cluster has any, else for one CPU.
    """
    from inception_lab.images.evaluate import evaluate as measure

    asked["network"] = asked["network"] or (embedded(None),)
    first = os.environ.get("RANK", "0") == "0"  # of torchrun's processes only one speaks
    if first:
        _say_cost(folder, elsewhere=ray is not None, **asked)
    if asked["precision"] == "bf16" and first and ray is None:
        say_closeness(asked["network"])
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


def _say_cost(folder: Path, *, resume: Path | None, ensemble: bool, elsewhere: bool, **asked: Any) -> None:
    from inception_lab.images.announce import announce

    tags = asked.pop("network")
    loading = counting("MB", size=1e6)
    say_cost("evaluate", announce("evaluate", tags, folder=folder, elsewhere=elsewhere, progress=loading, **asked))


def _on_ray(folder: Path, parts: int, *, blacklist: Path | None, resume: Path | None, **asked: Any) -> Evaluation:
    """The same in so many tasks of a cluster, which must see the folder at the same path and have the lab's libraries.

    With device cuda, or auto on a cluster with GPUs, each task asks for one.
    """
    from inception_lab.images.evaluate import merge, settings
    from inception_lab.images.ranking import absolute
    from inception_lab.jobs import on_ray

    wanted, place = settings(**asked), absolute(folder)
    kept, out = absolute(resume) if resume else None, absolute(blacklist) if blacklist else None
    ray = on_ray.connected()
    try:
        gpu = wanted.device == "cuda" or (wanted.device == "auto" and on_ray.gpus(ray) > 0)
        named = {"world": parts, "blacklist": out, "resume": kept}
        every: list[on_ray.Part] = [((place, wanted), {"rank": part, **named}) for part in range(parts)]
        click.echo(f"{parts} parts on the cluster, {'a GPU' if gpu else 'one CPU'} each.", err=True)
        return merge(place, wanted, on_ray.in_parts(ray, PART, every, gpu=gpu, done=counting("parts")), blacklist=out)
    finally:
        ray.shutdown()
