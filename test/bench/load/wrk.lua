-- What wrk sends and what it tells us: the requests of a file, one after the other, each written as its length, a space and its
-- bytes; at the end one line of JSON.
local requests, count, index = {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  for length in function() return file:read('*n') end do
    file:read(1)
    count = count + 1
    requests[count] = file:read(length)
  end
  file:close()
end

function request()
  index = index % count + 1
  return requests[index]
end

-- wrk's own percentile() counts what its correction put below the least latency, but looks only from there on: it may find none.
local function percentile(latency, part)
  local values, counts, total = {}, {}, 0
  for at = 1, #latency do
    values[at], counts[at] = latency(at)
    total = total + counts[at]
  end
  local rank, seen = total * part, 0
  for at = 1, #values do
    seen = seen + counts[at]
    if seen >= rank then return values[at] end
  end
  return 0
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"micros":%d,"errors":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    percentile(latency, 0.5), percentile(latency, 0.99)
  ))
end
