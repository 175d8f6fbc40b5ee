import assert from "node:assert/strict";
import { partitionOf } from "../../../components/aws/partition.ts";

describe("partitionOf", () => {
  for (const [region, id, dnsSuffix] of [
    ["eu-central-1", "aws", "amazonaws.com"],
    ["us-east-1", "aws", "amazonaws.com"],
    ["us-gov-west-1", "aws-us-gov", "amazonaws.com"],
    ["cn-northwest-1", "aws-cn", "amazonaws.com.cn"],
    ["us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"],
    ["eusc-de-east-1", "aws-eusc", "amazonaws.eu"],
  ] as const) {
    it(`of ${region} is ${id}`, () => {
      const partition = partitionOf(region);
      assert.equal(partition.id, id);
      assert.equal(partition.dnsSuffix, dnsSuffix);
    });
  }
});
