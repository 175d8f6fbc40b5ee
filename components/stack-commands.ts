import type { ClusterSettings } from "./cluster/settings.ts";

/** The command line's default stack. */
const DEFAULT_STACK = "local";

/** What a stack's commands depend on. */
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
 * The command that verifies a stack. On EKS it first selects the cluster's context, or it would verify whichever cluster was used last.
 */
export function verifyCommand({ stack, cluster, region }: StackContext): string {
  const verify = `npm run verify${stack === DEFAULT_STACK ? "" : ` -- --stack ${stack}`}`;
  if (cluster.kind === "existing") return verify;
  if (cluster.kind === "eks-existing" && (cluster.context ?? cluster.kubeconfig) !== undefined) return verify;
  return `aws eks update-kubeconfig --name ${cluster.name} --region ${region} && ${verify}`;
}

/** The command that creates missing resources and replaces the curl pods, which complete after their lifetime. */
export function upCommand({ stack, cluster }: Pick<StackContext, "stack" | "cluster">): string {
  if (cluster.kind !== "existing") return `pulumi up --stack ${stack} --refresh --replace '**-curl-pod'`;
  return `npm run lab -- up${stack === DEFAULT_STACK ? "" : ` --stack ${stack}`}`;
}
