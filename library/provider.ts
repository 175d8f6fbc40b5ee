import "../components/runtime.ts";

import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { ComponentProvider } from "./component-provider.ts";

const schema = readFileSync(new URL("./schema.json", import.meta.url), "utf8");
await pulumi.provider.main(new ComponentProvider(schema), process.argv.slice(2));
