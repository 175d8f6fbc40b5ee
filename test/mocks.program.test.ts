import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { PROJECT_ROOT } from "../lab/command-line.ts";

/** Imports the program as a caller's test does, with the SDK's mocks, which answer calls with `answer`; writes type and name of each resource. */
const SCRIPT = `import { writeSync } from "node:fs";
  import { runtime } from "@pulumi/pulumi";
  const [config, answer] = process.argv.slice(1).map((text) => JSON.parse(text));
  const mocks = {
    newResource: ({ name, type, inputs }) => {
      writeSync(1, JSON.stringify([type, name]) + "\\n");
      return { id: name + "-id", state: answer ?? inputs };
    },
    call: ({ inputs }) => answer ?? inputs,
  };
  await runtime.setMocks(mocks, "eks-dns-logging", "test");
  runtime.setAllConfig(config);
  await import("./index.ts");`;

function registered(settings: Readonly<Record<string, unknown>>, answer: object | null): string[] {
  const config = Object.entries(settings).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  const given = [{ "aws:region": "eu-central-1", ...Object.fromEntries(config) }, answer];
  const output = execFileSync(
    process.execPath,
    ["--input-type=module", "-e", SCRIPT, ...given.map((value) => JSON.stringify(value))],
    { cwd: PROJECT_ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
  );
  return output.trim().split("\n").sort();
}

describe("The program under the mocks of a caller's test", () => {
  for (const [stack, settings, resource] of [
    ["a new EKS cluster", { cluster: { kind: "eks" } }, ["aws:ec2/subnet:Subnet", "cluster-vpc-private-1"]],
    [
      "an existing EKS cluster",
      { cluster: { kind: "eks-existing", name: "prod" }, logging: { destination: { kind: "cloudwatch" } } },
      ["aws:eks/podIdentityAssociation:PodIdentityAssociation", "logs-identity"],
    ],
    [
      "EKS Auto Mode",
      {
        cluster: { kind: "eks-existing", name: "prod", compute: "auto" },
        logging: { sources: ["pods", "auto-mode"], destination: { kind: "s3" } },
      },
      ["aws:cloudwatch/logDelivery:LogDelivery", "logs-auto-mode-ipam"],
    ],
  ] as const)
    it(`registers the same for ${stack}, whatever calls answer`, () => {
      const echoed = registered(settings, null);
      assert.ok(echoed.includes(JSON.stringify(resource)), echoed.join("\n"));
      assert.deepEqual(registered(settings, {}), echoed);
    });
});
