import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { deferModule } from "../../components/runtime.ts";

/**
 * Providers' packages with a folder for each of their services: 266 folders, of which the plan of an EKS cluster uses 10.
 * Each registers the classes that a reference to a resource becomes. Without an engine only resources that the program itself makes
 * are referred to, whose folder it has loaded; an engine's answers may name others. So this is for plans alone.
 */
const PACKAGES = ["@pulumi/aws", "@pulumi/kubernetes"];

/** Has each service of the providers' packages loaded when the program first uses it. */
function deferServices(): void {
  for (const name of PACKAGES) {
    const index = createRequire(import.meta.url).resolve(name);
    const require = createRequire(index);
    // Who imported the whole package has all of it.
    if (require.cache[index] !== undefined) continue;
    const folder = dirname(index);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const service = join(folder, entry.name, "index.js");
      if (entry.isDirectory() && entry.name !== "node_modules" && existsSync(service)) deferModule(require, service);
    }
  }
}

deferServices();
