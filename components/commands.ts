import type { ClusterSettings } from "./cluster/settings.ts";

/** Stack that the command line takes when none is named. */
const DEFAULT_STACK = "local";

/** What the commands for a stack follow from. */
export interface StackContext {
  /** Name of the stack. */
  readonly stack: string;
  readonly cluster: Pick<ClusterSettings, "kind"> & {
    readonly name?: string;
    readonly context?: string | undefined;
    readonly kubeconfig?: string | undefined;
  };
  /** Region of an EKS cluster. */
  readonly region: string | undefined;
}

/**
 * The command that proves a stack. On EKS it asks first for the cluster's context, or it would prove whichever cluster the person used
 * before.
 */
export function verifyCommand({ stack, cluster, region }: StackContext): string {
  const verify = `npm run verify${stack === DEFAULT_STACK ? "" : ` -- --stack ${stack}`}`;
  if (cluster.kind === "existing") return verify;
  if (cluster.kind === "eks-existing" && (cluster.context ?? cluster.kubeconfig) !== undefined) return verify;
  return `aws eks update-kubeconfig --name ${cluster.name} --region ${region} && ${verify}`;
}

/** The command that makes what is missing and replaces the curl pods, which end after their lifetime. */
export function upCommand({ stack, cluster }: Pick<StackContext, "stack" | "cluster">): string {
  if (cluster.kind !== "existing") return `pulumi up --stack ${stack} --refresh --replace '**-curl-pod'`;
  return `npm run lab -- up${stack === DEFAULT_STACK ? "" : ` --stack ${stack}`}`;
}
