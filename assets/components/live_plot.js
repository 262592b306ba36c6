// A Plotly figure that keeps its zoom while its data grows: Plotly.react with a fixed uirevision, on the one plotly.js
// that the installed plotly package carries (copied to static/ when the app starts).
let loading;
const plotly = () => globalThis.Plotly ? Promise.resolve() : (loading ??= new Promise((done, fail) => {
  const script = document.createElement("script");
  script.src = new URL("app/static/plotly.min.js", document.baseURI).href;
  script.onload = done;
  script.onerror = () => fail(new Error("plotly.min.js is missing; restart the app"));
  document.head.append(script);
}));

const themed = (layout, style) => {
  const ink = style.getPropertyValue("--st-text-color").trim() || style.color;
  const axis = { gridcolor: "rgba(128,136,150,.22)", zerolinecolor: "rgba(128,136,150,.4)", linecolor: "rgba(128,136,150,.6)" };
  const axes = Object.keys(layout).filter((key) => /^[xy]axis/.test(key));
  const dressed = Object.fromEntries(axes.map((key) => [key, { ...axis, ...layout[key] }]));
  return { ...layout, ...dressed, font: { color: ink, family: style.fontFamily, size: 13 },
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" };
};

// On a phone the legend goes below and gets room of its own, so that the curves keep theirs.
const NARROW = 520;
const narrowed = (layout, height) => ({
  ...layout, legend: { ...layout.legend, y: -100 / height, yanchor: "top", font: { size: 11 } },
});

// Steps that follow one another come as x0 and dx, numbers as the name of an array.
const filled = (trace, arrays) => {
  const found = { ...trace };
  for (const axis of ["x", "y"]) if (found[axis]?.wire) found[axis] = arrays[found[axis].wire];
  if (!found.x) found.x = Int32Array.from(found.y, (_, place) => found.x0 + place * found.dx);
  return found;
};

export default function ({ data, key, parentElement, setTriggerValue }) {
  const plot = parentElement.querySelector(".plot");
  const arrays = received(key ?? data.name, data);
  if (!arrays) {
    setTriggerValue("resync", data.base);
    return;
  }
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", data.alt);
  const narrow = plot.clientWidth > 0 && plot.clientWidth < NARROW;
  const entries = data.figure.data.filter((trace) => trace.name && trace.showlegend !== false).length;
  plot.style.height = `${data.height + (narrow && entries > 1 ? 22 * entries : 0)}px`;
  const layout = narrow ? narrowed(data.figure.layout, data.height) : data.figure.layout;
  const traces = data.figure.data.map((trace) => (trace.type === "scatter" ? filled(trace, arrays) : trace));
  const draw = () => globalThis.Plotly.react(plot, traces, themed(layout, getComputedStyle(plot)), {
    responsive: true, displaylogo: false, toImageButtonOptions: { format: "svg", filename: data.name },
  });
  plotly().then(draw).catch((error) => { plot.textContent = error.message; });
  return () => globalThis.Plotly?.purge(plot);
}
