import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Failure } from "../failure.ts";
import { runs } from "./cli.ts";
import { streamed } from "./stream.ts";

/** Name of the kind cluster that `up --kind` makes. */
export const KIND_CLUSTER = "eks-dns-logging";
/** kind names its context after the cluster. */
export const KIND_CONTEXT = `kind-${KIND_CLUSTER}`;

/**
 * Makes the kind cluster where there is none.
 * @returns whether it was made now.
 * @throws {Failure} where kind or Docker is missing.
 */
export async function ensureKind(): Promise<boolean> {
  await needKind();
  if ((await kindClusters()).includes(KIND_CLUSTER)) return false;
  await streamed("kind", ["create", "cluster", "--name", KIND_CLUSTER, "--wait", "180s"]);
  return true;
}

export async function deleteKind(name: string): Promise<void> {
  await needKind();
  await streamed("kind", ["delete", "cluster", "--name", name]);
}

export async function kindClusters(): Promise<string[]> {
  const { stdout } = await promisify(execFile)("kind", ["get", "clusters"]);
  return stdout.split("\n").map((line) => line.trim());
}

async function needKind(): Promise<void> {
  if (!(await runs("kind", ["version"])))
    throw new Failure(
      "kind is not there: install it as https://kind.sigs.k8s.io/docs/user/quick-start/#installation says",
      2,
    );
  if (!(await runs("docker", ["info"])))
    throw new Failure(
      "Docker is not there or not started, and kind needs it: https://docs.docker.com/get-started/get-docker/",
      2,
    );
}
