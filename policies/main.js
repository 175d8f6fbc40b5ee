// Pulumi compiles a policy pack's TypeScript by a compiler of its own, which refuses imports that end in .ts. Node itself runs
// them, so the pack's entry is JavaScript. See https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/cmd/run-policy-pack/run.ts
import "./index.ts";
