// A drawing you can click: nodes are <g class="node" data-address>, made by inception_lab.readers.graph.
// Click or Enter picks a node, arrows walk, Escape goes one depth up; + - 0, the buttons and Ctrl + wheel zoom, dragging
// pans; what a node says stands in a card while it is pointed at or has the focus.
const STEP = 1.25;
const POINT = 96 / 72; // CSS pixels in one of Graphviz' points
const SMALLEST = 0.58; // below this share of its natural size the text is no longer readable: scroll instead
const DRAG = 4; // pixels a pressed pointer moves before it is no click any more

const unpacked = (packed) => {
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
};

function fill(card, node) {
  const [address, does, ...numbers] = node.said.split("\n");
  const rows = numbers.map((line) => line.split(/: (.*)/, 2));
  card.replaceChildren(...[["b", address], ["p", does ?? ""]].map(([tag, text]) => {
    const element = document.createElement(tag);
    element.textContent = text;
    return element;
  }), document.createElement("dl"));
  for (const [name, value] of rows) {
    for (const [tag, text] of [["dt", name], ["dd", value ?? ""]]) {
      card.lastChild.appendChild(document.createElement(tag)).textContent = text;
    }
  }
}

function show(card, node) {
  const [own, view] = [node.getBoundingClientRect(), card.parentElement.getBoundingClientRect()];
  fill(card, node);
  node.setAttribute("aria-description", node.said.replaceAll("\n", "; "));
  card.hidden = false;
  const below = own.bottom + card.offsetHeight + 8 < innerHeight || own.top < card.offsetHeight + 8;
  const left = Math.min(own.left - view.left, view.width - card.offsetWidth);
  card.style.left = `${Math.max(0, left)}px`;
  card.style.top = `${(below ? own.bottom + 6 : own.top - card.offsetHeight - 6) - view.top}px`;
}

function live({ data, parentElement, setTriggerValue }, frame, svg, fresh) {
  const card = parentElement.querySelector(".card");
  const nodes = [...svg.querySelectorAll(".node[data-address]")];
  const natural = parseFloat(svg.style.getPropertyValue("--lab-width")) || svg.viewBox.baseVal.width * POINT;
  const fit = () => Math.min(natural, Math.max(frame.clientWidth - 6, natural * SMALLEST));
  if (fresh) frame.zoomed = 0; // 0: as wide as fits, also when the page changes its width
  const resize = (to, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
    const before = svg.getBoundingClientRect().width || 1;
    frame.zoomed = to && Math.max(120, Math.min(to, natural * 8));
    svg.style.width = `${Math.round(frame.zoomed || fit())}px`;
    svg.style.maxWidth = "none";
    const by = svg.getBoundingClientRect().width / before; // what is at (x, y) stays there
    frame.scrollTo((frame.scrollLeft + x) * by - x, (frame.scrollTop + y) * by - y);
  };
  const zoom = (by, x, y) => resize((frame.zoomed || fit()) * by, x, y);
  const watcher = new ResizeObserver(() => frame.zoomed || resize(0));
  watcher.observe(frame);
  resize(frame.zoomed);
  if (fresh) frame.scrollTo(0, 0);

  let chosen = null;
  for (const node of nodes) {
    const title = node.querySelector("title");
    if (title) { node.said = title.textContent; title.remove(); } // the card says it
    const here = node.dataset.address === data.selected;
    if (here) chosen = node;
    node.classList.toggle("selected", here);
    node.setAttribute("aria-current", here ? "true" : "false");
    node.setAttribute("tabindex", "-1");
  }
  (chosen ?? nodes[0])?.setAttribute("tabindex", "0");
  if (chosen && frame.showed !== data.selected) {
    const [own, all] = [chosen.getBoundingClientRect(), frame.getBoundingClientRect()];
    if (own.left < all.left || own.right > all.right) frame.scrollLeft += own.left - all.left - all.width / 2;
    if (own.top < all.top || own.bottom > all.bottom) frame.scrollTop += own.top - all.top - all.height / 2;
    frame.showed = data.selected;
  }

  const at = (event) => event.target.closest?.(".node[data-address]");
  const pick = (node) => node && setTriggerValue("pick", node.dataset.address);
  const walk = (from, by) => nodes[(nodes.indexOf(from) + by + nodes.length) % nodes.length]?.focus();
  const keys = {
    Enter: pick, " ": pick, Escape: () => { card.hidden = true; setTriggerValue("up", true); },
    ArrowRight: (node) => walk(node, 1), ArrowDown: (node) => walk(node, 1),
    ArrowLeft: (node) => walk(node, -1), ArrowUp: (node) => walk(node, -1),
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": () => resize(0),
  };
  frame.onkeydown = (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    keys[event.key](at(event));
    event.preventDefault();
  };
  let dragged = false;
  frame.onclick = (event) => { if (!dragged) pick(at(event)); };
  frame.onpointerdown = (event) => {
    dragged = false;
    if (event.pointerType !== "mouse" || event.button !== 0) return; // a finger scrolls by itself
    const [x, y, left, top] = [event.clientX, event.clientY, frame.scrollLeft, frame.scrollTop];
    frame.onpointermove = (now) => {
      if (!now.buttons) { frame.onpointermove = null; return; } // let go outside
      dragged ||= Math.hypot(now.clientX - x, now.clientY - y) > DRAG;
      if (dragged) frame.scrollTo(left + x - now.clientX, top + y - now.clientY);
    };
  };
  frame.onpointerup = () => { frame.onpointermove = null; };
  const wheel = (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    const box = frame.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY / 300), event.clientX - box.left, event.clientY - box.top);
    event.preventDefault();
  };
  frame.addEventListener("wheel", wheel, { passive: false });
  frame.onpointerover = frame.onfocus = (event) => { const node = at(event); if (node?.said) show(card, node); else card.hidden = true; };
  frame.onpointerleave = () => { card.hidden = true; };
  const focused = (event) => frame.onpointerover(event);
  const left = () => { card.hidden = true; };
  frame.addEventListener("focusin", focused);
  frame.addEventListener("focusout", left);
  parentElement.querySelector(".smaller").onclick = () => zoom(1 / STEP);
  parentElement.querySelector(".larger").onclick = () => zoom(STEP);
  parentElement.querySelector(".fit").onclick = () => resize(0);
  return () => {
    watcher.disconnect();
    frame.removeEventListener("wheel", wheel);
    frame.removeEventListener("focusin", focused);
    frame.removeEventListener("focusout", left);
    frame.onclick = frame.onkeydown = frame.onpointerdown = frame.onpointermove = frame.onpointerover = null;
  };
}

export default function (component) {
  const { data, parentElement } = component;
  const frame = parentElement.querySelector(".frame");
  const stage = parentElement.querySelector(".stage");
  const source = data.svg ?? data.packed;
  const fresh = stage.drawn !== source;
  const start = () => live(component, frame, stage.querySelector("svg"), fresh);
  let [stop, ended] = [() => {}, false];
  stage.querySelector("svg")?.setAttribute("aria-label", data.alt);
  if (!fresh || data.svg !== undefined || !data.packed) {
    if (fresh && data.svg !== undefined) stage.innerHTML = data.svg;
    stage.drawn = source;
    stop = start();
  } else {
    unpacked(data.packed).then((svg) => {
      if (ended) return;
      stage.innerHTML = svg;
      stage.drawn = source;  // not before: what was only begun is to be begun again
      stop = start();
    }, () => { if (!ended) stage.textContent = "This browser could not unpack the drawing; reload the page."; });
  }
  const svg = stage.querySelector("svg");
  svg?.setAttribute("role", "group");
  svg?.setAttribute("aria-label", data.alt);
  return () => { ended = true; stop(); };
}
