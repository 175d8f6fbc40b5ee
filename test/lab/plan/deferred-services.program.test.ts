import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../../lab/command-line.ts";

describe("the services of the providers' packages", () => {
  /** What a process of its own prints, as other tests have loaded the packages already. */
  function printed(script: string): unknown {
    const options = { cwd: PROJECT_ROOT, encoding: "utf8" } as const;
    return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", script], options));
  }
  const MODULE = JSON.stringify(join(PROJECT_ROOT, "lab", "plan", "plan.ts"));
  const LOADED = `const { cache } = (await import("node:module")).createRequire(import.meta.url);
    const loaded = (folder) => Object.values(cache).filter(({ filename, children }) =>
      filename.includes(folder) && children.length > 0).length;`;

  it("load when a member is read, each on its own", () => {
    const script = `await import(${MODULE});
      const aws = await import("@pulumi/aws");
      const kubernetes = await import("@pulumi/kubernetes");
      ${LOADED}
      const counts = () => ["aws/sqs/", "aws/s3/", "kubernetes/apps/v1/", "kubernetes/helm/"].map((at) => loaded(at) > 0);
      const before = counts();
      const names = [aws.sqs.Queue.name, kubernetes.apps.v1.Deployment.name, "Bucket" in aws.s3, Object.keys(aws.s3).includes("Bucket")];
      console.log(JSON.stringify([before, names, counts()]));`;
    assert.deepEqual(printed(script), [
      [false, false, false, false],
      ["Queue", "Deployment", true, true],
      [true, true, true, false],
    ]);
  });

  it("register the classes that references to resources become", () => {
    const script = `await import(${MODULE});
      const aws = await import("@pulumi/aws");
      const { getResourceModule } = (await import("@pulumi/pulumi/runtime/rpc.js")).default;
      const found = () => getResourceModule("aws", "sqs/queue", "7.48.0") !== undefined;
      const before = found();
      console.log(JSON.stringify([before, typeof aws.sqs.Queue, found()]));`;
    assert.deepEqual(printed(script), [false, "function", true]);
  });

  it("are complete for code that imported the whole package before", () => {
    const script = `const aws = await import("@pulumi/aws");
      const { Queue } = aws.sqs;
      await import(${MODULE});
      ${LOADED}
      const whole = (await import("@pulumi/aws/sqs/index.js")).Queue;
      console.log(JSON.stringify([whole === Queue, loaded("aws/xray/") > 0]));`;
    assert.deepEqual(printed(script), [true, true]);
  });
});
