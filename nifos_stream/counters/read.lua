-- Add up buckets of one partition, for several questions at once: a bucket is read at one moment for all of them.
-- KEYS: 1 the partition's state, 2… buckets
-- ARGV: 1 generation, 2 JSON: {asks: [{posts: prefix, sentences: prefix or '', other: dimension or '',
--       group: dimension or '', first: value or '', second: value or '', trends: {value: true} or none}],
--       stretches: [[asks, from 0, that look into the buckets of each stretch]],
--       of: [stretch, from 0, of each bucket], points: [point of each bucket]}
-- group: values of this dimension are counted apart; of a pair of dimensions only those with the value `first`
-- in front, or `second` behind, under their other part. trends: of these values all labels, by point, too.
-- Answers {'moved', named generation} when another generation is read now, else {'read', answer of each ask}, of
-- [point, n, n, n, …], [n, n, n] sentences, [n, n, n] other, [value, n, n, n, …], the same of sentences,
-- [value, point, n, …] of trends.
local LABELS = {'negative', 'neutral', 'positive'}
local INDEX = {negative = 1, neutral = 2, positive = 3}
local named = redis.call('HGET', KEYS[1], 'named')
if named ~= ARGV[1] then return {'moved', named or ''} end
local wanted = cjson.decode(ARGV[2])

local function add(sums, key, prefix)
  local fields = {}
  for index, label in ipairs(LABELS) do fields[index] = prefix .. label end
  for index, count in ipairs(redis.call('HMGET', key, unpack(fields))) do
    sums[index] = sums[index] + (tonumber(count or 0) or 0)
  end
end

-- The part of a value under which an ask counts it; nil where it wants others.
local function part(ask, value)
  if ask.first ~= '' then
    if string.sub(value, 1, #ask.first + 1) ~= ask.first .. '*' then return nil end
    return string.sub(value, #ask.first + 2)
  elseif ask.second ~= '' then
    if string.sub(value, -#ask.second - 1) ~= '*' .. ask.second then return nil end
    return string.sub(value, 1, -#ask.second - 2)
  end
  return value
end

local function count_value(groups, value, label, count)
  local sums = groups[value] or {0, 0, 0}
  groups[value] = sums
  sums[INDEX[label]] = sums[INDEX[label]] + count
end

local function collect(ask, point, value, label, count)
  value = part(ask, value)
  if not value then return end
  count_value(ask.groups, value, label, count)
  if ask.trends and ask.trends[value] then
    local trend = ask.trended[value] or {}
    ask.trended[value] = trend
    trend[point] = (trend[point] or 0) + count
  end
end

local function flat(groups)
  local list = {}
  for value, sums in pairs(groups) do
    list[#list + 1] = value
    for index = 1, 3 do list[#list + 1] = sums[index] end
  end
  return list
end

local function flat_trends(trended)
  local list = {}
  for value, trend in pairs(trended) do
    for point, count in pairs(trend) do
      list[#list + 1] = value
      list[#list + 1] = point
      list[#list + 1] = count
    end
  end
  return list
end

for _, ask in ipairs(wanted.asks) do
  ask.points_of, ask.sentences_of, ask.other_of, ask.groups, ask.sentence_groups = {}, {0, 0, 0}, {0, 0, 0}, {}, {}
  ask.trended = {}
end

-- Of each stretch: its asks, and those that count values apart, by dimension.
local stretches = {}
for place, numbers in ipairs(wanted.stretches) do
  local stretch = {asks = {}, by = {}, sentences = {}, whole = false}
  for index, number in ipairs(numbers) do
    local ask = wanted.asks[number + 1]
    stretch.asks[index] = ask
    if ask.group ~= '' then
      stretch.whole = true
      stretch.by[ask.group] = stretch.by[ask.group] or {}
      table.insert(stretch.by[ask.group], ask)
      if ask.group == 'source' then table.insert(stretch.sentences, ask) end
    end
  end
  stretches[place] = stretch
end

local function look_into(key, stretch, point)
  for _, ask in ipairs(stretch.asks) do
    ask.points_of[point] = ask.points_of[point] or {0, 0, 0}
    add(ask.points_of[point], key, ask.posts)
    if ask.sentences ~= '' then add(ask.sentences_of, key, ask.sentences) end
    if ask.other ~= '' then add(ask.other_of, key, ask.other .. ':*:') end
  end
  if not stretch.whole then return end
  local all = redis.call('HGETALL', key)
  for place = 1, #all, 2 do
    local field = all[place]
    local colon = string.find(field, ':', 1, true)
    local dimension = string.sub(field, 1, (colon or 1) - 1)
    local asks = stretch.by[dimension]
    local is_sentences = dimension == 'sentences.source' and #stretch.sentences > 0
    if asks or is_sentences then
      local value, label = string.match(field, '^(.*):(%a+)$', colon + 1)
      if value and value ~= '*' and INDEX[label] then
        local count = tonumber(all[place + 1])
        for _, ask in ipairs(asks or {}) do collect(ask, point, value, label, count) end
        if is_sentences then
          for _, ask in ipairs(stretch.sentences) do count_value(ask.sentence_groups, value, label, count) end
        end
      end
    end
  end
end

for index = 2, #KEYS do
  if redis.call('EXISTS', KEYS[index]) == 1 then
    look_into(KEYS[index], stretches[wanted.of[index - 1] + 1], wanted.points[index - 1])
  end
end
local answer = {'read'}
for index, ask in ipairs(wanted.asks) do
  answer[index + 1] = {flat(ask.points_of), ask.sentences_of, ask.other_of, flat(ask.groups),
    flat(ask.sentence_groups), flat_trends(ask.trended)}
end
return answer
