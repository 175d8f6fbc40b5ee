#!/usr/bin/env bash
# CoreDNS with `rewrite name exact OLD NEW` renames names below NEW in answers to names that it does not resolve.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: the answer to a rewritten query is mapped back, names and values, and each name below NEW becomes one below OLD. An exact rule matches
#   only OLD, so the target of an MX, SRV or NS record below NEW becomes a name that does not exist: where mail.internal
#   is rewritten to example.com, MX 10 mx1.example.com arrives as mx1.mail.internal. Other types of rules do so only with `answer auto`, and an
#   exact rule has no option that turns it off.
# Output seen (2026-11-29): example.com: MX mx1.example.com, NOERROR; mail.internal: MX mx1.mail.internal, NXDOMAIN
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/name.go (remapStringRewriter, newExactNameRule), against
#   https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/README.md (Auto Response Name Rewrite: "Any occurrence of the rewritten question")
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > zone <<'ZONE'
$ORIGIN example.com.
@ 60 IN SOA ns1 admin 1 7200 3600 1209600 60
@ 60 IN MX 10 mx1
mx1 60 IN A 192.0.2.1
ZONE
cat > corefile <<COREFILE
.:5331 {
    rewrite name exact mail.internal example.com
    file $folder/zone example.com
    template ANY ANY internal {
        rcode NXDOMAIN
    }
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

function ask(type, name) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      socket.close();
      resolve(decode(message));
    });
    socket.send(encode({ type: "query", id: 1, flags: 256, questions: [{ type, name }] }), 5331, "127.0.0.1");
  });
}

async function main() {
  const { exchange } = (await ask("MX", process.argv[2])).answers[0].data;
  const { rcode } = await ask("A", exchange);
  console.log(`MX ${exchange}, ${rcode}`);
}
main();
JS
./coredns -conf corefile > log 2>&1 &
until grep -q '^CoreDNS-' log; do sleep 0.1; done
direct=$(node ask.cjs example.com)
rewritten=$(node ask.cjs mail.internal)
echo "example.com: $direct; mail.internal: $rewritten"
[ "$direct" = "MX mx1.example.com, NOERROR" ] || { echo "the zone itself is not answered"; exit 1; }
[ "$rewritten" = "MX mx1.mail.internal, NXDOMAIN" ] || { echo "changed: the mail server's name stays, or is resolved"; exit 1; }
