// A run as a drawing of its residual blocks beside a heatmap of block × step, both filled by one quantity in one scale
// of colours. Slider, buttons and keys choose the step, a cell or a box chooses the block; nothing of it asks the server.
const MARK = "rgb(204, 94, 20)";
const LEFT = 46, BOTTOM = 34, TOP = 6, RIGHT = 6; // pixels around the cells
const FASTEST = 33, SLOWEST = 400, LENGTH = 8000; // milliseconds: of a replayed step, and of a whole replay
const CALM = 500; // of a step where the reader asked for less motion

const views = new Map(); // what was chosen outlives a component that is taken off the page and put back

const rgb = (text) => text.match(/\d+/g).map(Number);
const dark = ([r, g, b]) => 0.299 * r + 0.587 * g + 0.114 * b < 120;
const shown = (value, kind) => {
  if (value === undefined) return "";
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "inf" : "−inf";
  if (kind === "share") return value < 1 ? (Math.floor(value * 1e4) / 1e4).toFixed(4) : "1";
  return (value !== 0 && (Math.abs(value) < 0.001 || Math.abs(value) >= 1e4) ? value.toExponential(1) : String(Number(value.toPrecision(3)))).replace("-", "−");
};

// Where a value stands between the ends of the scale, 0 to 1; null if it has no place there.
const place = (value, { kind, low, high }) => {
  if (!Number.isFinite(value) || (kind === "log" && value <= 0)) return null;
  const at = ((kind === "log" ? Math.log10(value) : value) - low) / (high - low);
  return Math.min(1, Math.max(0, at));
};
const colour = (at, ramp) => {
  const exact = at * (ramp.length - 1), first = Math.floor(exact), rest = exact - first;
  const next = ramp[Math.min(first + 1, ramp.length - 1)];
  return ramp[first].map((part, channel) => Math.round(part + rest * (next[channel] - part)));
};

// Of the steps that share one column of pixels: the first that is no number, else the largest.
const loudest = (values) => values.find((value) => !Number.isFinite(value)) ?? Math.max(...values);

const boxes = (root, data, choose) => {
  const drawing = root.querySelector(".trunk");
  const wanted = JSON.stringify(data.rows);
  if (drawing.dataset.rows === wanted) return;
  drawing.dataset.rows = wanted;
  drawing.replaceChildren(...data.rows.map(({ title, blocks }) => {
    const row = document.createElement("div");
    row.className = blocks.length ? "row" : "row plain";
    const name = document.createElement("span");
    name.className = "title";
    name.textContent = title;
    const inner = document.createElement("div");
    inner.className = "inner";
    row.append(name, ...(blocks.length ? [inner] : []));
    for (const block of blocks) {
      const box = document.createElement("button");
      box.className = "block";
      box.type = "button";
      box.dataset.block = block;
      box.append(document.createElement("b"), document.createElement("span"));
      box.firstChild.textContent = data.names[block];
      box.onclick = () => choose({ block });
      inner.append(box);
    }
    return row;
  }));
};

export default function ({ data, key, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".replay");
  const find = (selector) => root.querySelector(selector);
  const arrays = received(key ?? data.name, data);
  if (!arrays) {
    setTriggerValue("resync", data.base);
    return;
  }
  const steps = arrays[`${data.quantity} steps`], cells = arrays[`${data.quantity} cells`], blocks = data.names.length, count = steps.length;
  const view = views.get(key)?.run === data.run ? views.get(key) : { run: data.run, at: count - 1, block: blocks - 1, following: true };
  views.set(key, view);
  if (view.following || view.at >= count) view.at = count - 1;
  if (view.block < 0 || view.block >= blocks) view.block = blocks - 1;
  const ramp = data.ramp.map(rgb);
  const value = (at, block) => cells[at * blocks + block];
  root.setAttribute("aria-label", data.alt);

  const choose = ({ at = view.at, block = view.block, following = false }) => {
    view.at = Math.min(count - 1, Math.max(0, at));
    view.block = Math.min(blocks - 1, Math.max(0, block));
    view.following = following || (view.following && at === view.at && view.at === count - 1);
    update();
  };

  const fill = (box) => {
    const block = Number(box.dataset.block), now = value(view.at, block), at = place(now, data);
    const paint = at === null ? null : colour(at, ramp);
    box.style.background = paint ? `rgb(${paint})` : "transparent";
    box.style.color = paint ? (dark(paint) ? "#fff" : "#111") : "inherit";
    box.classList.toggle("odd", !Number.isFinite(now));
    box.classList.toggle("chosen", block === view.block);
    box.setAttribute("aria-pressed", block === view.block);
    box.lastChild.textContent = Number.isFinite(now) ? shown(now, data.kind) : `▲ ${shown(now)}`;
    box.setAttribute("aria-label", `block ${data.names[block]}: ${shown(now, data.kind)}`);
  };

  const canvas = find("canvas");
  const heat = () => {
    const width = find(".heat").clientWidth, height = Math.max(260, Math.min(420, blocks * 17 + TOP + BOTTOM));
    if (!width) return;
    const sharp = globalThis.devicePixelRatio || 1, style = getComputedStyle(root);
    canvas.width = Math.round(width * sharp);
    canvas.height = Math.round(height * sharp);
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(sharp, sharp);
    const wide = width - LEFT - RIGHT, high = height - TOP - BOTTOM, each = Math.max(1, Math.ceil(count / wide));
    const columns = Math.ceil(count / each), cellWide = wide / columns, cellHigh = high / blocks;
    view.grid = { each, columns, cellWide, cellHigh };
    const marks = [];
    for (let column = 0; column < columns; column++) for (let block = 0; block < blocks; block++) {
      const among = [];
      for (let at = column * each; at < Math.min(count, (column + 1) * each); at++) among.push(value(at, block));
      const here = loudest(among), at = place(here, data), x = LEFT + column * cellWide, y = TOP + block * cellHigh;
      if (at !== null) {
        pen.fillStyle = `rgb(${colour(at, ramp)})`;
        pen.fillRect(x, y, cellWide + 0.5, cellHigh + 0.5);
      } else marks.push([x + cellWide / 2, y + cellHigh / 2, Number.isFinite(here)]);
    }
    pen.fillStyle = pen.strokeStyle = MARK;
    for (const [x, y, zero] of marks) {
      pen.beginPath();
      if (zero) { pen.arc(x, y, 2.5, 0, 7); pen.stroke(); } else {
        pen.moveTo(x - 4, y + 3); pen.lineTo(x + 4, y + 3); pen.lineTo(x, y - 4); pen.fill();
      }
    }
    pen.fillStyle = pen.strokeStyle = style.color;
    pen.font = `12px ${style.fontFamily}`;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const skip = Math.ceil(13 / cellHigh);
    data.names.forEach((name, block) => block % skip || pen.fillText(name, LEFT - 6, TOP + (block + 0.5) * cellHigh));
    pen.textAlign = "center";
    pen.textBaseline = "top";
    const ticks = Math.max(2, Math.min(8, Math.floor(wide / 60), count));
    for (let tick = 0; tick < ticks; tick++) {
      const at = Math.round((tick * (count - 1)) / Math.max(1, ticks - 1));
      pen.fillText(steps[at], LEFT + (Math.floor(at / each) + 0.5) * cellWide, height - BOTTOM + 4);
    }
    pen.fillText(each > 1 ? `step; each column shows the largest of ${each} steps` : "step", LEFT + wide / 2, height - 15);
    const x = LEFT + Math.floor(view.at / each) * cellWide, y = TOP + view.block * cellHigh;
    for (const [ink, thick] of [["#fff", 4], ["#111", 2]]) { // seen on every colour
      pen.strokeStyle = ink;
      pen.lineWidth = thick;
      pen.strokeRect(x, TOP, Math.max(cellWide, 2), high);
      pen.strokeRect(LEFT, y, wide, cellHigh);
    }
  };

  const slider = find("input"), play = find(".play"), slow = find(".slow");
  const update = () => {
    root.querySelectorAll(".block").forEach(fill);
    heat();
    slider.max = count - 1;
    slider.value = view.at;
    slider.setAttribute("aria-valuetext", `step ${steps[view.at]}`);
    find(".where").textContent = `step ${steps[view.at]} of ${steps[count - 1]} · block ${data.names[view.block]}: ${shown(value(view.at, view.block), data.kind)}`;
    find(".where").setAttribute("aria-live", view.timer ? "off" : "polite");
    play.textContent = view.timer ? "⏸" : "▶";
    play.setAttribute("aria-label", view.timer ? "Pause" : "Play");
    find(".newest").disabled = view.at === count - 1;
    slow.textContent = `Slow motion: update ${steps[view.at]} of ${data.names[view.block]}`;
  };
  const halt = () => { clearInterval(view.timer); view.timer = 0; };
  view.next = () => { if (view.at < count - 1) choose({ at: view.at + 1 }); else { halt(); update(); } };
  const toggle = () => {
    if (view.timer) halt();
    else {
      const calm = globalThis.matchMedia("(prefers-reduced-motion: reduce)").matches;
      if (view.at === count - 1) choose({ at: 0 });
      view.timer = setInterval(() => view.next(), calm ? CALM : Math.min(SLOWEST, Math.max(FASTEST, LENGTH / count)));
    }
    update();
  };
  const by = (far) => { halt(); choose({ at: view.at + far }); };

  root.classList.toggle("empty", !count || !blocks);
  find(".nothing").textContent = data.words;
  find(".legend .title").textContent = data.title;
  find(".low").textContent = data.ends[0];
  find(".high").textContent = data.ends[1];
  find(".bar").style.background = `linear-gradient(to right, ${data.ramp.join(",")})`;
  find(".notes").textContent = data.notes;
  if (!count || !blocks) return;
  boxes(root, data, (chosen) => view.choose(chosen));
  view.choose = choose; // the boxes are drawn once, the data come anew with each tick
  find(".back").onclick = () => by(-1);
  find(".forth").onclick = () => by(1);
  find(".newest").onclick = () => { halt(); choose({ at: count - 1, following: true }); };
  play.onclick = toggle;
  slow.hidden = !data.slow;
  slow.onclick = () => setTriggerValue("slow", { step: steps[view.at], block: view.block });
  slider.oninput = () => { halt(); choose({ at: Number(slider.value) }); };
  const pointed = ({ offsetX, offsetY }) => {
    const { each, cellWide, cellHigh } = view.grid;
    return { at: Math.floor((offsetX - LEFT) / cellWide) * each, block: Math.floor((offsetY - TOP) / cellHigh), inside: offsetX > LEFT && offsetY < canvas.clientHeight - BOTTOM };
  };
  canvas.onclick = (event) => { const to = pointed(event); if (to.inside) { halt(); choose(to); } };
  canvas.onmousemove = (event) => {
    const { at, block, inside } = pointed(event);
    canvas.title = inside && at < count && block >= 0 ? `block ${data.names[block]}, step ${steps[at]}: ${shown(value(at, block), data.kind)}` : "";
  };
  root.onkeydown = (event) => {
    const on = event.target, moves = { ArrowRight: 1, ArrowLeft: -1, PageUp: 10, PageDown: -10 };
    const picks = { ArrowDown: 1, ArrowUp: -1 };
    if (event.key === " " && !on.closest(".controls button")) toggle();
    else if (on !== slider && event.key in moves) by(moves[event.key]);
    else if (on !== slider && event.key in picks) choose({ block: view.block + picks[event.key] });
    else return;
    event.preventDefault();
  };
  view.update = update;
  const watcher = new ResizeObserver(() => view.update());
  watcher.observe(find(".heat"));
  update();
  return () => { halt(); watcher.disconnect(); };
}
