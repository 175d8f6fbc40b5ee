import { createServer, type Server } from "node:http";
import { text } from "node:stream/consumers";
import { isDeepStrictEqual } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { isObject } from "../../../components/schema/values.ts";
import type { Answer, ApiRequest } from "../../../lab/kubernetes/api-requests.ts";
import { contentOf, fieldOf, isSame, type KubernetesJson, withField } from "../../../lab/kubernetes/object-store.ts";
import { listen } from "../../support/listen.ts";
import { runControllers, stamped } from "./fake-controllers.ts";

/** What the fake does to the write with a number, counted from 1: refuses it, or does it and loses the answer. */
export interface Outage {
  readonly write: number;
  readonly how: "before" | "after";
}

/** An API server that keeps objects by their path, as far as drills use one. */
export class FakeApi {
  readonly objects = new Map<string, KubernetesJson>();
  /** Requests that change something, as `PUT /api/v1/…`. */
  readonly writes: string[] = [];
  /** From that write on nothing is answered, as for a program that was killed. */
  outage: Outage | undefined;
  /** Answers a write with this status, once. */
  refusal: { readonly request: string; readonly status: number } | undefined;
  #version = 100;
  #dead = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const { status, body } = this.#answer(request.method ?? "", request.url ?? "", await text(request));
      if (this.#dead) return response.destroy();
      response.writeHead(status, { "content-type": "application/json" });
      return response.end(JSON.stringify(body));
    });
  }

  async start(): Promise<KubeConfig> {
    const config = new KubeConfig();
    config.loadFromOptions({
      clusters: [{ name: "fake", server: `http://127.0.0.1:${await listen(this.#server)}`, skipTLSVerify: true }],
      users: [{ name: "fake" }],
      contexts: [{ name: "fake", cluster: "fake", user: "fake" }],
      currentContext: "fake",
    });
    return config;
  }

  /** Answers as over a connection, but without one, which takes most of the time of a test that sends thousands of requests. */
  async send({ method = "GET", path, body: sent = "" }: ApiRequest): Promise<Answer> {
    const { status, body } = this.#answer(method, path, sent);
    if (this.#dead) throw Object.assign(new Error("socket hang up"), { code: "ECONNRESET" });
    return { status, body: JSON.stringify(body) };
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  /** The next program finds the server as the killed one left it. */
  revive(): void {
    this.#dead = false;
    this.outage = undefined;
    this.writes.length = 0;
  }

  put(path: string, object: KubernetesJson): void {
    this.#set(path, withField(object, ["metadata", "uid"], `uid-${path}`));
    this.#control();
  }

  object(path: string): KubernetesJson | undefined {
    return this.objects.get(path);
  }

  /** All objects, without what the server writes by itself; their owners stay. */
  snapshot(): Readonly<Record<string, unknown>> {
    return Object.fromEntries(
      [...this.objects].map(([path, object]) => [
        path,
        { ...contentOf(object), owners: fieldOf(object, ["metadata", "managedFields"]) },
      ]),
    );
  }

  #answer(method: string, url: string, sent: string): { readonly status: number; readonly body: unknown } {
    if (this.#dead) return failed(503, "Gone");
    const { pathname, searchParams } = new URL(url, "http://fake");
    if (method === "GET") return this.#read(pathname, searchParams.get("labelSelector"));
    this.writes.push(`${method} ${pathname}`);
    if (this.refusal?.request === `${method} ${pathname}`) {
      const { status } = this.refusal;
      this.refusal = undefined;
      return failed(status, "Refused");
    }
    const now = this.outage?.write === this.writes.length ? this.outage.how : undefined;
    if (now === "before") this.#dead = true;
    if (this.#dead) return failed(503, "Gone");
    const answer = this.#write(method, pathname, JSON.parse(sent));
    if (now === "after") this.#dead = true;
    return answer;
  }

  #read(path: string, selector: string | null) {
    if (selector === null) {
      const object = this.objects.get(path);
      return object === undefined ? failed(404, "NotFound") : { status: 200, body: object };
    }
    const [key = "", value] = selector.split("=");
    const items = [...this.objects]
      .filter(([at, object]) => at.startsWith(`${path}/`) && fieldOf(object, ["metadata", "labels", key]) === value)
      .map(([, object]) => object);
    return { status: 200, body: { items } };
  }

  #write(method: string, path: string, object: unknown) {
    if (!isObject(object)) return failed(400, "BadRequest");
    if (method === "DELETE") return this.#remove(path);
    const at = method === "POST" ? `${path}/${String(fieldOf(object, ["metadata", "name"]))}` : path;
    const before = this.objects.get(at);
    if (method === "POST") {
      if (before !== undefined) return failed(409, "AlreadyExists");
      this.put(at, withField(object, ["metadata", "managedFields"], [{ manager: "lab", operation: "Update" }]));
      const made = this.objects.get(at);
      // The scheduler is quicker than the next write.
      if (isFrozen(object)) this.put(at, withField(this.objects.get(at) ?? {}, ["spec", "nodeName"], "node-2"));
      return { status: 201, body: made };
    }
    if (before === undefined) return failed(404, "NotFound");
    const version = fieldOf(object, ["metadata", "resourceVersion"]);
    if (version !== fieldOf(before, ["metadata", "resourceVersion"])) return failed(409, "Conflict");
    if (fieldOf(object, ["metadata", "uid"]) !== fieldOf(before, ["metadata", "uid"])) return failed(409, "Conflict");
    if (isFrozen(before) && !isDeepStrictEqual(before.spec, object.spec)) return failed(422, "Invalid");
    this.#set(at, owned(before, object));
    const body = this.objects.get(at);
    this.#control();
    return { status: 200, body };
  }

  /** A pod of CoreDNS comes back at once, under another name. */
  #remove(path: string) {
    const object = this.objects.get(path);
    if (object === undefined) return failed(404, "NotFound");
    this.objects.delete(path);
    if (fieldOf(object, ["metadata", "ownerReferences"]) !== undefined) this.put(path, object);
    this.#control();
    return { status: 200, body: object };
  }

  #set(path: string, object: KubernetesJson): void {
    this.#version += 1;
    const next = stamped(this.objects.get(path), object);
    this.objects.set(path, withField(next, ["metadata", "resourceVersion"], String(this.#version)));
  }

  #control(): void {
    runControllers(this.objects, (path, object) => this.#set(path, object));
  }
}

/** The owners of fields: as they are sent where nothing changes; else whoever writes owns what it changed. */
function owned(before: KubernetesJson, object: KubernetesJson): KubernetesJson {
  const sent = fieldOf(object, ["metadata", "managedFields"]);
  if (isSame(before, object)) return object;
  const owners: unknown = sent ?? fieldOf(before, ["metadata", "managedFields"]);
  const others: readonly unknown[] = Array.isArray(owners) ? owners : [];
  return withField(object, ["metadata", "managedFields"], [...others, { manager: "lab", operation: "Update" }]);
}

/** Of a pod only metadata may change. */
function isFrozen(object: KubernetesJson): boolean {
  return object.kind === "Pod";
}

function failed(status: number, reason: string) {
  return { status, body: { kind: "Status", reason, message: `${reason}: told by the fake` } };
}
