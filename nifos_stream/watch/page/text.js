// Every sentence of the page, in Korean and English. Knows no document.

const TEXTS = {
  skip: ["본문으로 건너뛰기", "Skip to the content"],
  window: ["기간", "Window"],
  language: ["언어", "Language"],
  dates: ["날짜", "Dates"],
  dateFrom: ["시작일", "From"],
  dateTo: ["종료일", "To"],
  showDates: ["보기", "Show"],
  backToLive: ["실시간으로", "Back to live"],
  negative: ["부정", "negative"],
  neutral: ["중립", "neutral"],
  positive: ["긍정", "positive"],
  all: ["전체", "All"],

  glance: ["한눈에", "At a glance"],
  net: ["순감성", "Net sentiment"],
  netWhy: ["(긍정 − 부정) ÷ 전체, −1에서 +1까지", "(positive − negative) ÷ all, from −1 to +1"],
  perMinute: ["분당 글 수", "Posts per minute"],
  perHour: ["시간당 글 수", "Posts per hour"],
  perDay: ["하루 글 수", "Posts per day"],
  perMinuteWhy: ["지난 1분", "in the last minute"],
  numbersAsked: ["숫자를 읽는 중…", "Reading the numbers …"],
  numbersRefused: ["이 선택의 숫자는 보여 줄 수 없습니다. 이유는 위에 있습니다.", "There are no numbers of this choice; the reason stands above."],
  numbersAway: ["서버에 닿지 않아 이 선택의 숫자를 아직 읽지 못했습니다. 다시 시도하는 중입니다.", "The numbers of this choice have not come yet, as the server cannot be reached. Trying again."],
  minuteMean: ["기간 평균 분당 {mean}", "mean of the window {mean}"],
  hourMean: ["기간 평균 시간당 {mean}", "mean of the window {mean} an hour"],
  dayMean: ["기간 평균 하루 {mean}", "mean of the window {mean} a day"],
  meanOf: ["{length} 평균", "mean of {length}"],
  posts: ["글", "Posts"],
  allTime: ["지금까지 {count}", "{count} of all time"],
  before: ["직전 {before}", "{before} before"],
  beforeFew: ["직전 글이 적어 비교 안 함", "too few posts before to compare"],
  points: ["{points}%p", "{points} pp"],
  sharesSay: ["부정 {negative}, 중립 {neutral}, 긍정 {positive}", "negative {negative}, neutral {neutral}, positive {positive}"],
  comparedWith: ["비교: 직전 같은 길이 기간", "compared with the window before"],

  chart: ["시간에 따라", "Over time"],
  chartKind: ["세로축", "Vertical axis"],
  chartPosts: ["글 수", "Posts"],
  chartShare: ["비율", "Share"],
  chartSay: ["{from}부터 {to}까지 라벨별 글 수, {step} 단위. 모두 {total}개.", "Posts by label from {from} to {to}, by {step}; {total} in all."],
  chartMissing: ["차트를 그릴 수 없습니다. 서버에 plotly가 없습니다: pip install 'nifos-stream[web]'", "The chart cannot be drawn, as the server lacks plotly: pip install 'nifos-stream[web]'"],
  asTable: ["표로 보기", "As a table"],
  time: ["시각", "Time"],
  zoomHint: ["끌어서 구간 확대", "Drag to look closer"],

  bySource: ["출처별", "By source"],
  byKeyword: ["키워드별", "By keyword"],
  byChannel: ["채널별", "By channel"],
  source: ["출처", "Source"],
  keyword: ["키워드", "Keyword"],
  channel: ["채널", "Channel"],
  trend: ["추이", "Trend"],
  shares: ["비율", "Shares"],
  sortPosts: ["글", "Posts"],
  sortNegative: ["부정", "Neg."],
  sortNet: ["순감성", "Net"],
  other: ["(기타)", "(other)"],
  otherWhy: ["값이 너무 많아 따로 세지 못한 글이 있어, 위의 수는 하한입니다.", "Some values had no place of their own, so the numbers above are lower bounds."],
  noGroups: ["이 기간에는 없습니다.", "None in this window."],
  notCountedWith: ["{dimension} 필터와 함께 세지 않습니다.", "Not counted together with the filter by {dimension}."],
  notCounted: ["이 값으로는 세지 않습니다.", "Posts are not counted by this."],
  onlyThis: ["{value}만 보기", "Show only {value}"],
  more: ["{count}개 더 보기", "Show {count} more"],
  fewer: ["줄이기", "Show fewer"],

  filteredBy: ["필터", "Filter"],
  removeFilter: ["{value} 필터 지우기", "Remove the filter {value}"],
  clearFilters: ["모두 지우기", "Clear all"],

  drivers: ["무엇이 움직이나", "What drives it"],
  driversNegative: ["부정 글을 두드러지게 하는 말", "Words that set negative posts apart"],
  driversPositive: ["긍정 글을 두드러지게 하는 말", "Words that set positive posts apart"],
  driversAll: ["이 기간의 글 {posts}개, 직전 기간의 글 {before}개 전부에 근거합니다.", "Rests on {posts} posts of the window and {before} of the window before: all there are."],
  driversSample: ["이 기간의 글 {posts}, 직전 기간의 글 {before}에 근거한 표본입니다.", "Rests on {posts} posts of the window and {before} of the window before: a sample."],
  driversWorth: [" 바쁜 시간대는 더 성기게 뽑히므로 글 {posts}개는 고르게 뽑은 {worth}개만큼을 말해 줍니다.", " Busy hours are sampled thinner, so these {posts} tell as much as {worth} drawn alike."],
  driversPart: ["{counted}개 중 {posts}개", "{posts} of the {counted}"],
  driversSome: ["{posts}개", "{posts}"],
  driversKept: [" 이를 위한 글은 {day}부터 보관되어 있습니다.", " Posts are kept for this since {day}."],
  driversUnread: [" 아직 읽지 않은 글 {unread}개를 계속 읽는 중입니다.", " {unread} more are still being read."],
  driversWaiting: ["글을 읽는 중…", "Reading the posts …"],
  driversNone: ["두드러지는 말이 없습니다.", "No word stands out."],
  driversNoPosts: ["이 기간에는 그런 글이 없습니다.", "There are no such posts in this window."],
  driversSay: ["글 {before} → {count} · z {z}", "{before} → {count} posts · z {z}"],
  driversSayWhy: ["직전 기간 → 이 기간의 글 수. z: 얼마나 두드러지는지(2부터는 우연이기 어려움)", "Posts of the window before → of this one. z: how far apart it is; from 2 on hardly by chance"],
  driversPosts: ["{word}: 글", "Posts with {word}"],

  alerts: ["알림", "Alerts"],
  alertsNone: ["알림이 없습니다.", "No alerts."],
  alertsOpen: ["진행 중", "open"],
  alertsEnded: ["{ago} 끝남", "ended {ago}"],
  alertsBegan: ["{ago} 시작", "began {ago}"],
  surge: ["급증", "surge"],
  threshold: ["기준 초과", "threshold"],
  silence: ["침묵", "silence"],
  evidence: ["근거", "Evidence"],
  alertAll: ["전체 글", "All posts"],
  alertPosts: ["글", "posts"],
  alertOf: ["{label} 글", "{label} posts"],
  alertShareOf: ["{label} 비율", "{label} share"],
  alertSurge: ["{length} 동안 {what} {seen}개, 평소 {usual}개의 {ratio}배", "{seen} {what} in {length}, {ratio} times the usual {usual}"],
  alertSurgeShare: ["{length} 동안 {share} {seen}({total}개 중 {part}개), 평소 {usual}", "{share} {seen} in {length} ({part} of {total} posts), usually {usual}"],
  alertAbove: ["{length} 동안 {measured} {number}, 기준 {line} 초과", "{measured} {number} over {length}, above {line}"],
  alertBelow: ["{length} 동안 {measured} {number}, 기준 {line} 미만", "{measured} {number} over {length}, below {line}"],
  alertSilence: ["{length} 동안 글 없음", "no post for {length}"],
  alertSilenceUsual: ["{length} 동안 글 없음, 평소 {usual}개", "no post for {length}, usually {usual}"],
  factWindow: ["구간", "Window"],
  factCount: ["글", "Posts"],
  factNumber: ["값", "Measured"],
  factLine: ["기준", "Line"],
  factUsual: ["평소", "Usual"],
  factRatio: ["평소 대비", "Against usual"],
  factScore: ["얼마나 드문지(z)", "How unusual (z)"],
  factDays: ["비교한 날", "Days compared"],
  factWords: ["두드러진 말", "Words that stand out"],
  factWordsOf: ["{words} (글 {posts}개에서)", "{words} (of {posts} posts)"],

  feed: ["최근 글", "Latest posts"],
  feedText: ["글에서 찾기", "Find in the text"],
  label: ["라벨", "Label"],
  pause: ["멈춤", "Pause"],
  resume: ["계속", "Resume"],
  feedWaiting: ["글을 찾는 중…", "Looking for posts …"],
  feedPaused: ["멈춰 있습니다.", "Paused."],
  feedNone: ["맞는 글이 없습니다.", "No posts match."],
  feedLatest: ["기간과 상관없이 가장 최근 글입니다.", "The latest posts, whatever the window."],
  more_text: ["더 보기", "More"],
  less_text: ["접기", "Less"],
  open_post: ["원문", "Original"],
  score: ["확신도", "Score"],

  try: ["문장 시험", "Try a sentence"],
  trySentence: ["한국어 문장", "A sentence in Korean"],
  tryPlaceholder: ["예: 숲길이 정말 좋았어요", "e.g. 숲길이 정말 좋았어요"],
  tryButton: ["분류", "Label it"],
  tryWaiting: ["분류하는 중… 처음에는 모델을 읽느라 조금 걸립니다.", "Reading … the first sentence waits for the model to load."],
  trySentences: ["문장별", "By sentence"],
  tryModel: ["모델 {name} ({revision})", "Model {name} ({revision})"],
  tryTruncated: ["글이 길어 끝부분은 읽지 않았습니다.", "The end of the text was not read, as it is too long."],

  notAvailable: ["이 서버에서는 아직 제공하지 않습니다.", "Not available on this server."],
  failed: ["지금은 읽을 수 없습니다: {detail}", "Cannot be read now: {detail}"],
  unreachable: ["서버에 닿지 않습니다.", "The server cannot be reached."],

  connecting: ["연결하는 중…", "Connecting …"],
  live: ["실시간 · 집계는 {age} 전 기준", "Live · counts are {age} behind"],
  stale: ["실시간 아님 · 글 {behind}개가 아직 집계되지 않음, {age} 전까지 맞음", "Not live · {behind} posts are not counted yet; counts were last level {age} ago"],
  old: ["실시간 아님 · {age} 전에는 모두 집계되어 있었고, 그 뒤로 작업자의 보고가 없음", "Not live · all was counted {age} ago; no worker has reported since"],
  unknown: ["실시간 아님 · 집계가 얼마나 늦었는지 알 수 없음", "Not live · it is not known how far behind the counts are"],
  nothing: ["아직 집계된 글 없음", "Nothing has been counted yet"],
  rebuilding: ["다시 세는 중, {part} 완료", "Rebuilding, {part} done"],
  backlog: ["분류 대기 {count}개", "{count} to be labelled"],
  away: ["실시간 아님 · 서버와 연결이 끊김, {age} 전 숫자 · 다시 연결하는 중", "Not live · connection lost, numbers of {age} ago · reconnecting"],
  awayFirst: ["실시간 아님 · 서버에 닿지 않음 · 다시 연결하는 중", "Not live · the server cannot be reached · reconnecting"],
  noNumbers: ["실시간 아님 · 지금은 숫자를 읽을 수 없음", "Not live · the numbers cannot be read now"],
  redisAway: ["실시간 아님 · {age} 전 숫자", "Not live · numbers of {age} ago"],

  emptyTitle: ["아직 집계된 글이 없습니다", "Nothing has been counted yet"],
  emptyWhy: ["글을 보내고 분류기를 돌리면 여기에 숫자가 나타납니다.", "Numbers appear here once posts are sent and a worker labels them."],
  emptyDemo: ["둘러보기: 예제 글 2,400개로 모두 한 번에", "To look around: everything at once, with 2,400 sample posts"],
  emptyUp: ["1. Kafka와 Redis를 띄우고(이미 있으면 생략)", "1. Start Kafka and Redis, unless you have them"],
  emptyWorker: ["2. 분류기를 돌리고", "2. Run a worker, which labels and counts"],
  emptyProduce: ["3. 글을 보냅니다", "3. Send posts"],
  emptyWindow: ["이 기간과 필터에는 글이 없습니다. 지금까지 집계된 글은 {count}개입니다.", "No posts in this window with this filter; {count} have been counted in all."],
  widen: ["{window} 보기", "Look at {window}"],

  tokenTitle: ["토큰이 필요합니다", "A token is needed"],
  tokenWhy: ["이 서버는 토큰을 아는 사람에게만 답합니다. 토큰은 서버를 띄운 사람이 NIFOS_WEB__TOKEN에 정한 값입니다. 이 탭을 닫을 때까지 기억합니다.", "This server answers only those who know its token: the NIFOS_WEB__TOKEN that whoever started it has set. It is kept until this tab is closed."],
  tokenWrong: ["이 서버의 토큰이 아닙니다. 띄어쓰기와 대소문자를 확인하세요.", "That is not the token of this server; mind spaces and capitals."],
  tokenLabel: ["토큰", "Token"],
  tokenButton: ["열기", "Open"],
};
/** What the server refuses, by its code. */
const REFUSALS = {
  window_unreadable: ["기간은 15m, 24h, 7d처럼 숫자와 단위(s, m, h, d, w)로 씁니다. ‘{window}’은(는) 기간이 아닙니다.", "A window is a number and a unit (s, m, h, d or w), such as 15m, 24h or 7d, not ‘{window}’."],
  window_empty: ["기간의 끝은 시작보다 뒤여야 합니다(끝은 기간에 들지 않습니다).", "A window must end after it begins: its end is not in it."],
  window_and_from: ["기간의 길이(window)와 시작(from)은 함께 쓸 수 없습니다.", "A window has a length or a begin (from), not both."],
  moment_unreadable: ["‘{moment}’은(는) 2026-05-01이나 2026-05-01T09:30 같은 날짜나 시각이 아닙니다.", "‘{moment}’ is not a date or time, such as 2026-05-01 or 2026-05-01T09:30."],
  grain_unknown: ["‘{grain}’ 단위는 없습니다. 가능한 단위: {grains}.", "There is no grain ‘{grain}’; there are {grains}."],
  not_kept: ["{grain} 단위의 수는 그렇게 오래 보관하지 않습니다. {finest} 단위는 있습니다.", "Counts by {grain} are not kept so far back; by {finest} they are."],
  too_many_points: ["이 기간은 {grain} 단위로 나누기에는 너무 깁니다. 더 큰 단위로 물어보세요.", "So long a window by {grain} has too many points; ask for a coarser grain."],
  dimension_unknown: ["‘{dimension}’별로는 세지 않습니다. 가능한 것: {dimensions}.", "Posts are not counted by ‘{dimension}’; they may be by {dimensions}."],
  not_counted: ["이 서버에서는 글을 {dimensions}별로 세지 않습니다(NIFOS_COUNTERS__DIMENSIONS).", "Posts are not counted by {dimensions} on this server (NIFOS_COUNTERS__DIMENSIONS)."],
  not_counted_together: ["이 서버에서는 다음을 함께 세지 않습니다: {dimensions}(NIFOS_COUNTERS__DIMENSIONS). 필터 하나를 지워 보세요.", "These are not counted together on this server: {dimensions} (NIFOS_COUNTERS__DIMENSIONS). Remove one of the filters."],
  not_kept_by: ["글은 ‘{dimension}’(으)로 거를 수 없습니다. 가능한 것: {dimensions}.", "Posts cannot be filtered by ‘{dimension}’, but by {dimensions}."],
  where_unreadable: ["필터는 keyword=산불처럼 씁니다. ‘{where}’은(는) 필터가 아닙니다.", "A filter is written as keyword=산불, not as ‘{where}’."],
  where_without_value: ["필터에 값이 없습니다: {dimension}.", "The filter has no value: {dimension}."],
  where_twice: ["필터 하나에 값이 둘입니다: {dimension}.", "One filter has two values: {dimension}."],
  label_unknown: ["‘{label}’ 라벨은 없습니다. 가능한 라벨: {labels}.", "There is no label ‘{label}’; there are {labels}."],
  parameter_unreadable: ["값을 읽을 수 없습니다: {parameters}.", "The value cannot be read: {parameters}."],
  parameter_too_long: ["값이 너무 깁니다: {parameters}, 최대 {most}자.", "The value is too long: {parameters}, at most {most} characters."],
  body_unreadable: ["보낸 내용을 읽을 수 없습니다.", "What was sent cannot be read."],
  body_too_large: ["보낸 내용이 너무 깁니다.", "What was sent is too long."],
  too_many_questions: ["지금 이 서버에 서로 다른 질문이 너무 많습니다. 잠시 뒤 다시 시도합니다.", "Too many different questions are asked here now; trying again soon."],
  too_many_sentences: ["지금 분류를 기다리는 문장이 너무 많습니다. 잠시 뒤 다시 해 보세요.", "Too many sentences wait to be labelled; try again soon."],
  redis_away: ["Redis가 답하지 않습니다({address}): {reason} (NIFOS_REDIS__URL).", "Redis did not answer at {address}: {reason} (NIFOS_REDIS__URL)."],
  redis_login_refused: ["Redis({address})가 사용자 이름이나 비밀번호를 거부했거나 요구합니다(NIFOS_REDIS__URL).", "Redis at {address} refused the user name or password, or asks for one (NIFOS_REDIS__URL)."],
  half_rebuilt: ["다른 설정으로 다시 세다가 중간에 멈췄습니다. `nifos-stream counters rebuild`를 실행하세요.", "The counts are half rebuilt with other settings; run `nifos-stream counters rebuild`."],
  rebuilt_too_fast: ["다시 세는 중이라 지금은 읽을 수 없습니다.", "The counts are being rebuilt faster than they can be read."],
  words_missing: ["서버에 {package} 패키지가 없습니다: pip install 'nifos-stream[web]'", "The server lacks the package {package}: pip install 'nifos-stream[web]'"],
  model_missing: ["서버가 모델을 읽지 못했습니다: {reason}", "The server cannot load its model: {reason}"],
  nothing_to_read: ["이 글에는 읽을 것이 없습니다.", "There is nothing to read in this text."],
  no_label: ["모델이 이 글에 라벨을 붙이지 못했습니다.", "The model has no label for this text."],
  going_down: ["서버가 멈추는 중입니다.", "The server is going down."],
  broken: ["서버에 문제가 생겼습니다. 이유는 서버의 로그에 있습니다.", "Something went wrong on the server; its log says what."],
  token_needed: ["이 서버의 토큰이 필요합니다. 토큰을 넣으면 이어집니다.", "This server wants its token. Enter it to go on."],
  other_address: ["127.0.0.1처럼 이 컴퓨터의 주소로 열어 주세요.", "Open it under the address of this machine, such as 127.0.0.1."],
  other_site: ["다른 사이트의 페이지는 여기에 물을 수 없습니다.", "Pages of other sites may not ask here."],
};
const COLUMN = { ko: 0, en: 1 };
let language = "en";

/** Speak `lang`, "ko" or "en", from now on. */
export function speak(lang) {
  language = lang;
}

/** The language spoken now. */
export const spoken = () => language;

/** Whether there is a sentence of that name. */
export const has = (key) => Object.hasOwn(TEXTS, key);

/** A sentence; `{name}` in it stands for a value. */
export const say = (key, values = {}) => filled(TEXTS[key], values);

/** What the server refused, as it says it with a code; in its own words where the code is not known here. */
export function refusal({ code, values = {}, detail }) {
  return Object.hasOwn(REFUSALS, code) ? filled(REFUSALS[code], values) : detail;
}

function filled(sentence, values) {
  return sentence[COLUMN[language]].replace(/\{(\w+)\}/g, (_, name) => written(values[name]));
}

/** A text; names of the API in the language of now, where they have one. */
function written(value) {
  return Array.isArray(value) ? value.map((name) => (has(name) ? say(name) : name)).join(", ") : value;
}
