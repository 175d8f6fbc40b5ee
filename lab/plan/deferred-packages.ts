import { existsSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { deferModule } from "../../components/runtime.ts";

/**
 * Provider packages with a folder per service: 266 folders, of which a plan of an EKS cluster uses 10. Each folder registers the classes
 * for resource references. Without an engine, references only name resources that the program itself creates, whose folder is loaded; an
 * engine's answers may name others. So this is for plans only.
 */
const PACKAGES = ["@pulumi/aws", "@pulumi/kubernetes"];

/** Loads each service of the provider packages on its first use. */
function deferServices(): void {
  for (const name of PACKAGES) {
    const index = createRequire(import.meta.url).resolve(name);
    const require = createRequire(index);
    // Imports of the whole package get all of it.
    if (require.cache[index] !== undefined) continue;
    const folder = dirname(index);
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const service = join(folder, entry.name, "index.js");
      if (entry.isDirectory() && entry.name !== "node_modules" && existsSync(service)) deferModule(require, service);
    }
  }
}

deferServices();
