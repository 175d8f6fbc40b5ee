import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { otherThanFile } from "../schema/file-kind.ts";
import type { KubeconfigSettings } from "./settings.ts";

/** The fields of a kubeconfig that locate a server. @see https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/ */
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

/** The server of a context. */
export interface Server {
  readonly context: string;
  /** URL, such as `https://127.0.0.1:6443`. */
  readonly server: string;
  /** Whether the kubeconfig sets a proxy for it. */
  readonly proxied: boolean;
  /** The existing files, in the order in which they are read. */
  readonly files: readonly string[];
}

/** Why a kubeconfig does not lead to a server. */
export interface KubeconfigIssue {
  /** The setting to correct. */
  readonly setting: "kubeconfig" | "context";
  /** The reason, in one line. */
  readonly issue: string;
  /** Whether there is no file, or no context is named. */
  readonly absent?: true;
}

/** The kubeconfig files: the named one, else those of $KUBECONFIG, else ~/.kube/config. */
export function kubeconfigFiles(
  { kubeconfig }: Pick<KubeconfigSettings, "kubeconfig">,
  variable: string | undefined,
): string[] {
  if (kubeconfig !== undefined && kubeconfig !== "") return [expandHome(kubeconfig)];
  const named = (variable ?? "").split(delimiter).filter((file) => file !== "");
  return named.length > 0 ? named : [join(homedir(), ".kube", "config")];
}

/** Replaces a leading `~` with the home folder. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=\/|$)/, homedir());
}

/** The server of the requested context, or why there is none. Of several entries with the same name the first wins, as in kubectl. */
export function findServer(settings: KubeconfigSettings, named: readonly string[]): Server | KubeconfigIssue {
  const existing: { readonly file: string; readonly document: Document }[] = [];
  for (const file of named) {
    const document = readKubeconfig(file);
    if (typeof document === "string") return { setting: "kubeconfig", issue: document };
    if (document !== undefined) existing.push({ file, document });
  }
  if (existing.length === 0)
    return { setting: "kubeconfig", issue: `no kubeconfig at ${named.join(", ")}`, absent: true };
  const documents = existing.map(({ document }) => document);
  const files = existing.map(({ file }) => file);
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

/** The parsed file, a sentence on why it is invalid, or undefined if it does not exist. */
function readKubeconfig(file: string): Document | string | undefined {
  const kind = otherThanFile(file);
  // Reading a folder fails with its own error.
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

/** How long to wait for a connection, in milliseconds. */
const CONNECT_TIMEOUT = 5000;

/**
 * Why a server cannot be reached, as in `... which does not answer`; undefined if it can. Neither TLS nor credentials are tried: their
 * errors are reported by whatever uses the kubeconfig.
 * @param url such as `https://127.0.0.1:6443`; the default port is that of the scheme.
 */
export function serverIssue(url: string): Promise<string | undefined> {
  if (!URL.canParse(url)) return Promise.resolve("is not a URL");
  const { hostname, port, protocol } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({
      // URLs have brackets around IPv6 addresses.
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port: port === "" ? (protocol === "http:" ? 80 : 443) : Number(port),
      timeout: CONNECT_TIMEOUT,
    });
    const end = (issue: string | undefined) => {
      socket.destroy();
      resolve(issue);
    };
    socket.once("connect", () => end(undefined));
    socket.once("timeout", () => end(`does not answer within ${CONNECT_TIMEOUT / 1000} s`));
    socket.once("error", (error: NodeJS.ErrnoException) => end(`does not answer (${error.code ?? error.message})`));
  });
}

/**
 * Adds a profile to the `aws eks get-token` of a kubeconfig from @pulumi/eks, because Pulumi's `aws:profile` does not reach the AWS CLI. It
 * is an argument, because credentials in the environment take precedence over AWS_PROFILE.
 * @param text JSON; undefined without an engine, which creates the cluster.
 */
export function withProfile(text: string | undefined, profile: string): string {
  return JSON.stringify(JSON.parse(text ?? "{}"), (key, value: unknown) =>
    key === "args" && Array.isArray(value) ? [...value, "--profile", profile] : value,
  );
}

/** A kubeconfig without credentials, as `aws eks update-kubeconfig` writes it. */
export function tokenKubeconfig(args: {
  readonly name: string;
  readonly region: string;
  readonly profile?: string | undefined;
  readonly server: string;
  readonly certificateAuthority: string;
}): string {
  const { name, region, profile, server } = args;
  const credentials = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"];
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1beta1",
    args: profile === undefined ? credentials : [...credentials, "--profile", profile],
    command: "aws",
    interactiveMode: "Never",
  };
  return JSON.stringify({
    apiVersion: "v1",
    clusters: [{ cluster: { "certificate-authority-data": args.certificateAuthority, server }, name }],
    contexts: [{ context: { cluster: name, user: name }, name }],
    "current-context": name,
    kind: "Config",
    users: [{ name, user: { exec } }],
  });
}
