-- Store how many posts are not labelled yet, and when: a number without a time would stand for ever.
-- KEYS: 1 the backlog.  ARGV: 1 posts
local time = redis.call('TIME')
redis.call('SET', KEYS[1], string.format('%s %.0f', ARGV[1], time[1] * 1000 + math.floor(time[2] / 1000)))
