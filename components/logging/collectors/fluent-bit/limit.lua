-- Drops what a pod writes beyond LINES_PER_SECOND, which the renderer (line-filters.ts) prepends. Fluent Bit's own filter `throttle`
-- counts all pods together. Lines are counted by the second of their time, so that a backlog after a stop is no burst.
-- https://docs.fluentbit.io/manual/data-pipeline/filters/lua

-- Maximum seconds counted per pod: its containers may be read at different times.
local MOST_SECONDS = 120
local MOST_PODS = 2000

local pods, pod_count = {}, 0

function limit(tag, timestamp, record)
  -- The tag is kube.NAMESPACE_POD_UID_CONTAINER, and only a container's name has no "_".
  local pod = string.match(tag, "^(.*)_[^_]*$") or tag
  local seconds = pods[pod]
  if seconds == nil then
    if pod_count >= MOST_PODS then pods, pod_count = {}, 0 end
    seconds = { size = 0, counts = {} }
    pods[pod] = seconds
    pod_count = pod_count + 1
  end
  local second = math.floor(timestamp)
  local count = seconds.counts[second]
  if count == nil then
    if seconds.size >= MOST_SECONDS then seconds.size, seconds.counts = 0, {} end
    seconds.size = seconds.size + 1
    count = 0
  end
  seconds.counts[second] = count + 1
  -- -1 drops the record, 0 leaves it as it is.
  return count >= LINES_PER_SECOND and -1 or 0, timestamp, record
end
