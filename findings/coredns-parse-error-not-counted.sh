#!/usr/bin/env bash
# CoreDNS does not count a changed Corefile with a syntax error in coredns_reload_failed_total, only one that a plugin refuses.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: plugin reload parses the file first, to compare its checksum. An error there is logged as a warning at each interval, and nothing is
#   counted: the metric stays 0 while a missing brace keeps every later change from loading, and a restarted pod from starting. An
#   alert on the metric, as in the published alert collections, stays silent. Compare the ConfigMap's version with coredns_reload_version_info.
# Output seen (2026-11-28): missing brace: 0 (Corefile parse failed); option that forward refuses: 1
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/reload/reload.go
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3

corefile() { # forward's upstream, end of the block
  printf '.:5310 {\n  forward . %s\n  prometheus 127.0.0.1:5311\n  reload 2s 1s\n%s\n' "$1" "$2" > Corefile
}
failures() {
  exec 3<>/dev/tcp/127.0.0.1/5311
  printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
  sed -n 's/^coredns_reload_failed_total \([0-9]*\).*/\1/p' <&3
  exec 3>&-
}

corefile 127.0.0.1:5312 "}"
./coredns -conf Corefile > log 2>&1 &
sleep 3
corefile 127.0.0.1:5312 ""
sleep 8
unparsed=$(failures)
grep -q "Corefile parse failed" log
corefile not-an-address "}"
sleep 8
refused=$(failures)

echo "missing brace: $unparsed (Corefile parse failed); option that forward refuses: $refused"
[ "$unparsed" = 0 ] && [ "$refused" -ge 1 ]
