-- Where counting goes on for one partition; begins a generation where there is none to go on with.
-- KEYS: 1 the partition's state, 2 its ends
-- ARGV: 1 topic id, 2 fingerprint, 3 rules, 4 first offset of the topic, 5 its end, 6 'view', 'renew' or 'rebuild'
-- view: goes on with the named generation if it counts this topic by these rules. renew: begins another in its
-- place. rebuild: begins one behind it. A generation with nothing older to show is named at once.
-- Answers {'open' | 'begun' | 'fingerprint', generation, position, now in ms}.
local topic, fingerprint, first, last, mode = ARGV[1], ARGV[2], ARGV[4], ARGV[5], ARGV[6]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = redis.call('HMGET', KEYS[1], 'named', 'last')
local named = found[1]
local offset, counted
if named then
  local facts = redis.call('HMGET', KEYS[1], named .. ':offset', named .. ':topic', named .. ':fingerprint')
  offset, counted = facts[1], facts[2]
  if mode == 'view' and offset and counted == topic then
    return {facts[3] == fingerprint and 'open' or 'fingerprint', named, offset, now}
  end
end
local behind = mode == 'rebuild' and offset and counted == topic
local generation = math.max(tonumber(found[2] or 0), tonumber(named or 0))
local buckets
repeat
  -- Where somebody deleted the state alone, its buckets are still there: they are to be buried, not added to.
  if buckets then redis.call('HSET', KEYS[1], generation .. ':begin', 0) end
  generation = string.format('%.0f', generation + 1)
  buckets = redis.call('EXISTS', (string.gsub(KEYS[1], 'state$', generation .. ':keys'))) == 1
until not buckets
redis.call('HSET', KEYS[1], 'last', generation, generation .. ':offset', first, generation .. ':begin', first,
  generation .. ':topic', topic, generation .. ':fingerprint', fingerprint, generation .. ':rules', ARGV[3])
if behind then
  redis.call('HSET', KEYS[1], generation .. ':renewed', string.format('%.0f', now))
else
  redis.call('HSET', KEYS[1], 'named', generation, generation .. ':until', last)
  redis.call('DEL', KEYS[2])
end
return {'begun', generation, first, now}
