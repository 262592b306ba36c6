"""Commands that read descriptions: nets, shapes, graph, compare. None of them loads torch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inception_lab.cli.output import SIZE, json_option, save, shorten, show, table

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Depth, Direction, Graph
    from inception_lab.readers.tint import Tint

COLOURS = ("none", "kind", "parameters", "multiply_adds", "memory", "receptive_field")
DEPTHS = ("stages", "block", "ops")
FORMATS = (".svg", ".png", ".html", ".dot")

size_option = click.option("--size", type=SIZE, help="Image side (299) or height x width (400x600).")


@click.command()
@json_option
def nets(as_json: bool) -> None:
    """The networks of the catalogue."""
    from inception_lab.errors import ImpossibleAdd
    from inception_lab.models.records import RECORDS
    from inception_lab.nets.catalog import CATALOG
    from inception_lab.readers.shapes import shapes

    networks: list[dict[str, Any]] = []
    for net in CATALOG.values():
        entry: dict[str, Any] = {"name": net.name, "source": net.source, "parameters": None, "multiply_adds": None}
        try:
            found = shapes(net)
            entry |= {"parameters": found.parameters, "multiply_adds": found.multiply_adds, "error": None}
        except ImpossibleAdd as error:
            entry["error"] = str(error)
        entry["weights"] = [known.tag for known in RECORDS.values() if known.network == net.name]
        networks.append(entry)
    heads = ("name", "parameters", "multiply-adds", "source")
    keys = ("name", "parameters", "multiply_adds", "source")
    listed = table(heads, ([entry[key] for key in keys] for entry in networks))
    show(
        {"networks": networks, "weights": list(RECORDS)},
        as_json=as_json,
        text=lambda: "\n".join((listed, "", "Public weights, for classify, attribute, evaluate and fetch:", *RECORDS)),
    )


@click.command()
@click.argument("net")
@size_option
@click.option("--at", metavar="ADDRESS", help="Only the ops at or inside an address, such as B/07.")
@click.option("--stages", is_flag=True, help="Totals per stage instead of every op (for people).")
@json_option
def shapes(net: str, size: tuple[int, int] | None, at: str | None, stages: bool, as_json: bool) -> None:
    """Shapes and cost of every op of NET."""
    from inception_lab.nets import catalog
    from inception_lab.nets.address import locate
    from inception_lab.readers.shapes import shapes as read

    found = read(net, size=size)
    data = found.to_dict()
    if at is not None:
        rows = found.under(locate(catalog.net(net), at))
        data |= {"at": at, "rows": [row.to_dict() for row in rows]}

    def text() -> str:
        if stages:
            heads: tuple[str, ...] = ("stage", "output", "parameters", "multiply-adds")
            lines = [(each.address, each.output, each.parameters, each.multiply_adds) for each in found.stages()]
            body = table(heads, lines)
        else:
            keys = ("address", "label", "stride", "output", "parameters", "multiply_adds", "receptive_field")
            heads = ("address", "op", "stride", "output C×H×W", "parameters", "multiply-adds", "receptive field")
            body = table(heads, ([row[key] for key in keys] for row in data["rows"]))
        whole = f"{found.parameters:,} parameters, {found.multiply_adds:,} multiply-adds"
        return f"{body}\n\n{found.network} at {found.size[0]}×{found.size[1]}, one image: {whole}"

    show(data, as_json=as_json, text=text)


@click.command()
@click.argument("net")
@click.option("--at", metavar="ADDRESS", help="Block or op to draw, such as B/07.")
@click.option("--depth", type=click.Choice(DEPTHS), help="Whole network as stages, one block, or every op.")
@size_option
@click.option("--direction", type=click.Choice(("LR", "TB")), help="Left to right or top to bottom.")
@click.option("--colour", type=click.Choice(COLOURS), default="kind", show_default=True, help="What the colours say.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File: .svg .png .html or .dot.")
@json_option
def graph(
    net: str,
    at: str | None,
    depth: Depth | None,
    size: tuple[int, int] | None,
    direction: Direction | None,
    colour: Tint,
    output: Path | None,
    as_json: bool,
) -> None:
    """Draw NET.

    Into the file that -o names; without it, Graphviz' DOT language is printed.
    """
    from inception_lab.readers.graph import graph as draw

    if output is not None and output.suffix.lower() not in FORMATS:
        raise click.BadParameter(f"{output.name} must end in one of {' '.join(FORMATS)}.", param_hint="-o")
    drawing = draw(net, at=at, depth=depth, size=size, direction=direction).coloured(colour)
    if output is not None:
        save(output, _content(drawing, output.suffix.lower()))
    data = {
        "network": drawing.name,
        "at": drawing.at,
        "depth": drawing.depth,
        "title": drawing.title,
        "alt": drawing.alt,
        "file": None if output is None else str(output),
        "nodes": drawing.to_rows(),
        "edges": [asdict(edge) for edge in drawing.edges],
    }
    show(data, as_json=as_json, text=lambda: drawing.dot if output is None else f"{output}: {drawing.title}")


@click.command()
@click.argument("a")
@click.argument("b")
@json_option
def compare(a: str, b: str, as_json: bool) -> None:
    """What changes from network A to network B."""
    from inception_lab.readers import marking
    from inception_lab.readers.compare import compare as read

    found = read(a, b)

    def text() -> str:
        if found.same:
            return f"{found.a} and {found.b} are the same network."
        values = ((each, *(shorten(value, 48) for value in (each.a, each.b))) for each in found.differences)
        rows = ((marking.place(each), each.kind, *both, each.copies) for each, *both in values)
        return table(("address", "what", found.a, found.b, "blocks"), rows)

    show(found.to_dict(), as_json=as_json, text=text)


def _content(drawing: Graph, suffix: str) -> str | bytes:
    match suffix:
        case ".svg":
            return drawing.svg()
        case ".png":
            return drawing.png()
        case ".html":
            return drawing.html()
        case _:
            return drawing.dot
