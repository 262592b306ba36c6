"""Pages that open anywhere, without a network: one file with its own style, light or dark as the reader has it; and a
drawing as such a page, with its words, its table and the script that Explore moves it with."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from inception_lab.assets import asset
from inception_lab.readers import tint

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Graph

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; background: #ffffff; color: #1d2733; }
@media (prefers-color-scheme: dark) { body { background: #0e1117; color: #f3f4f6; } }
table { border-collapse: collapse; } td, th { padding: 0.15rem 0.8rem; text-align: left; }
"""

VIEWER = """<div class="tools" role="group" aria-label="Zoom">
<span class="hint">Drag to move, Ctrl and wheel or + − 0 to zoom, arrows and Enter to walk</span>
<span class="hint touch">Tap a box, swipe to move</span>
<button class="smaller" aria-label="Smaller">−</button><button class="fit">fit</button>
<button class="larger" aria-label="Larger">+</button></div>
<div class="view"><div class="frame"><div class="stage">{svg}</div></div>
<div class="card" role="tooltip" hidden></div></div>"""
"""The frame of a drawing, for `svg_view.js`; `{svg}` is where it stands in a page of its own."""

_GRAPH = """
#said { white-space: pre-line; min-height: 11em; border-left: 3px solid #0072b2; padding-left: 1rem; }
.frame { max-height: 75vh; }
body { max-width: none; }
"""

_SCRIPT = """
const root = document.querySelector("main");
const said = document.getElementById("said");
let stop = () => {};
const draw = (selected) => {
  stop();
  stop = view({
    data: { selected, alt: root.dataset.alt }, parentElement: root,
    setTriggerValue: (what, address) => what === "pick" ? choose(address) : choose(""),
  });
};
function choose(address) {
  draw(address);
  const box = [...document.querySelectorAll(".node")].find((node) => node.dataset.address === address);
  said.textContent = box ? box.said : "Choose a box to read about it.";
  history.replaceState(null, "", "#" + encodeURIComponent(address));
}
choose(decodeURIComponent(location.hash.slice(1)));
"""

_COLUMNS = ("address", "label", "output", "parameters", "multiply_adds", "memory", "receptive_field", "repeat")


def page(graph: Graph) -> str:
    """The page of a drawing as text."""
    columns = (*_COLUMNS, "mark") if any(node.mark for node in graph.nodes) else _COLUMNS
    heads = "".join(f"<th>{name.replace('_', '-' if name == 'multiply_adds' else ' ')}</th>" for name in columns)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(row[name]))}</td>' for name in columns)}</tr>" for row in graph.to_rows()
    )
    script = (
        asset("components", "svg_view.js")
        .read_text(encoding="utf-8")
        .replace("export default function", "function view")
    )
    style = asset("components", "svg_view.css").read_text(encoding="utf-8")
    body = (
        f'<main data-alt="{escape(graph.alt)}">{VIEWER.replace("{svg}", graph.svg())}</main>\n{legend(graph)}\n'
        f'<p id="said" aria-live="polite">Choose a box to read about it.</p>\n<p>{escape(graph.alt)}</p>\n'
        f"<details><summary>As a table</summary><table><tr>{heads}</tr>{rows}</table></details>\n"
        f'<script type="module">{script}{_SCRIPT}</script>'
    )
    return document(graph.title, body, style=style + _GRAPH)


def legend(graph: Graph) -> str:
    """The colours of the boxes; an amount's scale ends at the brightest box, or beyond it where that was asked for."""
    if graph.tint in ("none", "kind"):
        return tint.legend(graph.tint, [node.kind for node in graph.nodes])
    return tint.legend(graph.tint, (), most=graph.most)


def document(title: str, body: str, *, style: str = "") -> str:
    """A whole page: `title` is text and becomes its heading, `body` is HTML, `style` more CSS."""
    return (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}{style}</style>\n<h1>{escape(title)}</h1>\n{body}\n</html>\n"
    )


def _cell(value: object) -> str:
    match value:
        case list():
            return "×".join(str(part) for part in value)
        case int():
            return f"{value:,}"
        case _:
            return str(value)
