import module from "node:module";

// Pulumi compiles a policy pack's TypeScript by a compiler of its own, which refuses imports that end in .ts. Node itself runs
// them, so the pack's entry is JavaScript. See https://github.com/pulumi/pulumi/blob/master/sdk/nodejs/cmd/run-policy-pack/run.ts
if (!process.features.typescript)
  throw new Error(
    `this policy pack needs a Node that runs TypeScript, 22.18 or newer, first on the PATH; this is ${process.version}`,
  );

// Most of what the pack costs a preview of a small stack is loading its modules. Compiled code is kept for the next run, and Pulumi's
// serializer of functions, which no policy uses, does without the npm client that it finds packages with.
module.enableCompileCache();
const CLIENT = "@npmcli/arborist";
module.registerHooks({
  resolve: (specifier, context, next) =>
    specifier === CLIENT && context.parentURL?.includes("/@pulumi/pulumi/runtime/closure/")
      ? { url: `unused:${CLIENT}`, format: "commonjs", shortCircuit: true }
      : next(specifier, context),
  load: (url, context, next) =>
    url === `unused:${CLIENT}` ? { format: "commonjs", source: "", shortCircuit: true } : next(url, context),
});

// By import(), since an import at the top would fail before anything is said. Pulumi waits for the port that the pack prints.
import("./index.ts").then(() => module.flushCompileCache());
