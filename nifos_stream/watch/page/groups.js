// Tables by source, keyword and channel: sorted, with sparklines, and a click that filters everything.

import * as charts from "./charts.js";
import { arrange, byId, element, say } from "./dom.js";
import * as format from "./format.js";
import * as state from "./state.js";
import { say as t } from "./text.js";

const FEW = 8;
const COLUMNS = [["name", null], ["posts", "sortPosts"], ["negative", "sortNegative"], ["net", "sortNet"]];
const tables = new Map();

/** Show the groups of an overview; what is not counted together with the filter is not offered. */
export function show(by) {
  for (const dimension of state.DIMENSIONS) {
    if (!tables.has(dimension)) tables.set(dimension, make(dimension));
    fill(tables.get(dimension), dimension, by[dimension]);
  }
}

function make(dimension) {
  const heads = COLUMNS.map(([column]) => {
    const button = element("button", { type: "button", onclick: () => sortBy(column) });
    return element("th", { scope: "col", class: column }, button);
  });
  const shares = element("th", { scope: "col", class: "bar" });
  const trend = element("th", { scope: "col", class: "trend" });
  const body = element("tbody");
  const table = element("table", { class: "groups" }, element("thead", {}, element("tr", {}, heads[0], heads[1], shares, heads.slice(2), trend)), body);
  const note = element("p", { class: "note" });
  const more = element("button", { type: "button", class: "more", onclick: () => { made.open = !made.open; fill(made, dimension, made.group); } });
  byId(dimension).append(table, note, more);
  const made = { table, heads, shares, trend, body, note, more, rows: new Map(), open: false, group: null };
  return made;
}

function sortBy(column) {
  const { sort } = state.get();
  const first = column === "name" ? column : `-${column}`;
  state.set({ sort: sort === first ? (sort.startsWith("-") ? column : `-${column}`) : first }, { replace: true });
}

function fill(made, dimension, group) {
  made.group = group;
  made.table.hidden = !group;
  made.more.hidden = true;
  if (!group) {
    const other = state.chosen().find(([name]) => name !== dimension);
    say(made.note, other ? t("notCountedWith", { dimension: t(other[0]) }) : t("notCounted"));
    return;
  }
  heads(made, dimension);
  const entries = sorted(Object.entries(group.groups));
  const chosen = state.get()[dimension];
  if (chosen && !group.groups[chosen]) entries.unshift([chosen, { negative: 0, neutral: 0, positive: 0, total: 0, net_sentiment: null, trend: null }]);
  const focused = made.body.contains(document.activeElement) ? document.activeElement.textContent : null;
  const shown = made.open ? entries : few(entries, [chosen, focused]);
  const most = Math.max(1, ...entries.map(([, one]) => one.total));
  for (const name of [...made.rows.keys()]) if (!shown.some(([value]) => value === name)) made.rows.delete(name);
  arrange(made.body, shown.map(([name, one]) => row(made, dimension, name, one, chosen, most)));
  // Only now, as what is not in the document has no width yet.
  for (const [name, one] of shown) if (one.trend) charts.spark(made.rows.get(name).trend, one.trend);
  say(made.note, !entries.length ? t("noGroups") : group.other.total ? `${t("other")} ${format.count(group.other.total)} · ${t("otherWhy")}` : "");
  made.more.hidden = entries.length <= FEW;
  say(made.more, made.open ? t("fewer") : t("more", { count: format.count(entries.length - shown.length) }));
}

/** The first few, and those that are to stay wherever they stand: the chosen one, and the one that has the focus. */
function few(entries, stay) {
  const rest = entries.slice(FEW).filter(([name]) => stay.includes(name));
  return [...entries.slice(0, FEW - rest.length), ...rest];
}

function heads(made, dimension) {
  const { sort } = state.get();
  COLUMNS.forEach(([column, key], index) => {
    const head = made.heads[index];
    const [up, down] = [sort === column, sort === `-${column}`];
    head.setAttribute("aria-sort", up ? "ascending" : down ? "descending" : "none");
    say(head.firstChild, `${t(key ?? dimension)}${up ? " ↑" : down ? " ↓" : ""}`);
  });
  say(made.shares, t("shares"));
  say(made.trend, t("trend"));
}

function sorted(entries) {
  const { sort } = state.get();
  const column = sort.replace(/^-/, "");
  const key = {
    name: ([name]) => name,
    posts: ([, one]) => one.total,
    negative: ([, one]) => (one.total ? one.negative / one.total : -1),
    net: ([, one]) => one.net_sentiment ?? -2,
  }[column];
  const order = sort.startsWith("-") ? -1 : 1;
  return entries.sort((a, b) => order * (column === "name" ? key(a).localeCompare(key(b), "ko") : key(a) - key(b)) || b[1].total - a[1].total);
}

function row(made, dimension, name, one, chosen, most) {
  if (!made.rows.has(name)) made.rows.set(name, makeRow(dimension, name));
  const { line, button, posts, segments, strip, negative, net } = made.rows.get(name);
  line.classList.toggle("chosen", name === chosen);
  button.setAttribute("aria-pressed", String(name === chosen));
  button.title = t("onlyThis", { value: name });
  say(posts, format.count(one.total));
  posts.dataset.count = one.total;
  strip.style.width = `${(100 * one.total) / most}%`;
  strip.setAttribute("aria-label", t("sharesSay", Object.fromEntries(state.LABELS.map((label) => [label, format.percent(one[label], one.total)]))));
  for (const label of state.LABELS) segments[label].style.flexGrow = one.total ? one[label] / one.total : 0;
  say(negative, format.percent(one.negative, one.total));
  say(net, format.net(one.net_sentiment));
  net.className = `net ${one.net_sentiment > 0.005 ? "positive" : one.net_sentiment < -0.005 ? "negative" : "neutral"}`;
  return line;
}

function makeRow(dimension, name) {
  const button = element("button", { type: "button", class: "value" }, name);
  const segments = Object.fromEntries(state.LABELS.map((label) => [label, element("span", { class: `segment ${label}` })]));
  const strip = element("div", { class: "strip", role: "img" }, Object.values(segments));
  const [posts, negative, net] = ["posts", "negative", "net"].map((kind) => element("td", { class: kind }));
  const trend = element("div", { class: "spark", "aria-hidden": "true" });
  const line = element("tr", { onclick: () => state.toggle(dimension, name) },
    element("th", { scope: "row" }, button), posts, element("td", { class: "bar" }, strip), negative, net, element("td", { class: "trend" }, trend));
  return { line, button, posts, segments, strip, negative, net, trend };
}
