import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("./sigv4.py", import.meta.url));
const PYTHON = "python3";

/** Keys that requests are signed with. */
export interface AwsKeys {
  readonly id: string;
  readonly secret: string;
  /** Of a session, as Pod Identity gives it. */
  readonly token?: string;
}

/** What a request must be signed for. */
export interface SigningScope {
  readonly region: string;
  readonly service: string;
}

/** Checks signatures as AWS does, by botocore. */
export interface Verifier {
  /** Why the request is refused; "" if it is not. */
  refusal(request: Pick<IncomingMessage, "method" | "url" | "headersDistinct">, body: Buffer): Promise<string>;
  stop(): void;
}

/** Whether signatures can be checked on this machine. */
export function hasBotocore(): boolean {
  return spawnSync(PYTHON, ["-c", "import botocore"]).status === 0;
}

/** @param clockOffset Seconds by which the verifier's clock is ahead. */
export function startVerifier(keys: AwsKeys, scope: SigningScope, clockOffset = 0): Verifier {
  const child = spawn(PYTHON, [SCRIPT, JSON.stringify(keys), String(clockOffset)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const answers = createInterface(child.stdout);
  let last: Promise<unknown> = Promise.resolve();
  const ask = async (question: object): Promise<string> => {
    child.stdin.write(`${JSON.stringify(question)}\n`);
    const [answer] = await once(answers, "line");
    return String(JSON.parse(String(answer)));
  };
  return {
    refusal: ({ method, url, headersDistinct }, body) => {
      // One that is there twice, as content-encoding for S3, is signed without the blank that Node.js joins it by.
      const headers = Object.fromEntries(
        Object.entries(headersDistinct).map(([name, values = []]) => [name, values.join(",")]),
      );
      const question = {
        ...scope,
        method,
        headers,
        url: `https://${headers.host}${url}`,
        body: body.toString("base64"),
      };
      const answer = last.then(() => ask(question));
      last = answer.catch(() => undefined);
      return answer;
    },
    stop: () => child.kill(),
  };
}
