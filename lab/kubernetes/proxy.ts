import type { RequestOptions } from "node:https";
import { ApiException, type KubeConfig } from "@kubernetes/client-node";
import { get } from "../verify/http-get.ts";
import { ClusterError, type ProxyTarget } from "./cluster.ts";
import { asClusterError } from "./errors.ts";

const TIMEOUT_SECONDS = 10;

/**
 * GET through the API server's proxy to a pod, a Service or a node's kubelet. The generated client escapes the path and takes no
 * query, so this asks by itself.
 * @see https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
export async function proxyGet(
  config: KubeConfig,
  target: ProxyTarget,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<string> {
  const server = config.getCurrentCluster()?.server.replace(/\/$/, "") ?? "";
  const namespace = target.kind === "nodes" ? "" : `namespaces/${target.namespace}/`;
  const url = new URL(`${server}/api/v1/${namespace}${target.kind}/${target.name}/proxy${path}`);
  try {
    const options: RequestOptions = { signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000) };
    await config.applyToHTTPSOptions(options);
    const { status, body } = await get(url, { ...options, headers: { ...options.headers, ...headers } });
    if (status >= 400) throw new ApiException(status, "", body, {});
    return body;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError")
      throw new ClusterError("timeout", `${target.name} did not answer within ${TIMEOUT_SECONDS} s`);
    throw asClusterError(error, `get ${target.kind}/proxy${namespace === "" ? "" : ` in ${namespace.split("/")[1]}`}`);
  }
}
