#!/usr/bin/env bash
# Amazon VPC CNI: the limit of 24 ports holds for an address and all NetworkPolicy rules together, and what is above it is left out without an error.
#
# Package: github.com/aws/aws-network-policy-agent v1.4.1 (Go module), the agent that enforces NetworkPolicies on EKS
# Behavior: AWS documents at most 24 combinations of ports for each protocol in each ingress or egress selector. The agent's map entry for an
#   address has room for 24 combinations of protocol and port, into which go those of every rule for it, and of rules for larger blocks around it.
#   The others are left out, which only the agent's log says, in the order of a Go map: other ones each time.
# Output seen (2026-12-01): 20 TCP and 20 UDP ports of one rule: 24 enforced; two rules of 20 and 10 ports: 24; 20 ports of 10.0.0.0/8 and 10 of
#   10.1.0.0/16 within it: 24 for the latter; TCP and UDP 53 beside 24 other ports: DNS is kept in some of 200 computations only
# Source: https://github.com/aws/aws-network-policy-agent/blob/v1.4.1/pkg/utils/utils.go (ComputeTrieValue),
#   https://github.com/aws/aws-network-policy-agent/blob/v1.4.1/pkg/fwruleprocessor/fw_rule_processor.go (mergeDuplicateL4Info), against
#   https://docs.aws.amazon.com/eks/latest/userguide/cni-network-policy.html (Considerations)
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

	"github.com/aws/aws-network-policy-agent/api/v1alpha1"
	"github.com/aws/aws-network-policy-agent/pkg/fwruleprocessor"
	"github.com/aws/aws-network-policy-agent/pkg/utils"
	corev1 "k8s.io/api/core/v1"
)

// An entry has triples of protocol, first and last port.
const triple = 12

func ports(protocol corev1.Protocol, first, count int32) []v1alpha1.Port {
	var list []v1alpha1.Port
	for port := first; port < first+count; port++ {
		number := port
		list = append(list, v1alpha1.Port{Protocol: &protocol, Port: &number})
	}
	return list
}

func rule(cidr v1alpha1.NetworkAddress, lists ...[]v1alpha1.Port) fwruleprocessor.EbpfFirewallRules {
	var all []v1alpha1.Port
	for _, list := range lists {
		all = append(all, list...)
	}
	return fwruleprocessor.EbpfFirewallRules{IPCidr: cidr, L4Info: all}
}

// Combinations in the entry of a block, and whether UDP 53 is one.
func enforced(cidr string, rules ...fwruleprocessor.EbpfFirewallRules) (count int, dns bool) {
	processor := fwruleprocessor.NewFirewallRuleProcessor("192.0.2.1", "/32", false)
	entries, err := processor.ComputeMapEntriesFromEndpointRules(rules)
	if err != nil {
		panic(err)
	}
	_, block, _ := net.ParseCIDR(cidr)
	for value := entries[string(utils.ComputeTrieKey(*block, false))]; len(value) >= triple; value = value[triple:] {
		protocol, first := binary.LittleEndian.Uint32(value), binary.LittleEndian.Uint32(value[4:])
		if protocol != 0 {
			count++
		}
		dns = dns || protocol == 17 && first == 53
	}
	return count, dns
}

func main() {
	tcp, udp := corev1.ProtocolTCP, corev1.ProtocolUDP
	one, _ := enforced("10.0.0.0/8", rule("10.0.0.0/8", ports(tcp, 8000, 20), ports(udp, 8000, 20)))
	two, _ := enforced("10.0.0.0/8", rule("10.0.0.0/8", ports(tcp, 8000, 20)), rule("10.0.0.0/8", ports(tcp, 9000, 10)))
	inner, _ := enforced("10.1.0.0/16", rule("10.0.0.0/8", ports(tcp, 8000, 20)), rule("10.1.0.0/16", ports(tcp, 9000, 10)))
	fmt.Println(one, two, inner)
	kept := 0
	for range 200 {
		if _, dns := enforced("10.0.0.0/8", rule("10.0.0.0/8", ports(tcp, 8000, 24)), rule("10.0.0.0/8", ports(udp, 53, 1), ports(tcp, 53, 1))); dns {
			kept++
		}
	}
	fmt.Println("DNS in some:", 0 < kept && kept < 200)
}
GO
go mod init example.com/finding >/dev/null 2>&1
go get github.com/aws/aws-network-policy-agent@v1.4.1 >/dev/null 2>&1
go mod tidy >/dev/null 2>&1
go run . 2>/dev/null | tee output

diff - output <<'EXPECTED'
24 24 24
DNS in some: true
EXPECTED
