import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import type { PodDns } from "../dns/resolver.ts";
import type { PodSidecar } from "../kubernetes/container.ts";
import type { IpFamily } from "../kubernetes/ip-family.ts";
import { commonLabels, teamNamespace } from "../kubernetes/labels.ts";
import { checkedText, holdsOutput } from "../schema/arguments.ts";
import { parseArgs } from "../schema/errors.ts";
import {
  CURL_CONTAINER,
  curlPodName,
  curlPodSpec,
  curlServiceName,
  RESPONDER_PORT,
  responderConfig,
} from "./curl-pod-spec.ts";
import { CurlPodSettings, TeamSettings } from "./settings.ts";

/** Options of the curl pod. */
export interface CurlPodOptions {
  /**
   * Seconds until the pod completes, or `infinity`.
   * @default 3600
   */
  readonly lifetime?: number | "infinity";
  /**
   * Names with at least as many dots are queried as is before the search list. With 3, a full Service name costs two queries, not eight.
   * @default 3
   */
  readonly ndots?: number;
  /** Image of the container `curl`, with curl and ping. @default docker.io/curlimages/curl with a fixed tag */
  readonly image?: pulumi.Input<string>;
  /** Image of the responder: an nginx that runs as user 101. @default docker.io/nginxinc/nginx-unprivileged with a fixed tag */
  readonly responderImage?: pulumi.Input<string>;
}

/** Arguments of {@link CurlPod}. */
export interface CurlPodArgs {
  /** The pod's team: `ts` gives pod and Service `curl-ts`. */
  readonly team: string;
  /** Its options. @default a pod that lives for an hour */
  readonly pod?: CurlPodOptions | undefined;
  /** Service account in the team's namespace; its token is not mounted. */
  readonly serviceAccount: pulumi.Input<string>;
  /** The team's namespace, created before the pod's configuration and Service. */
  readonly namespace: pulumi.Resource;
  /** Resources to create before the pod: the component option `dependsOn` does not reach its children. @default none */
  readonly dependsOn?: readonly pulumi.Resource[];
  /** Collects the log files of the pod's containers. @default none */
  readonly sidecar?: PodSidecar | undefined;
  /** IP family of the cluster's pods. @default "ipv4" */
  readonly ipFamily?: IpFamily | undefined;
  /** Resolver of the pod. @default its node's */
  readonly dns?: PodDns | undefined;
}

const Known = z.strictObject({ team: TeamSettings.shape.name, pod: CurlPodSettings });

/** The options that can be checked at once: all but images that are outputs. */
export function knownOptions(pod: CurlPodOptions = {}): object {
  const isLate = (key: string, value: unknown) => /image$/i.test(key) && holdsOutput(value);
  return Object.fromEntries(Object.entries(pod).filter(([key, value]) => value !== undefined && !isLate(key, value)));
}

/** The options that are set; an image that is an output is checked once it is known. */
function checkedLater(name: string, pod: CurlPodOptions = {}): CurlPodOptions {
  const image = (key: "image" | "responderImage", given: pulumi.Input<string>) =>
    checkedText(`${name}.pod.${key}`, CurlPodSettings.shape[key], given);
  const { lifetime, ndots, image: curlImage, responderImage } = pod;
  return {
    ...(lifetime === undefined ? {} : { lifetime }),
    ...(ndots === undefined ? {} : { ndots }),
    ...(curlImage === undefined ? {} : { image: image("image", curlImage) }),
    ...(responderImage === undefined ? {} : { responderImage: image("responderImage", responderImage) }),
  };
}

/** A team's lab pod with its Service, so that `curl curl-ts.ts-team` resolves and gets an answer. */
export class CurlPod extends pulumi.ComponentResource {
  /** Full DNS name of the Service, such as `curl-ts.ts-team.svc.cluster.local`, in the domain of the argument `dns` or else cluster.local. */
  readonly dnsName: string;
  /** Name of the pod, such as `curl-ts`. */
  readonly podName: pulumi.Output<string>;

  /** @throws {SettingsError} for invalid arguments that are known. */
  constructor(name: string, args: CurlPodArgs, options: pulumi.ComponentResourceOptions) {
    super("eks-dns-logging:team:CurlPod", name, {}, options);
    parseArgs(name, Known, { team: args.team, pod: knownOptions(args.pod) });
    const after = [...(args.dependsOn ?? [])];
    const podName = curlPodName(args.team);
    const namespace = teamNamespace(args.team);
    // Created in parallel with quota and policies; only the pod waits for those.
    const inNamespace = { parent: this, dependsOn: args.namespace, deleteBeforeReplace: true };
    const labels = { ...commonLabels("curl"), app: podName, team: args.team };

    const sidecar = args.sidecar?.parts(
      { namespace, pod: podName, container: CURL_CONTAINER, team: args.team, app: "curl" },
      `${podName}-collector`,
    );
    const configMap = (suffix: string, data: Record<string, string>) =>
      new k8s.core.v1.ConfigMap(
        `${name}-${suffix}`,
        { metadata: { name: `${podName}-${suffix}`, namespace, labels }, data },
        inNamespace,
      );
    const responder = { "nginx.conf": responderConfig(sidecar?.applicationMount.mountPath, args.ipFamily) };
    const configs = [
      ...(sidecar === undefined ? [] : [configMap("collector", { ...sidecar.files })]),
      configMap("responder", responder),
    ];
    const pod = new k8s.core.v1.Pod(
      `${name}-pod`,
      {
        metadata: {
          name: podName,
          namespace,
          labels,
          annotations: { "kubectl.kubernetes.io/default-container": CURL_CONTAINER },
        },
        spec: curlPodSpec(
          args.team,
          { ...CurlPodSettings.parse({}), ...checkedLater(name, args.pod) },
          { serviceAccount: args.serviceAccount, configMap: `${podName}-responder`, ipFamily: args.ipFamily },
          sidecar,
          args.dns,
        ),
      },
      // The name is fixed, so the old pod must be deleted before the new one is created.
      { parent: this, dependsOn: [...configs, ...after], deleteBeforeReplace: true },
    );
    this.#service(name, { name: podName, namespace, labels }, inNamespace);
    this.dnsName = curlServiceName(args.team, args.dns?.clusterDomain);
    this.podName = pod.metadata.name;
    this.registerOutputs({ dnsName: this.dnsName, podName: this.podName });
  }

  #service(
    name: string,
    metadata: { readonly name: string; readonly namespace: string; readonly labels: Record<string, string> },
    options: pulumi.CustomResourceOptions,
  ): void {
    new k8s.core.v1.Service(
      `${name}-service`,
      {
        // `up` waits for the pod; waiting for the Service's endpoint too would take ten seconds more.
        metadata: { ...metadata, annotations: { "pulumi.com/skipAwait": "true" } },
        spec: {
          type: "ClusterIP",
          selector: { app: metadata.name },
          ports: [{ name: "http", port: RESPONDER_PORT, targetPort: RESPONDER_PORT, protocol: "TCP" }],
        },
      },
      options,
    );
  }
}
