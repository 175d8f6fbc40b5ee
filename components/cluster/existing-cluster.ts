import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "./handle.ts";
import { expandHome } from "./kubeconfig.ts";

/** How an existing cluster is reached. */
export interface ExistingClusterArgs {
  /**
   * Path of the kubeconfig (`~` is the home folder), or its contents.
   * @default the files of $KUBECONFIG, else ~/.kube/config
   */
  readonly kubeconfig?: pulumi.Input<string> | undefined;
  /** Context of the kubeconfig. @default the current one */
  readonly context?: string | undefined;
  /**
   * What Pulumi takes for the same cluster, whatever kubeconfig and context are called. Another identifier moves everything to another
   * cluster.
   * @default "eks-dns-logging-existing"
   */
  readonly identifier?: string;
}

/**
 * A cluster that somebody else made, reached by a kubeconfig. Planning needs neither the file nor the server; `preflight` reads
 * the file before a deployment. Nothing but the lab's own objects is ever made on it.
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
 */
export class ExistingCluster extends pulumi.ComponentResource {
  readonly handle: ClusterHandle;

  constructor(name: string, args: ExistingClusterArgs = {}, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:cluster:ExistingCluster", name, {}, options);
    const provider = new k8s.Provider(
      `${name}-kubernetes`,
      {
        // Empty means the files of $KUBECONFIG, else ~/.kube/config, read as kubectl reads them. Left out, the SDK would write
        // $KUBECONFIG into the state, and the provider take several files in it for one.
        kubeconfig: typeof args.kubeconfig === "string" ? expandHome(args.kubeconfig) : (args.kubeconfig ?? ""),
        ...(args.context === undefined ? {} : { context: args.context }),
        // By default the provider compares kubeconfigs, and replaces every object when the file or the context has another name.
        clusterIdentifier: args.identifier ?? "eks-dns-logging-existing",
        // A ConfigMap is changed in place: replaced, it would be missing for a moment, and a pod that starts then has none.
        enableConfigMapMutable: true,
        enableServerSideApply: true,
      },
      { parent: this },
    );
    this.handle = {
      name: args.context ?? "current",
      provider,
      ready: [],
      kubeconfig: undefined,
      enforcesNetworkPolicies: false,
      addons: undefined,
      podIdentity: undefined,
    };
    this.registerOutputs({ name: this.handle.name });
  }
}
