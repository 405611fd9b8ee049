-- Keep alerts for readers.
-- KEYS: 1 events (hash: id, JSON), 2 open (sorted set: id by beginning), 3 ended (the same)
-- ARGV: 1 how many ended ones are kept, 2 `all` when these are all there are, or `more`,
--       then of each alert id, beginning, 1 when it has ended, JSON
-- An alert that has ended never opens again, however late somebody says that it began.
if ARGV[2] == 'all' then redis.call('DEL', KEYS[1], KEYS[2], KEYS[3]) end
for place = 3, #ARGV, 4 do
  local id, began, ended, event = ARGV[place], ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
  if ended == '1' then
    redis.call('ZREM', KEYS[2], id)
    redis.call('ZADD', KEYS[3], began, id)
    redis.call('HSET', KEYS[1], id, event)
  elseif not redis.call('ZSCORE', KEYS[3], id) then
    redis.call('ZADD', KEYS[2], began, id)
    redis.call('HSET', KEYS[1], id, event)
  end
end
local over = redis.call('ZCARD', KEYS[3]) - tonumber(ARGV[1])
if over > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[3], 0, over - 1)) do redis.call('HDEL', KEYS[1], id) end
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, over - 1)
end
return redis.call('ZCARD', KEYS[2])
