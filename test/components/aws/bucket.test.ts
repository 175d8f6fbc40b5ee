import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { planStack } from "../../../lab/plan/plan.ts";
import { find } from "../../support/find.ts";

const TEAM = "t".repeat(58);
const FORMER = `${"t".repeat(57)}s`;

/** A stack in AWS GovCloud (US), whose ARNs are the longest, with a place for each team. */
const config = (logging: object, teams: readonly string[], cluster: object = {}) => ({
  "aws:region": "us-gov-west-1",
  "eks-dns-logging:cluster": JSON.stringify({
    kind: "eks-existing",
    name: "prod",
    kubernetesVersion: "1.36",
    ...cluster,
  }),
  "eks-dns-logging:dns": "false",
  "eks-dns-logging:teams": JSON.stringify(teams.map((name) => ({ name }))),
  "eks-dns-logging:logging": JSON.stringify({ index: { splitBy: "team" }, ...logging }),
});
const plan = async (...given: Parameters<typeof config>) =>
  (await planStack({ name: "prod", config: config(...given) })).resources;

/** Ids of the rules for teams that keep their lines for one day. */
async function rulesOf(prefix: string, teams: readonly string[], sources: readonly string[] = ["pods"]) {
  const shorter = Object.fromEntries(teams.map((team) => [team, { retentionDays: 1 }]));
  const destination = { kind: "s3", bucket: "acme-logs", prefix, teams: shorter };
  const compute = sources.includes("auto-mode") ? "auto" : "managed";
  const resources = await plan({ destination, sources }, teams, { compute });
  const lifecycle = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration";
  const { rules } = JSON.parse(JSON.stringify(find(resources, lifecycle, "logs-bucket").inputs));
  return rules.map(({ id }: { id: string }) => id);
}

describe("a bucket for logs", () => {
  it("has retention rules named by their keys", async () => {
    assert.deepEqual(await rulesOf("logs", ["sa", "ts"]), ["retention", "retention-logs/sa", "retention-logs/ts"]);
  });

  it("has rules whose ids S3 accepts, and which differ, however long the prefix is", async () => {
    const ids = await rulesOf("p".repeat(400), [FORMER, TEAM]);
    const start = `retention-${"p".repeat(236)}`;
    assert.deepEqual(
      ids.map((id: string) => [id.length, id.startsWith(start)]),
      [
        [9, false],
        [255, true],
        [255, true],
      ],
    );
    assert.equal(new Set(ids).size, 3);
  });

  it("is created in its account's regional namespace by a name that S3 reserves for that, and in no other region", async () => {
    const namespaceOf = async (destination: object, name: string) => {
      const resources = await plan({ destination: { kind: "s3", ...destination }, index: {} }, []);
      const { bucket, bucketNamespace } = find(resources, "aws:s3/bucket:Bucket", name).inputs;
      return [bucket, bucketNamespace];
    };
    const own = "acme-logs-111122223333-us-gov-west-1-an";
    assert.deepEqual(await namespaceOf({ bucket: own }, "logs-bucket"), [own, "account-regional"]);
    assert.deepEqual(await namespaceOf({ bucket: "acme-logs" }, "logs-bucket"), ["acme-logs", undefined]);
    assert.deepEqual(await namespaceOf({}, "logs-bucket"), ["prod-logs-us-gov-west-1", undefined]);
    const wanted = "must be NAME-ACCOUNT-us-gov-west-1-an, such as logs-111122223333-us-gov-west-1-an";
    for (const bucket of ["acme-an", "acme-111122223333-eu-central-1-an", "acme-1111-us-gov-west-1-an"])
      assert.throws(
        () => parseSettings(config({ destination: { kind: "s3", bucket }, index: {} }, [])),
        new RegExp(`logging\\.destination\\.bucket: ${wanted}, or not end in -an, .*\\(found "${bucket}"\\)`),
      );
    parseSettings(config({ destination: { kind: "s3", bucket: "acme-an", existing: true }, index: {} }, []));
    assert.throws(
      () => parseSettings(config({ destinations: { an: { kind: "s3" } }, index: {} }, [])),
      /destinations\.an\.bucket: must be set, since prod-logs-us-gov-west-1-an, made of the cluster's name and region, is not a valid bucket name/,
    );
  });

  it("has rules with different ids for a team named deliveries and for AWS's deliveries", async () => {
    assert.deepEqual(await rulesOf("", ["deliveries"], ["pods", "auto-mode"]), [
      "retention",
      "retention-deliveries",
      "retention-AWSLogs",
    ]);
  });

  it("has no prefix with which keys, or the policy of a team's readers, would be too long", async () => {
    const destination = (prefix: string) => ({ kind: "s3", bucket: "acme-logs", prefix });
    assert.throws(
      () => parseSettings(config({ destination: destination("p".repeat(401)) }, ["ts"])),
      /logging\.destination\.prefix: must have at most 400 characters, since S3 allows 1024 in a key/,
    );
    const kmsKeyArn = `arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-${"0".repeat(32)}`;
    const names = ["a", "b", "c", "d"].map((end) => "n".repeat(19) + end);
    const destinations = Object.fromEntries(
      names.map((name) => [
        name,
        { ...destination("p".repeat(400)), bucket: `${"b".repeat(43)}${name}`, existing: true, kmsKeyArn },
      ]),
    );
    const routes = [{ to: names }];
    const resources = await plan({ destinations, routes, buffer: { size: "1Gi" } }, [TEAM]);
    const { policy } = find(resources, "aws:iam/policy:Policy", `logs-readers.${TEAM}`).inputs;
    const { length } = String(policy);
    assert.ok(length > 5500 && length <= 6144, `${length} characters`);
  });
});
