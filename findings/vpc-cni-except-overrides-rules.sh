#!/usr/bin/env bash
# Amazon VPC CNI: the `except` of one NetworkPolicy rule also denies what another rule allows, unless that one is more specific.
#
# Package: github.com/aws/aws-network-policy-agent v1.4.1 (Go module), the agent that enforces NetworkPolicies on EKS
# Behavior: the agent keeps one entry for each CIDR block in a map that is read by longest prefix. A block under `except` becomes an entry that
#   denies everything. A rule for all addresses with port 53, beside one for all addresses except 10.0.0.0/8, therefore allows no DNS within
#   10.0.0.0/8, where Kubernetes adds both up. A rule for pods, whose addresses are more specific, still holds.
# Output seen (2026-12-01): 0.0.0.0/0: UDP 53, all; 10.0.0.0/8: nothing; 10.20.0.10/32: UDP 53
# Source: https://github.com/aws/aws-network-policy-agent/blob/v1.4.1/pkg/fwruleprocessor/fw_rule_processor.go
#   (ComputeMapEntriesFromEndpointRules), against https://kubernetes.io/docs/concepts/services-networking/network-policies/ (policies are additive)
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

cat > main.go <<'GO'
package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"sort"
	"strings"

	"github.com/aws/aws-network-policy-agent/api/v1alpha1"
	"github.com/aws/aws-network-policy-agent/pkg/fwruleprocessor"
	"github.com/aws/aws-network-policy-agent/pkg/utils"
	corev1 "k8s.io/api/core/v1"
)

// An entry has triples of protocol, first and last port.
const triple = 12

func main() {
	udp, port := corev1.ProtocolUDP, int32(53)
	dns := []v1alpha1.Port{{Protocol: &udp, Port: &port}}
	rules := []fwruleprocessor.EbpfFirewallRules{
		{IPCidr: "0.0.0.0/0", Except: []v1alpha1.NetworkAddress{"10.0.0.0/8"}},
		{IPCidr: "0.0.0.0/0", L4Info: dns},
		{IPCidr: "10.20.0.10/32", L4Info: dns},
	}
	processor := fwruleprocessor.NewFirewallRuleProcessor("192.0.2.1", "/32", false)
	entries, err := processor.ComputeMapEntriesFromEndpointRules(rules)
	if err != nil {
		panic(err)
	}
	names := map[int]string{17: "UDP", utils.ANY_IP_PROTOCOL: "all", utils.RESERVED_IP_PROTOCOL_NUMBER: "nothing"}
	for _, cidr := range []string{"0.0.0.0/0", "10.0.0.0/8", "10.20.0.10/32"} {
		_, block, _ := net.ParseCIDR(cidr)
		value := entries[string(utils.ComputeTrieKey(*block, false))]
		var allowed []string
		for ; len(value) >= triple; value = value[triple:] {
			protocol, first := int(binary.LittleEndian.Uint32(value)), binary.LittleEndian.Uint32(value[4:])
			if protocol != 0 {
				allowed = append(allowed, strings.TrimSuffix(fmt.Sprintf("%s %d", names[protocol], first), " 0"))
			}
		}
		sort.Strings(allowed)
		fmt.Printf("%s %s\n", cidr, strings.Join(allowed, ", "))
	}
}
GO
go mod init example.com/finding >/dev/null 2>&1
go get github.com/aws/aws-network-policy-agent@v1.4.1 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run . | tee output

diff - output <<'EXPECTED'
0.0.0.0/0 UDP 53, all
10.0.0.0/8 nothing
10.20.0.10/32 UDP 53
EXPECTED
