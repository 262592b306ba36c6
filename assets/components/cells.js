// Feature maps as a grid; a click on a map picks the cell under it. With the keyboard: Tab to a map, arrows move the
// cell, Enter picks it.
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cells"), spoken = parentElement.querySelector(".spoken");
  const { rows, columns, chosen } = data;
  root.setAttribute("aria-label", data.alt);
  const mark = (tile, row, column) => {
    tile.at = [row, column];
    const spot = tile.querySelector(".spot");
    spot.hidden = false;
    Object.assign(spot.style, {
      left: `${(100 * column) / columns}%`, top: `${(100 * row) / rows}%`,
      width: `${100 / columns}%`, height: `${100 / rows}%`,
    });
  };
  const pick = (tile) => setTriggerValue("pick", [tile.channel, ...tile.at].join("."));
  const focused = parentElement.ownerDocument.activeElement?.channel;
  root.replaceChildren(...data.tiles.map(({ channel, source, label }) => {
    const tile = document.createElement("div"), picture = document.createElement("img"), words = document.createElement("span");
    const frame = document.createElement("div"), spot = document.createElement("i");
    const here = chosen && chosen[0] === channel;
    tile.className = here ? "tile chosen" : "tile";
    tile.channel = channel;
    tile.at = chosen ? chosen.slice(1) : [rows >> 1, columns >> 1];
    tile.tabIndex = 0;
    tile.setAttribute("role", "button");
    tile.setAttribute("aria-label", `${label}. Arrow keys move the cell, Enter picks it.`);
    tile.setAttribute("aria-pressed", here ? "true" : "false");
    tile.dataset.channel = channel;
    picture.src = source;
    picture.alt = "";
    picture.draggable = false;
    words.textContent = label;
    frame.className = "frame";
    spot.className = "spot";
    spot.hidden = true;
    frame.append(picture, spot);
    tile.append(frame, words);
    if (here) mark(tile, ...tile.at);
    frame.onclick = (event) => {
      const box = picture.getBoundingClientRect();
      const place = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
      mark(tile, place((event.clientY - box.top) / box.height, rows), place((event.clientX - box.left) / box.width, columns));
      pick(tile);
    };
    tile.onkeydown = (event) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (by) {
        mark(tile, (tile.at[0] + by[0] + rows) % rows, (tile.at[1] + by[1] + columns) % columns);
        spoken.textContent = `channel ${channel}, row ${tile.at[0]}, column ${tile.at[1]}`;
      } else if (event.key === "Enter" || event.key === " ") pick(tile);
      else return;
      event.preventDefault();
    };
    return tile;
  }));
  if (focused !== undefined) [...root.children].find((tile) => tile.channel === focused)?.focus({ preventScroll: true });
}
