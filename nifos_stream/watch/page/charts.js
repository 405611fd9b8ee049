// The chart over time and the small ones of tables, drawn by Plotly, which is given numbers and times alone:
// what strangers wrote never reaches it, as it reads some markup in names.

import { byId, element, say } from "./dom.js";
import * as format from "./format.js";
import { SIGNS } from "./glance.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const PATTERNS = { negative: "/", neutral: "", positive: "." };
const SPARK_HEIGHT = 22;
const FEW = 4;
let drawn = "";
let asTable = "";
let latest = null;

/** Whether the library is there. */
export const available = () => typeof window.Plotly === "object";

/** Draw the series of a window, as posts or as shares, where it differs from what is drawn. */
export function show(answer) {
  latest = answer;
  legend();
  const { chart: kind, lang } = state.get();
  const { clientWidth } = byId("chart");
  const key = JSON.stringify([answer.series, answer.step, kind, lang, scheme(), clientWidth]);
  if (key !== drawn && clientWidth && available()) {
    drawn = key;
    draw(answer, kind);
  }
  if (!available()) say(byId("chart"), t("chartMissing"));
  table();
}

/** Draw again in the colours of now. */
export function redraw() {
  if (latest) show(latest);
}

function draw(answer, kind) {
  const target = byId("chart");
  const x = answer.series.map((point) => local(point.start));
  const hover = kind === "share" ? "%{y:.1f}%" : "%{y:,}";
  const ends = [...answer.series.slice(1).map((point) => point.start), answer.to];
  const gap = x.length > 80 ? 1 : 0.9;
  const width = answer.series.map((point, index) => gap * (Date.parse(ends[index]) - Date.parse(point.start)));
  const bars = state.LABELS.map((label) => ({
    type: "bar", x, offset: 0, width, y: answer.series.map((point) => (kind === "share" ? shareOf(point, label) : point[label])),
    name: `${SIGNS[label]} ${t(label)}`, hovertemplate: hover,
    marker: {
      color: colour(`--${label}`), line: { width: 0 },
      pattern: { shape: PATTERNS[label], fillmode: "overlay", fgcolor: colour("--hatch"), size: 5, solidity: 0.25 },
    },
  }));
  const created = target.classList.contains("js-plotly-plot");
  window.Plotly.react(target, bars, layout(answer, kind, target.clientWidth), { displayModeBar: false, doubleClick: false, showTips: false });
  if (!created) {
    target.on("plotly_relayout", zoomed);
    new ResizeObserver(redraw).observe(target);
  }
  const { from, to, step, total } = answer;
  target.setAttribute("aria-label", t("chartSay", {
    from: format.moment(from), to: format.moment(to), step: format.step(step), total: format.count(total.total),
  }));
}

function layout(answer, kind, width) {
  const coarse = matchMedia("(pointer: coarse)").matches;
  const font = { family: "inherit", size: 12, color: colour("--soft") };
  const axis = { gridcolor: colour("--line"), zerolinecolor: colour("--line"), tickfont: font, ticks: "outside", ticklen: 6, tickcolor: "rgba(0,0,0,0)" };
  return {
    barmode: "stack", hovermode: "x unified", showlegend: false,
    width, height: 240, margin: { l: 48, r: 8, t: 8, b: 40 }, font, dragmode: coarse ? false : "zoom",
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    hoverlabel: { bgcolor: colour("--card"), bordercolor: colour("--line"), font: { ...font, color: colour("--ink") } },
    xaxis: { ...axis, type: "date", range: [local(answer.from), local(answer.to)], tickformatstops: ticks(), hoverformat: hoverFormat(answer.step), fixedrange: coarse },
    yaxis: { ...axis, rangemode: "tozero", fixedrange: true, ...(kind === "share" ? { range: [0, 100], ticksuffix: "%" } : few(answer) ? { range: [0, FEW], dtick: 1 } : { tickformat: ",d" }), nticks: 5 },
  };
}

/** So few that the axis would repeat whole numbers between which there is nothing. */
const few = ({ series }) => series.every((point) => point.total < FEW);

function ticks() {
  return [
    { dtickrange: [null, 59999], value: "%H:%M:%S" }, { dtickrange: [60000, 86399999], value: "%H:%M\n%m-%d" },
    { dtickrange: [86400000, 14 * 86400000], value: "%m-%d\n%Y" }, { dtickrange: ["M1", null], value: "%Y-%m" },
  ];
}

function hoverFormat(step) {
  return { "10s": "%m-%d %H:%M:%S", "1m": "%m-%d %H:%M", "1h": "%m-%d %H:%M" }[step] ?? "%Y-%m-%d";
}

/** A stretch that was drawn out with the pointer becomes the window. */
function zoomed(change) {
  const [from, to] = [change["xaxis.range[0]"], change["xaxis.range[1]"]];
  if (from === undefined) return;
  const offset = latest.from.slice(19);
  state.set({ from: whole(from) + offset, to: whole(to) + offset });
}

/** A time as Plotly says it, which leaves out what is zero, in whole seconds. */
function whole(time) {
  const [day, clock = ""] = time.split(" ");
  return `${day}T${clock.slice(0, 8)}${"00:00:00".slice(clock.length)}`;
}

/** The time on the clocks of the counts, without its zone, as Plotly draws it. */
const local = (moment) => moment.slice(0, 19);

const shareOf = (point, label) => (point.total ? (100 * point[label]) / point.total : null);

function legend() {
  const target = byId("legend");
  if (!target.childElementCount) {
    for (const label of state.LABELS) target.append(element("span", { class: `key ${label}` }, element("i", { class: `segment ${label}` }), element("span")));
  }
  state.LABELS.forEach((label, index) => say(target.children[index].lastChild, `${SIGNS[label]} ${t(label)}`));
}

/** The same as numbers, made only while it is looked at. */
export function table() {
  if (!latest || !byId("chart-details").open) return;
  const key = JSON.stringify([latest.series, state.get().lang]);
  if (key === asTable) return;
  asTable = key;
  const head = element("tr", {}, [t("time"), ...state.LABELS.map((label) => t(label))].map((name) => element("th", { scope: "col" }, name)));
  const rows = latest.series.filter((point) => point.total).reverse().map((point) => element("tr", {},
    element("th", { scope: "row" }, format.stepStart(point.start, latest.step)),
    state.LABELS.map((label) => element("td", {}, format.count(point[label]))),
  ));
  byId("chart-table").replaceChildren(element("thead", {}, head), element("tbody", {}, rows));
}

/** Draw numbers as a small line in `target`, where they differ from what is drawn there. */
export function spark(target, numbers) {
  const key = JSON.stringify([numbers, target.clientWidth, scheme()]);
  if (target.dataset.drawn === key || !target.clientWidth || !available()) return;
  target.dataset.drawn = key;
  const flat = { visible: false, fixedrange: true };
  const line = { type: "scatter", mode: "lines", y: numbers, hoverinfo: "skip", line: { color: colour("--soft"), width: 1.2, shape: "spline", smoothing: 0.4 }, fill: "tozeroy", fillcolor: colour("--line") };
  window.Plotly.react(target, [line], {
    width: target.clientWidth, height: SPARK_HEIGHT, margin: { l: 0, r: 0, t: 2, b: 1 }, xaxis: flat, yaxis: { ...flat, range: [0, Math.max(1e-9, ...numbers) * 1.08] },
    showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
  }, { staticPlot: true });
}

const scheme = () => matchMedia("(prefers-color-scheme: dark)").matches;

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
