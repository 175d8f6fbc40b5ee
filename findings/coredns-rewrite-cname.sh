#!/usr/bin/env bash
# CoreDNS's `rewrite cname` needs names with a final dot, sends no answer if the target has none, and always ends the list of rules.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: rules for `name` accept names with and without the final dot. Rules for `cname` compare them literally with the names of the
#   answer, which have the dot, so `exact old.test` matches nothing. A target without the dot makes an answer that cannot be packed: the
#   client gets none, and nothing is logged. And without `continue` a rule for cname ends the rules for every query, since it counts
#   as matching before there is an answer: of two such rules, only the first one is ever used.
# Output seen (2026-11-29): dots: new.test; name without dot: old.test; target without dot: none; second rule: old.test; with continue: new.test
# Source: https://github.com/coredns/coredns/blob/v1.14.3/plugin/rewrite/cname_target.go, and https://github.com/coredns/coredns/issues/6922
set -euo pipefail

folder=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact dns-packet@5.6.1

cat > ask.cjs <<'JS'
const { createSocket } = require("node:dgram");
const { encode, decode } = require("dns-packet");

const socket = createSocket("udp4");
const late = setTimeout(() => (console.log("none"), socket.close()), 3000);
socket.on("message", (message) => {
  clearTimeout(late);
  console.log(decode(message).answers[0].data);
  socket.close();
});
socket.send(encode({ type: "query", id: 1, flags: 256, questions: [{ type: "A", name: "www.test" }] }), 5332, "127.0.0.1");
JS

# The first name of the answer to a query for www.test, an alias of old.test, with some rules.
answer() {
  {
    echo ".:5332 {"
    printf '    rewrite %s\n' "$@"
    echo '    template IN A www.test {'
    echo '        answer "{{ .Name }} 60 IN CNAME old.test."'
    echo '    }'
    echo '    template IN A {'
    echo '        answer "{{ .Name }} 60 IN A 192.0.2.1"'
    echo '    }'
    echo '}'
  } > corefile
  ./coredns -conf corefile > log 2>&1 &
  until grep -q '^CoreDNS-' log; do sleep 0.1; done
  node ask.cjs
  kill $!
  wait $! 2>/dev/null || true
}

dots=$(answer 'cname exact old.test. new.test.')
name=$(answer 'cname exact old.test new.test.')
target=$(answer 'cname exact old.test. new.test')
second=$(answer 'cname exact other.test. else.test.' 'cname exact old.test. new.test.')
continued=$(answer 'continue cname exact other.test. else.test.' 'cname exact old.test. new.test.')
echo "dots: $dots; name without dot: $name; target without dot: $target; second rule: $second; with continue: $continued"
[ "$dots $continued" = "new.test new.test" ] || { echo "changed: a rule with dots does not fit"; exit 1; }
[ "$name" = "old.test" ] || { echo "changed: a name without its dot fits"; exit 1; }
[ "$target" = "none" ] || { echo "changed: a target without its dot is answered"; exit 1; }
[ "$second" = "old.test" ] || { echo "changed: a second rule is used"; exit 1; }
