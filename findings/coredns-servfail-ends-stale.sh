#!/usr/bin/env bash
# CoreDNS with `cache { serve_stale }` answers SERVFAIL for a cached name once its upstream has answered SERVFAIL for it.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: serve_stale keeps known names while an upstream is silent. SERVFAIL is an answer: it is cached for 5 s beside the stale record and
#   takes precedence, so clients get SERVFAIL although the record is there. `servfail 0s` keeps the record in use.
# Output seen (2026-11-28): serve_stale: SERVFAIL; with servfail 0s: NOERROR 192.0.2.1
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/cache/README.md (serve_stale, servfail)
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > healthy <<'COREFILE'
.:5311 {
    template IN A {
        answer "{{ .Name }} 2 IN A 192.0.2.1"
    }
}
COREFILE
cat > failing <<'COREFILE'
.:5311 {
    template IN A {
        rcode SERVFAIL
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
const questions = [{ type: "A", name: "www.example.com" }];
socket.send(encode({ type: "query", id: 1, flags: 256, questions }), Number(process.argv[2]), "127.0.0.1");
JS

answer() { # port, more options of cache
  cat > "front-$1" <<COREFILE
.:$1 {
    forward . 127.0.0.1:5311
    cache 30 {
        serve_stale 1h immediate
        $2
    }
}
COREFILE
  ./coredns -conf healthy > /dev/null 2>&1 &
  local upstream=$!
  ./coredns -conf "front-$1" > /dev/null 2>&1 &
  local front=$!
  sleep 2
  node ask.cjs "$1" > /dev/null
  kill "$upstream"
  wait "$upstream" 2>/dev/null || true
  ./coredns -conf failing > /dev/null 2>&1 &
  upstream=$!
  # A record is kept for 5 s at least, so it is stale by then. The first query is answered from it, and asks the upstream behind the client's back.
  sleep 6
  node ask.cjs "$1" > /dev/null
  sleep 1
  node ask.cjs "$1"
  kill "$front" "$upstream"
  wait "$front" "$upstream" 2>/dev/null || true
}

plain=$(answer 5312 "")
kept=$(answer 5313 "servfail 0s")
echo "serve_stale: $plain; with servfail 0s: $kept"
[ "$plain" = "SERVFAIL" ] || { echo "changed: a stale record outlives a SERVFAIL"; exit 1; }
[ "$kept" = "NOERROR 192.0.2.1" ] || { echo "changed: servfail 0s does not keep the record"; exit 1; }
