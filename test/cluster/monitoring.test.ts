import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig, type KubernetesObject } from "@kubernetes/client-node";
import { parse, stringify } from "yaml";
import { manifestsOf } from "../../lab/plan/manifests.ts";
import { planStack } from "../../lab/plan/plan.ts";
import { findProgram, Running, whyMissing } from "../support/collectors/program.ts";
import { leaveOut } from "../support/leave-out.ts";
import { runLab } from "../support/run-lab.ts";
import { TestCluster, until } from "./cluster.ts";
import { object } from "./dns-pods.ts";

const NAMESPACE = "lab-monitoring-test";
const RULES = "eks-dns-logging-rules";
const CANARY_SERVICE = "eks-dns-logging-canary-8080";

const inNamespace = (kind: string, name: string, fields: object, apiVersion = "v1", namespace = NAMESPACE) =>
  Object.assign(object(apiVersion, kind, name), { metadata: { name, namespace }, ...fields });

/** What leads Prometheus to CoreDNS on EKS: annotations of its Service. */
const COREDNS_SERVICE = Object.assign(
  inNamespace("Service", NAMESPACE, {
    spec: { clusterIP: "None", selector: { "k8s-app": "kube-dns" }, ports: [{ name: "metrics", port: 9153 }] },
  }),
  {
    metadata: {
      name: NAMESPACE,
      namespace: "kube-system",
      annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "9153" },
    },
  },
);

/** Who Prometheus is: it scrapes pods through the API server, since this machine may not reach them. */
const SCRAPER = [
  inNamespace("ServiceAccount", "prometheus", {}),
  Object.assign(object("rbac.authorization.k8s.io/v1", "ClusterRole", NAMESPACE), {
    rules: [{ apiGroups: [""], resources: ["pods/proxy"], verbs: ["get"] }],
  }),
  Object.assign(object("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", NAMESPACE), {
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: NAMESPACE },
    subjects: [{ kind: "ServiceAccount", name: "prometheus", namespace: NAMESPACE }],
  }),
];

/** A pod behind the Service of Prometheus that leads to this machine: the API server's proxy leads to pods alone. */
function relay(address: string, port: number): KubernetesObject[] {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((one) => `${one}_temp_path /tmp/${one};`);
  const configuration = `pid /tmp/nginx.pid;
events {}
http {
  ${temp.join(" ")} access_log off;
  server { listen 9090; location / { proxy_pass http://${address}:${port}; } }
}
`;
  const container = {
    name: "nginx",
    image: "docker.io/nginxinc/nginx-unprivileged:1.29.8-alpine",
    command: ["nginx", "-e", "/dev/stderr", "-c", "/etc/relay/nginx.conf", "-g", "daemon off;"],
    readinessProbe: { httpGet: { path: "/-/ready", port: 9090 }, periodSeconds: 1 },
    volumeMounts: [
      { name: "tmp", mountPath: "/tmp" },
      { name: "configuration", mountPath: "/etc/relay" },
    ],
  };
  const volumes = [
    { name: "tmp", emptyDir: {} },
    { name: "configuration", configMap: { name: "relay" } },
  ];
  const pod = inNamespace("Pod", "relay", {
    spec: { containers: [container], volumes, terminationGracePeriodSeconds: 0 },
  });
  return [
    inNamespace("ConfigMap", "relay", { data: { "nginx.conf": configuration } }),
    { ...pod, metadata: { ...pod.metadata, labels: { app: "relay" } } },
    inNamespace("Service", "prometheus", { spec: { selector: { app: "relay" }, ports: [{ port: 9090 }] } }),
  ];
}

/**
 * What Prometheus finds in a cluster by its role `endpoints`, for its file of targets: the endpoints of annotated Services. Each is scraped
 * through the API server.
 * @see https://prometheus.io/docs/prometheus/latest/configuration/configuration/#endpoints
 */
async function targetsOf({ core }: TestCluster, server: URL) {
  const services = (await core.listServiceForAllNamespaces()).items;
  const annotated = services.filter(({ metadata }) => metadata?.annotations?.["prometheus.io/scrape"] === "true");
  const targets = annotated.map(async ({ metadata, spec }) => {
    const { namespace = "", annotations = {} } = metadata ?? {};
    const port = annotations["prometheus.io/port"];
    const path = annotations["prometheus.io/path"] ?? "/metrics";
    const labelSelector = Object.entries(spec?.selector ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join();
    const pods = (await core.listNamespacedPod({ namespace, labelSelector })).items;
    return pods.flatMap(({ metadata: own, status }) =>
      status?.podIP === undefined || own?.deletionTimestamp !== undefined
        ? []
        : [
            {
              targets: [server.host],
              labels: {
                __metrics_path__: `/api/v1/namespaces/${namespace}/pods/${own?.name}:${port}/proxy${path}`,
                instance: `${status.podIP}:${port}`,
                namespace,
              },
            },
          ],
    );
  });
  return (await Promise.all(targets)).flat();
}

/** The address of this machine on the way to the API server, which pods can reach. */
async function ownAddress(server: URL): Promise<string> {
  const socket = connect(Number(server.port || 443), server.hostname);
  await once(socket, "connect");
  const { localAddress = "" } = socket;
  socket.destroy();
  return localAddress;
}

async function listenOn(server: Server, address: string): Promise<number> {
  server.listen(0, address);
  await once(server, "listening");
  const bound = server.address();
  assert.ok(typeof bound === "object" && bound !== null);
  return bound.port;
}

describe("the rows of monitoring on a real cluster, with a real Prometheus", function () {
  this.timeout(240_000);
  const cluster = new TestCluster();
  // Stands for the search engine and the collector: each line of the canary has arrived once.
  const store = createServer((request, response) => {
    request.resume();
    response.setHeader("Content-Type", "application/json").end('{"count":1}');
  });
  let prometheus: Running | undefined;
  let url = "";
  let folder = "";
  let stack: readonly string[] = [];
  let objects: KubernetesObject[] = [];
  let rules = "";
  let discover = async (): Promise<void> => {};

  before(async function () {
    const program = findProgram("prometheus");
    if (program === undefined) return leaveOut(this, whyMissing("prometheus"));
    for (const name of ["canary", NAMESPACE])
      assert.ok(!(await cluster.hasNamespace(name)), `namespace ${name} is there already`);
    folder = await mkdtemp(join(tmpdir(), "monitoring-"));
    const kubeConfig = new KubeConfig();
    kubeConfig.loadFromDefault();
    const server = new URL(kubeConfig.getCurrentCluster()?.server ?? "");
    const address = await ownAddress(server);
    const storePort = await listenOn(store, address);
    const reserved = createServer();
    const port = await listenOn(reserved, address);
    reserved.close();
    url = `http://${address}:${port}`;

    const file = join(folder, "Pulumi.watched.yaml");
    const settings = {
      "eks-dns-logging:cluster": { kind: "existing" },
      "eks-dns-logging:dns": {},
      "eks-dns-logging:teams": [],
      "eks-dns-logging:logging": {
        destination: { kind: "elasticsearch", host: address, port: storePort, tls: false },
      },
      "eks-dns-logging:monitoring": {
        kind: "annotations",
        prometheus: { namespace: NAMESPACE, service: "prometheus:9090", kubeStateMetrics: false },
      },
    };
    await writeFile(file, stringify({ config: settings }));
    stack = ["--stack", "watched", "--config-file", file];
    const config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value)]));
    const { resources } = await planStack({ name: "watched", config });
    const planned = manifestsOf(resources).map((one): KubernetesObject => JSON.parse(JSON.stringify(one.object)));
    // The collector stays out: not every cluster can pull its image.
    const own = planned.filter(({ kind, metadata }) =>
      kind === "Namespace" ? metadata?.name === "canary" : ["canary", NAMESPACE].includes(metadata?.namespace ?? ""),
    );
    objects = [object("v1", "Namespace", NAMESPACE), ...SCRAPER, COREDNS_SERVICE, ...own, ...relay(address, port)];
    for (const one of objects) await cluster.apply(one);
    const { data } = await cluster.core.readNamespacedConfigMap({ namespace: NAMESPACE, name: RULES });
    rules = data?.["eks-dns-logging.rules.yaml"] ?? "";

    const token = await cluster.core.createNamespacedServiceAccountToken({
      name: "prometheus",
      namespace: NAMESPACE,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { audiences: [] } },
    });
    const [tokenFile, caFile] = [join(folder, "token"), join(folder, "ca.crt")];
    await writeFile(tokenFile, token.status?.token ?? "");
    await writeFile(caFile, Buffer.from(kubeConfig.getCurrentCluster()?.caData ?? "", "base64"));
    await writeFile(join(folder, "rules.yaml"), rules);
    await writeFile(
      join(folder, "prometheus.yaml"),
      stringify({
        global: { scrape_interval: "2s", evaluation_interval: "2s" },
        rule_files: ["rules.yaml"],
        scrape_configs: [
          {
            job_name: "pods",
            scheme: "https",
            authorization: { credentials_file: tokenFile },
            tls_config: { ca_file: caFile },
            file_sd_configs: [{ files: ["targets.json"] }],
          },
        ],
      }),
    );
    discover = async () => {
      await writeFile(join(folder, "targets.new"), JSON.stringify(await targetsOf(cluster, server)));
      // Prometheus must never read half of it.
      await rename(join(folder, "targets.new"), join(folder, "targets.json"));
    };
    await discover();
    const flags = [
      `--config.file=${join(folder, "prometheus.yaml")}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=${address}:${port}`,
      "--web.enable-lifecycle",
    ];
    prometheus = new Running(program, flags, join(folder, "prometheus.log"));
    await until("the relay leads to Prometheus", () => cluster.podIsReady(NAMESPACE, "relay"));
  });

  after(async () => {
    await prometheus?.stop();
    store.close();
    for (const one of objects.toReversed()) await cluster.remove(one);
    if (folder !== "") await rm(folder, { recursive: true });
  });

  /** The rows, as `lab verify` prints them. */
  async function rows(): Promise<Readonly<Record<string, { status: string; detail: string; cause?: string }>>> {
    await discover();
    const only = ["scraped:coredns", "scraped:canary", "rules", "canary"].flatMap((id) => [
      "--only",
      `monitoring:${id}`,
    ]);
    const run = await runLab(["verify", ...stack, ...only, "--json"]);
    assert.notEqual(run.stdout, "", run.stderr);
    const found: { id: string; status: string; detail: string; cause?: string }[] = JSON.parse(run.stdout).rows;
    return Object.fromEntries(found.map((row) => [row.id.replace("monitoring:", ""), row]));
  }

  /**
   * Waits until a row, and no other, is as it should be. The canary's own row has nothing to say of metrics that are not scraped.
   * @param detail What it says then. A pod that goes is a target that is down before it is none.
   */
  async function row(id: string, status: string, detail = /^/): Promise<string> {
    const expected = status === "pass" ? [] : id === "scraped:canary" ? [id, "canary"] : [id];
    let found = await rows();
    await until(`row ${id} alone says ${status}`, async () => {
      found = await rows();
      const failing = Object.entries(found).flatMap(([other, one]) => (one.status === "pass" ? [] : other));
      const alone = failing.every((other) => expected.includes(other));
      return alone && found[id]?.status === status && detail.test(found[id].detail);
    });
    return `${found[id]?.detail} | ${found[id]?.cause}`;
  }

  async function load(text: string): Promise<void> {
    await writeFile(join(folder, "rules.yaml"), text);
    assert.equal((await fetch(`${url}/-/reload`, { method: "POST" })).status, 200);
  }

  it("pass where all is well", async () => {
    assert.match(await row("canary", "pass"), /^newest lines of \d+ nodes are up to \d+ s old/);
    assert.match((await rows())["scraped:coredns"]?.detail ?? "", /^[1-9]\d* targets$/);
    assert.match((await rows()).rules?.detail ?? "", /^[23]\d alerts$/);
  });

  it("fail where a target does not answer, and pass again", async () => {
    const service = objects.find(({ metadata }) => metadata?.name === CANARY_SERVICE);
    assert.ok(service);
    const annotations = { ...service.metadata?.annotations, "prometheus.io/path": "/nothing" };
    await cluster.apply({ ...service, metadata: { ...service.metadata, annotations } });
    assert.match(await row("scraped:canary", "fail"), /^down: [\d.]+:8080 \| /);
    await cluster.apply(service);
    await row("scraped:canary", "pass");
  });

  it("fail where a rule is missing or cannot be evaluated", async () => {
    const { groups } = parse(rules);
    const [first] = groups[0].rules;
    const without = groups.map((group: { rules: { alert: string }[] }) => ({
      ...group,
      rules: group.rules.filter(({ alert }) => alert !== first.alert),
    }));
    await load(stringify({ groups: without }));
    assert.match(await row("rules", "fail"), new RegExp(`^missing: ${first.alert} \\| .*${RULES}`));
    const broken = { ...first, expr: "up * on() group_left() up" };
    await load(stringify({ groups: [...without, { name: "broken", rules: [broken] }] }));
    assert.match(await row("rules", "fail"), new RegExp(`^${first.alert}: .*many-to-many`));
    await load(rules);
    await row("rules", "pass");
  });

  it("fail where the canary is silent", async () => {
    const daemonSet = objects.find(({ kind, metadata }) => kind === "DaemonSet" && metadata?.name === "canary");
    assert.ok(daemonSet);
    await cluster.remove(daemonSet);
    assert.match(
      await row("scraped:canary", "fail", /^no target/),
      /^no target \| your Prometheus does not scrape annotated Services/,
    );
    const { canary } = await rows();
    assert.match(`${canary?.detail} | ${canary?.cause}`, /^no canary \| .*kubectl -n canary get pods/);
  });
});
