#!/usr/bin/env bash
# CoreDNS 1.14.3 rewrites the response code of a failure for clients with EDNS alone.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: rewrite applies its response rules to each record of an answer. A SERVFAIL has none but the OPT record that EDNS brings, so with
#   `rewrite rcode suffix .test SERVFAIL NXDOMAIN` a client with EDNS, as dig is, gets NXDOMAIN, and one without, as glibc and musl are by default,
#   SERVFAIL. Whoever tries the rule with dig sees it work.
# Output seen (2026-11-30): without EDNS SERVFAIL, with EDNS NXDOMAIN
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/reverter.go (WriteMsg), against
#   https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/README.md (RCODE Field Rewrites, whose example is
#   a SERVFAIL); changed in 1.14.7
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > corefile <<'COREFILE'
.:5351 {
    rewrite rcode suffix .test SERVFAIL NXDOMAIN
    template ANY ANY {
        rcode SERVFAIL
    }
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

function ask(additionals) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      socket.close();
      resolve(decode(message).rcode);
    });
    const questions = [{ type: "A", name: "a.test" }];
    socket.send(encode({ type: "query", id: 1, flags: 256, questions, additionals }), 5351, "127.0.0.1");
  });
}

async function main() {
  const opt = { type: "OPT", name: ".", udpPayloadSize: 1232, flags: 0, options: [] };
  console.log(`without EDNS ${await ask([])}, with EDNS ${await ask([opt])}`);
}
main();
JS
./coredns -conf corefile > log 2>&1 &
until grep -q '^CoreDNS-' log; do sleep 0.1; done
seen=$(node ask.cjs)
echo "$seen"
[ "$seen" = "without EDNS SERVFAIL, with EDNS NXDOMAIN" ] || { echo "changed: both clients get the same code"; exit 1; }
