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
const narrowed = (layout) => ({ ...layout, legend: { ...layout.legend, y: -0.3, yanchor: "top", font: { size: 11 } } });

export default function ({ data, parentElement }) {
  const plot = parentElement.querySelector(".plot");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", data.alt);
  const narrow = plot.clientWidth > 0 && plot.clientWidth < NARROW;
  const entries = data.figure.data.filter((trace) => trace.name && trace.showlegend !== false).length;
  plot.style.height = `${data.height + (narrow && entries > 1 ? 22 * entries : 0)}px`;
  const layout = narrow ? narrowed(data.figure.layout) : data.figure.layout;
  const draw = () => globalThis.Plotly.react(plot, data.figure.data, themed(layout, getComputedStyle(plot)), {
    responsive: true, displaylogo: false, toImageButtonOptions: { format: "svg", filename: data.name },
  });
  plotly().then(draw).catch((error) => { plot.textContent = error.message; });
  return () => globalThis.Plotly?.purge(plot);
}
