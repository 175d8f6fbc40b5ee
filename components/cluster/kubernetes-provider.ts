import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { expandHome } from "./kubeconfig.ts";

/** How the Kubernetes provider reaches a cluster. */
export interface KubernetesProviderArgs {
  /** Contents of a kubeconfig, or its path. Empty means the files of $KUBECONFIG, else ~/.kube/config. */
  readonly kubeconfig: pulumi.Input<string>;
  /** Context of the kubeconfig. @default the current one */
  readonly context?: pulumi.Input<string> | undefined;
  /** What Pulumi takes for the same cluster; another one replaces every object. */
  readonly clusterIdentifier: pulumi.Input<string>;
}

/**
 * The Kubernetes provider of a cluster, a child of its component.
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
      // By default the provider compares kubeconfigs, and replaces every object when the file or the context has another name.
      clusterIdentifier,
      // A ConfigMap is changed in place: replaced, it would be missing for a moment, and a pod that starts then has none.
      enableConfigMapMutable: true,
      enableServerSideApply: true,
    },
    { parent },
  );
}

/** The kubeconfig of somebody's arguments. Left out, the SDK would write $KUBECONFIG into the state, and the provider take several files in it for one. */
export function givenKubeconfig(kubeconfig: pulumi.Input<string> | undefined): pulumi.Input<string> {
  return typeof kubeconfig === "string" ? expandHome(kubeconfig) : (kubeconfig ?? "");
}
