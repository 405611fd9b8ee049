// What is shown, kept in the address of the page, so that it can be shared. Knows no document.

export const WINDOWS = ["5m", "1h", "24h", "7d"];
export const DIMENSIONS = ["source", "keyword", "channel"];
export const LABELS = ["negative", "neutral", "positive"];
const SORTS = ["name", "posts", "negative", "net"];
const DEFAULTS = { from: "", to: "", source: "", channel: "", keyword: "", label: "", text: "", sort: "-posts", chart: "posts" };
const LANGUAGE_KEY = "nifos.lang";

let current = read();
const listeners = new Set();

/** The state now: window, from, to, source, channel, keyword, lang, label, text, sort, chart; "" where not set. */
export const get = () => current;

/** Call `listener(state, before)` after every change. */
export const subscribe = (listener) => listeners.add(listener);

/** Change some of it. replace: do not make a step in the browser's history. */
export function set(changes, { replace = false } = {}) {
  const next = { ...current, ...changes };
  if (changes.lang) remember(changes.lang);
  if (address(next) === address(current)) return;
  history[replace ? "replaceState" : "pushState"](null, "", address(next));
  become(next);
}

/** Choose a value of a dimension, or none if it is chosen already; what is not counted with it is let go. */
export function toggle(dimension, value) {
  const changes = { [dimension]: current[dimension] === value ? "" : value };
  if (dimension === "source") changes.channel = "";
  if (dimension === "channel") changes.source = "";
  set(changes);
}

/** The chosen values, as [dimension, value]. */
export const chosen = () => DIMENSIONS.filter((name) => current[name]).map((name) => [name, current[name]]);

/** The same, as a query of the API has them. */
export const where = () => chosen().map(([name, value]) => ["where", `${name}=${value}`]);

/** Window or from and to, as a query of the API has them. */
export function span() {
  const start = current.from ? ["from", current.from] : ["window", current.window];
  return [start, ...(current.to ? [["to", current.to]] : [])];
}

/** Whether what is shown ends now. */
export const live = () => !current.from && !current.to;

window.addEventListener("popstate", () => become(read()));

function become(next) {
  const before = current;
  current = next;
  for (const listener of listeners) listener(current, before);
}

function read() {
  const query = new URLSearchParams(location.search);
  const state = Object.fromEntries(Object.entries(DEFAULTS).map(([name, value]) => [name, query.get(name) || value]));
  const pick = (name, allowed, otherwise) => (allowed.includes(query.get(name)) ? query.get(name) : otherwise);
  // Any window: the server knows which there are, and says so of others.
  state.window = query.get("window") || "1h";
  state.lang = pick("lang", ["ko", "en"], remembered());
  state.label = pick("label", LABELS, "");
  state.chart = pick("chart", ["posts", "share"], DEFAULTS.chart);
  if (!SORTS.includes(state.sort.replace(/^-/, ""))) state.sort = DEFAULTS.sort;
  if (state.source) state.channel = "";
  return state;
}

function address(state) {
  const query = new URLSearchParams();
  if (!state.from) query.set("window", state.window);
  for (const [name, value] of Object.entries(DEFAULTS)) if (state[name] && state[name] !== value) query.set(name, state[name]);
  query.set("lang", state.lang);
  return `?${query}`;
}

function remember(lang) {
  try {
    localStorage.setItem(LANGUAGE_KEY, lang);
  } catch {
    // A browser may forbid it; the address still says the language.
  }
}

function remembered() {
  try {
    const kept = localStorage.getItem(LANGUAGE_KEY);
    if (kept === "ko" || kept === "en") return kept;
  } catch {
    // As above.
  }
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}
