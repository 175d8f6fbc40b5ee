#!/bin/sh
# Writes a line each minute, follows it to the destination, looks up two names, and leaves what it saw as metrics in $STATE/metrics,
# which a web server beside it serves. Needs a POSIX shell and the programs that it looks for first.
#
# NODE_NAME     name of the node
# INSIDE_NAME   name in the cluster; OUTSIDE_NAME: one outside
# DESTINATION   where lines are looked for: search (OpenSearch, Elasticsearch), loki, or none
# SEARCH_URL    address of the search engine; SEARCH_INDEX: pattern of its indices
# SEARCH_OWN    1 where the search engine is watched too
# LOKI_URL      address of Loki; LOKI_TENANT: its tenant, or empty
# API_URL       address of the API server; without names, which it must not depend on
# LOSS_AFTER    seconds after which a line counts as lost
# INTERVAL      seconds between two lines; TICK: between two looks; DOUBLE_AFTER: until a line is looked for a second time
set -u
: "${STATE:=/run/canary}" "${INTERVAL:=60}" "${TICK:=10}" "${DOUBLE_AFTER:=180}" "${LOSS_AFTER:=600}"
: "${KUBERNETES_SERVICE_HOST:=kubernetes.default.svc}" "${KUBERNETES_SERVICE_PORT:=443}"
case $KUBERNETES_SERVICE_HOST in *:*) KUBERNETES_SERVICE_HOST="[$KUBERNETES_SERVICE_HOST]" ;; esac
: "${API_URL:=https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/readyz}" "${SEARCH_OWN:=0}" "${SEARCH_URL:=}" "${SEARCH_INDEX:=}"
: "${LOKI_URL:=}" "${LOKI_TENANT:=}"

missing=
for program in curl date grep mkdir mv nslookup rm sed sleep tr; do
  command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
  echo "the canary's image lacks:$missing; set monitoring.canary.image to one with curl and busybox, such as the default" >&2
  exit 1
fi

started=$(date +%s)
# Letters and digits alone, so that every index finds it as one word: a number of the node's name, which not every image can sum up.
sum=0 name=$NODE_NAME
while [ -n "$name" ]; do
  rest=${name#?}
  sum=$(((sum * 31 + $(printf '%d' "'${name%"$rest"}")) % 4294967296)) name=$rest
done
origin=canary${sum}x
written=0 delivered=0 lost=0 doubled=0 delay=0 delays=0 newest=$started readable=1
mkdir -p "$STATE/pending" "$STATE/found"

# Copies of a line at the destination; nothing where that does not answer.
copies() {
  case $DESTINATION in
    search)
      curl -s -m 10 -H 'Content-Type: application/json' \
        "$SEARCH_URL/$SEARCH_INDEX/_count?ignore_unavailable=true&allow_no_indices=true" \
        -d "{\"query\":{\"query_string\":{\"query\":\"$1\",\"lenient\":true}}}" | sed -n 's/.*"count":\([0-9][0-9]*\).*/\1/p'
      ;;
    loki)
      answer=$(curl -sG -m 10 ${LOKI_TENANT:+-H "X-Scope-OrgID: $LOKI_TENANT"} "$LOKI_URL/loki/api/v1/query" \
        --data-urlencode "query=sum(count_over_time({namespace=\"canary\"} |= \"$1\" [2h]))")
      case $answer in
        *'"result":[]'*) echo 0 ;;
        *) printf '%s' "$answer" | sed -n 's/.*"value":\[[^,]*,"\([0-9][0-9]*\)"\].*/\1/p' ;;
      esac
      ;;
  esac
}

# Looks for each line that is on its way, and once more for those that came.
follow() {
  readable=1
  for file in "$STATE"/pending/* "$STATE"/found/*; do
    [ -e "$file" ] || continue
    id=${file##*/} at=${file##*x} now=$(date +%s)
    case $file in "$STATE"/found/*) [ $((now - at)) -ge "$DOUBLE_AFTER" ] || continue ;; esac
    count=$(copies "$id")
    if [ -z "$count" ]; then
      readable=0
      return
    fi
    case $file in
      "$STATE"/found/*)
        [ "$count" -le 1 ] || doubled=$((doubled + count - 1))
        rm "$file"
        ;;
      *)
        if [ "$count" -gt 0 ]; then
          delivered=$((delivered + 1)) delay=$((now - at)) delays=$((delays + now - at))
          [ "$at" -le "$newest" ] || newest=$at
          mv "$file" "$STATE/found/$id"
        elif [ $((now - at)) -gt "$LOSS_AFTER" ]; then
          lost=$((lost + 1))
          rm "$file"
        fi
        ;;
    esac
  done
}

# Hundredths of a second since the node started.
ticks() {
  read -r up _ </proc/uptime
  echo "${up%.*}${up#*.}"
}

# One lookup: whether it was answered, and how long it took.
lookup() {
  from=$(ticks)
  if nslookup "$2" >/dev/null 2>&1; then up=1; else
    up=0
    echo "canary lookup failed for the name $1 the cluster: $2"
  fi
  taken=$(($(ticks) - from))
  echo "canary_lookup_up{node=\"$NODE_NAME\",name=\"$1\"} $up" >&3
  printf 'canary_lookup_duration_seconds{node="%s",name="%s"} %d.%02d\n' "$NODE_NAME" "$1" $((taken / 100)) $((taken % 100)) >&3
}

gauge() { echo "$1{node=\"$NODE_NAME\"} $2" >&3; }

# Whether a URL answers with less than 500.
answers() {
  code=$(curl -sk -m 5 -o /dev/null -w '%{http_code}' "$1")
  if [ "${code:-0}" -gt 0 ] && [ "$code" -lt 500 ]; then echo 1; else echo 0; fi
}

own_search() {
  health=$(curl -s -m 5 "$SEARCH_URL/_cluster/health")
  case $health in
    *'"status":"green"'* | *'"status":"yellow"'*) gauge canary_search_up 1 ;;
    *) gauge canary_search_up 0 ;;
  esac
  blocks=$(curl -s -m 5 "$SEARCH_URL/_all/_settings/index.blocks*?flat_settings=true" | tr ',' '\n' |
    grep -c '"index.blocks.read_only[a-z_]*":"true"')
  gauge canary_search_read_only_indices "$blocks"
}

report() {
  exec 3>"$STATE/metrics.new"
  lookup inside "$INSIDE_NAME"
  lookup outside "$OUTSIDE_NAME"
  gauge canary_api_server_up "$(answers "$API_URL")"
  [ "$SEARCH_OWN" = 0 ] || own_search
  gauge canary_lines_written_total "$written"
  if [ "$DESTINATION" != none ]; then
    gauge canary_destination_readable "$readable"
    gauge canary_lines_delivered_total "$delivered"
    gauge canary_lines_lost_total "$lost"
    gauge canary_lines_duplicated_total "$doubled"
    gauge canary_line_delay_seconds "$delay"
    gauge canary_line_delay_seconds_total "$delays"
    gauge canary_newest_line_age_seconds $(($(date +%s) - newest))
  fi
  gauge canary_last_run_timestamp_seconds "$(date +%s)"
  exec 3>&-
  mv "$STATE/metrics.new" "$STATE/metrics"
}

trap 'exit 0' TERM INT
next=$started
while true; do
  now=$(date +%s)
  if [ "$now" -ge "$next" ]; then
    next=$((now + INTERVAL)) written=$((written + 1))
    echo "canary line $origin$now"
    [ "$DESTINATION" = none ] || : >"$STATE/pending/$origin$now"
  fi
  [ "$DESTINATION" = none ] || follow
  report
  sleep "$TICK" &
  wait $!
done
