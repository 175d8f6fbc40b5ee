import fc from "fast-check";
import { type Group, isGroup, type Value } from "../../policies/core/resource.ts";

/** A pod, and a container to add to it while it runs. */
export interface GeneratedPod {
  readonly annotations: Group;
  readonly spec: Group;
}

/** Images are never pulled: nothing is created. */
const IMAGE = "registry.example/app:1.0.0";
const LINUX_CONTEXT: Group = { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } };
const POD_CONTEXT: Group = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } };

/** Values at the edges of each field that Pod Security reads, by the field's path in a security context. */
const CONTEXT: Readonly<Record<string, readonly Value[]>> = {
  "seLinuxOptions.type": ["", "container_t", "container_engine_t", "container_init_t", "Container_t", "spc_t", null],
  "seLinuxOptions.user": ["", "system_u", null],
  "seLinuxOptions.role": ["", "system_r", null],
  "seLinuxOptions.level": ["s0:c1,c2"],
  seLinuxOptions: [{}, null],
  "seccompProfile.type": ["RuntimeDefault", "Unconfined", "runtimeDefault", "", null],
  seccompProfile: [{ type: "Localhost", localhostProfile: "p.json" }, {}, null],
  appArmorProfile: [
    { type: "RuntimeDefault" },
    { type: "Localhost", localhostProfile: "p" },
    { type: "Unconfined" },
    { type: "unconfined" },
    {},
    null,
  ],
  runAsNonRoot: [true, false, null, "true"],
  runAsUser: [0, 1, 1000, null],
  runAsGroup: [0, null],
  "windowsOptions.hostProcess": [true, false, null],
  windowsOptions: [{}, null, { runAsUserName: "ContainerUser" }],
};
const POD_LEVEL: Readonly<Record<string, readonly Value[]>> = {
  ...CONTEXT,
  sysctls: [
    [],
    null,
    [{ name: "net.ipv4.tcp_syncookies", value: "1" }],
    [{ name: "net.ipv4.tcp_rmem", value: "4096 87380 6291456" }],
    [{ name: "net.ipv4.tcp_wmem", value: "4096 16384 4194304" }],
    [{ name: "net/ipv4/tcp_syncookies", value: "1" }],
    [{ name: "kernel.shm_rmid_forced", value: "1" }],
    [{ name: "kernel.msgmax", value: "1" }],
    [{ name: "net.core.somaxconn", value: "1024" }],
    [
      { name: "net.ipv4.ip_unprivileged_port_start", value: "0" },
      { name: "net.ipv4.tcp_keepalive_time", value: "60" },
    ],
  ],
  fsGroup: [0],
  supplementalGroups: [[0]],
};
const CONTAINER_LEVEL: Readonly<Record<string, readonly Value[]>> = {
  ...CONTEXT,
  privileged: [true, false, null],
  allowPrivilegeEscalation: [true, false, null],
  procMount: ["Default", "Unmasked", "default", "", null],
  "capabilities.drop": [["ALL"], ["all"], ["CAP_ALL"], ["NET_RAW"], ["KILL", "ALL"], [], null],
  "capabilities.add": [
    ["NET_BIND_SERVICE"],
    ["CAP_NET_BIND_SERVICE"],
    ["net_bind_service"],
    ["CHOWN"],
    ["MKNOD", "SYS_CHROOT"],
    ["NET_RAW"],
    ["SYS_ADMIN"],
    ["ALL"],
    [""],
    [],
    null,
  ],
  capabilities: [{}, null],
  readOnlyRootFilesystem: [true, false],
};

const HOSTS: readonly Value[] = ["10.0.0.1", "localhost", " ", "", null];
const probes = HOSTS.flatMap((host): Value[] => [
  { httpGet: { host, port: 80 } },
  { tcpSocket: { host, port: 80 } },
  { httpGet: { port: 80, httpHeaders: [{ name: "Host", value: "metadata" }] } },
  { grpc: { port: 80 } },
  { exec: { command: ["true"] } },
]);
const hooks = HOSTS.flatMap((host): Value[] => [
  { httpGet: { host, port: 80 } },
  { tcpSocket: { host, port: 80 } },
  { sleep: { seconds: 1 } },
]);
const CONTAINER: Readonly<Record<string, readonly Value[]>> = {
  ...under("securityContext", CONTAINER_LEVEL),
  securityContext: [{}, null],
  livenessProbe: [...probes, null],
  readinessProbe: probes,
  startupProbe: probes,
  "lifecycle.postStart": [...hooks, null],
  "lifecycle.preStop": hooks,
  ports: [
    [{ containerPort: 80 }],
    [{ containerPort: 80, hostPort: 0 }],
    [{ containerPort: 80, hostPort: null }],
    [{ containerPort: 80, hostPort: 80 }],
    [{ containerPort: 80 }, { containerPort: 81, hostPort: 65535, protocol: "UDP" }],
    null,
  ],
};
const CLAIM: Value = {
  metadata: null,
  spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};
/** Volume sources, each whole: those that Pod Security allows, and as many as it does not. */
const VOLUMES: Readonly<Record<string, Value>> = {
  configMap: { name: "c" },
  csi: { driver: "csi.example" },
  downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] },
  emptyDir: {},
  ephemeral: { volumeClaimTemplate: CLAIM },
  image: { reference: IMAGE },
  persistentVolumeClaim: { claimName: "c" },
  projected: { sources: [] },
  secret: { secretName: "s" },
  hostPath: { path: "/var/log" },
  nfs: { server: "nfs.example", path: "/" },
  iscsi: { targetPortal: "10.0.0.1", iqn: "iqn.2026-01.example:disk", lun: 0 },
  gitRepo: { repository: "https://git.example/r.git" },
  awsElasticBlockStore: { volumeID: "vol-1" },
  gcePersistentDisk: { pdName: "d" },
  azureFile: { secretName: "s", shareName: "x" },
  azureDisk: { diskName: "d", diskURI: "/subscriptions/x/blob" },
  cephfs: { monitors: ["10.0.0.1"] },
  cinder: { volumeID: "v" },
  fc: { targetWWNs: ["500a0982991b8dc5"], lun: 0 },
  flexVolume: { driver: "example/d" },
  flocker: { datasetName: "d" },
  glusterfs: { endpoints: "e", path: "p" },
  rbd: { monitors: ["10.0.0.1"], image: "i" },
  quobyte: { registry: "10.0.0.1:7861", volume: "v" },
  portworxVolume: { volumeID: "v" },
  photonPersistentDisk: { pdID: "p" },
  scaleIO: { gateway: "https://g.example", system: "s", volumeName: "v", secretRef: { name: "s" } },
  storageos: { volumeName: "v" },
  vsphereVolume: { volumePath: "[d] v" },
};
const VOLUME_LISTS: readonly Value[] = [
  [],
  null,
  [{ name: "nothing" }],
  [{ name: "v", emptyDir: null }],
  [{ name: "v", hostPath: null, emptyDir: {} }],
  [{ name: "v", nfs: null, configMap: { name: "c" } }],
  [{ name: "v", emptyDir: {}, hostPath: { path: "/" } }],
  [
    { name: "v", emptyDir: {} },
    { name: "w", hostPath: { path: "/" } },
  ],
  ...Object.entries(VOLUMES).map(([type, source]): Value => [{ name: "v", [type]: source }]),
];
const POD: Readonly<Record<string, readonly Value[]>> = {
  ...under("securityContext", POD_LEVEL),
  securityContext: [{}, null],
  hostNetwork: [true, false, null],
  hostPID: [true, false, null],
  hostIPC: [true, false, null],
  hostUsers: [true, false, false, null],
  shareProcessNamespace: [true],
  volumes: VOLUME_LISTS,
  os: [{ name: "windows" }, { name: "linux" }, null, { name: "Windows" }],
};
const APP_ARMOR = "container.apparmor.security.beta.kubernetes.io/";
const ANNOTATIONS: readonly Group[] = [
  ...["unconfined", "runtime/default", "localhost/p", "RuntimeDefault", ""].map((value) => ({
    [`${APP_ARMOR}app`]: value,
  })),
  { [`${APP_ARMOR}init`]: "unconfined" },
  { "seccomp.security.alpha.kubernetes.io/pod": "unconfined" },
];

function under(key: string, fields: Readonly<Record<string, readonly Value[]>>) {
  return Object.fromEntries(Object.entries(fields).map(([path, values]) => [`${key}.${path}`, values]));
}

/** A change of one field: most pods have few, so that each is decided by one field alone. */
type Edit = readonly [path: string, value: Value];

function edits(fields: Readonly<Record<string, readonly Value[]>>, most: number): fc.Arbitrary<Edit[]> {
  const one = fc
    .constantFrom(...Object.entries(fields))
    .chain(([path, values]) => fc.constantFrom(...values).map((value): Edit => [path, value]));
  return fc.array(one, { maxLength: most });
}

const container = (name: string, isWindows: boolean, more: Group = {}) =>
  fc
    .tuple(fc.boolean(), edits(CONTAINER, 2))
    .map(([isPlain, changes]) =>
      applied(
        { name, image: IMAGE, ...more, ...(isWindows ? {} : { securityContext: LINUX_CONTEXT }) },
        isPlain ? [] : changes,
      ),
    );

/** Pods that comply but for a few fields. Some of them no API server takes: a value in the wrong case, a field of the other system. */
export const anyPod: fc.Arbitrary<GeneratedPod> = fc.constantFrom(false, false, false, false, true).chain((isWindows) =>
  fc
    .record({
      first: container("app", isWindows),
      others: fc.array(container("second", isWindows), { maxLength: 1 }),
      init: fc.array(
        fc.oneof(container("init", isWindows), container("init", isWindows, { restartPolicy: "Always" })),
        { maxLength: 1 },
      ),
      changes: edits(POD, 2),
      annotations: fc.oneof({ weight: 6, arbitrary: fc.constant({}) }, fc.constantFrom(...ANNOTATIONS)),
    })
    .map(({ first, others, init, changes, annotations }) => {
      const base: Group = isWindows
        ? { os: { name: "windows" }, securityContext: { runAsNonRoot: true } }
        : { securityContext: POD_CONTEXT };
      const containers = { containers: [first, ...others], ...(init.length > 0 ? { initContainers: init } : {}) };
      return { annotations, spec: applied({ ...base, ...containers }, changes) };
    }),
);

/** Containers that may be added to a running pod. */
export const anyEphemeralContainer: fc.Arbitrary<Group> = edits(
  { ...under("securityContext", CONTAINER_LEVEL), securityContext: [{}, null] },
  2,
).map((changes) => applied({ name: "debug", image: IMAGE, securityContext: LINUX_CONTEXT }, changes));

/** Pods that comply with "restricted", to be debugged by such a container. */
export const COMPLIANT: Readonly<Record<string, GeneratedPod>> = {
  linux: pod({ securityContext: POD_CONTEXT }, { securityContext: LINUX_CONTEXT }),
  "user-namespace": pod(
    { hostUsers: false, securityContext: { seccompProfile: { type: "RuntimeDefault" } } },
    { securityContext: LINUX_CONTEXT },
  ),
  windows: pod({ os: { name: "windows" }, securityContext: { runAsNonRoot: true } }, {}),
};

function pod(spec: Group, ofContainer: Group): GeneratedPod {
  return { annotations: {}, spec: { ...spec, containers: [{ name: "app", image: IMAGE, ...ofContainer }] } };
}

function applied(group: Group, changes: readonly Edit[]): Group {
  return changes.reduce<Group>((result, [path, value]) => set(result, path.split("."), value), group);
}

function set(group: Group, [key = "", ...rest]: readonly string[], value: Value): Group {
  const inner = group[key];
  return { ...group, [key]: rest.length === 0 ? value : set(isGroup(inner) ? inner : {}, rest, value) };
}
