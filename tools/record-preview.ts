import { readFileSync } from "node:fs";
import * as z from "zod";

/**
 * Records what Pulumi's engine shows the policy pack in a preview, for the tests in `test/policies/recorded`, one line per resource:
 *
 *     PULUMI_DEBUG_GRPC=calls.json pulumi preview --stack dev --policy-pack policies
 *     node tools/record-preview.ts calls.json > test/policies/recorded/dev.jsonl
 *
 * Secrets and the number of the AWS account are left out.
 */
const SECRET_MARK = "4dabf18193072939515e22adb298388d";
const REDACTED = "[secret]";
const ACCOUNT = "123456789012";
/** The engine's placeholder for a value known only after deployment. */
const UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const GROUP = z.record(z.string(), z.unknown());
const CALL = z.object({ method: z.string(), request: GROUP.nullish(), response: z.unknown().optional() });
const RESOURCE = z.object({
  urn: z.string(),
  type: z.string(),
  name: z.string(),
  properties: GROUP.default({}),
  provider: z.object({ properties: GROUP.default({}) }).optional(),
});
const AT_THE_END = z.object({
  urn: z.string(),
  dependencies: z.array(z.string()).default([]),
  propertyDependencies: z.record(z.string(), z.object({ urns: z.array(z.string()).default([]) })).default({}),
});

function isSecret(value: unknown): value is { readonly value?: unknown } {
  return typeof value === "object" && value !== null && SECRET_MARK in value;
}

function withoutSecrets(value: unknown): unknown {
  if (isSecret(value)) return value.value === UNKNOWN_TEXT ? UNKNOWN_TEXT : REDACTED;
  if (typeof value === "string") return value.replaceAll(/(?<![\w-])\d{12}(?![\w-])/g, ACCOUNT);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutSecrets(inner)]));
}

function recorded(file: string): object[] {
  const calls = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line.includes("/pulumirpc.Analyzer/"))
    .map((line) => CALL.parse(JSON.parse(line)))
    // A call is logged when it starts, and again with its response.
    .filter(({ response }) => response !== undefined && response !== null);
  const requests = (name: string) =>
    calls.filter(({ method }) => method === `/pulumirpc.Analyzer/${name}`).map(({ request }) => request);
  const [{ resources = [] } = {}] = z
    .array(z.object({ resources: z.array(AT_THE_END) }))
    .parse(requests("AnalyzeStack"));
  const atTheEnd = new Map(resources.map((resource) => [resource.urn, resource]));
  return z
    .array(RESOURCE)
    .parse(requests("Analyze"))
    .map(({ urn, type, name, properties, provider }) => {
      const { dependencies = [], propertyDependencies = {} } = atTheEnd.get(urn) ?? {};
      const byProperty = Object.entries(propertyDependencies).map(([key, { urns }]) => [key, urns] as const);
      return {
        urn,
        type,
        name,
        props: withoutSecrets(properties),
        provider: withoutSecrets(provider?.properties ?? {}),
        dependsOn: dependencies,
        propertyDependencies: Object.fromEntries(byProperty.filter(([, urns]) => urns.length > 0)),
        secrets: Object.keys(properties).filter((key) => isSecret(properties[key])),
      };
    });
}

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("usage: node tools/record-preview.ts CALLS");
for (const resource of recorded(file)) process.stdout.write(`${JSON.stringify(resource)}\n`);
