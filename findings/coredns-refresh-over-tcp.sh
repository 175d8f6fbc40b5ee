#!/usr/bin/env bash
# CoreDNS queries its upstream over UDP for a name that is not in its cache, and over TCP when it refreshes the same name.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: plugin forward takes the protocol of the client's query. Plugin cache has no client when it prefetches a popular name or renews a
#   stale one, and its own response writer says TCP. If only UDP gets through, names resolve at first and are
#   then never renewed: with serve_stale they are served stale until they are too old. `prefer_udp` in forward makes both UDP.
# Output seen (2026-11-28): client's query: udp, prefetch: tcp; with prefer_udp: udp, udp
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/cache/cache.go (newPrefetchResponseWriter)
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

# The upstream answers by a template and logs the protocol of each query.
cat > upstream <<'COREFILE'
.:5301 {
    template IN A {
        answer "{{ .Name }} 20 IN A 192.0.2.1"
    }
    log . "asked-by {proto}"
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

const query = encode({ type: "query", id: 1, flags: 256, questions: [{ type: "A", name: "www.example.com" }] });
const ask = (port) =>
  new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => socket.close(() => resolve(decode(message).answers[0]?.data)));
    socket.send(query, port, "127.0.0.1");
  });
(async () => {
  // Three queries make the name popular; it is renewed by the first one in the last nine tenths of its time.
  for (let at = 0; at < 3; at += 1) await ask(Number(process.argv[2]));
  await new Promise((resolve) => setTimeout(resolve, 4000));
  await ask(Number(process.argv[2]));
  await new Promise((resolve) => setTimeout(resolve, 1000));
})();
JS

protocols() { # port, options of forward
  cat > "front-$1" <<COREFILE
.:$1 {
    forward . 127.0.0.1:5301 {
        policy sequential
        $2
    }
    cache 30 {
        prefetch 2 1m 90%
    }
}
COREFILE
  ./coredns -conf upstream > "upstream-$1.log" 2>&1 &
  local upstream=$!
  ./coredns -conf "front-$1" > /dev/null 2>&1 &
  local front=$!
  sleep 2
  node ask.cjs "$1"
  kill "$front" "$upstream"
  wait "$front" "$upstream" 2>/dev/null || true
  sed -n 's/.*asked-by //p' "upstream-$1.log" | tr '\n' ' '
}

plain=$(protocols 5302 "")
preferred=$(protocols 5303 "prefer_udp")
echo "asked upstream: ${plain}; with prefer_udp: ${preferred}"
[ "$plain" = "udp tcp " ] || { echo "changed: a refresh is not sent by TCP"; exit 1; }
[ "$preferred" = "udp udp " ] || { echo "changed: prefer_udp does not decide a refresh"; exit 1; }
