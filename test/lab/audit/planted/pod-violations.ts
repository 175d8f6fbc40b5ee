import type { Json } from "./clean-objects.ts";

/** A violation in a pod: `C.` stands for a container. */
export interface PodViolation {
  readonly what: string;
  /** Rules that find it, all of them. */
  readonly rules: readonly string[];
  readonly path: string;
  /** Undefined takes the field out. */
  readonly to: Json | undefined;
  /** Lists of containers in which it is a violation. Default: all. */
  readonly lists?: readonly string[];
}

const SECURITY = "C.securityContext";
const violation = (rule: string, what: string, path: string, to?: Json, lists?: readonly string[]): PodViolation => ({
  what,
  rules: [rule],
  path,
  to,
  ...(lists && { lists }),
});
const MAIN = ["containers"];
const host = (path: string, handler: string) =>
  violation(
    "pods-no-host-probes",
    `${path} with a host`,
    `C.${path}`,
    { [handler]: { port: 80, host: "10.0.0.1" } },
    MAIN,
  );
const kernel = (what: string, path: string, to: Json) => violation("pods-kernel-defaults", what, path, to);
const volume = (type: string, source: Json) =>
  violation("pods-volume-types", `a volume of type ${type}`, "volumes.0", { name: "tmp", [type]: source });
const image = (rule: string, name: string) => violation(rule, `the image ${name}`, "C.image", name);
const literal = (what: string, path: string, to: Json) => violation("pods-no-literal-secrets", what, `C.${path}`, to);

/** Violations in the pod of whatever kind. */
export const POD_VIOLATIONS: readonly PodViolation[] = [
  violation("pods-not-privileged", "a privileged container", `${SECURITY}.privileged`, true),
  violation("pods-not-privileged", "a host process", `${SECURITY}.windowsOptions`, { hostProcess: true }),
  violation("pods-no-host-process", "a pod of host processes", "securityContext.windowsOptions", { hostProcess: true }),
  host("livenessProbe", "httpGet"),
  host("readinessProbe", "tcpSocket"),
  host("startupProbe", "httpGet"),
  host("lifecycle.postStart", "httpGet"),
  host("lifecycle.preStop", "tcpSocket"),
  ...["hostNetwork", "hostPID", "hostIPC"].map((key) => violation("pods-no-host-namespaces", key, key, true)),
  violation("pods-no-host-ports", "a host port", "C.ports", [{ containerPort: 8080, hostPort: 80 }], MAIN),
  violation("pods-no-host-ports", "the same host port", "C.ports", [{ containerPort: 80, hostPort: 80 }], MAIN),
  violation("pods-no-host-path", "the whole node", "volumes.0", { name: "tmp", hostPath: { path: "/" } }),
  violation("pods-no-host-path", "a socket", "volumes.0", {
    name: "tmp",
    hostPath: { path: "/run/x.sock", type: "Socket" },
  }),
  volume("nfs", { server: "10.0.0.1", path: "/" }),
  volume("gitRepo", { repository: "https://example.com/a.git" }),
  volume("iscsi", { targetPortal: "10.0.0.1", iqn: "iqn.2026-01.com.example:a", lun: 0 }),
  violation("pods-no-escalation", "no word on escalation", `${SECURITY}.allowPrivilegeEscalation`),
  violation("pods-no-escalation", "escalation", `${SECURITY}.allowPrivilegeEscalation`, true),
  violation("pods-drop-capabilities", "no capabilities", `${SECURITY}.capabilities`),
  violation("pods-drop-capabilities", "one dropped", `${SECURITY}.capabilities`, { drop: ["NET_RAW"] }),
  violation("pods-drop-capabilities", "all in lower case", `${SECURITY}.capabilities`, { drop: ["all"] }),
  ...["SYS_ADMIN", "NET_RAW", "NET_ADMIN"].map((one) =>
    violation("pods-drop-capabilities", `${one} added`, `${SECURITY}.capabilities`, { drop: ["ALL"], add: [one] }),
  ),
  violation("pods-seccomp", "no seccomp profile", "securityContext.seccompProfile"),
  violation("pods-seccomp", "an unconfined pod", "securityContext.seccompProfile", { type: "Unconfined" }),
  violation("pods-seccomp", "an unconfined container", `${SECURITY}.seccompProfile`, { type: "Unconfined" }),
  violation("pods-non-root", "root by the pod", "securityContext.runAsUser", 0),
  violation("pods-non-root", "root by the container", `${SECURITY}.runAsUser`, 0),
  violation("pods-non-root", "no word on root", "securityContext.runAsNonRoot"),
  violation("pods-non-root", "root allowed by the pod", "securityContext.runAsNonRoot", false),
  violation("pods-non-root", "root allowed by the container", `${SECURITY}.runAsNonRoot`, false),
  violation("pods-read-only-root", "no word on the root file system", `${SECURITY}.readOnlyRootFilesystem`),
  violation("pods-read-only-root", "a writable root file system", `${SECURITY}.readOnlyRootFilesystem`, false),
  kernel("a sysctl of the node", "securityContext.sysctls", [{ name: "kernel.msgmax", value: "1" }]),
  kernel("an unmasked /proc", `${SECURITY}.procMount`, "Unmasked"),
  kernel("an SELinux type", `${SECURITY}.seLinuxOptions`, { type: "spc_t" }),
  kernel("an SELinux user", "securityContext.seLinuxOptions", { user: "system_u" }),
  kernel("no AppArmor", `${SECURITY}.appArmorProfile`, { type: "Unconfined" }),
  ...["api", "api:latest", "api:latest-alpine", "api:stable", "api:main", "api:nightly-20260101", "api:prod"].map(
    (name) => image("pods-images-pinned", `ghcr.io/example/${name}`),
  ),
  ...["gcr.io/example/api:1.2.3", "localhost:5000/api:1.2.3", "quay.io.example.com/api:1.2.3"].map((name) =>
    image("pods-image-registries", name),
  ),
  // Without a request for memory, the limit is the request.
  ...["", ".limits", ".limits.memory", ".requests", ".requests.cpu"].map((path) =>
    violation("pods-resources", `no resources${path}`, `C.resources${path}`, undefined, [
      "containers",
      "initContainers",
    ]),
  ),
  literal("a password in the environment", "env", [{ name: "DB_PASSWORD", value: "hunter2" }]),
  literal("a password in a URL", "env", [{ name: "DATABASE", value: "postgres://app:hunter2@db:5432/app" }]),
  literal("a token in an option", "args", ["--token=abcdef"]),
  literal("a password in the next word", "args", ["--password", "hunter2"]),
  literal("an access key in a command", "command", ["sh", "-c", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE run"]),
  literal("a password of a client", "command", ["sh", "-c", "mysql -u app -phunter2"]),
  violation("pods-service-account-token", "the token of the account default", "automountServiceAccountToken", true),
  violation("pods-service-account-token", "no word on the token", "automountServiceAccountToken"),
];
