import * as http from "node:http";
import * as https from "node:https";
import { text } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** GET with Node's own client, which takes certificates and agents as the kubeconfig's library gives them. */
export function get(url: URL, options: https.RequestOptions): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const client = url.protocol === "http:" ? http : https;
  client
    .request(url, options, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    })
    .on("error", reject)
    .end();
  return promise;
}
