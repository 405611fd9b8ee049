// The numbers that people look at first: shares, net sentiment, posts per minute.

import { arrange, byId, element, say } from "./dom.js";
import * as format from "./format.js";
import { LABELS } from "./state.js";
import { say as t } from "./text.js";

/** A window before with fewer posts is not compared with. */
const FEWEST_COMPARED = 20;
/** Means are said by day, hour or minute: its name, its note, its minutes, the shortest window for it in minutes. */
const RATES = [["perDay", "dayMean", 1440, 2880], ["perHour", "hourMean", 60, 180], ["perMinute", "minuteMean", 1, 0]];
export const SIGNS = { negative: "−", neutral: "·", positive: "+" };
const parts = new Map();
let bar;

/** Show an overview. */
export function show({ window, before, seconds, per_minute: perMinute, all_time: allTime }, live) {
  const { total } = window;
  const few = (before?.total.total ?? 0) < FEWEST_COMPARED;
  const past = few ? null : before.total;
  shares(total, past);
  const minutes = seconds / 60;
  const [name, note, length] = RATES.find(([, , , shortest]) => minutes >= shortest);
  const mean = format.rate(total.total / (minutes / length));
  figure("net", t("net"), format.net(total.net_sentiment), past ? t("before", { before: format.net(past.net_sentiment) }) : t("beforeFew"), t("netWhy"), side(total.net_sentiment));
  if (live) figure("minute", t("perMinute"), format.rate(perMinute), t(note, { mean }), t("perMinuteWhy"));
  else figure("minute", t(name), mean, t("meanOf", { length: format.age(seconds) }), format.span(window.from, window.to));
  const change = before ? t("before", { before: format.count(before.total.total) }) : "";
  figure("posts", t("posts"), format.count(total.total), change, t("allTime", { count: format.count(allTime) }));
  arrange(byId("figures"), [...parts.values()].map((part) => part.group));
}

function side(net) {
  if (net === null || Math.abs(net) < 0.005) return "neutral";
  return net > 0 ? "positive" : "negative";
}

function shares(total, past) {
  const written = Object.fromEntries(LABELS.map((label) => [label, format.percent(total[label], total.total)]));
  bar ??= makeBar();
  bar.strip.setAttribute("aria-label", t("sharesSay", written));
  for (const label of LABELS) {
    const { segment, name, share, number, change } = bar[label];
    segment.style.flexGrow = total.total ? total[label] / total.total : 0;
    say(name, `${SIGNS[label]} ${t(label)}`);
    say(share, written[label]);
    share.dataset.count = total[label];
    say(number, format.count(total[label]));
    say(change, past && total.total ? difference(total[label] / total.total - past[label] / past.total) : "");
    change.title = t("comparedWith");
  }
}

function difference(change) {
  const points = format.signed(100 * change, 1);
  const arrow = Number(points.replace("−", "-")) === 0 ? "=" : change > 0 ? "▲" : "▼";
  return `${arrow} ${t("points", { points })}`;
}

function makeBar() {
  const strip = element("div", { class: "strip", role: "img" });
  const made = { strip };
  const columns = LABELS.map((label) => {
    const segment = element("span", { class: `segment ${label}` });
    strip.append(segment);
    const [name, share, number, change] = ["name", "share", "number", "change"].map((kind) => element("span", { class: kind }));
    share.id = `share-${label}`;
    made[label] = { segment, name, share, number, change };
    return element("div", { class: `share-of ${label}` }, name, share, element("span", { class: "small" }, number, " ", change));
  });
  byId("shares").append(strip, element("div", { class: "share-columns" }, columns));
  return made;
}

function figure(key, name, value, below, title, colour) {
  if (!parts.has(key)) {
    const [term, number, note] = ["dt", "dd", "dd"].map((tag) => element(tag));
    number.id = `figure-${key}`;
    number.className = "number";
    note.className = "small";
    parts.set(key, { term, number, note, group: element("div", {}, term, number, note) });
  }
  const { term, number, note } = parts.get(key);
  say(term, name);
  say(number, value);
  say(note, below ?? "");
  number.title = title ?? "";
  number.className = `number ${colour ?? ""}`;
}
