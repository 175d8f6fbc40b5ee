#!/usr/bin/env bash
# CoreDNS's hosts with fallthrough answers that a name has no mail server, and no record of any other type, once it has an address for it.
#
# Package: github.com/coredns/coredns v1.15.0 (Go module)
# Behavior: fallthrough passes a query on where "no record can be generated". But for a name that hosts has, it answers each type without one by
#   NOERROR and no records: MX, TXT, SRV, CAA and HTTPS, and AAAA if the address is of IPv4. So an entry that gives example.test an inner address
#   hides its mail servers, its SPF and its other address from the whole cluster, though only A was meant. From 1.14.7, fallthrough_unsupported
#   passes on the types other than A and AAAA, and the page describes these, but not AAAA. Before, no option does; only 1.14.5 and 1.14.6 pass them on.
# Output seen (2026-11-30): upstream: A 192.0.2.9, AAAA 2001:db8::9, MX mail.example.test, TXT v=spf1 -all
#   hosts, fallthrough: A 10.0.0.9, AAAA none, MX none, TXT none
#   fallthrough_unsupported: A 10.0.0.9, AAAA none, MX mail.example.test, TXT v=spf1 -all
# Source: https://github.com/coredns/coredns/blob/v1.15.0/plugin/hosts/hosts.go (ServeDNS, otherRecordsExist), against
#   https://github.com/coredns/coredns/blob/v1.15.0/plugin/hosts/README.md (fallthrough)
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
@ 60 IN A 192.0.2.9
@ 60 IN AAAA 2001:db8::9
@ 60 IN MX 10 mail
@ 60 IN TXT "v=spf1 -all"
ZONE
cat > corefile <<COREFILE
.:5361 {
    file $folder/zone example.test
}
.:5362 {
    hosts {
        10.0.0.9 example.test
        fallthrough
    }
    forward . 127.0.0.1:5361
}
.:5363 {
    hosts {
        10.0.0.9 example.test
        fallthrough
        fallthrough_unsupported
    }
    forward . 127.0.0.1:5361
}
COREFILE
cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

function ask(type, port) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.on("message", (message) => {
      socket.close();
      const [answer] = decode(message).answers;
      resolve(`${type} ${answer === undefined ? "none" : (answer.data.exchange ?? answer.data)}`);
    });
    socket.send(encode({ type: "query", id: 1, flags: 256, questions: [{ type, name: "example.test" }] }), port, "127.0.0.1");
  });
}

(async () => {
  const answers = [];
  for (const type of ["A", "AAAA", "MX", "TXT"]) answers.push(await ask(type, Number(process.argv[2])));
  console.log(answers.join(", "));
})();
JS
./coredns -conf corefile > log 2>&1 &
until grep -q '^CoreDNS-' log; do sleep 0.1; done
{
  echo "upstream: $(node ask.cjs 5361)"
  echo "hosts, fallthrough: $(node ask.cjs 5362)"
  echo "fallthrough_unsupported: $(node ask.cjs 5363)"
} | tee output.txt

diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
upstream: A 192.0.2.9, AAAA 2001:db8::9, MX mail.example.test, TXT v=spf1 -all
hosts, fallthrough: A 10.0.0.9, AAAA none, MX none, TXT none
fallthrough_unsupported: A 10.0.0.9, AAAA none, MX mail.example.test, TXT v=spf1 -all
SEEN
