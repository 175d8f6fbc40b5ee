import assert from "node:assert/strict";
import { TeamsSettings } from "../../../components/team/settings.ts";
import type { AdoptionRow } from "../../../lab/adopt/import-file.ts";
import { readTeams } from "../../../lab/adopt/running-teams.ts";
import { live, object } from "./live.ts";

const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };

function namespace(name: string, labels: object = RESTRICTED) {
  return object("v1", "Namespace", name, undefined, { metadata: { labels } });
}

function policy(name: string, policyTypes: string[], podSelector: object = {}) {
  return object("networking.k8s.io/v1", "NetworkPolicy", name, "payments", { spec: { podSelector, policyTypes } });
}

function binding(name: string, role: string, subjects: object[]) {
  return object("rbac.authorization.k8s.io/v1", "RoleBinding", name, "payments", {
    roleRef: { kind: "ClusterRole", name: role },
    subjects,
  });
}

const subjects = (rows: readonly AdoptionRow[], action: AdoptionRow["action"]) =>
  rows.filter((row) => row.action === action).map(({ subject }) => subject);

describe("Running namespaces as teams", () => {
  it("stay as open as they are, and grant nobody more rights", () => {
    const groups = [
      { kind: "Group", name: "devs" },
      { kind: "User", name: "ann" },
      { kind: "Group", name: "system:masters" },
    ];
    const { settings, rows } = readTeams(
      live([
        namespace("payments"),
        namespace("ingress"),
        object("v1", "Namespace", "old", undefined, { metadata: { deletionTimestamp: "2026-12-01T00:00:00Z" } }),
        binding("writers", "edit", groups),
        binding("readers", "view", [{ kind: "Group", name: "auditors" }]),
        object("v1", "ResourceQuota", "own", "payments"),
        object("v1", "Pod", "web", "payments"),
      ]),
      ["payments"],
    );
    const everywhere = [{ namespaces: ["payments", "ingress"], cidrs: ["0.0.0.0/0", "::/0"] }];
    assert.deepEqual(settings, [
      {
        name: "payments",
        namespaces: [{ name: "payments", adopt: true }],
        members: ["devs"],
        ingress: everywhere,
        egress: everywhere,
      },
    ]);
    TeamsSettings.parse(settings);
    assert.deepEqual(subjects(rows, "conflict"), []);
    assert.ok(rows.some(({ reason }) => reason === "1 pod keeps running: nothing restarts"));
    assert.equal(rows.filter(({ reason }) => /each namespace of today, not to later ones/.test(reason)).length, 2);
    for (const left of ["RoleBinding/payments/writers", "RoleBinding/payments/readers", "ResourceQuota/payments/own"])
      assert.ok(subjects(rows, "leave").includes(left), left);
  });

  it("keep what their own policies deny, and conflict if those select only some pods", () => {
    const denied = readTeams(live([namespace("payments"), policy("deny", ["Ingress", "Egress"])]), ["payments"]);
    assert.deepEqual(denied.settings, [{ name: "payments", namespaces: [{ name: "payments", adopt: true }] }]);
    const partly = readTeams(
      live([
        namespace("payments"),
        policy("some", ["Ingress"], { matchLabels: { app: "a" } }),
        policy("out", ["Egress"]),
      ]),
      ["payments"],
    );
    assert.deepEqual(subjects(partly.rows, "conflict"), ["Namespace/payments ingress"]);
    assert.equal(partly.settings[0]?.ingress, undefined);
  });

  it("keep the enforced Pod Security level, or none", () => {
    const level = (labels: object) =>
      readTeams(live([namespace("payments", labels)]), ["payments"]).settings[0]?.podSecurity;
    assert.equal(level(RESTRICTED), undefined);
    assert.equal(level({ "pod-security.kubernetes.io/enforce": "baseline" })?.level, "baseline");
    assert.equal(level({})?.level, "privileged");
  });

  it("with the same label become one team, and must not differ", () => {
    const labels = { ...RESTRICTED, team: "pay" };
    const objects = [namespace("payments", labels), namespace("jobs", labels)];
    const same = readTeams(live(objects), ["payments", "jobs"]);
    assert.deepEqual(
      same.settings.map(({ name, namespaces }) => [name, namespaces?.map((one) => one.name)]),
      [["pay", ["payments", "jobs"]]],
    );
    assert.deepEqual(subjects(same.rows, "conflict"), []);
    const other = readTeams(live([...objects, policy("deny", ["Ingress", "Egress"])]), ["payments", "jobs"]);
    assert.equal(subjects(other.rows, "conflict").length, 2);
    const odd = readTeams(live([namespace("payments", { ...RESTRICTED, team: "Pay & Co" })]), ["payments"]);
    assert.deepEqual(subjects(odd.rows, "conflict"), ["Namespace/payments metadata.labels.team"]);
  });

  it("must exist, and must not be the cluster's", () => {
    const objects = live([namespace("payments"), namespace("kube-system")]);
    assert.throws(() => readTeams(objects, ["payment"]), { message: "no namespace payment; found: payments" });
    assert.throws(() => readTeams(objects, ["kube-system"]), /belongs to the cluster/);
  });
});
