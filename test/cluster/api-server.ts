import { Agent, type RequestOptions, request } from "node:https";
import { text } from "node:stream/consumers";
import { KubeConfig } from "@kubernetes/client-node";
import type { Group } from "../../policies/core/resource.ts";
import { until } from "./cluster.ts";

/** The API server of the current context, for requests that the client would not send: it leaves out what it does not know. */
export class ApiServer {
  private readonly config = new KubeConfig();
  private readonly options: RequestOptions = {};

  constructor() {
    this.config.loadFromDefault();
  }

  async request(
    method: string,
    path: string,
    body?: Group,
  ): Promise<{ readonly status: number; readonly body: string }> {
    if (this.options.agent === undefined) {
      await this.config.applyToHTTPSOptions(this.options);
      const { ca, cert, key } = this.options;
      this.options.agent = new Agent({ keepAlive: true, ca, cert, key });
    }
    const url = new URL(path, this.config.getCurrentCluster()?.server);
    const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    return new Promise((resolve, reject) => {
      const sent = request(url, { ...this.options, method, headers: { "Content-Type": type } }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
      });
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Waits until pods can be created in a new namespace. */
  untilAccount(namespace: string): Promise<void> {
    const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
    return until(`${namespace} has its account`, async () => (await this.request("GET", path)).status === 200);
  }

  close(): void {
    const { agent } = this.options;
    if (agent instanceof Agent) agent.destroy();
  }
}
