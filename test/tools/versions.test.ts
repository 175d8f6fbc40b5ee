import assert from "node:assert/strict";
import { copyFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import type { Aws } from "../../lab/process.ts";
import { refresh } from "../../tools/versions/index.ts";

const SCHEMA = JSON.stringify({ type: "object", properties: { corefile: { type: "string" } } });
const TODAY = "2027-02-03";

const CLUSTERS: readonly object[] = [
  { clusterVersion: "1.35", versionStatus: "EXTENDED_SUPPORT", endOfStandardSupportDate: "2027-01-27T00:00:00Z" },
  { clusterVersion: "1.36", versionStatus: "STANDARD_SUPPORT", endOfStandardSupportDate: 1817164800 },
  { clusterVersion: "1.37", versionStatus: "STANDARD_SUPPORT", endOfStandardSupportDate: "2027-12-01T00:00:00+00:00" },
];

const TO_DO = [
  "to do: node tools/coredns/release-data.ts 1.16.0",
  "to do: add 1.37 to KUBERNETES_VERSIONS in components/cluster/eks-settings.ts",
];

/** EKS as it may be one day: 1.37 with a new CoreDNS. */
function eks(clusters: readonly object[] = CLUSTERS): Aws {
  return async (args) => {
    const [, operation, , name = "", , version = ""] = args;
    if (operation === "describe-cluster-versions") return JSON.stringify({ clusterVersions: clusters });
    if (operation === "describe-addon-configuration") return JSON.stringify({ configurationSchema: SCHEMA });
    const own = name === "coredns" && version === "1.37" ? "v1.16.0" : name === "coredns" ? "v1.14.3" : `v${version}.1`;
    const compatible = (defaultVersion: boolean) => [
      { clusterVersion: "1.35", defaultVersion: !defaultVersion },
      { clusterVersion: version, defaultVersion },
    ];
    const addonVersions = [
      { addonVersion: `${own}-eksbuild.99`, compatibilities: compatible(false) },
      { addonVersion: `${own}-eksbuild.50`, compatibilities: compatible(true) },
    ];
    return JSON.stringify({ addons: [{ addonName: name, addonVersions }] });
  };
}

const withoutAddons: Aws = async (args) =>
  args[1] === "describe-addon-versions" ? JSON.stringify({ addons: [] }) : eks()(args);

describe("npm run versions", () => {
  let folder: string;
  let files: { readonly versionsFile: URL; readonly schemasFile: URL };

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "versions-"));
    const versions = join(folder, "versions.json");
    await copyFile(join(PROJECT_ROOT, "corefile/addon/eks-versions.json"), versions);
    await writeFile(join(folder, "schemas.json"), "{}\n");
    files = { versionsFile: pathToFileURL(versions), schemasFile: pathToFileURL(join(folder, "schemas.json")) };
  });

  afterEach(() => rm(folder, { recursive: true }));

  const written = async () => JSON.parse(await readFile(files.versionsFile, "utf8"));

  it("writes ends of support, EKS's defaults and their schemas, with day and source", async () => {
    const changes = await refresh({ ...files, aws: eks(), today: TODAY });
    const data = await written();
    assert.equal(data.lookedUp, TODAY);
    assert.equal(data.sources.support, "aws eks describe-cluster-versions");
    assert.match(data.sources.coredns, /^aws eks describe-addon-versions --addon-name coredns /);
    assert.deepEqual(Object.keys(data.versions).slice(-3), ["1.35", "1.36", "1.37"]);
    assert.equal(data.versions["1.35"].standardSupportEnds, "2027-01-27");
    assert.equal(data.versions["1.36"].standardSupportEnds, "2027-08-02");
    assert.deepEqual(data.versions["1.37"], {
      standardSupportEnds: "2027-12-01",
      addons: {
        coredns: "v1.16.0-eksbuild.50",
        "vpc-cni": "v1.37.1-eksbuild.50",
        "kube-proxy": "v1.37.1-eksbuild.50",
        "eks-pod-identity-agent": "v1.37.1-eksbuild.50",
      },
    });
    // What EKS is not asked for stays as it was.
    assert.equal(data.versions["1.35"].addons.coredns, "v1.13.2-eksbuild.31");
    assert.equal(data.versions["1.30"].standardSupportEnds, "2025-07-23");
    const schemas = JSON.parse(await readFile(files.schemasFile, "utf8"));
    assert.deepEqual(Object.keys(schemas), ["v1.14.3-eksbuild.50", "v1.16.0-eksbuild.50"]);
    assert.equal(schemas["v1.16.0-eksbuild.50"].lookedUp, "2027-02");
    assert.ok(changes.includes("1.36: coredns v1.14.3-eksbuild.50 (was v1.14.3-eksbuild.23)"), changes.join("\n"));
    assert.ok(changes.includes("1.37: standard support ends on 2027-12-01 (was not known)"));
    assert.ok(changes.includes("schema of coredns v1.16.0-eksbuild.50: new"));
    assert.deepEqual(changes.slice(-2), TO_DO);
  });

  it("records the answers, and reproduces the data from them", async () => {
    const save = join(folder, "answers.json");
    await refresh({ ...files, aws: eks(), today: TODAY, region: "eu-west-1", save });
    const first = await written();
    assert.doesNotMatch(await readFile(save, "utf8"), /eu-west-1/);
    const again = await refresh({
      ...files,
      from: save,
      today: "2029-01-01",
      aws: () => assert.fail("EKS was asked"),
    });
    assert.deepEqual(await written(), first);
    assert.deepEqual(again, TO_DO);
  });

  for (const [what, options, message] of [
    [
      "no CLI",
      { aws: () => Promise.reject(Object.assign(new Error(), { code: "ENOENT" })) },
      /^aws is not on the PATH.*eks:DescribeClusterVersions$/,
    ],
    [
      "an answer of another form",
      { aws: async () => "[]" },
      /^aws eks describe-cluster-versions: the answer does not have the form in EKS's API reference$/,
    ],
    ["no supported version", { aws: eks(CLUSTERS.slice(0, 1)) }, /names no version in standard support$/],
    ["no default", { aws: withoutAddons }, /names no default of/],
    [
      "a date that is none",
      { aws: eks([{ clusterVersion: "1.36", endOfStandardSupportDate: "soon" }]) },
      /"soon" is not a date$/,
    ],
    ["no such file", { from: "/nowhere/answers.json" }, /^no file \/nowhere/],
    [
      "older answers",
      { aws: eks(), today: "2026-01-01" },
      /^the answers of 2026-01-01 are older than the data, which is of \d{4}-\d\d-\d\d$/,
    ],
  ] as const)
    it(`writes nothing and says why: ${what}`, async () => {
      const before = await written();
      await assert.rejects(refresh({ ...files, today: TODAY, ...options }), { name: "Failure", message });
      assert.deepEqual(await written(), before);
      assert.equal(await readFile(files.schemasFile, "utf8"), "{}\n");
    });

  it("names the command whose answer the file lacks", async () => {
    const from = join(folder, "some.json");
    const answers = [{ command: "aws eks describe-cluster-versions", output: { clusterVersions: CLUSTERS } }];
    await writeFile(from, JSON.stringify({ lookedUp: TODAY, answers }));
    await assert.rejects(refresh({ ...files, from, today: TODAY }), {
      message:
        /some\.json has no answer of: aws eks describe-addon-versions --addon-name coredns --kubernetes-version 1\.36$/,
    });
    await writeFile(from, JSON.stringify({ answers }));
    await assert.rejects(refresh({ ...files, from, today: TODAY }), { message: /must be \{"lookedUp": "YYYY-MM-DD"/ });
  });
});
