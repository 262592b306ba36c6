// A drawing you can click: nodes are <g class="node" data-address>, made by inception_lab.readers.graph.
// Click or Enter picks a node, arrows walk between nodes, Escape goes one depth up, the three buttons zoom.
const STEP = 1.25;
const POINT = 96 / 72; // CSS pixels in one of Graphviz' points
const SMALLEST = 0.62; // below this share of its natural size the text is no longer readable: scroll instead

export default function ({ data, parentElement, setTriggerValue }) {
  const frame = parentElement.querySelector(".frame");
  const stage = parentElement.querySelector(".stage");
  if (stage.dataset.drawn !== data.svg) {
    stage.innerHTML = data.svg;
    stage.dataset.drawn = data.svg;
  }
  const svg = stage.querySelector("svg");
  const natural = parseFloat(svg.style.getPropertyValue("--lab-width")) || svg.viewBox.baseVal.width * POINT;
  const fit = () => Math.min(natural, Math.max(frame.clientWidth - 6, natural * SMALLEST));
  let width = 0; // 0: as wide as fits, also when the page changes its width
  const resize = (to) => {
    width = to;
    svg.style.width = `${Math.round(to || fit())}px`;
    svg.style.maxWidth = "none";
  };
  const watcher = new ResizeObserver(() => width || resize(0));
  watcher.observe(frame);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", data.alt);

  const nodes = [...svg.querySelectorAll(".node[data-address]")];
  for (const node of nodes) {
    const chosen = node.dataset.address === data.selected;
    node.classList.toggle("selected", chosen);
    node.setAttribute("aria-current", chosen ? "true" : "false");
  }
  const pick = (node) => node && setTriggerValue("pick", node.dataset.address);
  const walk = (from, by) => nodes[(nodes.indexOf(from) + by + nodes.length) % nodes.length]?.focus();

  frame.onclick = (event) => pick(event.target.closest?.(".node[data-address]"));
  frame.onkeydown = (event) => {
    const node = event.target.closest?.(".node[data-address]");
    if (event.key === "Escape") setTriggerValue("up", true);
    else if (!node) return;
    else if (event.key === "Enter" || event.key === " ") pick(node);
    else if (event.key === "ArrowRight" || event.key === "ArrowDown") walk(node, 1);
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") walk(node, -1);
    else return;
    event.preventDefault();
  };
  parentElement.querySelector(".smaller").onclick = () => resize((width || fit()) / STEP);
  parentElement.querySelector(".larger").onclick = () => resize((width || fit()) * STEP);
  parentElement.querySelector(".fit").onclick = () => resize(0);
  return () => { watcher.disconnect(); frame.onclick = frame.onkeydown = null; };
}
