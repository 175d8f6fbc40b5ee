// Runs a program on Pulumi's mocks and prints what it registers. Copied into the project of the program, whose packages it uses.
import { pathToFileURL } from "node:url";
import * as pulumi from "@pulumi/pulumi";

const [, , program = ""] = process.argv;
const resources: { type: string; name: string; inputs: unknown }[] = [];

await pulumi.runtime.setMocks({
  newResource: ({ type, name, inputs, id }) => {
    resources.push({ type, name, inputs });
    return { id: id ?? `${name}-id`, state: inputs };
  },
  call: ({ inputs }) => inputs,
});
const outputs = await pulumi.runtime.runInPulumiStack(() => import(pathToFileURL(program).href));
process.once("beforeExit", () =>
  process.stdout.write(JSON.stringify({ node: process.versions.node, resources, outputs })),
);
