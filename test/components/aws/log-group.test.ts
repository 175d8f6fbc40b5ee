import assert from "node:assert/strict";
import { logGroupKeyPolicy } from "../../../components/aws/log-group.ts";

describe("logGroupKeyPolicy", () => {
  const policyIn = (region: string) =>
    logGroupKeyPolicy({ accountId: "111122223333", region, groupName: "/eks-dns-logging/dev/pods", sid: "PodLogs" });

  it("lets the account and CloudWatch Logs use the key, the latter for one log group", () => {
    const { Statement } = JSON.parse(policyIn("eu-central-1"));
    assert.deepEqual(Statement[0].Principal, { AWS: "arn:aws:iam::111122223333:root" });
    assert.deepEqual(Statement[1].Principal, { Service: "logs.eu-central-1.amazonaws.com" });
    assert.deepEqual(Statement[1].Condition, {
      ArnEquals: {
        "kms:EncryptionContext:aws:logs:arn":
          "arn:aws:logs:eu-central-1:111122223333:log-group:/eks-dns-logging/dev/pods",
      },
    });
  });

  it("uses the service name and ARNs of the partition in China", () => {
    assert.match(policyIn("cn-north-1"), /"Service":"logs\.cn-north-1\.amazonaws\.com\.cn"/);
    assert.match(policyIn("cn-north-1"), /"arn:aws-cn:logs:cn-north-1:111122223333:log-group:/);
  });
});
