import type { Settings } from "../../components/settings.ts";
import { Failure } from "../command-line.ts";
import { connect, loadKubeConfig, type Target } from "../kubernetes/connect.ts";
import { deleteKind, ensureKubernetesPlugin, kindClusters } from "./programs.ts";
import { type MadeObject, type Memory, madeObjects, StateFolder, settled, thoseThere } from "./state.ts";
import { needExisting } from "./up.ts";
import { openStack, operate, shown } from "./workspace.ts";

export interface DownOptions {
  readonly stack: string;
  readonly settings: Settings;
  readonly target: Target;
  /** Default: that of the stack in this project. */
  readonly folder?: StateFolder;
}

/**
 * Takes the lab away and forgets its state. A kind cluster that `up` made goes too.
 * @returns what is left on the cluster, in words; undefined where `up` has put nothing anywhere.
 */
export async function down(options: DownOptions): Promise<string[] | undefined> {
  const { stack: name, settings, target, folder = new StateFolder(name) } = options;
  needExisting(name, settings);
  const memory = await folder.memory();
  if (memory === undefined) return undefined;
  const { context, kind } = memory;
  if (target.context !== undefined && target.context !== context)
    throw new Failure(`the lab is deployed to context '${context}', not '${target.context}'`, 2);

  if (kind !== undefined) await removeKind(folder, memory, kind);
  else {
    const left = await destroy(folder, memory);
    if (left.length > 0) return left.map(inWords);
  }
  await folder.forget();
  return [];
}

/** The objects go with the cluster, so they need not be destroyed one by one. */
async function removeKind(folder: StateFolder, memory: Memory, kind: string): Promise<void> {
  if ((await kindClusters()).includes(kind)) await deleteKind(kind);
  await folder.writeProject(memory);
  const stack = await openStack(folder);
  await stack.workspace.removeStack(folder.stack, { force: true });
}

/** Destroys the stack and returns those of its objects that the cluster still has. */
async function destroy(folder: StateFolder, memory: Memory): Promise<MadeObject[]> {
  await connect(memory);
  const config = await loadKubeConfig(memory);
  await folder.writeProject(memory);
  const stack = await openStack(folder);
  await ensureKubernetesPlugin(stack.workspace);
  const made = madeObjects(await settled(stack, config));
  await operate("destroy", (signal) => stack.destroy({ ...shown(), signal, refresh: true, runProgram: true }));
  const left = await thoseThere(config, made);
  if (left.length === 0) await stack.workspace.removeStack(folder.stack);
  return left;
}

function inWords({ header }: MadeObject): string {
  const { namespace, name } = header.metadata;
  return `${header.kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
