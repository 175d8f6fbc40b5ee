import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { otherThanFile } from "../schema/file-kind.ts";
import type { KubeconfigSettings } from "./settings.ts";

/** The parts of a kubeconfig that say where a server is. @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
const Kubeconfig = z
  .object({
    "current-context": z.string().nullish(),
    contexts: z.array(z.object({ name: z.string(), context: z.object({ cluster: z.string().default("") }) })).nullish(),
    clusters: z
      .array(
        z.object({ name: z.string(), cluster: z.object({ server: z.string(), "proxy-url": z.string().nullish() }) }),
      )
      .nullish(),
  })
  .nullish();

/** The server that a context names. */
export interface Server {
  readonly context: string;
  /** URL, such as `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Whether the kubeconfig names a proxy for it. */
  readonly proxied: boolean;
  /** The files that exist, in the order in which they are read. */
  readonly files: readonly string[];
}

/** Why a kubeconfig leads to no server. */
export interface KubeconfigIssue {
  /** What is to be set otherwise. */
  readonly setting: "kubeconfig" | "context";
  /** The reason, in one line. */
  readonly issue: string;
  /** Whether there is no file, or no context is named at all. */
  readonly absent?: true;
}

/** Files that a kubeconfig is read from: the one that is named, else those of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigFiles(
  { kubeconfig }: Pick<KubeconfigSettings, "kubeconfig">,
  variable: string | undefined,
): string[] {
  if (kubeconfig !== undefined && kubeconfig !== "") return [expandHome(kubeconfig)];
  const named = (variable ?? "").split(delimiter).filter((file) => file !== "");
  return named.length > 0 ? named : [join(homedir(), ".kube", "config")];
}

/** `~` as the home folder. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir());
}

/** The server of the wanted context, or why there is none. Where several files name the same thing the first one wins, as with kubectl. */
export function findServer(settings: KubeconfigSettings, named: readonly string[]): Server | KubeconfigIssue {
  const found: { readonly file: string; readonly document: Document }[] = [];
  for (const file of named) {
    const document = readKubeconfig(file);
    if (typeof document === "string") return { setting: "kubeconfig", issue: document };
    if (document !== undefined) found.push({ file, document });
  }
  if (found.length === 0) return { setting: "kubeconfig", issue: `no kubeconfig at ${named.join(", ")}`, absent: true };
  const documents = found.map(({ document }) => document);
  const files = found.map(({ file }) => file);
  const where = files.join(", ");
  const contexts = documents.flatMap((document) => document.contexts ?? []);
  const choice =
    contexts.length > 0 ? `contexts: ${contexts.map(({ name }) => name).join(", ")}` : "it has no contexts";
  const wanted = settings.context ?? documents.map((document) => document["current-context"]).find(isNamed);
  if (wanted === undefined)
    return { setting: "context", issue: `${where} has no current context; ${choice}`, absent: true };
  const context = contexts.find(({ name }) => name === wanted)?.context;
  if (context === undefined) return { setting: "context", issue: `no context '${wanted}' in ${where}; ${choice}` };
  const cluster = documents
    .flatMap((document) => document.clusters ?? [])
    .find(({ name }) => name === context.cluster)?.cluster;
  return cluster === undefined
    ? {
        setting: "context",
        issue: `context '${wanted}' refers to cluster '${context.cluster}', which is not in ${where}`,
      }
    : { context: wanted, server: cluster.server, proxied: isNamed(cluster["proxy-url"]), files };
}

function isNamed(value: string | null | undefined): value is string {
  return value !== undefined && value !== null && value !== "";
}

type Document = NonNullable<z.infer<typeof Kubeconfig>>;

/** A file's document, why it is none, or nothing where there is no file. */
function readKubeconfig(file: string): Document | string | undefined {
  const kind = otherThanFile(file);
  // Reading a folder fails by itself.
  if (kind !== undefined && kind !== "a folder") return `the kubeconfig ${file} is ${kind}, not a file`;
  try {
    const document = Kubeconfig.safeParse(parse(readFileSync(file, "utf8")));
    return document.success ? (document.data ?? {}) : `${file} is not a kubeconfig`;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return code === "EACCES" || code === "EISDIR"
      ? `cannot read the kubeconfig ${file} (${code})`
      : `${file} is not a kubeconfig`;
  }
}

/**
 * Why no connection to a server comes about, as in `... which does not answer`; undefined where one does. Without credentials and TLS: what
 * the server then thinks of the kubeconfig is reported by its user.
 * @param url such as `https://127.0.0.1:6443`; the port is that of the scheme by default.
 * @param milliseconds how long to wait.
 */
export function serverIssue(url: string, milliseconds = 5000): Promise<string | undefined> {
  if (!URL.canParse(url)) return Promise.resolve("is no URL");
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      // A URL has brackets around an IPv6 address.
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port),
      timeout: milliseconds,
    });
    const end = (issue: string | undefined) => {
      socket.destroy();
      resolve(issue);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`does not answer within ${milliseconds / 1000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => end(`does not answer (${error.code ?? error.message})`));
  });
}

/**
 * A kubeconfig of @pulumi/eks, with the profile for `aws eks get-token`: Pulumi's own setting `aws:profile` does not reach the AWS CLI.
 * By argument, since credentials in the environment win over AWS_PROFILE.
 * @param text as JSON; nothing where no engine makes the cluster.
 */
export function withProfile(text: string | undefined, profile: string): string {
  return JSON.stringify(JSON.parse(text ?? "{}"), (key, value: unknown) =>
    key === "args" && Array.isArray(value) ? [...value, "--profile", profile] : value,
  );
}
