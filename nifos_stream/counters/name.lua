-- Make a rebuilt generation the one that is read, if it has counted as much as the one that is.
-- KEYS: 1 the partition's state.  ARGV: 1 generation
-- Answers {'named', ''}, {'behind', position to reach} or {'older' | 'gone' | 'topic', ''}.
local generation = ARGV[1]
local time = redis.call('TIME')
local found = redis.call('HMGET', KEYS[1], 'named', generation .. ':offset', generation .. ':topic')
local named, offset = found[1], found[2]
if named == generation then return {'named', ''} end
if named and tonumber(named) > tonumber(generation) then return {'older', ''} end
if not offset then return {'gone', ''} end
if named then
  local facts = redis.call('HMGET', KEYS[1], named .. ':offset', named .. ':topic')
  if facts[1] and facts[2] ~= found[3] then return {'topic', ''} end
  if facts[1] and tonumber(facts[1]) > tonumber(offset) then
    redis.call('HSET', KEYS[1], generation .. ':renewed', string.format('%.0f', time[1] * 1000))
    return {'behind', facts[1]}
  end
end
redis.call('HSET', KEYS[1], 'named', generation)
redis.call('HDEL', KEYS[1], generation .. ':renewed')
return {'named', ''}
