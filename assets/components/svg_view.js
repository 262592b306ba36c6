// A drawing you can click: nodes are <g class="node" data-address>, made by inception_lab.readers.graph.
// Click or Enter picks a node, arrows walk to the nearest in their direction, Home and End to the ends, Escape goes one
// depth up; + - 0, the buttons and Ctrl + wheel zoom, dragging pans; what a node says stands in a card while it is
// pointed at or has the focus, but not under a finger, which picks what it touches.
const STEP = 1.25;
const POINT = 96 / 72; // CSS pixels in one of Graphviz' points
const SMALLEST = 0.72; // of its natural size: shapes at lines are 10 pixels high there; what needs more room is scrolled
const DRAG = 4; // pixels a pressed pointer moves before it is no click any more
const SOON = 10_000; // milliseconds in which the page answers: what was picked or left before is forgotten
const TOWARDS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

// What all drawings of a page know of one another: where was picked last, what was left last.
const shared = (document.labDrawings ??= { picked: null, left: null });
const soon = (what) => what && performance.now() - what.at < SOON;

// The node the arrow leads to: the nearest whose middle lies ahead, sideways counting double; of equals the connected.
function nearest(nodes, from, [x, y], connected) {
  const middle = (node) => { const box = node.getBoundingClientRect(); return [(box.left + box.right) / 2, (box.top + box.bottom) / 2]; };
  const [fromX, fromY] = middle(from);
  let [best, least] = [null, Infinity];
  for (const node of nodes) {
    const [across, down] = [middle(node)[0] - fromX, middle(node)[1] - fromY];
    const [ahead, aside] = [across * x + down * y, Math.abs(across * y) + Math.abs(down * x)];
    if (node === from || ahead < 1 || aside > 2 * ahead + 200) continue;
    const far = ahead + 2 * aside - (connected(from, node) ? 12 : 0);
    if (far < least) [best, least] = [node, far];
  }
  return best;
}

// After Escape closed the drawing that had the focus: the box of another one that holds what was left.
function regain() {
  if (!soon(shared.left) || (document.activeElement && document.activeElement !== document.body)) return;
  const holders = [...document.querySelectorAll(".frame .node[data-address]")]
    .filter((node) => `${shared.left.address}/`.startsWith(`${node.dataset.address}/`));
  holders.sort((a, b) => b.dataset.address.length - a.dataset.address.length);
  holders[0]?.focus();
}

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
  const all = () => { // the width at which all of it is seen
    const high = parseFloat(getComputedStyle(frame).maxHeight) || frame.clientHeight;
    const { width, height } = svg.viewBox.baseVal;
    return Math.min(natural, frame.clientWidth - 6, (high - 8) * width / height);
  };
  if (fresh) frame.zoomed = 0; // 0: as wide as fits, if that can be read, also when the page changes its width
  const resize = (to, x = frame.clientWidth / 2, y = frame.clientHeight / 2) => {
    const before = svg.getBoundingClientRect().width || 1;
    frame.zoomed = to && Math.max(60, Math.min(to, natural * 8));
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
  const shown = chosen ?? nodes.find((node) => node.dataset.address.startsWith(`${data.selected}/`)); // of a stage, its first
  (shown ?? nodes[0])?.setAttribute("tabindex", "0");
  if (shown && (fresh || frame.showed !== data.selected)) {
    const [own, view] = [shown.getBoundingClientRect(), frame.getBoundingClientRect()];
    if (own.left < view.left || own.right > view.right) frame.scrollLeft += own.left - view.left - (chosen ? view.width / 2 : 80);
    if (own.top < view.top || own.bottom > view.bottom) frame.scrollTop += own.top - view.top - (chosen ? view.height / 2 : 120);
  }
  if (data.follow && soon(shared.picked) && shared.picked.frame !== frame && (fresh || frame.showed !== data.selected)) {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    shared.picked = null;
    frame.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
  }
  frame.showed = data.selected;

  const at = (event) => event.target.closest?.(".node[data-address]");
  const pick = (node) => {
    if (!node) return;
    if (frame.touched) card.hidden = true;
    shared.picked = { frame, at: performance.now() };
    setTriggerValue("pick", node.dataset.address);
  };
  const leave = (node) => {
    card.hidden = true;
    shared.left = { address: node?.dataset.address ?? data.selected, at: performance.now() };
    setTriggerValue("up", true);
  };
  const lines = new Set([...svg.querySelectorAll(".edge")].map(({ dataset }) => `${dataset.tail} ${dataset.head}`));
  const connected = ({ dataset: { address: a } }, { dataset: { address: b } }) => lines.has(`${a} ${b}`) || lines.has(`${b} ${a}`);
  const walk = (node, key) => (node ? nearest(nodes, node, TOWARDS[key], connected) : nodes[0])?.focus();
  const keys = {
    Enter: pick, " ": pick, Escape: leave, Home: () => nodes[0]?.focus(), End: () => nodes.at(-1)?.focus(),
    ArrowRight: walk, ArrowDown: walk, ArrowLeft: walk, ArrowUp: walk,
    "+": () => zoom(STEP), "=": () => zoom(STEP), "-": () => zoom(1 / STEP), "0": () => resize(0),
  };
  frame.onkeydown = (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    frame.touched = false;
    keys[event.key](at(event), event.key);
    event.preventDefault();
  };
  let dragged = false;
  frame.onclick = (event) => { if (!dragged) pick(at(event)); };
  frame.onpointerdown = (event) => {
    dragged = false;
    frame.touched = event.pointerType === "touch";
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
  frame.onpointerover = (event) => {
    const node = at(event);
    card.hidden = !node?.said || event.pointerType === "touch" || (event.type === "focusin" && frame.touched);
    if (!card.hidden) show(card, node);
  };
  frame.onpointerleave = () => { card.hidden = true; };
  const focused = (event) => frame.onpointerover(event);
  const left = () => { card.hidden = true; };
  frame.addEventListener("focusin", focused);
  frame.addEventListener("focusout", left);
  parentElement.querySelector(".smaller").onclick = () => zoom(1 / STEP);
  parentElement.querySelector(".larger").onclick = () => zoom(STEP);
  parentElement.querySelector(".fit").onclick = () => resize(all());
  return () => {
    setTimeout(() => { if (!frame.isConnected) regain(); }, 50);
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
