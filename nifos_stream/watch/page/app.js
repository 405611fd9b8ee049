// The page: follows the overview of what is chosen, and lets every section show it.

import * as alerts from "./alerts.js";
import { follow, takeTokenFromAddress } from "./api.js";
import * as attempt from "./attempt.js";
import * as charts from "./charts.js";
import { byId } from "./dom.js";
import * as drivers from "./drivers.js";
import * as empty from "./empty.js";
import * as feed from "./feed.js";
import * as filters from "./filters.js";
import * as glance from "./glance.js";
import * as groups from "./groups.js";
import * as numbers from "./numbers.js";
import * as state from "./state.js";
import * as status from "./status.js";
import { say as t, speak } from "./text.js";
import * as token from "./token.js";

const TICK_MS = 1000;
let stream = null;
let overview = null;

function start() {
  takeTokenFromAddress();
  translate();
  filters.start();
  attempt.start();
  byId("chart-details").addEventListener("toggle", charts.table);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  state.subscribe(changed);
  setInterval(status.show, TICK_MS);
  ask();
  feed.start();
  drivers.start();
  alerts.start();
}

/** Follow what is chosen now instead of what was, whose numbers are not shown from now on. */
function ask() {
  overview = null;
  status.asked();
  numbers.asked();
  listen();
}

function listen() {
  stream?.close();
  stream = follow("overview", [...state.span(), ...state.where()], { message, problem: lost, away });
}

function message(answer) {
  overview = answer;
  status.heard(answer.window);
  show();
}

/** said: what the server refused, or null where it cannot be reached. */
function lost(said) {
  status.lost(said);
  numbers.refused(said);
}

function away(problem) {
  if (problem.status === 401) {
    lost({ code: "token_needed" });
    token.demand(again);
  } else lost(problem.status ? problem.said : null);
}

function again() {
  listen();
  feed.again();
  drivers.again();
  alerts.again();
}

function show() {
  status.show();
  if (!overview) return;
  empty.show(overview);
  glance.show(overview, state.live());
  charts.show(overview.window);
  groups.show(overview.by);
  numbers.answered();
}

function changed(now, before) {
  const differs = (...names) => names.some((name) => now[name] !== before[name]);
  if (differs("lang")) translate();
  filters.show();
  feed.translate();
  if (differs("window", "from", "to", ...state.DIMENSIONS)) {
    ask();
    drivers.again();
  }
  if (differs("label", "text", "lang", ...state.DIMENSIONS)) feed.again();
  if (differs("lang")) for (const section of [drivers, alerts, attempt, numbers]) section.translate();
  show();
}

function translate() {
  const { lang } = state.get();
  speak(lang);
  document.documentElement.lang = lang;
  for (const place of document.querySelectorAll("[data-t]")) place.textContent = t(place.dataset.t);
  for (const place of document.querySelectorAll("[data-t-label]")) place.setAttribute("aria-label", t(place.dataset.tLabel));
  feed.forget();
}

start();
