-- Keep alerts for readers.
-- KEYS: 1 events (hash: id, JSON), 2 open (sorted set: id by beginning), 3 ended (the same),
--       4 version (hash: epoch of the turn that wrote last, edition: the number of that call within it)
-- ARGV: 1 how many ended ones are kept, 2 epoch of the caller's turn, 3 edition of this call,
--       4 `all` when these are all there are, or `more` when they come on top of the edition before,
--       then of each alert id, beginning, 1 when it has ended, JSON
-- Returns `newer` when a later turn has written here, `other` when what is here is not the edition before,
-- and has changed nothing then; else `kept`.
-- An alert that has ended never opens again, however late somebody says that it began.
local epoch, edition = tonumber(ARGV[2]), tonumber(ARGV[3])
local there = redis.call('HMGET', KEYS[4], 'epoch', 'edition')
local last_epoch, last_edition = tonumber(there[1] or 0), tonumber(there[2] or 0)
if last_epoch > epoch then return 'newer' end
if ARGV[4] == 'all' then
  redis.call('DEL', KEYS[1], KEYS[2], KEYS[3])
elseif last_epoch ~= epoch or last_edition ~= edition - 1 then
  return 'other'
end
for place = 5, #ARGV, 4 do
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
redis.call('HSET', KEYS[4], 'epoch', ARGV[2], 'edition', ARGV[3])
return 'kept'
