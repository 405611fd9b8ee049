-- Read posts of one partition.
-- KEYS: 1 the partition's state, 2… the latest posts or samples
-- ARGV: 1 generation, 2 most posts of each key
-- Answers {'moved', named generation} when another generation is read now, else {'read', [post, …], …}, a list
-- for each key; that of a sample is [post, chance, post, chance, …], least chance first.
local named = redis.call('HGET', KEYS[1], 'named')
if named ~= ARGV[1] then return {'moved', named or ''} end
local answer, last = {'read'}, tonumber(ARGV[2]) - 1
for index = 2, #KEYS do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind == 'list' then
    answer[index] = redis.call('LRANGE', KEYS[index], 0, last)
  elseif kind == 'zset' then
    answer[index] = redis.call('ZRANGE', KEYS[index], 0, last, 'WITHSCORES')
  else
    answer[index] = {}
  end
end
return answer
