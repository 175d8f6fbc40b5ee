import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "./handle.ts";
import { expandHome } from "./kubeconfig-files.ts";
import type { ExistingClusterSettings } from "./settings.ts";

/**
 * A cluster that somebody else made, reached by a kubeconfig. Planning needs neither the file nor the server; `preflight` reads
 * the file before a deployment. Nothing but the lab's own objects is ever made on it.
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
 */
export class ExistingCluster extends pulumi.ComponentResource {
  readonly handle: ClusterHandle;

  constructor(name: string, settings: ExistingClusterSettings, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:cluster:ExistingCluster", name, {}, options);
    const provider = new k8s.Provider(
      `${name}-kubernetes`,
      {
        // Empty means the files of $KUBECONFIG, else ~/.kube/config, read as kubectl reads them. Left out, the SDK would write
        // $KUBECONFIG into the state, and the provider take several files in it for one.
        kubeconfig: settings.kubeconfig === undefined ? "" : expandHome(settings.kubeconfig),
        ...(settings.context === undefined ? {} : { context: settings.context }),
        // By default the provider compares kubeconfigs, and replaces every object when the file or the context has another name.
        clusterIdentifier: settings.identifier,
        enableServerSideApply: true,
      },
      { parent: this },
    );
    this.handle = {
      name: settings.context ?? "current",
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
