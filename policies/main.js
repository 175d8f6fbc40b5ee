// Pulumi compiles a policy pack's TypeScript by a compiler of its own, which refuses imports that end in .ts. Node itself runs
// them, so the pack's entry is JavaScript. See https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/cmd/run-policy-pack/run.ts
if (!process.features.typescript)
  throw new Error(
    `this policy pack needs a Node that runs TypeScript, 22.18 or newer, first on the PATH; this is ${process.version}`,
  );
// By import(), since an import at the top would fail before anything is said. Pulumi waits for the port that the pack prints.
import("./index.ts");
