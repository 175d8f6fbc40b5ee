import { UNKNOWN, type Value } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first, type Sample } from "./samples.ts";
import { GOOD_POD } from "./workloads.ts";

const NODES: Sample = [
  {
    type: "aws:eks/nodeGroup:NodeGroup",
    name: "nodes",
    props: { remoteAccess: { ec2SshKey: "ops", sourceSecurityGroupIds: ["sg-1"] } },
  },
];
const rule = (cidrBlocks: Value, more: Readonly<Record<string, Value>> = {}): Sample => [
  {
    type: "aws:ec2/securityGroup:SecurityGroup",
    name: "nodes",
    props: { ingress: [{ protocol: "tcp", fromPort: 22, toPort: 22, cidrBlocks, ...more }] },
  },
];
const policy = (text: Value): Sample => [{ type: "aws:iam/policy:Policy", name: "logs", props: { policy: text } }];
const DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}';
const CURL = "Pod/ts-team/curl-ts: spec.";

/** What opens a node, a pod or an account to those who should not reach it. */
export const EXPOSURE_CASES: CasesByRule = {
  "cluster-nodes-ssh": {
    good: {
      "SSH from a security group": NODES,
      "a group without SSH": first(NODES, "remoteAccess", undefined),
      "SSH from an office": rule(["203.0.113.0/24"]),
      "the web for everybody": rule(["0.0.0.0/0"], { fromPort: 443, toPort: 443 }),
      "pings from everybody": rule(["0.0.0.0/0"], { protocol: "icmp" }),
    },
    bad: {
      "SSH from wherever": [
        first(NODES, "remoteAccess.sourceSecurityGroupIds", undefined),
        "NodeGroup/nodes: remoteAccess.sourceSecurityGroupIds is not set, so EKS opens port 22 to 0.0.0.0/0",
      ],
      "SSH from every address": [rule(["0.0.0.0/0"]), "SecurityGroup/nodes: ingress[0] is"],
      "SSH to the group that a VPC comes with": [
        rule(["0.0.0.0/0"]).map((one) => ({ ...one, type: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup" })),
        "DefaultSecurityGroup/nodes: ingress[0] is",
      ],
      "SSH from both halves of all addresses": [
        rule(["0.0.0.0/1", "128.0.0.0/1"], { fromPort: 0, toPort: 1024 }),
        "SecurityGroup/nodes: ingress[0] is",
      ],
      "every protocol from every IPv6 address": [
        rule([], { protocol: "-1", ipv6CidrBlocks: ["8000::/1", "::/1"] }),
        "SecurityGroup/nodes: ingress[0] is",
      ],
      "a rule by itself": [
        [
          {
            type: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            name: "ssh",
            props: { ipProtocol: "tcp", fromPort: 22, toPort: 22, cidrIpv4: "0.0.0.0/0" },
          },
        ],
        "SecurityGroupIngressRule/ssh: its configuration is {",
      ],
    },
    unknown: { "unknown addresses": [rule([UNKNOWN]), "SecurityGroup/nodes: ingress[0].cidrBlocks[0] is known only"] },
  },
  "aws-iam-document": {
    good: { "a document": policy(DOCUMENT), "none, which the provider refuses": policy(null) },
    bad: {
      "no JSON": [policy(DOCUMENT.slice(0, -1)), "Policy/logs: policy (value not shown), not a JSON document"],
      "JSON without statements": [policy('{"Version":"2012-10-17"}'), "Policy/logs: policy (value not shown)"],
    },
    unknown: { "an unknown document": [policy(UNKNOWN), "Policy/logs: policy is known only"] },
  },
  "pods-no-host-process": {
    good: { "no host process": GOOD_POD },
    bad: {
      "a host process of the pod": [
        first(GOOD_POD, "spec.securityContext.windowsOptions", { hostProcess: true }),
        `${CURL}securityContext.windowsOptions.hostProcess is true`,
      ],
    },
    unknown: {
      "an unknown switch": [
        first(GOOD_POD, "spec.securityContext.windowsOptions", { hostProcess: UNKNOWN }),
        `${CURL}securityContext.windowsOptions.hostProcess is known only`,
      ],
    },
  },
  "pods-no-host-probes": {
    good: { "a probe of the pod": first(GOOD_POD, "spec.containers.0.livenessProbe", { httpGet: { port: 80 } }) },
    bad: {
      "a probe of another host": [
        first(GOOD_POD, "spec.containers.0.readinessProbe", { tcpSocket: { host: "10.0.0.1", port: 80 } }),
        `${CURL}containers[0].readinessProbe.tcpSocket.host is "10.0.0.1"`,
      ],
      "a hook that calls another host": [
        first(GOOD_POD, "spec.containers.0.lifecycle", { preStop: { httpGet: { host: "metadata", port: 80 } } }),
        `${CURL}containers[0].lifecycle.preStop.httpGet.host is "metadata"`,
      ],
    },
    unknown: {
      "an unknown host": [
        first(GOOD_POD, "spec.containers.0.startupProbe", { httpGet: { host: UNKNOWN, port: 80 } }),
        `${CURL}containers[0].startupProbe.httpGet.host is known only`,
      ],
    },
  },
  "pods-volume-types": {
    good: {
      "what Kustomize takes for its own": first(GOOD_POD, "spec.volumes", [{ name: "key", $patch: "delete" }]),
      "an emptyDir": GOOD_POD,
    },
    bad: {
      "a file server": [
        first(GOOD_POD, "spec.volumes", [{ name: "nfs", nfs: { server: "10.0.0.1", path: "/" } }]),
        `${CURL}volumes[0]: nfs, a type that is not allowed`,
      ],
    },
    unknown: {
      "unknown volumes": [first(GOOD_POD, "spec.volumes", UNKNOWN), `${CURL}volumes is known only`],
    },
  },
};
