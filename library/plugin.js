import { existsSync } from "node:fs";

// A checkout runs its sources, which Node 22.18 and newer do. Node strips no types under node_modules: the published package is compiled.
const source = new URL("./provider.ts", import.meta.url);
const compiled = new URL("./dist/library/provider.js", import.meta.url);
// By import(), since Pulumi loads this file by require(), which takes no top-level await.
import(existsSync(source) ? source.href : compiled.href);
