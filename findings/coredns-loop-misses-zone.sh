#!/usr/bin/env bash
# CoreDNS with the plugin `loop` starts although names of its zone loop, and then one query takes hundreds of megabytes.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: loop asks for one random name below the zone when CoreDNS starts. In a block that rewrites names below the zone, and forwards to
#   CoreDNS itself, that name does not come back, but the zone's own name does: CoreDNS sends it to itself for as long as a client waits.
# Output seen (2026-12-01): the loop is not found; one query: 27125 queries, 473 MB
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/loop/README.md (Description)
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > Corefile <<'COREFILE'
corp.example:5331 {
    log
    loop
    rewrite name suffix .corp.example .svc.example answer auto
    forward . 127.0.0.1:5331
}
svc.example:5331 {
    template IN A {
        answer "{{ .Name }} 60 IN A 192.0.2.1"
    }
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

const socket = createSocket("udp4");
socket.on("message", (message) => {
  const { rcode, answers } = decode(message);
  console.log([rcode, ...answers.map(({ data }) => data)].join(" "));
  socket.close();
});
const questions = [{ type: "A", name: process.argv[2] }];
socket.send(encode({ type: "query", id: 1, flags: 256, questions }), 5331, "127.0.0.1");
JS

./coredns -conf Corefile > log 2>&1 &
server=$!
sleep 5
kill -0 "$server" 2>/dev/null || { cat log; echo "changed: loop finds it, or CoreDNS does not start"; exit 1; }
echo "the loop is not found"
[ "$(node ask.cjs web.corp.example)" = "NOERROR 192.0.2.1" ] || { echo "changed: a rewritten name has no answer"; exit 1; }
before=$(ps -o rss= -p "$server")
node ask.cjs corp.example > /dev/null
# A query is logged once it is answered.
sleep 5
count=$(grep -c "A IN corp.example\." log)
megabytes=$((($(ps -o rss= -p "$server") - before) / 1000))
echo "one query: $count queries, $megabytes MB"
[ "$count" -gt 500 ] || { echo "changed: the query does not loop"; exit 1; }
[ "$megabytes" -gt 50 ] || { echo "changed: the loop takes little memory"; exit 1; }
