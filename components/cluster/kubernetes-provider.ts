import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { expandHome } from "./kubeconfig.ts";

/** How the Kubernetes provider reaches a cluster. */
export interface KubernetesProviderArgs {
  /** Contents or path of a kubeconfig. Empty means the files of $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig: pulumi.Input<string>;
  /** Context of the kubeconfig. @default the current one */
  readonly context?: pulumi.Input<string> | undefined;
  /** Identifies the cluster to Pulumi; another identifier replaces every object. */
  readonly clusterIdentifier: pulumi.Input<string>;
}

/**
 * The Kubernetes provider of a cluster, as a child of its component.
 * @see https://www.pulumi.com/registry/packages/kubernetes/api-docs/provider/
 */
export function kubernetesProvider(
  cluster: string,
  { kubeconfig, context, clusterIdentifier }: KubernetesProviderArgs,
  parent: pulumi.Resource,
): k8s.Provider {
  return new k8s.Provider(
    `${cluster}-kubernetes`,
    {
      kubeconfig,
      ...(context === undefined ? {} : { context }),
      // By default the provider compares kubeconfigs, and replaces every object if a file or context is renamed.
      clusterIdentifier,
      // ConfigMaps are updated in place: during a replacement, pods that start would find none.
      enableConfigMapMutable: true,
      enableServerSideApply: true,
    },
    { parent },
  );
}

/**
 * The kubeconfig argument, or empty. If it is undefined, the SDK writes $KUBECONFIG into the state, and the provider reads a list of files
 * as one file.
 */
export function givenKubeconfig(kubeconfig: pulumi.Input<string> | undefined): pulumi.Input<string> {
  return typeof kubeconfig === "string" ? expandHome(kubeconfig) : pulumi.output(kubeconfig ?? "").apply(expandHome);
}
