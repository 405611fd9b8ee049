// Questions to the server, once or as a stream that comes back by itself. Knows no document.

const TOKEN_KEY = "nifos.token";
const SILENT_MS = 15000;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const LONGEST_ASKED_WAIT_MS = 300000;

/** What the server refused. status: of HTTP; 0 when it could not be reached. said: the server's detail, and its code and
values, if it has any. askedMs: wait at least so long. */
export class Problem extends Error {
  constructor(status, said, askedMs = 0) {
    super(said.detail);
    this.status = status;
    this.said = said;
    this.askedMs = askedMs;
  }
}

/** How long to wait after so many failures in a row. It is partly chance, so that all who lost the same server do
not come back in the same moment; and never less than the server asked for. */
export function backOff(failures, askedMs = 0, chance = Math.random()) {
  const most = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** failures);
  const least = Math.max(most / 2, askedMs);
  return least + chance * (most / 2);
}

/** Show this token from now on, in this tab. */
export const keepToken = (token) => sessionStorage.setItem(TOKEN_KEY, token);

/** A token in the address of the page is kept, and taken out of the address. */
export function takeTokenFromAddress() {
  const query = new URLSearchParams(location.search);
  if (!query.has("token")) return;
  keepToken(query.get("token"));
  query.delete("token");
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
}

/** The JSON answer of a route, such as "posts". query: [name, value] pairs. Problem. */
export async function ask(route, query = [], { body, signal } = {}) {
  const options = body === undefined ? {} : {
    method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" },
  };
  const answer = await request(route, query, { ...options, signal });
  return answer.json();
}

/** Follow a stream until `close()` is called.

heard: {message(data), problem(said), away(problem)}; away: the connection is gone, and will be tried again, but not
where the token is missing or wrong: then whoever follows does so anew with another one. */
export function follow(route, query, heard) {
  const stop = new AbortController();
  run(route, query, heard, stop.signal);
  return { close: () => stop.abort() };
}

async function run(route, query, heard, stopped) {
  let failures = 0;
  while (!stopped.aborted) {
    let problem = new Problem(0, { detail: "" });
    try {
      await listen(route, query, stopped, (name, data) => {
        if (stopped.aborted) return;
        if (name !== "problem") failures = 0;
        try {
          if (name === "problem") heard.problem(data);
          else heard.message(data);
        } catch (error) {
          reportError(error); // What cannot be shown is no reason to ask again.
        }
      });
    } catch (error) {
      if (error instanceof Problem) problem = error;
    }
    if (stopped.aborted) return;
    heard.away(problem);
    if (problem.status === 401) return;
    await pause(backOff(failures, problem.askedMs), stopped);
    failures += 1;
  }
}

async function listen(route, query, stopped, heard) {
  const silent = new AbortController();
  let timer;
  const alive = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silent.abort(), SILENT_MS);
  };
  alive();
  try {
    const answer = await request(route, query, { signal: AbortSignal.any([stopped, silent.signal]) });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let waiting = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const events = (waiting + value).split("\n\n");
      waiting = events.pop();
      for (const event of events) dispatch(event, heard);
    }
  } finally {
    clearTimeout(timer);
  }
}

function dispatch(event, heard) {
  let name = "message";
  const data = [];
  for (const line of event.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  if (data.length) heard(name, JSON.parse(data.join("\n")));
}

async function request(route, query, options) {
  const token = sessionStorage.getItem(TOKEN_KEY);
  const headers = { ...options.headers, ...(token ? { Authorization: `Bearer ${inLatin1(token)}` } : {}) };
  let answer;
  try {
    answer = await fetch(`api/v1/${route}?${new URLSearchParams(query)}`, { ...options, headers });
  } catch (error) {
    throw new Problem(0, { detail: error.name === "AbortError" ? "" : String(error.message) });
  }
  if (answer.ok) return answer;
  const said = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, { ...said, detail: said.detail ?? answer.statusText }, askedMs(answer.headers.get("Retry-After")));
}

/** Milliseconds of a Retry-After, which is a number of seconds or a date; 0 where it is neither. */
function askedMs(header) {
  if (!header) return 0;
  const wait = /^\d+$/.test(header.trim()) ? 1000 * header : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.min(LONGEST_ASKED_WAIT_MS, Math.max(0, wait)) : 0;
}

/** A header holds bytes: those of the token in UTF-8, as the server compares them. */
function inLatin1(token) {
  return String.fromCharCode(...new TextEncoder().encode(token));
}

function pause(milliseconds, stopped) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    stopped.addEventListener("abort", () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
