#!/usr/bin/env bash
# CoreDNS silently drops a server block whose zone is an environment variable that is not set.
#
# Package: github.com/coredns/coredns v1.14.3 (Go module)
# Behavior: `{$ZONE} { … }` with ZONE unset is a block without keys. The parser checks that it names plugins, and discards it: their arguments are
#   not read, no server starts for it, and nothing is logged. A typo in a Deployment's env costs the cluster a zone. The same
#   block with ZONE set does not start here, since the capacity is no number.
# Output seen (2026-11-29): ZONE unset: starts with .:1053 alone, no warning; ZONE=example.org: does not start (invalid syntax)
# Source: https://github.com/coredns/caddy/blob/v1.1.4/caddyfile/parse.go (parseAll, addresses), against
#   https://coredns.io/manual/configuration/ (Environment Variables)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
GOBIN=$folder CGO_ENABLED=0 go install github.com/coredns/coredns@v1.14.3

cat > Corefile <<'COREFILE'
.:1053 {
    whoami
}
{$ZONE} {
    cache {
        success many
    }
}
COREFILE

said() { env "$@" timeout 3 ./coredns -conf Corefile 2>&1 | grep -v -e maxprocs -e SIGTERM; }

unset_=$(said -u ZONE || true)
set_=$(said ZONE=example.org:1053 || true)
echo "ZONE unset: $(head -n 1 <<<"$unset_")"
echo "ZONE=example.org: $(tail -n 1 <<<"$set_")"
[[ $unset_ == .:1053$'\n'CoreDNS-1.14.3* ]] || { echo "changed: CoreDNS does not start without ZONE"; exit 1; }
! grep -qiE 'warn|error|ignor' <<<"$unset_" || { echo "changed: the dropped block is logged"; exit 1; }
grep -q 'invalid syntax' <<<"$set_" || { echo "changed: the block is valid"; exit 1; }
