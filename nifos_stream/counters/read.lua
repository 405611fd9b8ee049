-- Add up buckets of one partition.
-- KEYS: 1 the partition's state, 2… buckets
-- ARGV: 1 generation, 2 JSON: {posts: prefix, sentences: prefix or '', other: dimension or '',
--       group: dimension or '', first: value or '', second: value or '', points: [point of each bucket]}
-- group: values of this dimension are counted apart; of a pair of dimensions only those with the value `first`
-- in front, or `second` behind, under their other part.
-- Answers {'moved', named generation} when another generation is read now, else
-- {'read', [point, n, n, n, …], [n, n, n] sentences, [n, n, n] other, [value, n, n, n, …], the same of sentences}.
local LABELS = {'negative', 'neutral', 'positive'}
local INDEX = {negative = 1, neutral = 2, positive = 3}
local named = redis.call('HGET', KEYS[1], 'named')
if named ~= ARGV[1] then return {'moved', named or ''} end
local ask = cjson.decode(ARGV[2])

local function add(sums, key, prefix)
  local fields = {}
  for index, label in ipairs(LABELS) do fields[index] = prefix .. label end
  for index, count in ipairs(redis.call('HMGET', key, unpack(fields))) do
    sums[index] = sums[index] + (tonumber(count or 0) or 0)
  end
end

local function collect(groups, field, count, dimension)
  local start = #dimension + 2
  if string.sub(field, 1, start - 1) ~= dimension .. ':' then return end
  local value, label = string.match(field, '^(.*):(%a+)$', start)
  if not value or value == '*' or not INDEX[label] then return end
  if ask.first ~= '' then
    if string.sub(value, 1, #ask.first + 1) ~= ask.first .. '*' then return end
    value = string.sub(value, #ask.first + 2)
  elseif ask.second ~= '' then
    if string.sub(value, -#ask.second - 1) ~= '*' .. ask.second then return end
    value = string.sub(value, 1, -#ask.second - 2)
  end
  local sums = groups[value] or {0, 0, 0}
  groups[value] = sums
  sums[INDEX[label]] = sums[INDEX[label]] + tonumber(count)
end

local function flat(groups)
  local list = {}
  for value, sums in pairs(groups) do
    list[#list + 1] = value
    for index = 1, 3 do list[#list + 1] = sums[index] end
  end
  return list
end

local points, sentences, other, groups, sentence_groups = {}, {0, 0, 0}, {0, 0, 0}, {}, {}
local function look_into(key, point)
  points[point] = points[point] or {0, 0, 0}
  add(points[point], key, ask.posts)
  if ask.sentences ~= '' then add(sentences, key, ask.sentences) end
  if ask.other ~= '' then add(other, key, ask.other .. ':*:') end
  if ask.group == '' then return end
  local all = redis.call('HGETALL', key)
  for place = 1, #all, 2 do
    collect(groups, all[place], all[place + 1], ask.group)
    if ask.group == 'source' then collect(sentence_groups, all[place], all[place + 1], 'sentences.source') end
  end
end

for index = 2, #KEYS do
  if redis.call('EXISTS', KEYS[index]) == 1 then look_into(KEYS[index], ask.points[index - 1]) end
end
return {'read', flat(points), sentences, other, flat(groups), flat(sentence_groups)}
