#!/usr/bin/env bash
# kubectl and Helm 3 change only one of a DNS service's two ports 53, and report success.
#
# Package: k8s.io/apimachinery and k8s.io/api v0.37.1 (Go modules), whose strategic merge patch `kubectl apply`, `kubectl edit` and Helm 3 send
# Behavior: a service's ports are told apart by number and protocol, but a strategic merge patch looks them up by number alone (patchMergeKey=port).
#   Where both are 53, what is meant for each arrives at the first: with another targetPort for both, UDP moves and TCP stays, so that answers
#   over 512 bytes fail later; a port for TCP that is added to the one for UDP is not there. A container's ports are looked up by containerPort in the
#   same way. `kubectl apply --server-side` knows the protocol.
# Output seen (2026-11-30): move both to 5353: dns 53/UDP to 5353, dns-tcp 53/TCP to 53
#   add TCP: dns 53/UDP to 53; of other numbers: dns 53/UDP to 5353, metrics 9153/TCP to 9154
# Source: https://github.com/kubernetes/api/blob/v0.37.1/core/v1/types.go (ServiceSpec.Ports: patchMergeKey=port, listMapKey=protocol),
#   https://github.com/helm/helm/blob/v3.20.2/pkg/kube/client.go (createPatch), and https://github.com/kubernetes/kubernetes/issues/105610
set -euo pipefail

folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat > main.go <<'GO'
package main

import (
	"encoding/json"
	"fmt"
	"strings"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

func port(name string, protocol core.Protocol, number int32, target int) core.ServicePort {
	return core.ServicePort{Name: name, Protocol: protocol, Port: number, TargetPort: intstr.FromInt(target)}
}

func service(ports ...core.ServicePort) []byte {
	text, err := json.Marshal(core.Service{Spec: core.ServiceSpec{Ports: ports}})
	must(err)
	return text
}

// The service's ports after `kubectl apply` of a changed manifest.
func apply(before, after []byte) string {
	meta, err := strategicpatch.NewPatchMetaFromStruct(core.Service{})
	must(err)
	patch, err := strategicpatch.CreateThreeWayMergePatch(before, after, before, meta, true)
	must(err)
	text, err := strategicpatch.StrategicMergePatch(before, patch, core.Service{})
	must(err)
	var patched core.Service
	must(json.Unmarshal(text, &patched))
	var seen []string
	for _, port := range patched.Spec.Ports {
		seen = append(seen, fmt.Sprintf("%s %d/%s to %s", port.Name, port.Port, port.Protocol, port.TargetPort.String()))
	}
	return strings.Join(seen, ", ")
}

func main() {
	udp, tcp := port("dns", "UDP", 53, 53), port("dns-tcp", "TCP", 53, 53)
	fmt.Println("move both to 5353:", apply(service(udp, tcp), service(port("dns", "UDP", 53, 5353), port("dns-tcp", "TCP", 53, 5353))))
	fmt.Println("add TCP:", apply(service(udp), service(udp, tcp)))
	fmt.Println("of other numbers:", apply(
		service(udp, port("metrics", "TCP", 9153, 9153)), service(port("dns", "UDP", 53, 5353), port("metrics", "TCP", 9153, 9154)),
	))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
GO
go mod init finding >/dev/null 2>&1
go get k8s.io/api@v0.37.1 k8s.io/apimachinery@v0.37.1 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go build -o patch .

./patch | tee output.txt
diff - output.txt <<'SEEN' || { echo "changed: see the lines above"; exit 1; }
move both to 5353: dns 53/UDP to 5353, dns-tcp 53/TCP to 53
add TCP: dns 53/UDP to 53
of other numbers: dns 53/UDP to 5353, metrics 9153/TCP to 9154
SEEN
