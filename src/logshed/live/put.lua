-- Puts one piece of a source into the hot store, all of it or nothing.
--
-- KEYS[1]  the source's cursor
-- ARGV[1]  where the piece begins, as the cursor counts
-- ARGV[2]  where it ends
-- ARGV[3]  '1': the cursor must stand where the piece begins (the sender can go back), else it may lie before
-- ARGV[4]  seconds that cursors are kept
-- ARGV[5]  of lakes, the key of the batches that are counted, and
-- ARGV[6]  the batch that the piece is of; else both are empty
-- ARGV[7]  lines that are kept of a collection
-- ARGV[8]  seconds that a line is kept before the newest one of its collection, or before now where that is in the future
-- ARGV[9]  the second since 1970 at which the lines of these collections go, unless more come
-- ARGV[10] '1': the batch has ended with this piece
-- then sources that are counted so far with the end of the batch: how many, and of each: its cursor, where it stands
-- then counters: how many, and of each: what it is (h, l, c), a key, a field, a number
-- then collections: how many, and of each: the key of its lines; their scores and how many bytes each line has, with
-- blanks between them; the lines, one behind the other
--
-- Answers -1 where it was done, -2 where the store is just being emptied, else where the cursor stands.
if redis.call('GET', 'logshed:rebuilding') == 'emptying' then
    return -2
end
local begins, ends = tonumber(ARGV[1]), tonumber(ARGV[2])
local stands = tonumber(redis.call('GET', KEYS[1]) or (ARGV[3] == '1' and 0 or begins))
if ARGV[6] ~= '' and redis.call('HEXISTS', ARGV[5], ARGV[6]) == 1 then
    return ends
end
if stands > begins or (ARGV[3] == '1' and stands < begins) then
    return stands
end
local at = 11
local function taken()
    at = at + 1
    return ARGV[at - 1]
end
local sources = {}
for number = 1, 2 * tonumber(taken()) do
    sources[number] = taken()
end
for _ = 1, tonumber(taken()) do
    local what, name, field, number = taken(), taken(), taken(), taken()
    if what == 'h' then
        redis.call('HINCRBY', name, field, number)
    elseif what == 'l' then
        redis.call('ZINCRBY', name, number, field)
    else
        if redis.call('INCRBY', name, number) == tonumber(number) and field ~= '' then
            redis.call('SADD', 'logshed:countries', field)
        end
    end
end
local most, kept, expires = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local now = tonumber(redis.call('TIME')[1])
for _ = 1, tonumber(taken()) do
    local key, scores, sizes, lines = taken(), taken(), string.gmatch(taken(), '%d+'), taken()
    local first = 1
    for score in string.gmatch(scores, '%S+') do
        local behind = first + tonumber(sizes())
        local line = string.sub(lines, first, behind - 1)
        first = behind
        if redis.call('ZADD', key, 'NX', score, line) == 0 then
            local repeated = redis.call('INCR', 'logshed:repeats')
            redis.call('ZADD', key, score, line .. '\255' .. string.format('%x', repeated))
        end
    end
    redis.call('ZREMRANGEBYRANK', key, 0, -most - 1)
    local newest = tonumber(redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2])
    redis.call('ZREMRANGEBYSCORE', key, '-inf', '(' .. (math.min(newest, now) - kept))
    if redis.call('EXPIRETIME', key) < expires then
        redis.call('EXPIREAT', key, expires)
    end
end
for number = 1, #sources, 2 do
    if tonumber(redis.call('GET', sources[number]) or 0) < tonumber(sources[number + 1]) then
        redis.call('SET', sources[number], sources[number + 1], 'EX', ARGV[4])
    end
end
if ARGV[10] == '1' then
    redis.call('HSET', ARGV[5], ARGV[6], now)
    redis.call('DEL', KEYS[1])
else
    redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[4])
end
return -1
