-- Count one batch of one partition, keep its posts, and move the position, or do nothing of it.
-- KEYS: 1 the partition's state, 2 the list of the generation's keys, 3… buckets, then the latest posts (a list,
--       newest first), then samples (sorted sets: post by chance)
-- ARGV: 1 generation, 2 topic id, 3 fingerprint, 4 FROM, 5 TO, 6 labelling time of the first event (s, or ''),
--       7 '1' from a rebuilder, 8 places per dimension, 9 increments, JSON: see tally.Spelling,
--       10 what to keep, JSON: [most latest, most in a sample, [[sample's expiry, [post, chance, post, chance,
--       …]], …]] where a post is its number among 12… posts, 11 the latest posts, a line each, oldest first
-- Answers {'applied', TO, now, named generation, [bar of each sample: the greatest chance in it, '' while it has
-- room]} or {why not, what is there, now, named generation}; now in ms.
-- Nothing is written before everything was read and checked: Redis does not undo a script that fails.
local LABELS = {'negative', 'neutral', 'positive'}
local CHUNK = 3000
local generation, topic, fingerprint, from, to, since = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local found = redis.call('HMGET', KEYS[1], 'named', generation .. ':offset', generation .. ':topic',
  generation .. ':fingerprint', generation .. ':since')
local named, offset = found[1], found[2]
if named and tonumber(named) > tonumber(generation) then
  return {'older', redis.call('HGET', KEYS[1], named .. ':offset') or '', now, named}
end
if not offset then return {'gone', '', now, named or ''} end
if found[3] ~= topic then return {'topic', found[3], now, named or ''} end
if found[4] ~= fingerprint then return {'fingerprint', found[4], now, named or ''} end
if offset ~= from then return {'position', offset, now, named or ''} end
if tonumber(to) < tonumber(from) then return {'backwards', offset, now, named or ''} end

local function number(count)
  return count and assert(tonumber(count), 'a count is not a number') or false
end

local function read_all(key, fields)
  local found, flat = {}, redis.call('HGETALL', key)
  for index = 1, #flat, 2 do found[flat[index]] = flat[index + 1] end
  local counts = {}
  for index, field in ipairs(fields) do counts[index] = number(found[field]) end
  return counts
end

local function read(key, fields)
  -- Redis looks for each field of a small hash from the hash's beginning on, which was a third of a call's
  -- time. To read it all costs as much as to find a few.
  if redis.call('HLEN', key) <= 2 * #fields then return read_all(key, fields) end
  local counts = {}
  for first = 1, #fields, CHUNK do
    local last = math.min(first + CHUNK - 1, #fields)
    for index, count in ipairs(redis.call('HMGET', key, unpack(fields, first, last))) do
      counts[first + index - 1] = number(count)
    end
  end
  return counts
end

local function list_fields(dimensions)
  local fields = {}
  local function triple(prefix)
    for _, label in ipairs(LABELS) do fields[#fields + 1] = prefix .. label end
  end
  triple('all:')
  triple('sentences:')
  for _, dimension in ipairs(dimensions) do
    local name = dimension[1]
    fields[#fields + 1] = 'places:' .. name
    triple(name .. ':*:')
    if name == 'source' then triple('sentences.source:*:') end
    for _, value in ipairs(dimension[2]) do
      triple(name .. ':' .. value[1] .. ':')
      if name == 'source' then triple('sentences.source:' .. value[1] .. ':') end
    end
  end
  return fields
end

local function grow(counts, grown, at, increments, first, last)
  for index = first, last do
    if increments[index] > 0 then
      local field = at + index - first
      counts[field] = (counts[field] or 0) + increments[index]
      grown[field] = true
    end
  end
end

-- A value has a place when one of its three post counts is there. Values come in offset order.
local function place(counts, grown, dimensions, most)
  local at = 7
  for _, dimension in ipairs(dimensions) do
    local width = dimension[1] == 'source' and 6 or 3
    local places, other = at, at + 1
    at = at + 1 + width
    for _, value in ipairs(dimension[2]) do
      local known = counts[at] or counts[at + 1] or counts[at + 2]
      if not known and value[2] == 0 then
        known = (counts[places] or 0) < most
        if known then grow(counts, grown, places, {1}, 1, 1) end
      end
      grow(counts, grown, (known or value[2] == 1) and at or other, value, 3, 2 + width)
      at = at + width
    end
  end
end

local function is_new(key, kind)
  local found = redis.call('TYPE', key).ok
  assert(found == 'none' or found == kind, 'a key holds something else')
  return found == 'none'
end

-- 1. Read, and work out every new number.
local plan = {}
local buckets, kept = cjson.decode(ARGV[9]), cjson.decode(ARGV[10])
local latest = #buckets + 3
local is_first = ARGV[11] ~= '' and is_new(KEYS[latest], 'list')
local is_fresh = {}
for index in ipairs(kept[3]) do is_fresh[index] = is_new(KEYS[latest + index], 'zset') end
for index, bucket in ipairs(buckets) do
  local expires_at = bucket[1]
  if expires_at == 0 or expires_at * 1000 > now then
    local key = KEYS[index + 2]
    local fields = list_fields(bucket[4])
    local counts = read(key, fields)
    local fresh = not (counts[1] or counts[2] or counts[3])
    local grown = {}
    grow(counts, grown, 1, bucket[2], 1, 3)
    grow(counts, grown, 4, bucket[3], 1, 3)
    place(counts, grown, bucket[4], tonumber(ARGV[8]))
    local written = {}
    for field in pairs(grown) do
      written[#written + 1] = fields[field]
      written[#written + 1] = string.format('%.0f', counts[field])
    end
    plan[#plan + 1] = {key, written, fresh, expires_at}
  end
end
is_new(KEYS[2], 'zset')

local function note(key, expires_at)
  redis.call('ZADD', KEYS[2], expires_at == 0 and '+inf' or expires_at, key)
  if expires_at > 0 then redis.call('EXPIREAT', key, expires_at) end
end

local function keep_latest(key, lines, most)
  local posts = {}
  for post in string.gmatch(lines, '[^\n]+') do posts[#posts + 1] = post end
  for first = 1, #posts, CHUNK do
    redis.call('LPUSH', key, unpack(posts, first, math.min(first + CHUNK - 1, #posts)))
  end
  redis.call('LTRIM', key, 0, most - 1)
end

-- Of all that were ever offered those with the least chance stay, in whatever order they came.
local function keep_sample(key, posts, most)
  for first = 1, #posts, CHUNK do
    local values = {}
    for index = first, math.min(first + CHUNK - 1, #posts), 2 do
      values[#values + 1] = string.format('%.0f', posts[index + 1])
      values[#values + 1] = ARGV[11 + posts[index]]
    end
    -- LT: of an event that states no origin and was sent twice, one is kept, whichever came first.
    redis.call('ZADD', key, 'LT', unpack(values))
  end
  redis.call('ZREMRANGEBYRANK', key, most, -1)
  return redis.call('ZRANGE', key, most - 1, most - 1, 'WITHSCORES')[2] or ''
end

-- 2. Write. The first command is one that a full Redis refuses, so that it refuses all.
redis.call('HSET', KEYS[1], generation .. ':offset', to)
if since ~= '' and not found[5] then redis.call('HSET', KEYS[1], generation .. ':since', since) end
if ARGV[7] == '1' and named ~= generation then
  redis.call('HSET', KEYS[1], generation .. ':renewed', string.format('%.0f', now))
end
for _, step in ipairs(plan) do
  for first = 1, #step[2], CHUNK do
    redis.call('HSET', step[1], unpack(step[2], first, math.min(first + CHUNK - 1, #step[2])))
  end
  if step[3] then note(step[1], step[4]) end
end
if ARGV[11] ~= '' then
  keep_latest(KEYS[latest], ARGV[11], kept[1])
  if is_first then note(KEYS[latest], 0) end
end
local bars = {}
for index, sample in ipairs(kept[3]) do
  bars[index] = ''
  if sample[1] * 1000 > now then
    bars[index] = keep_sample(KEYS[latest + index], sample[2], kept[2])
    if is_fresh[index] then note(KEYS[latest + index], sample[1]) end
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now / 1000 - 60))
return {'applied', to, now, named or '', bars}
