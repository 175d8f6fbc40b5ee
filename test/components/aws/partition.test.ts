import assert from "node:assert/strict";
import { endpointService, partitionOf } from "../../../components/aws/partition.ts";

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

describe("endpointService", () => {
  for (const [region, service, name] of [
    ["eu-central-1", "ecr.api", "com.amazonaws.eu-central-1.ecr.api"],
    ["us-gov-west-1", "sts", "com.amazonaws.us-gov-west-1.sts"],
    ["cn-north-1", "ecr.api", "cn.com.amazonaws.cn-north-1.ecr.api"],
    ["cn-northwest-1", "sts", "cn.com.amazonaws.cn-northwest-1.sts"],
    ["cn-north-1", "s3", "com.amazonaws.cn-north-1.s3"],
    ["cn-north-1", "logs", "com.amazonaws.cn-north-1.logs"],
  ] as const) {
    it(`of ${service} in ${region} is ${name}`, () => assert.equal(endpointService(region, service), name));
  }
});
