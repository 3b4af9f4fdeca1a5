-- What wrk sends: a thousand different predictions in turn, written before the clock runs.
-- With PAUSE in its environment, each connection rests for so many milliseconds before each request.
-- Arguments: method, path and body, in which {seller_available}, {month} and
-- {customer_visiting_website} stand for values. At the end it prints one line of JSON.

local months = {
  "january", "february", "march", "april", "may", "june",
  "july", "august", "september", "october", "november", "december",
}
local requests, turn = {}, 0

function init(arguments)
  local method, path, body = arguments[1], arguments[2], arguments[3]
  for number = 1, 1000 do
    local values = {
      seller_available = number % 50,
      month = months[number % 12 + 1],
      customer_visiting_website = number * 37 % 5000,
    }
    local function fill(template)
      return template and (template:gsub("{([a-z_]+)}", values))
    end
    requests[number] = wrk.format(method, fill(path), nil, fill(body))
  end
end

function request()
  turn = turn % 1000 + 1
  return requests[turn]
end

if os.getenv("PAUSE") then
  function delay()
    return tonumber(os.getenv("PAUSE"))
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "status": %d, '
      .. '"connect": %d, "read": %d, "write": %d, "timeout": %d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status, errors.connect, errors.read, errors.write, errors.timeout
  ))
end
