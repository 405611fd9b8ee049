// Every sentence of the page, in Korean and English. Knows no document.

const TEXTS = {
  skip: ["본문으로 건너뛰기", "Skip to the content"],
  window: ["기간", "Window"],
  language: ["언어", "Language"],
  "5m": ["5분", "5 m"],
  "1h": ["1시간", "1 h"],
  "24h": ["24시간", "24 h"],
  "7d": ["7일", "7 d"],
  negative: ["부정", "negative"],
  neutral: ["중립", "neutral"],
  positive: ["긍정", "positive"],
  all: ["전체", "All"],

  glance: ["한눈에", "At a glance"],
  net: ["순감성", "Net sentiment"],
  netWhy: ["(긍정 − 부정) ÷ 전체, −1에서 +1까지", "(positive − negative) ÷ all, from −1 to +1"],
  perMinute: ["분당 글 수", "Posts per minute"],
  perMinuteWhy: ["지난 1분", "in the last minute"],
  perMinuteMean: ["기간 평균 {mean}", "mean of the window {mean}"],
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
  driversRest: ["표본 {posts}개와 그 직전 {before}개 글에 근거합니다.", "Rests on a sample of {posts} posts, and {before} of the window before."],
  driversWaiting: ["글을 읽는 중…", "Reading the posts …"],
  driversNone: ["두드러지는 말이 없습니다.", "No word stands out."],
  driversSay: ["{count} · 직전 {before}", "{count} · {before} before"],
  driversPosts: ["{word}: 글", "Posts with {word}"],
  driversNoChannel: ["채널 필터와 함께는 보여 주지 않습니다.", "Not offered together with the filter by channel."],

  alerts: ["알림", "Alerts"],
  alertsNone: ["알림이 없습니다.", "No alerts."],
  alertsOpen: ["진행 중", "open"],
  alertsEnded: ["{ago} 끝남", "ended {ago}"],
  alertsBegan: ["{ago} 시작", "began {ago}"],
  surge: ["급증", "surge"],
  threshold: ["기준 초과", "threshold"],
  silence: ["침묵", "silence"],
  evidence: ["근거", "Evidence"],

  feed: ["최근 글", "Latest posts"],
  feedText: ["글에서 찾기", "Find in the text"],
  label: ["라벨", "Label"],
  pause: ["멈춤", "Pause"],
  resume: ["계속", "Resume"],
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
  old: ["실시간 아님 · 집계는 {age} 전 기준", "Not live · counts are {age} behind"],
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
  tokenWhy: ["이 서버는 토큰을 아는 사람에게만 답합니다. 이 탭을 닫을 때까지 기억합니다.", "This server answers only those who know its token. It is kept until this tab is closed."],
  tokenWrong: ["그 토큰이 아닙니다.", "That is not the token."],
  tokenLabel: ["토큰", "Token"],
  tokenButton: ["열기", "Open"],
};
const COLUMN = { ko: 0, en: 1 };
let language = "en";

/** Speak `lang`, "ko" or "en", from now on. */
export function speak(lang) {
  language = lang;
}

/** The language spoken now. */
export const spoken = () => language;

/** A sentence; `{name}` in it stands for a value. */
export function say(key, values = {}) {
  return TEXTS[key][COLUMN[language]].replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
