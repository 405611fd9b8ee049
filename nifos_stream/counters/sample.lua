-- Store where the topic's partition ended, and when.
-- KEYS: 1 the partition's state, 2 its ends (a sorted set: member = end, score = ms)
-- ARGV: 1 topic id, 2 end, 3 ms since the broker was asked, 4 most ends to keep
-- Answers {position, time in ms of the newest end that the position has reached or '', now in ms},
-- or {'', '', now} when the partition's counts are not of this topic.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local named = redis.call('HGET', KEYS[1], 'named')
local facts = named and redis.call('HMGET', KEYS[1], named .. ':offset', named .. ':topic')
if not facts or not facts[1] or facts[2] ~= ARGV[1] then return {'', '', now} end
redis.call('ZADD', KEYS[2], 'GT', string.format('%.0f', now - tonumber(ARGV[3])), ARGV[2])

-- Of the ends that were reached only the newest says anything.
local ends = redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES')
local level = ''
for index = #ends - 1, 1, -2 do
  if tonumber(ends[index]) <= tonumber(facts[1]) then
    level = ends[index + 1]
    if index > 1 then redis.call('ZREMRANGEBYRANK', KEYS[2], 0, (index - 1) / 2 - 1) end
    break
  end
end
-- Far behind, every second one is dropped: coarser, and never better than it is.
if #ends / 2 > tonumber(ARGV[4]) then
  for index = 3, #ends - 2, 4 do redis.call('ZREM', KEYS[2], ends[index]) end
end
return {facts[1], level, now}
