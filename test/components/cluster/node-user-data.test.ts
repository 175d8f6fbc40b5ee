import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { nodeUserData } from "../../../components/cluster/eks/node-group-settings.ts";
import { ClusterSettings } from "../../../components/cluster/settings.ts";
import { find } from "../../support/find.ts";
import { issuesIn } from "../../support/issues.ts";
import { recordCluster, standardCluster } from "./recorded.ts";

const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";

/** The parts of a MIME message, each with its content type. */
function partsOf(message: string): [string, string][] {
  const boundary = /^MIME-Version: 1\.0\nContent-Type: multipart\/mixed; boundary="([^"]+)"\n\n/.exec(message)?.[1];
  assert.ok(boundary !== undefined, message);
  assert.ok(message.endsWith(`\n--${boundary}--\n`), message);
  const parts = message.split(`--${boundary}\n`).slice(1);
  return parts.map((part) => {
    const [head = "", ...body] = part.replace(`--${boundary}--\n`, "").split("\n\n");
    return [head.replace("Content-Type: ", ""), body.join("\n\n")];
  });
}

describe("a node's user data", () => {
  it("is omitted if the settings need none, so that no node is replaced for it", async () => {
    const { resources } = await standardCluster();
    assert.equal("userData" in find(resources, TEMPLATE, "cluster-nodes-default").inputs, false);
  });

  it("tells nodeadm how the kubelet rotates logs, and nothing else", async () => {
    const { resources } = await recordCluster({
      kind: "eks",
      nodeGroups: [{ name: "default", containerLogs: { maxSize: "50Mi", maxFiles: 4 } }],
    });
    const { inputs } = find(resources, TEMPLATE, "cluster-nodes-default");
    const [part, ...others] = partsOf(Buffer.from(z.string().parse(inputs.userData), "base64").toString());
    assert.deepEqual(others, []);
    assert.equal(part?.[0], "application/node.eks.aws");
    assert.deepEqual(parse(part?.[1] ?? ""), {
      apiVersion: "node.eks.aws/v1alpha1",
      kind: "NodeConfig",
      spec: { kubelet: { config: { containerLogMaxSize: "50Mi", containerLogMaxFiles: 4 } } },
    });
  });

  it("names only what is set", () => {
    const [part] = partsOf(nodeUserData({ containerLogs: { maxFiles: 3 } }) ?? "");
    assert.deepEqual(parse(part?.[1] ?? "").spec, { kubelet: { config: { containerLogMaxFiles: 3 } } });
  });
});

describe("containerLogs", () => {
  const wrong = (containerLogs: unknown, diskSize = 20) =>
    issuesIn(ClusterSettings, { kind: "eks", nodeGroups: [{ name: "default", diskSize, containerLogs }] });

  it("may fill the disk and no more", () => {
    assert.deepEqual(wrong({ maxSize: "4Gi", maxFiles: 5 }), []);
    assert.deepEqual(wrong({ maxSize: "4Gi", maxFiles: 6 }), [
      "nodeGroups[0]: containerLogs (6 files of 4Gi) must fit on the node's disk, diskSize (20Gi)",
    ]);
    assert.deepEqual(wrong({ maxSize: "5Gi" }), [
      "nodeGroups[0]: containerLogs (5 files of 5Gi) must fit on the node's disk, diskSize (20Gi)",
    ]);
    assert.deepEqual(wrong({ maxSize: "4Gi", maxFiles: 6 }, 24), []);
  });

  it("are rejected if the kubelet would not start with them", () => {
    assert.deepEqual(wrong({ maxFiles: 1 }), [
      "nodeGroups[0].containerLogs.maxFiles: must be an integer from 2 to 100",
    ]);
    assert.deepEqual(wrong({ maxSize: "0" }), ["nodeGroups[0].containerLogs.maxSize: must be at least 1Mi"]);
    assert.deepEqual(wrong({ maxSize: "1023Ki" }), ["nodeGroups[0].containerLogs.maxSize: must be at least 1Mi"]);
    assert.deepEqual(wrong({ maxSize: "1Mi" }), []);
    assert.deepEqual(wrong({ maxSize: "10MB" }), [
      "nodeGroups[0].containerLogs.maxSize: must be a quoted quantity of bytes, such as '128Mi' or '2Gi'",
    ]);
    assert.deepEqual(wrong(null).length, 1);
  });
});
