import { createServer } from "node:http";
import { listen } from "../../support/listen.ts";
import { LABELS, LEFT_OUT } from "../cluster-api.ts";

export interface PodApi {
  readonly url: string;
  /** How many of the next questions it answers with 500. */
  fail(questions: number): void;
  stop(): void;
}

/** What Fluentd asks an API server for: one pod after the other. Every pod that it asks for is there, with these labels. */
export async function startPodApi(labels: Readonly<Record<string, string>> = LABELS): Promise<PodApi> {
  let failures = 0;
  const server = createServer((request, response) => {
    response.setHeader("content-type", "application/json");
    if (failures > 0) response.statusCode = 500;
    failures -= 1;
    const [, namespace, name = ""] = /\/namespaces\/([^/]+)\/pods\/([^/?]+)$/.exec(request.url ?? "") ?? [];
    const annotations = name === LEFT_OUT ? { "fluentbit.io/exclude": "True" } : { "example.com/note": "kept" };
    const metadata = { name, namespace, labels, annotations };
    response.end(JSON.stringify({ kind: "Pod", apiVersion: "v1", metadata }));
  });
  const port = await listen(server);
  return {
    url: `http://127.0.0.1:${port}/api`,
    fail: (questions) => {
      failures = questions;
    },
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
