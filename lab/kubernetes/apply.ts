import type { RequestOptions } from "node:https";
import { ApiException, type KubeConfig, type KubernetesObject, KubernetesObjectApi } from "@kubernetes/client-node";
import { send } from "./client.ts";

/** Exposes the API path of an object of any kind. */
class ObjectPaths extends KubernetesObjectApi {
  pathOf(object: KubernetesObject): Promise<string> {
    return this.specUriPath(object, "patch");
  }
}

/** The field manager, and whether it takes over fields of others. */
interface Applied {
  readonly fieldManager: string;
  /** Default: true. */
  readonly force?: boolean;
}

/**
 * Applies an object on the server, with strict field validation. The object is sent as it is, because the client's serializer drops `from`
 * of a NetworkPolicy and `default` of a LimitRange, which it knows under other names.
 * @throws {ApiException}
 */
export async function applyObject(
  config: KubeConfig,
  object: KubernetesObject,
  { fieldManager, force = true }: Applied,
): Promise<void> {
  const query = new URLSearchParams({ fieldManager, force: String(force) });
  const server = config.getCurrentCluster()?.server.replace(/\/$/, "");
  const options: RequestOptions = { method: "PATCH" };
  await config.applyToHTTPSOptions(options);
  const headers = { ...options.headers, "Content-Type": "application/apply-patch+yaml" };
  const url = new URL(`${server}${await config.makeApiClient(ObjectPaths).pathOf(object)}?${query}`);
  const { status, body } = await send(url, { ...options, headers }, JSON.stringify(object));
  if (status >= 400) throw new ApiException(status, "", body, {});
}
