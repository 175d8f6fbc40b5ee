import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";
import { ApiException, type KubeConfig } from "@kubernetes/client-node";
import { ClusterError, type ProxyTarget } from "./cluster.ts";
import { asClusterError } from "./errors.ts";

const TIMEOUT_SECONDS = 10;

/**
 * GET through the API server's proxy to a pod or a Service. The generated client escapes the path and takes no query, so
 * this asks by itself.
 * @see https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 */
export async function proxyGet(
  config: KubeConfig,
  namespace: string,
  target: ProxyTarget,
  path: string,
): Promise<string> {
  const what = `get ${target.kind}/proxy in ${namespace}`;
  const server = config.getCurrentCluster()?.server ?? "";
  const url = new URL(
    `${server.replace(/\/$/, "")}/api/v1/namespaces/${namespace}/${target.kind}/${target.name}/proxy${path}`,
  );
  try {
    const options: https.RequestOptions = { signal: AbortSignal.timeout(TIMEOUT_SECONDS * 1000) };
    await config.applyToHTTPSOptions(options);
    const { status, body } = await get(url, options);
    if (status >= 400) throw new ApiException(status, "", body, {});
    return body;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError")
      throw new ClusterError("timeout", `${target.name} did not answer within ${TIMEOUT_SECONDS} s`);
    throw asClusterError(error, what);
  }
}

function get(url: URL, options: https.RequestOptions): Promise<{ status: number; body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const client = url.protocol === "http:" ? http : https;
  client
    .request(url, options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
    .on("error", reject)
    .end();
  return promise;
}
