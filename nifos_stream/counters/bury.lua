-- Begin, go on with, or finish deleting a generation that is not read and that nobody fills.
-- KEYS: 1 the partition's state, 2 the list of the generation's keys, 3… keys that it answered before
-- ARGV: 1 generation, 2 ms after which a rebuilder that gave no sign is taken for dead, 3 most keys to answer
-- Answers {'kept'}, {'buried', key, key, …}: to be handed in again, as a key has to be named to be deleted;
-- or {'forgotten'}.
local generation = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'named', generation .. ':renewed', generation .. ':offset')
local named, renewed = found[1], found[2]
if named == generation then return {'kept'} end
local above = not named or tonumber(named) < tonumber(generation)
if above and found[3] and (not renewed or now - tonumber(renewed) < tonumber(ARGV[2])) then return {'kept'} end
-- A generation without an offset is dead: apply.lua refuses it. HDEL works in a full Redis, too.
redis.call('HDEL', KEYS[1], generation .. ':offset')
-- Deleted here, not by the caller: since it was answered Redis may have become an older one that reads them.
if #KEYS > 2 then
  redis.call('UNLINK', unpack(KEYS, 3))
  redis.call('ZREM', KEYS[2], unpack(KEYS, 3))
end
local keys = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[3]) - 1)
if #keys > 0 then
  table.insert(keys, 1, 'buried')
  return keys
end
for _, fact in ipairs({'begin', 'topic', 'fingerprint', 'rules', 'since', 'until', 'renewed'}) do
  redis.call('HDEL', KEYS[1], generation .. ':' .. fact)
end
return {'forgotten'}
