import assert from "node:assert/strict";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describeCluster } from "../../../lab/adopt/aws-cluster.ts";

const CLUSTER = {
  cluster: { kubernetesNetworkConfig: { serviceIpv4Cidr: "10.100.0.0/16" }, computeConfig: { enabled: true } },
};

describe("AWS's description of a cluster", () => {
  const original = process.env.PATH;
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "aws-"));
  });
  after(() => rm(folder, { recursive: true }));
  afterEach(() => {
    process.env.PATH = original;
  });

  /** Puts a program in the place of the AWS CLI. */
  async function cli(script: string): Promise<void> {
    await writeFile(join(folder, "aws"), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, "aws"), 0o755);
    process.env.PATH = [folder, original].join(delimiter);
  }

  it("is its network, its compute, and whether CoreDNS is an add-on", async () => {
    const addon = { addon: { addonVersion: "v1.13.2-eksbuild.31" } };
    // Version 1 of the CLI refuses options that only version 2 has.
    await cli(`case "$*" in *pager*) echo "Unknown options" >&2; exit 2;; esac
[ "$AWS_PAGER" = "" ] || exit 2
echo '${JSON.stringify({ ...CLUSTER, ...addon })}'`);
    process.env.AWS_PAGER = "less";
    assert.deepEqual(await describeCluster("prod", "eu-central-1"), {
      serviceCidr: "10.100.0.0/16",
      isAutoMode: true,
      hasCoreDnsAddon: true,
      coreDnsVersion: "v1.13.2-eksbuild.31",
    });
    delete process.env.AWS_PAGER;
    const missing = "An error occurred (ResourceNotFoundException) when calling the DescribeAddon operation: none";
    await cli(`case $2 in describe-cluster) echo '{"cluster":{}}';; *) echo '${missing}' >&2; exit 254;; esac`);
    assert.deepEqual(await describeCluster("prod", "eu-central-1"), {
      serviceCidr: undefined,
      isAutoMode: false,
      hasCoreDnsAddon: false,
    });
  });

  it("is unknown without credentials or without the CLI, with the reason", async () => {
    await cli(
      `printf '\\n%s\\n' 'Unable to locate credentials. You can configure credentials by running "aws configure".' >&2; exit 253`,
    );
    assert.equal(
      await describeCluster("prod", "eu-central-1"),
      'aws eks describe-cluster: Unable to locate credentials. You can configure credentials by running "aws configure"',
    );
    process.env.PATH = join(folder, "nothing");
    assert.equal(await describeCluster("prod", "eu-central-1"), "the AWS CLI is not installed");
  });
});
