import { homedir } from "node:os";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterHandle } from "./handle.ts";
import type { ClusterSettings } from "./settings.ts";

type ExistingClusterSettings = Extract<ClusterSettings, { kind: "existing" }>;

/** A cluster that somebody else made, reached by a kubeconfig. Planning needs neither the file nor the server. */
export class ExistingCluster extends pulumi.ComponentResource {
  readonly handle: ClusterHandle;

  constructor(name: string, settings: ExistingClusterSettings, options: pulumi.ComponentResourceOptions = {}) {
    super("eks-dns-logging:cluster:ExistingCluster", name, {}, options);
    const provider = new k8s.Provider(
      `${name}-kubernetes`,
      {
        ...(settings.kubeconfig === undefined
          ? {}
          : { kubeconfig: settings.kubeconfig.replace(/^~(?=\/)/, homedir()) }),
        ...(settings.context === undefined ? {} : { context: settings.context }),
        // Pins the provider's identity: another kubeconfig for the same cluster replaces nothing.
        clusterIdentifier: "eks-dns-logging-existing",
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
