"""Pages that open anywhere, without a network: one file with its own style, light or dark as the reader has it; and a
drawing as such a page, with its words, its table and a few lines of script."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inception_lab.readers.drawing import Graph

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif; margin: 2rem auto;
  max-width: 72rem; padding: 0 1rem; background: #ffffff; color: #1d2733; }
@media (prefers-color-scheme: dark) { body { background: #0e1117; color: #f3f4f6; } }
table { border-collapse: collapse; } td, th { padding: 0.15rem 0.8rem; text-align: left; }
"""

_GRAPH = """
#said { white-space: pre-line; min-height: 7em; border-left: 3px solid #0072b2; padding-left: 1rem; }
.picture { overflow: auto; }
"""

_SCRIPT = """
const said = document.getElementById("said");
const boxes = [...document.querySelectorAll(".lab-graph .node")];
function choose(box) {
  boxes.forEach(other => other.classList.toggle("selected", other === box));
  said.textContent = box.querySelector("title").textContent;
  history.replaceState(null, "", "#" + encodeURIComponent(box.dataset.address));
}
boxes.forEach(box => {
  box.addEventListener("click", () => choose(box));
  box.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(box); }
  });
});
const asked = decodeURIComponent(location.hash.slice(1));
const found = boxes.find(box => box.dataset.address === asked);
if (found) choose(found);
"""

_COLUMNS = ("address", "label", "output", "parameters", "multiply_adds", "receptive_field", "repeat")


def page(graph: Graph) -> str:
    """The page of a drawing as text."""
    heads = "".join(f"<th>{name.replace('_', '-' if name == 'multiply_adds' else ' ')}</th>" for name in _COLUMNS)
    rows = "".join(
        f"<tr>{''.join(f'<td>{escape(_cell(row[name]))}</td>' for name in _COLUMNS)}</tr>" for row in graph.to_rows()
    )
    body = (
        f'<div class="picture">{graph.svg()}</div>\n'
        f'<p id="said" aria-live="polite">Choose a box to read about it.</p>\n<p>{escape(graph.alt)}</p>\n'
        f"<details><summary>As a table</summary><table><tr>{heads}</tr>{rows}</table></details>\n"
        f"<script>{_SCRIPT}</script>"
    )
    return document(graph.title, body, style=_GRAPH)


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
