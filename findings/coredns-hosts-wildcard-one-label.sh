#!/usr/bin/env bash
# CoreDNS's hosts has wildcards of one label, though its documentation says that they are those of the plugin file, which take names of any depth.
#
# Package: github.com/coredns/coredns v1.15.0 (Go module)
# Behavior: with *.example.test, file answers a.example.test and b.a.example.test, as RFC 4592 has it. hosts answers a.example.test alone, and not
#   b.a.example.test: a zone whose wildcard moves from a file to hosts loses every deeper name, and with fallthrough these go to the upstreams.
#   The README gives both: "the same wildcard semantics as the file plugin", and, in its examples, that only one label is matched.
# Output seen (2026-11-30): file: a NOERROR, b.a NOERROR; hosts: a NOERROR, b.a NXDOMAIN
# Source: https://github.com/coredns/coredns/blob/v1.15.0/plugin/hosts/wildcard.go (replaceWithAsteriskLabel), against
#   https://github.com/coredns/coredns/blob/v1.15.0/plugin/hosts/README.md (Wildcard records), and
#   https://www.rfc-editor.org/rfc/rfc4592#section-3.3.1
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.15.0
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > zone <<'ZONE'
$ORIGIN example.test.
@ 60 IN SOA ns1 admin 1 7200 3600 1209600 60
@ 60 IN NS ns1
* 60 IN A 192.0.2.1
ZONE
sed '/^\*/d' zone > empty
cat > corefile <<COREFILE
example.test:5341 {
    file $folder/zone
}
example.test:5342 {
    hosts {
        192.0.2.1 *.example.test
        fallthrough
    }
    file $folder/empty
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

function ask(name, port) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      socket.close();
      resolve(decode(message).rcode);
    });
    socket.send(encode({ type: "query", id: 1, flags: 256, questions: [{ type: "A", name }] }), port, "127.0.0.1");
  });
}

async function main() {
  const port = Number(process.argv[2]);
  console.log(`a ${await ask("a.example.test", port)}, b.a ${await ask("b.a.example.test", port)}`);
}
main();
JS
./coredns -conf corefile > log 2>&1 &
until grep -q '^CoreDNS-' log; do sleep 0.1; done
file=$(node ask.cjs 5341)
hosts=$(node ask.cjs 5342)
echo "file: $file; hosts: $hosts"
[ "$file" = "a NOERROR, b.a NOERROR" ] || { echo "changed: a wildcard of file does not take names of any depth"; exit 1; }
[ "$hosts" = "a NOERROR, b.a NXDOMAIN" ] || { echo "changed: a wildcard of hosts does not take one label alone"; exit 1; }
