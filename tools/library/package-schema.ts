import { readFileSync } from "node:fs";
import { join } from "node:path";
import { API, type Checker, SignatureKind, type Symbol as TypeSymbol } from "typescript-native/unstable/sync";
import { z } from "zod";
import { DnsSettings } from "../../components/dns/settings.ts";
import { MonitoringSettings } from "../../components/monitoring/settings.ts";
import { TeamSettings } from "../../components/team/settings.ts";
import { PROJECT_ROOT } from "../../lab/command-line.ts";
import { type Descriptions, partsOf, TypeReader } from "./type-reader.ts";

export const PACKAGE_SCHEMA_FILE = "library/schema.json";
const PACKAGE = "eks-dns-logging";

/** The components of the package. A Team creates its curl pods. */
const COMPONENTS = [
  "EksCluster",
  "ExistingCluster",
  "ExistingEksCluster",
  "CoreDns",
  "NodeLocalCache",
  "LogCollection",
  "Monitoring",
  "Team",
] as const;

/** Arguments that are resources or functions, which a schema cannot express. The resource option dependsOn replaces the argument. */
const LEFT_INPUTS = ["Monitoring.dependsOn", "NodeLocalCache.dependsOn", "Team.sidecar", "Team.dependsOn"];

/** Outputs that are resources or functions, which a schema cannot express. */
const LEFT_OUTPUTS = ["CoreDns.addon", "LogCollection.sidecar", "LogCollection.ready", "Team.curlPod"];

/** Arguments that are outputs of other components. */
const OUTPUTS = ["Team.dns", "PolicyContext.dnsAddresses", "PolicyContext.egress"];

/** A cluster's handle is text, because programs only pass it on. library/cluster-reference.ts serializes it. */
const SUBSTITUTES = { ClusterHandle: { type: "string" } } as const;

/** Components whose arguments are documented by the corresponding settings. */
const DESCRIPTIONS: Readonly<Record<string, z.ZodType>> = {
  CoreDns: DnsSettings,
  Monitoring: z.object({
    ...MonitoringSettings.shape,
    dns: DnsSettings,
    teams: z.array(TeamSettings),
  }),
  Team: TeamSettings,
};

function descriptionsOf(component: string): Descriptions | undefined {
  const schema = DESCRIPTIONS[component];
  // Only the descriptions of the JSON Schema are used.
  return schema && JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: "input", unrepresentable: "any" })));
}

/**
 * Type token, such as `eks-dns-logging:dns:CoreDns`, as the class registers it, so that the URNs of TypeScript programs stay the same.
 */
function tokenOf(file: string, name: string): string {
  const text = readFileSync(file, "utf8");
  const token = new RegExp(`super\\("(${PACKAGE}:\\w+:${name})"`).exec(text)?.[1];
  if (token === undefined) throw new Error(`${file} registers no ${name}`);
  return token;
}

function resourceOf(component: TypeSymbol, checker: Checker, reader: TypeReader) {
  const { name } = component;
  const file = component.declarations[0]?.path;
  if (file === undefined) throw new Error(`${name} has no declaration`);
  const token = tokenOf(file, name);
  const module = token.split(":")[1] ?? "index";
  const construct = checker.getTypeOfSymbol(component);
  const [signature] = construct === undefined ? [] : checker.getSignaturesOfType(construct, SignatureKind.Construct);
  const args = signature && checker.getParameterType(signature, 1);
  if (args === undefined) throw new Error(`the constructor of ${name} takes no arguments`);
  const inputs = reader.object(partsOf(args), { module, name, output: false, descriptions: descriptionsOf(name) });
  const outputs = reader.outputs(checker.getDeclaredTypeOfSymbol(component), { module, name, output: true });
  const resource = {
    isComponent: true,
    description: component.getDocumentationComment(checker).replaceAll(/\s+/g, " ").trim(),
    inputProperties: inputs.properties,
    requiredInputs: inputs.required,
    properties: outputs.properties,
    required: outputs.required,
  };
  return [token, resource] as const;
}

/** The components as a Pulumi package schema. */
function packageSchema() {
  const api = new API({ cwd: PROJECT_ROOT });
  try {
    const config = join(import.meta.dirname, "tsconfig.json");
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config);
    const file = project?.program.getSourceFile(join(PROJECT_ROOT, "components/index.ts"));
    const module = file && project?.checker.getSymbolAtLocation(file);
    if (project === undefined || module === undefined) throw new Error("components/index.ts cannot be read");
    const { checker } = project;
    const modules = ["cluster", "dns", "logging", "team"];
    const reader = new TypeReader(checker, {
      packageName: PACKAGE,
      substitutes: SUBSTITUTES,
      outputs: OUTPUTS,
      leftInputs: LEFT_INPUTS,
      leftOutputs: LEFT_OUTPUTS,
      modules,
    });
    const exported = checker.getExportsOfModule(module);
    const resources = COMPONENTS.map((name) => {
      const alias = exported.find((symbol) => symbol.name === name);
      if (alias === undefined) throw new Error(`components/index.ts does not export ${name}`);
      return resourceOf(checker.getAliasedSymbol(alias), checker, reader);
    });
    if (reader.undocumented.length > 0) throw new Error(`without a doc comment: ${reader.undocumented.join(", ")}`);
    const { version, description, license, keywords } = JSON.parse(
      readFileSync(join(PROJECT_ROOT, "library/package.json"), "utf8"),
    );
    return {
      name: PACKAGE,
      displayName: "EKS DNS and logging",
      version,
      description,
      license,
      keywords,
      // With a dash in its name, Go code written from the schema alone imports a folder that is not there (findings/pulumi-go-dashed-name.sh).
      meta: { moduleFormat: "(.*)", supportPack: true },
      language: {
        csharp: { respectSchemaVersion: true },
        // Without extra types Go code of lists of objects does not compile (findings/pulumi-go-plain-lists.sh).
        go: { respectSchemaVersion: true, generateExtraInputTypes: true },
        java: {},
        nodejs: { respectSchemaVersion: true },
        python: { respectSchemaVersion: true, pyproject: { enabled: true } },
      },
      types: Object.fromEntries([...reader.types].sort(([a], [b]) => (a < b ? -1 : 1))),
      resources: Object.fromEntries(resources),
    };
  } finally {
    api.close();
  }
}

/** The schema as `library/schema.json`. */
export function packageSchemaText(): string {
  return `${JSON.stringify(packageSchema(), undefined, 2)}\n`;
}
