#!/usr/bin/env bash
# CoreDNS with `cache 300s` caches nothing: a TTL with a unit is read as the name of a zone.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: the first argument of cache is the TTL if it is an integer, and otherwise the first zone to cache. `300s` is a domain name, so only
#   the zone `300s.` is cached, and every query goes upstream. Nothing is logged, though `prefetch`, `servfail` and `serve_stale` in the same block
#   accept durations such as 300s.
# Output seen (2026-11-29): cache 300: 1 of 5 queries went upstream; cache 300s: 5 of 5
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/cache/setup.go (cacheParse), against
#   https://github.com/coredns/coredns/blob/v1.14.3/plugin/cache/README.md (Syntax)
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > upstream <<'COREFILE'
.:5321 {
    log . "{name} asked"
    template IN A {
        answer "{{ .Name }} 300 IN A 192.0.2.1"
    }
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode } = require("dns-packet");

const [port, name, times] = process.argv.slice(2);
const socket = createSocket("udp4");
const ask = () =>
  socket.send(encode({ type: "query", id: 1, flags: 256, questions: [{ type: "A", name }] }), Number(port), "127.0.0.1");
let answers = 0;
socket.on("message", () => (++answers < Number(times) ? ask() : socket.close()));
ask();
JS
start() { # Corefile
  ./coredns -conf "$1" > "$1.log" 2>&1 &
  until grep -q '^CoreDNS-' "$1.log"; do sleep 0.1; done
}
start upstream

asked() { # port, name, TTL of cache
  cat > "front-$1" <<COREFILE
.:$1 {
    cache $3
    forward . 127.0.0.1:5321
}
COREFILE
  start "front-$1"
  node ask.cjs "$1" "$2" 5
  kill $!
  grep -c "$2. asked" upstream.log
}

number=$(asked 5322 number.example.com 300)
unit=$(asked 5323 unit.example.com 300s)
echo "cache 300: $number of 5 queries went upstream; cache 300s: $unit of 5"
[ "$number" = 1 ] || { echo "changed: cache 300 does not answer from the cache"; exit 1; }
[ "$unit" = 5 ] || { echo "changed: cache 300s caches"; exit 1; }
! grep -qiE 'warn|error' front-5323.log || { echo "changed: cache 300s is logged"; exit 1; }
