import assert from "node:assert/strict";
import { ClusterSettings, checkCluster } from "../../../components/cluster/settings.ts";

const check = (settings: object, region: string | undefined) => checkCluster(ClusterSettings.parse(settings), region);

describe("checkCluster", () => {
  it("finds nothing wrong with zones and principals of the region", () => {
    const settings = {
      kind: "eks",
      vpc: { zones: ["eu-central-1a", "eu-central-1b"] },
      accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/ops", groups: ["ops"] }],
    };
    assert.deepEqual(check(settings, "eu-central-1"), []);
    assert.deepEqual(check({ kind: "eks" }, "eu-central-1"), []);
    assert.deepEqual(check({ kind: "existing" }, undefined), []);
  });

  it("names zones of another region and principals of another partition", () => {
    const settings = {
      kind: "eks",
      vpc: { zones: ["cn-north-1a", "eu-central-1b"] },
      accessEntries: [{ principalArn: "arn:aws:iam::111122223333:role/ops", groups: ["ops"] }],
    };
    assert.deepEqual(check(settings, "cn-north-1"), [
      {
        path: ["vpc", "zones", 1],
        message: "must be an availability zone of aws:region, such as cn-north-1a",
        value: "eu-central-1b",
      },
      {
        path: ["accessEntries", 0, "principalArn"],
        message: "must start with arn:aws-cn:, the partition of cn-north-1",
        value: "arn:aws:iam::111122223333:role/ops",
      },
    ]);
  });

  it("leaves a missing region to others", () => {
    assert.deepEqual(check({ kind: "eks", vpc: { zones: ["cn-north-1a", "eu-central-1b"] } }, undefined), []);
  });
});
