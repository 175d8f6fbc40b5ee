import assert from "node:assert/strict";
import { AdoptSettings } from "../../../components/dns/settings.ts";
import { fluentBit } from "../../../components/logging/collectors/fluent-bit/index.ts";
import { logPipeline } from "../../../components/logging/pipeline.ts";
import { ALERTS } from "../../../components/monitoring/alerts/alert-table.ts";
import type { Drill, Scene } from "../../../lab/drill/drill.ts";
import {
  consentFor,
  DRILLS,
  drillsJson,
  drillTable,
  explanation,
  offeredDrills,
  placeOf,
  sceneOf,
} from "../../../lab/drill/drill-list.ts";
import { statedPlace } from "../../../lab/kubernetes/core-dns-place.ts";
import { fieldOf } from "../../../lab/kubernetes/object-store.ts";
import { allChecks, checkInputOf, select } from "../../../lab/verify/catalog.ts";
import { fakeLab, localSettings } from "./fake-lab.ts";

const OPENSEARCH = { destination: { kind: "opensearch", inCluster: true } };
const PASSWORD = {
  destination: { kind: "opensearch", host: "search.example.com", credentials: { secretName: "search" } },
};

function sceneWith(logging: unknown = {}): Scene {
  const scene = sceneOf(localSettings({ logging }));
  assert.ok(scene);
  return scene;
}

function drillOf(name: string): Drill {
  const drill = DRILLS.find((one) => one.name === name);
  assert.ok(drill, name);
  return drill;
}

/** Fluent Bit's configuration. */
function rendered(logging: object): string {
  const { settings } = sceneWith(logging);
  assert.ok(settings.logging);
  const pipeline = logPipeline(settings.logging, { cluster: "laptop", region: undefined, teams: settings.teams });
  return fluentBit.render(pipeline).files["fluent-bit.yaml"] ?? "";
}

/** Lines of Fluent Bit's configuration that a drill takes away and puts in. */
function changedLines(drill: Drill, logging: object): { readonly gone: string[]; readonly come: string[] } {
  const scene = sceneWith(logging);
  const text = rendered(logging);
  for (const fault of drill.faults(scene)) {
    if (fault.kind !== "change" || fault.ref.name !== "fluent-bit") continue;
    const changed = String(fieldOf(fault.change({ data: { "fluent-bit.yaml": text } }), ["data", "fluent-bit.yaml"]));
    const [before, after] = [text.split("\n"), changed.split("\n")];
    const only = (lines: string[], others: string[]) =>
      lines.filter((line) => !others.includes(line)).map((line) => line.trim());
    return { gone: only(before, after), come: only(after, before) };
  }
  return { gone: [], come: [] };
}

describe("the drills", () => {
  it("take DNS from a team by what its policy selects: the usual labels, or the namespace", () => {
    const told = (selector: Record<string, string> | undefined, namespace = "kube-system") => {
      const dns = { adopt: AdoptSettings.parse({ namespace, selector }) };
      return drillOf("one-team-lost-dns").repair({ ...sceneWith(), coreDns: statedPlace(dns) });
    };
    assert.equal(told(undefined), "Write k8s-app: kube-dns into the policy allow-dns.");
    assert.equal(told({ app: "dns" }), "Write kubernetes.io/metadata.name: kube-system into the policy allow-dns.");
    assert.equal(told(undefined, "dns"), "Write kubernetes.io/metadata.name: dns into the policy allow-dns.");
  });

  it("are at least twelve, with a name each", () => {
    assert.ok(DRILLS.length >= 12);
    assert.equal(new Set(DRILLS.map(({ name }) => name)).size, DRILLS.length);
  });

  for (const drill of DRILLS) {
    it(`${drill.name} has rows of verify, hints, and an alert that there is`, () => {
      const scene = sceneWith(OPENSEARCH);
      const rows = select(allChecks(checkInputOf("local", scene.settings, 1)), { only: drill.rows(scene), skip: [] });
      assert.ok(rows.length >= 1);
      assert.equal(new Set(drill.hints(scene)).size, 3);
      if (drill.alert !== undefined)
        assert.ok(
          ALERTS.some(({ name }) => name === drill.alert),
          drill.alert,
        );
      assert.match(drill.shownBy(scene), /^kubectl -n /);
      for (const text of [drill.symptom(scene), drill.cause(scene), drill.repair(scene)])
        assert.doesNotMatch(text, /undefined|\[object/);
      // Neither the name nor the symptom says what was changed.
      assert.doesNotMatch(
        `${drill.name} ${drill.symptom(scene)}`,
        /selector|label|targetPort|quota team|LimitRange|NetworkPolicy|Corefile|forward|exclude/,
      );
    });
  }

  it("are all offered on a laptop, except those about a destination that it lacks", async () => {
    const { api, env } = await fakeLab();
    const drills = await offeredDrills(env.scene.settings, env.store);
    api.stop();
    const refused = drills.filter(({ unfit }) => unfit !== undefined);
    assert.deepEqual(
      refused.map(({ drill }) => drill.name),
      ["lines-pile-up", "lines-refused", "receiver-busy", "wrong-index"],
    );
    assert.deepEqual(
      new Set(refused.map(({ unfit }) => unfit)),
      new Set(["it needs a destination that the collector reaches over HTTP and verify can search"]),
    );
  });

  it("about a receiver are offered if its answer would be the drill's", async () => {
    const refusedWith = async (logging: object) =>
      (await offeredDrills(localSettings({ logging }), undefined)).flatMap(({ drill, unfit }) =>
        unfit === undefined ? [] : [`${drill.name}: ${unfit}`],
      );
    assert.deepEqual(await refusedWith(OPENSEARCH), ["lines-refused: the destination has no user and password"]);
    assert.deepEqual(await refusedWith(PASSWORD), ["receiver-busy: the destination is reached over TLS"]);
  });

  it("are withheld with the reason: no CoreDNS, EKS, another collector, no logs, no teams", async () => {
    const reason = async (name: string, settings: object, isEks?: boolean) =>
      (await offeredDrills(localSettings({ ...settings }), undefined, isEks)).find(({ drill }) => drill.name === name)
        ?.unfit;
    assert.match((await reason("dns-gone", {}, true)) ?? "", /never done on EKS/);
    assert.equal(await reason("no-answer", {}, true), undefined);
    assert.match((await reason("no-lines", { logging: { collector: "vector" } })) ?? "", /another collector/);
    assert.match((await reason("no-lines", { logging: { mode: "sidecar" } })) ?? "", /another collector/);
    assert.match((await reason("no-lines", { logging: false })) ?? "", /collects no logs/);
    assert.match((await reason("no-answer", { curlPods: false, logging: false })) ?? "", /no two teams/);
    const { api, env } = await fakeLab();
    api.objects.delete("/api/v1/namespaces/kube-system/pods/coredns-1");
    const [gone] = (await offeredDrills(env.scene.settings, env.store)).filter(({ drill }) => drill.part === "dns");
    assert.equal(gone?.unfit, "no pod in kube-system has the label k8s-app=kube-dns");
    api.stop();
  });

  it("move CoreDNS to a port that its Service does not lead to, wherever it listens", () => {
    for (const [port, corefile, moved] of [
      [53, ". {\n}\n", ".:1053 {\n}\n"],
      [5353, ".:5353 {\n}\n", ".:1053 {\n}\n"],
      [1053, ".:1053 {\n}\n", ".:1054 {\n}\n"],
    ] as const) {
      const scene = sceneWith();
      const there = { ...scene, coreDns: { ...scene.coreDns, port } };
      const drill = drillOf("names-time-out");
      const [fault] = drill.faults(there);
      assert.ok(fault?.kind === "change");
      assert.deepEqual(fault.change({ data: { Corefile: corefile } }), { data: { Corefile: moved } });
      assert.match(drill.cause(there), new RegExp(`and the Service kube-dns leads to port ${port}\\.$`));
      assert.match(drill.repair(there), new RegExp(`\\.:${port} `));
    }
  });

  it("are withheld where the nodes' caches answer instead of CoreDNS", async () => {
    const refused = async (dns: object) =>
      (await offeredDrills(localSettings({ dns }), undefined)).flatMap(({ drill, unfit }) =>
        unfit?.includes("caches") ? [drill.name] : [],
      );
    const nodeLocalCache = { mode: "kubelet" };
    assert.deepEqual(await refused({}), []);
    assert.deepEqual(await refused({ nodeLocalCache }), ["one-team-lost-dns", "outside-fails", "outside-slow"]);
    const corefile = { options: { upstreams: ["10.0.0.2"] } };
    assert.deepEqual(await refused({ nodeLocalCache, corefile }), ["one-team-lost-dns"]);
  });

  it("require the cluster's name if others could be disturbed", () => {
    const [team, dns] = [drillOf("no-answer"), drillOf("dns-gone")];
    const place = { clusterName: "lab", isEks: false, isLocal: true, yesOn: undefined };
    assert.deepEqual(consentFor(team, place), {});
    assert.match(consentFor(dns, place).warning ?? "", /kube-system\/coredns/);
    assert.equal(consentFor(dns, place).refusal, undefined);
    assert.equal(
      consentFor(dns, { ...place, isLocal: false }).refusal,
      "lab is not on this machine, so add --yes-on lab",
    );
    assert.equal(consentFor(team, { ...place, isLocal: false }).refusal, undefined);
    assert.equal(consentFor(team, { ...place, isEks: true }).refusal, "lab is on EKS, so add --yes-on lab");
    assert.equal(consentFor(team, { ...place, isEks: true, yesOn: "lab" }).refusal, undefined);
    assert.equal(
      consentFor(team, { ...place, yesOn: "prod" }).refusal,
      "--yes-on prod does not name this cluster, lab",
    );
  });

  it("recognize EKS by the stack or the API server's version, and this machine by its address", () => {
    const at = (server: string, version: string) => placeOf({ kind: "existing" }, { server, version });
    assert.deepEqual(at("https://127.0.0.1:6443", "v1.36.3"), { isEks: false, isLocal: true });
    assert.deepEqual(at("https://abc.gr7.eu-central-1.eks.amazonaws.com", "v1.36.1-eks-1b2c3d4"), {
      isEks: true,
      isLocal: false,
    });
    // A tunnel to EKS ends on this machine.
    assert.deepEqual(at("https://localhost:8443", "v1.36.1-eks-1b2c3d4"), { isEks: true, isLocal: true });
    assert.equal(at("https://127.example.com", "v1.36.3").isLocal, false);
    assert.equal(placeOf({ kind: "eks-existing" }, { server: "https://10.0.0.1", version: "v1.36.3" }).isEks, true);
  });

  it("are listed as a table and as JSON, without a cause", () => {
    const drills = [
      { drill: drillOf("no-answer"), unfit: undefined },
      { drill: drillOf("dns-gone"), unfit: "no CoreDNS" },
    ];
    assert.equal(
      drillTable(drills, "no-answer"),
      `drill      about  level  minutes  status
no-answer  teams      1        5  on
dns-gone   dns        1        5  no CoreDNS
`,
    );
    assert.deepEqual(drillsJson(drills, "no-answer"), [
      { name: "no-answer", part: "teams", level: 1, minutes: 5, on: true },
      { name: "dns-gone", part: "dns", level: 1, minutes: 5, on: false, unfit: "no CoreDNS" },
    ]);
  });

  it("are explained with the alert and its runbook", () => {
    const text = explanation(drillOf("outside-fails"), sceneWith());
    assert.match(text, /^Cause: {3}The plugin forward sends to 192\.0\.2\.53/);
    assert.match(
      text,
      /^Alert: {3}CoreDnsAllUpstreamsDown \(critical\), docs\/runbooks\/coredns\.md#corednsallupstreamsdown$/m,
    );
    assert.match(explanation(drillOf("no-answer"), sceneWith()), /^Alert: {3}none covers this/m);
  });
});

describe("the drills about Fluent Bit", () => {
  const PASSWORD_VALUE = "{LOG_PASSWORD}";
  const EXCLUDED = "/var/log/pods/logging_*/*/*.log,/var/log/pods/logging_*/*/*.log.20??????-??????";
  for (const [name, logging, gone, come] of [
    [
      "no-lines",
      {},
      ["path: /var/log/pods/*_*/*/*.log,/var/log/pods/*_*/*/*.log.20??????-??????"],
      ["path: /var/log/pods/*.log"],
    ],
    [
      "one-team-silent",
      {},
      [`exclude_path: ${EXCLUDED}`],
      [`exclude_path: /var/log/pods/sa-team_*/*/*.log,${EXCLUDED}`],
    ],
    ["read-and-lost", {}, [], ["match: pods.*"]],
    ["collector-restarts", {}, ["- name: tail"], ["- name: tial"]],
    ["lines-pile-up", OPENSEARCH, ["host: opensearch.logging.svc.cluster.local"], ["host: 192.0.2.10"]],
    ["lines-refused", PASSWORD, [`http_passwd: $${PASSWORD_VALUE}`], ["http_passwd: changeme"]],
    [
      "receiver-busy",
      OPENSEARCH,
      ["host: opensearch.logging.svc.cluster.local"],
      ["host: log-gateway.logging.svc.cluster.local"],
    ],
    ["wrong-index", OPENSEARCH, ["logstash_prefix: logs"], ["logstash_prefix: logs-new"]],
  ] as const) {
    it(`${name} changes what it says in the configuration, and nothing else`, () => {
      assert.deepEqual(changedLines(drillOf(name), logging), { gone, come });
    });
  }

  it("change, name and restart what is in the stack's own namespace of collectors", () => {
    const scene = sceneWith({ ...OPENSEARCH, namespace: "observability" });
    const drills = DRILLS.filter(({ part }) => part === "logs");
    const places = drills.flatMap((drill) => [
      ...drill.faults(scene).map(({ ref }) => ref.namespace),
      ...[drill.restarts?.(scene), drill.history?.(scene)].flatMap((place) => place?.namespace ?? []),
    ]);
    assert.deepEqual([...new Set(places)].toSorted(), ["observability", "sa-team"]);
    const texts = drills.flatMap((drill) => [drill.shownBy(scene), ...drill.hints(scene), drill.repair(scene)]);
    const named = texts.flatMap((text) => Array.from(text.matchAll(/kubectl -n (\S+)/g), ([, place]) => place));
    assert.deepEqual([...new Set(named)].toSorted(), ["observability", "sa-team", "ts-team"]);
    assert.deepEqual(changedLines(drillOf("receiver-busy"), { ...OPENSEARCH, namespace: "observability" }), {
      gone: ["host: opensearch.observability.svc.cluster.local"],
      come: ["host: log-gateway.observability.svc.cluster.local"],
    });
  });

  const SPLITS = ["none", "team", "namespace", "app"];
  const SETTINGS: readonly object[] = [
    ...SPLITS.flatMap((splitBy) => [
      { ...OPENSEARCH, index: { splitBy } },
      { ...PASSWORD, index: { prefix: "a.b", separator: ".", splitBy } },
    ]),
    { destination: { kind: "elasticsearch", host: "search.example.com", tls: false, port: 80 } },
    { destination: { kind: "loki", url: "http://loki.example.com" } },
    { destination: { kind: "stdout" } },
    { destination: { kind: "http", url: "http://logs.example.com" } },
    { sources: ["pods", "kubelet", "kernel"], destination: { kind: "otlp", url: "http://otlp.example.com" } },
    {
      ...OPENSEARCH,
      processing: {
        redact: ["email"],
        sample: [{ ratio: 0.5 }],
        firstLines: [{ teams: ["sa"], pattern: "^\\d" }],
      },
    },
  ];
  /** What must not be left as it was, or the drill does not show: a second input, output or name. */
  const WHOLLY: Readonly<Record<string, RegExp>> = {
    "no-lines": /^\s+path: \/var\/log\/pods\/(?!\*\.log$)/m,
    "one-team-silent": /^\s+exclude_path: (?!\/var\/log\/pods\/sa-team_)/m,
    "read-and-lost": /^\s+match\S*: \W*kube/m,
    "wrong-index": /^\s+logstash_prefix(_key)?: (?!\S+-new)/m,
  };
  for (const settings of SETTINGS)
    it(`break all that they are about, wherever they are offered: ${JSON.stringify(settings)}`, async () => {
      const offered = await offeredDrills(localSettings({ logging: settings }), undefined);
      const some = offered.filter(({ drill, unfit }) => drill.part === "logs" && unfit === undefined);
      assert.ok(some.length > 5);
      for (const { drill } of some)
        for (const fault of drill.faults(sceneWith(settings))) {
          if (fault.kind !== "change" || fault.ref.plural !== "configmaps") continue;
          const changed = fault.change({ data: { "fluent-bit.yaml": rendered(settings) } });
          assert.ok(changed, drill.name);
          const text = String(fieldOf(changed, ["data", "fluent-bit.yaml"]));
          const part = drill.name === "read-and-lost" ? text.slice(text.indexOf("\n  outputs:")) : text;
          assert.doesNotMatch(part, WHOLLY[drill.name] ?? /(?!)/, drill.name);
        }
    });

  it("are refused if the configuration has nothing to change", () => {
    const [fault] = drillOf("lines-refused").faults(sceneWith(OPENSEARCH));
    assert.ok(fault?.kind === "change");
    assert.equal(fault.change({ data: { "fluent-bit.yaml": "outputs: []\n" } }), undefined);
    assert.equal(fault.change({}), undefined);
  });

  it("set the opt-out of a pod by its annotation", () => {
    const [fault] = drillOf("one-pod-silent").faults(sceneWith());
    assert.ok(fault?.kind === "change");
    assert.deepEqual(fault.change({ metadata: { name: "curl-sa" } }), {
      metadata: { name: "curl-sa", annotations: { "fluentbit.io/exclude": "true" } },
    });
  });
});
