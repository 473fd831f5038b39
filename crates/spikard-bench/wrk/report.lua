-- Prints the result of one run of wrk as one line of JSON; times are in microseconds.

function done(summary, latency, requests)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"duration_us":%d,"bytes":%d,"mean_us":%.3f,"p50_us":%d,"p95_us":%d,"p99_us":%d,'
      .. '"max_us":%d,"connect_errors":%d,"read_errors":%d,"write_errors":%d,"timeouts":%d,"non_2xx":%d}',
    summary.requests, summary.duration, summary.bytes, latency.mean,
    latency:percentile(50), latency:percentile(95), latency:percentile(99), latency.max,
    errors.connect, errors.read, errors.write, errors.timeout, errors.status
  ))
end
