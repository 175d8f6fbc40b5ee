import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { LocalWorkspace, type Stack } from "@pulumi/pulumi/automation/index.js";
import { z } from "zod";
import { providerUrn } from "../../policies/core/stack.ts";
import { Failure, PROJECT_ROOT } from "../command-line.ts";
import { loadKubeConfig } from "../kubernetes/connect.ts";
import { stackNames } from "../stack-file.ts";
import {
  adopted,
  type Deployment,
  existingObjects,
  pendingCreates,
  type Resource,
  readDeployment,
  StateFolder,
  stateObjects,
  withPendingCreations,
} from "./state.ts";
import {
  ensureKubernetesPlugin,
  findPulumi,
  openStack,
  operate,
  pathWithNode,
  pulumiOutput,
  releaseStaleLock,
} from "./workspace.ts";

/** Operations that an interrupted run left pending, by outcome; as URNs. */
export interface Recovery {
  /** Kubernetes objects that the run created: they are in the state now. */
  readonly adopted: readonly string[];
  /** Kubernetes objects that the run did not create: the next run creates them. */
  readonly missing: readonly string[];
  /** Resources outside Kubernetes that may exist without being in the state. */
  readonly unknown: readonly string[];
}

/** Where a stack's state may be. */
export interface RecoverOptions {
  /** Folder of the user's Pulumi project. Default: this project's. */
  readonly project?: string;
  /** State of `lab up`, which takes precedence if it has the stack. Default: this project's. */
  readonly folder?: StateFolder;
}

/**
 * Prepares a stack whose update was killed for the next one, in any backend and on any cluster. Otherwise every `pulumi up` would try to
 * create existing objects, and fail.
 * @returns undefined if no operation is pending.
 * @throws {Failure} if another run is in progress, or the state or the cluster cannot be reached.
 */
export async function recover(
  name: string,
  { project = PROJECT_ROOT, folder = new StateFolder(name) }: RecoverOptions = {},
): Promise<Recovery | undefined> {
  const memory = await folder.memory();
  if (memory === undefined) {
    await requireStackFile(name, project);
    return recoverState(await ownStack(name, project));
  }
  const stack = await openStack(folder, memory);
  await ensureKubernetesPlugin(stack.workspace);
  const recovery = await recoverState(stack, memory.unanswered);
  const { unanswered: _, ...answered } = memory;
  await folder.remember(answered);
  return recovery;
}

/** @throws {Failure} if there is no such stack, before the CLI is fetched. A name may have an organization, as in `acme/dev`. */
async function requireStackFile(name: string, project: string): Promise<void> {
  const names = await stackNames(project);
  const file = name.split("/").at(-1) ?? name;
  if (!names.includes(file))
    throw new Failure(`no stack '${name}' (file Pulumi.${file}.yaml); found: ${names.join(", ") || "none"}`, 2);
}

/** The stack in the user's own backend. */
async function ownStack(name: string, project: string): Promise<Stack> {
  const stack = await LocalWorkspace.selectStack(
    { stackName: name, workDir: project },
    {
      pulumiCommand: await findPulumi(),
      envVars: { PATH: pathWithNode(), PULUMI_SKIP_UPDATE_CHECK: "true" },
    },
  ).catch((error: Error) => {
    throw new Failure(`stack '${name}' cannot be opened: ${lastLine(error.message)}`, 2);
  });
  const [{ name: projectName }, { url }] = await Promise.all([
    stack.workspace.projectSettings(),
    stack.workspace.whoAmI(),
  ]);
  await releaseStaleLock(stack, { stack: name, project: projectName, backend: url ?? "" });
  return stack;
}

/** @param unanswered Objects that the run requested without getting an answer; the state does not have them. */
async function recoverState(stack: Stack, unanswered: readonly Resource[] = []): Promise<Recovery | undefined> {
  const exported = await stack.exportStack();
  const deployment = withPendingCreations(readDeployment(exported.deployment), unanswered);
  if ((deployment.pending_operations ?? []).length === 0) return undefined;

  const existing = await existingCreates(deployment);
  await importState(stack, { ...exported, deployment: adopted(deployment, existing) });
  // Reads their outputs from the cluster; until then their outputs equal their inputs.
  if (existing.size > 0)
    await operate("refresh", (signal) => stack.refresh({ ...pulumiOutput(), signal, target: [...existing.keys()] }));
  const pending = pendingCreates(deployment);
  const isKubernetes = ({ type }: { readonly type: string }) => type.startsWith("kubernetes:");
  return {
    adopted: [...existing.keys()],
    missing: pending.filter((resource) => isKubernetes(resource) && !existing.has(resource.urn)).map(({ urn }) => urn),
    unknown: pending.filter((resource) => !isKubernetes(resource)).map(({ urn }) => urn),
  };
}

/** The last line of the CLI's output, without its prefix `error:`. */
function lastLine(output: string): string | undefined {
  return output
    .trim()
    .split("\n")
    .at(-1)
    ?.replace(/^error: /, "");
}

/**
 * The command that continues a stack's interrupted run. It refreshes: an interrupted deletion leaves the object in the state, whether or not
 * the cluster still has it. `lab up` always refreshes.
 */
export async function nextCommand(stack: string, folder: StateFolder = new StateFolder(stack)): Promise<string> {
  return (await folder.memory()) === undefined ? pulumiUp(stack) : `npm run lab -- up --stack ${stack}`;
}

function pulumiUp(stack: string): string {
  return `pulumi up --refresh --stack ${stack}`;
}

/** The result of `recover` as text. @param up The command that continues. */
export function recoveryText(stack: string, recovery: Recovery | undefined, up: string = pulumiUp(stack)): string {
  if (recovery === undefined) return `No operation is pending: continue with \`${up}\`.\n`;
  const name = (urn: string) => {
    const [types = "", ownName = ""] = urn.split("::").slice(2);
    return `${types.split("$").at(-1)} ${ownName}`;
  };
  const list = (title: string, urns: readonly string[]) =>
    urns.length === 0 ? "" : `${title}:\n${urns.map((urn) => `  ${name(urn)}\n`).join("")}`;
  return [
    list("Created by the killed run, now in the state", recovery.adopted),
    list("Not created yet", recovery.missing),
    list(
      "May exist without being in the state (if `pulumi up` reports that one exists, import it with `pulumi import TYPE NAME ID`)",
      recovery.unknown,
    ),
    `Continue with \`${up}\`.\n`,
  ].join("");
}

/** Pending objects that exist on their clusters, which their providers name, by URN. */
async function existingCreates(deployment: Deployment): Promise<Map<string, KubernetesObject>> {
  const pending = pendingCreates(deployment);
  const existing = new Map<string, KubernetesObject>();
  for (const [provider, resources] of Map.groupBy(pending, (resource) => String(resource.provider))) {
    const objects = stateObjects({ resources });
    if (objects.length === 0) continue;
    const urn = providerUrn(provider);
    const inputs = deployment.resources?.find((resource) => resource.urn === urn)?.inputs;
    for (const { urn, live } of await existingObjects(await clusterOfProvider(inputs), objects))
      existing.set(urn, live);
  }
  return existing;
}

const ProviderInputs = z.object({
  kubeconfig: z.union([z.string(), z.object({ plaintext: z.string() })]).optional(),
  context: z.string().optional(),
});

/**
 * The cluster of a Kubernetes provider, whose `kubeconfig` is empty, a path, or the contents of a file.
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
 */
async function clusterOfProvider(inputs: unknown): Promise<KubeConfig> {
  const { kubeconfig = "", context } = ProviderInputs.parse(inputs ?? {});
  const text = typeof kubeconfig === "string" ? kubeconfig : z.string().parse(JSON.parse(kubeconfig.plaintext));
  if (!/[\n{]/.test(text)) return loadKubeConfig({ ...(text !== "" && { kubeconfig: text }), context });
  const config = new KubeConfig();
  config.loadFromString(text);
  if (context !== undefined) config.setCurrentContext(context);
  return config;
}

async function importState(stack: Stack, state: Parameters<Stack["importStack"]>[0]): Promise<void> {
  await stack.importStack(state).catch((error: Error) => {
    const locked = error.message.split("\n").find((line) => /locked|conflict/i.test(line));
    throw locked === undefined
      ? error
      : new Failure(
          `another run holds the stack's lock: wait for it, or run \`pulumi cancel --stack ${stack.name}\` if it was killed (${locked.trim()})`,
          2,
        );
  });
}
