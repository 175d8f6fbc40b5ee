import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type AdoptionRequest, adopt, stackFileText } from "../../../lab/adopt/adoption.ts";
import { manifestsOf } from "../../../lab/plan/manifests.ts";
import { planStack } from "../../../lab/plan/plan.ts";
import { readStackFile } from "../../../lab/stack-file.ts";
import { EKS_COREFILE } from "../../support/eks-corefile.ts";
import { listen } from "../../support/listen.ts";
import { runLab } from "../../support/run-lab.ts";
import { coreDns, type Json, live, object, POD } from "./live.ts";

const EDITED = EKS_COREFILE.replace("cache 30", "cache 10");
const NAMESPACE = object("v1", "Namespace", "payments", undefined, {
  metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
});
const REQUEST: AdoptionRequest = {
  stack: "prod",
  parts: ["dns", "teams"],
  namespaces: ["payments"],
  coredns: { namespace: "kube-system", name: "coredns" },
  context: "prod",
  kubeconfig: undefined,
  version: "v1.35.2",
  eks: undefined,
};
const AWS = { serviceCidr: "172.20.0.0/16", isAutoMode: false, hasCoreDnsAddon: true };

describe("lab adopt", () => {
  let folder: string;
  let server: Server;
  let kubeconfig: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "adopt-"));
    server = createServer((request, response) => {
      const path = request.url?.split("?")[0] ?? "";
      const plural = path.split("/").at(-1) ?? "";
      const kind = { namespaces: "Namespace", configmaps: "ConfigMap", services: "Service", deployments: "Deployment" };
      const wanted = Object.entries(kind).find(([key]) => key === plural)?.[1];
      const items = [...coreDns({}, EDITED), NAMESPACE].filter((one) => one.kind === wanted);
      const isRefused = plural.startsWith("role");
      response.writeHead(isRefused ? 403 : 200, { "content-type": "application/json" });
      response.end(JSON.stringify(plural === "version" ? { gitVersion: "v1.35.2" } : isRefused ? {} : { items }));
    });
    const url = `http://127.0.0.1:${await listen(server)}`;
    kubeconfig = join(folder, "kubeconfig");
    const config = {
      clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
      users: [{ name: "u", user: { token: "t" } }],
      contexts: [{ name: "arn:aws:eks:eu-central-1:1:cluster/prod", context: { cluster: "c", user: "u" } }],
      "current-context": "arn:aws:eks:eu-central-1:1:cluster/prod",
    };
    await writeFile(kubeconfig, JSON.stringify({ apiVersion: "v1", kind: "Config", ...config }));
  });
  after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });

  it("writes a stack that can be planned, whose patches keep every value", async () => {
    const adoption = await adopt(live([...coreDns({}, EDITED), NAMESPACE]), REQUEST);
    assert.deepEqual(
      adoption.rows.filter(({ action }) => action === "conflict"),
      [],
    );
    const file = join(folder, "Pulumi.planned.yaml");
    await writeFile(file, stackFileText(adoption, "a test"));
    const { resources } = await planStack(await readStackFile("planned", file));
    const objects = manifestsOf(resources).map(({ object: one }) => JSON.parse(JSON.stringify(one)));
    const named = (kind: string) => objects.find((one) => one.kind === kind);
    assert.equal(named("ConfigMap").data.Corefile, EDITED);
    assert.equal(named("Deployment").spec.replicas, 3);
    assert.deepEqual(named("Deployment").spec.template.spec.containers, [
      { name: "coredns", resources: { limits: { memory: "170Mi" }, requests: { cpu: "100m", memory: "70Mi" } } },
    ]);
    assert.equal(named("Namespace").metadata.name, "payments");
  });

  it("says where a CoreDNS is that it leaves alone, so that the teams' network policies lead to it", async () => {
    const of = async (objects: readonly Json[]) => {
      const { config, rows } = await adopt(live([...objects, NAMESPACE]), { ...REQUEST, parts: ["teams"] });
      return [
        config["eks-dns-logging:dns"],
        rows.filter(({ subject }) => subject === "dns").map(({ action }) => action),
      ];
    };
    const labels = { "k8s-app": "coredns", "app.kubernetes.io/name": "coredns" };
    const chart = (name: string, ...ports: readonly Json[]) => [
      object("apps/v1", "Deployment", name, "dns", {
        spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: POD } },
      }),
      object("v1", "Service", name, "dns", {
        spec: { selector: labels, clusterIPs: ["172.20.0.10"], ports: [...ports] },
      }),
    ];
    const adopted = { namespace: "dns", deployment: "dns-coredns", selector: labels, manage: false, port: 5353 };
    const elsewhere = [{ adopt: adopted, clusterDns: ["172.20.0.10"] }, ["leave"]];
    const metrics = { port: 9153, targetPort: 9153 };
    assert.deepEqual(await of(chart("dns-coredns", metrics, { port: 53, targetPort: 5353 })), elsewhere);
    const { port: _, ...usual } = adopted;
    for (const targetPort of [53, "dns"])
      assert.deepEqual(await of(chart("dns-coredns", metrics, { port: 53, targetPort })), [
        { adopt: usual, clusterDns: ["172.20.0.10"] },
        ["leave"],
      ]);
    assert.deepEqual(await of(coreDns()), [false, []]);
    assert.deepEqual(await of([...chart("dns-coredns"), ...chart("two-coredns")]), [false, []]);
    assert.deepEqual(await of([]), [false, []]);
  });

  it("imports its own collector once, and says what that does where kubectl has made it", async () => {
    const of = async (manager: string, labels: object = { "app.kubernetes.io/part-of": "eks-dns-logging" }) => {
      const metadata = { labels, managedFields: [{ manager, operation: "Update" }] };
      const objects = [
        object("apps/v1", "DaemonSet", "fluent-bit", "logging", { metadata }),
        object("v1", "Namespace", "logging", undefined, { metadata }),
      ];
      const { rows } = await adopt(live(objects), { ...REQUEST, parts: ["logging"], namespaces: [] });
      return rows.filter(({ subject }) => subject !== "logging.destination").map((row) => Object.values(row).join(" "));
    };
    const imported = ["Namespace/logging", "DaemonSet/logging/fluent-bit"].map(
      (name) => `import ${name} was created by this program`,
    );
    assert.deepEqual(await of("pulumi-kubernetes-1a2b"), imported);
    assert.deepEqual(await of("kubectl-client-side-apply"), [
      ...imported,
      "check 2 imported objects created with kubectl: a preview fails at its fields, `pulumi up --skip-preview` takes them over, and replaces DaemonSet/logging/fluent-bit",
    ]);
    assert.ok((await of("helm", {})).some((row) => row.startsWith("leave DaemonSet/logging/fluent-bit collects logs")));
  });

  it("imports the add-on of an EKS cluster under its id, with the component above it", async () => {
    const eks = { name: "prod", region: "eu-central-1", aws: AWS };
    const { importFile, config, rows } = await adopt(live([...coreDns(), NAMESPACE]), { ...REQUEST, eks });
    assert.deepEqual(importFile.resources, [
      { type: "eks-dns-logging:dns:CoreDns", name: "coredns", component: true },
      { type: "aws:eks/addon:Addon", name: "coredns-addon", id: "prod:coredns", parent: "coredns" },
    ]);
    assert.deepEqual(config["eks-dns-logging:cluster"], {
      kind: "eks-existing",
      name: "prod",
      kubernetesVersion: "1.35",
      serviceCidr: "172.20.0.0/16",
      context: "prod",
    });
    assert.deepEqual(
      rows.filter(({ action }) => action === "conflict" || action === "check"),
      [],
    );
  });

  it("recognizes IPv6 by the first addresses of Services", async () => {
    const settings = async (...clusterIPs: readonly string[]) => {
      const objects = JSON.stringify(coreDns()).replace('["172.20.0.10"]', JSON.stringify(clusterIPs));
      return (await adopt(live([...JSON.parse(objects), NAMESPACE]), REQUEST)).config["eks-dns-logging:cluster"];
    };
    const existing = { kind: "existing", context: "prod" };
    assert.deepEqual(await settings("fd12:3456:789a::a", "172.20.0.10"), { ...existing, ipFamily: "ipv6" });
    assert.deepEqual(await settings("172.20.0.10", "fd12:3456:789a::a"), existing);
    assert.deepEqual(await settings("None"), existing);
  });

  it("names what is unknown without AWS, and that a self-managed CoreDNS is taken over in place", async () => {
    const rowsFor = async (aws: typeof AWS | string) =>
      (await adopt(live([...coreDns(), NAMESPACE]), { ...REQUEST, eks: { name: "prod", region: "eu-central-1", aws } }))
        .rows;
    const unknown = (await rowsFor("the AWS CLI is not installed")).find(({ action }) => action === "check");
    assert.match(unknown?.reason ?? "", /^AWS does not answer \(the AWS CLI is not installed\): state .*prod:coredns/);
    const self = (await rowsFor({ ...AWS, hasCoreDnsAddon: false })).find(({ subject }) =>
      subject.startsWith("add-on"),
    );
    assert.match(self?.reason ?? "", /in place/);
  });

  it("imports an existing add-on at the version that AWS reports, not at this program's", async () => {
    const aws = { ...AWS, coreDnsVersion: "v1.12.4-eksbuild.1" };
    const eks = { name: "prod", region: "eu-central-1", aws };
    const { config, importFile } = await adopt(live([...coreDns(), NAMESPACE]), { ...REQUEST, parts: ["dns"], eks });
    const { addonVersion }: { addonVersion?: string } = Object(config["eks-dns-logging:dns"]);
    assert.equal(addonVersion, "v1.12.4-eksbuild.1");
    assert.deepEqual(
      importFile.resources.map(({ type, name, id }) => [type, name, id]),
      [
        ["eks-dns-logging:dns:CoreDns", "coredns", undefined],
        ["aws:eks/addon:Addon", "coredns-addon", "prod:coredns"],
      ],
    );
  });

  it("patches a CoreDNS on EKS that the add-on cannot keep, and names the fields", async () => {
    const eks = { name: "prod", region: "eu-central-1", aws: { ...AWS, hasCoreDnsAddon: false } };
    const objects = live([...coreDns({ terminationGracePeriodSeconds: 60 }), NAMESPACE]);
    const { config, rows } = await adopt(objects, { ...REQUEST, eks });
    const found = rows.find(({ subject }) => subject.startsWith("the EKS add-on cannot take"));
    assert.deepEqual(
      [found?.subject, found?.reason],
      ["the EKS add-on cannot take spec.template.spec.terminationGracePeriodSeconds", "is 60, the add-on's is 30"],
    );
    const text = Object.entries(config).map(([key, value]): [string, string] => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    const { resources } = await planStack({ name: "prod", config: Object.fromEntries(text) });
    const types = resources.map(({ type }) => type);
    assert.ok(
      types.includes("kubernetes:core/v1:ConfigMapPatch") && types.includes("kubernetes:apps/v1:DeploymentPatch"),
    );
    assert.ok(!types.includes("aws:eks/addon:Addon"));
  });

  it("imports this program's own objects with their provider, and stops at a foreign one of the same name", async () => {
    const policy = (labels: object) =>
      object("networking.k8s.io/v1", "NetworkPolicy", "default-deny", "payments", {
        metadata: { labels },
        spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
      });
    const own = policy({ "app.kubernetes.io/part-of": "eks-dns-logging" });
    const { importFile, targets } = await adopt(live([...coreDns(), NAMESPACE, own]), REQUEST);
    const cluster = "urn:pulumi:prod::eks-dns-logging::eks-dns-logging:cluster:ExistingCluster::cluster";
    const provider =
      "urn:pulumi:prod::eks-dns-logging::eks-dns-logging:cluster:ExistingCluster$pulumi:providers:kubernetes::cluster-kubernetes";
    assert.deepEqual(targets, [cluster, provider]);
    assert.deepEqual(importFile, {
      nameTable: { cluster, "cluster-kubernetes": provider },
      resources: [
        { type: "eks-dns-logging:team:Team", name: "payments", component: true },
        {
          type: "kubernetes:networking.k8s.io/v1:NetworkPolicy",
          name: "payments-payments-default-deny",
          id: "payments/default-deny",
          parent: "payments",
          provider: "cluster-kubernetes",
        },
      ],
    });
    const foreign = await adopt(live([...coreDns(), NAMESPACE, policy({})]), REQUEST);
    assert.deepEqual(foreign.importFile.resources, []);
    const conflicts = foreign.rows.filter(({ action }) => action === "conflict").map(({ subject }) => subject);
    assert.deepEqual(conflicts, ["NetworkPolicy/payments/default-deny"]);
  });

  it("names a label that another tool manages, and a Corefile that CoreDNS could not run", async () => {
    const managed = object("v1", "Namespace", "payments", undefined, {
      metadata: {
        labels: { "pod-security.kubernetes.io/enforce": "restricted", "app.kubernetes.io/managed-by": "Helm" },
        managedFields: [
          { manager: "helm", fieldsV1: { "f:metadata": { "f:labels": { "f:app.kubernetes.io/managed-by": {} } } } },
        ],
      },
    });
    const { rows } = await adopt(live([...coreDns({}, "forward . /etc/resolv.conf {\n"), managed]), REQUEST);
    const conflicts = rows.filter(({ action }) => action === "conflict").map(({ reason }) => reason);
    assert.match(conflicts.join("\n"), /dns\.corefile\.text: CoreDNS cannot run this Corefile/);
    const sound = await adopt(live([...coreDns(), managed]), REQUEST);
    assert.deepEqual(
      sound.rows.filter(({ action }) => action === "conflict"),
      [
        {
          action: "conflict",
          subject: "Namespace/payments metadata.labels.app.kubernetes.io/managed-by",
          reason: 'is "Helm" and managed by helm, this program sets "pulumi"',
        },
      ],
    );
  });

  it("overwrites no file without --force, and shows the table", async () => {
    const args = ["adopt", "--kubeconfig", kubeconfig, "--out", join(folder, "out"), "--namespaces", "payments"];
    const first = await runLab(args);
    assert.equal(first.exitCode, 0, first.stderr + first.stdout);
    assert.match(first.stdout, /0 conflicts, \d to check, 0 to import, \d+ adopted, \d+ left alone/);
    assert.match(first.stdout, /check +Role .*could not be listed/);
    assert.doesNotMatch(first.stderr + first.stdout, /import\..*\.json/);
    const file = join(folder, "out", "Pulumi.arn-aws-eks-eu-central-1-1-cluster-prod.yaml");
    assert.match(await readFile(file, "utf8"), /corefile:\n {6}text: \|\n {8}\.:53 \{/);
    const again = await runLab(args);
    assert.equal(again.exitCode, 2);
    assert.match(again.stderr, /Pulumi\.arn-.*\.yaml exists: .*--force/);
    const imports = join(folder, "out", "import.arn-aws-eks-eu-central-1-1-cluster-prod.json");
    await writeFile(imports, "{}");
    const forced = await runLab([...args, "--force", "--json"]);
    assert.equal(forced.exitCode, 0);
    assert.deepEqual(JSON.parse(forced.stdout).files, [file]);
    assert.match(forced.stderr, /Removed .*import\..*\.json: nothing is to be imported now/);
    await assert.rejects(readFile(imports), { code: "ENOENT" });
  });

  it("exits with 2 and one line if it cannot determine what to adopt", async () => {
    for (const [args, expected] of [
      [["--parts", "teams"], /needs --namespaces/],
      [["--stack", "a b"], /option '-s, --stack <name>' argument 'a b' is invalid\. It must be letters, digits/],
      [["--name", "prod"], /--name and --region must be set together/],
      [["--parts", "dns", "--namespaces", "payments"], /needs teams in --parts/],
      [["--parts", "network"], /It must be a list of dns, teams, logging\./],
      [["--kubeconfig", kubeconfig, "--namespaces", "payment"], /no namespace payment; found: payments/],
      [["--kubeconfig", join(folder, "nothing")], /no kubeconfig at \S+nothing: set --kubeconfig or KUBECONFIG\n$/],
    ] satisfies [string[], RegExp][]) {
      const { exitCode, stderr } = await runLab(["adopt", "--out", join(folder, "never"), ...args]);
      assert.equal(exitCode, 2, args.join(" "));
      assert.match(stderr, expected);
    }
  });
});
