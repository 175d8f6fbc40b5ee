import assert from "node:assert/strict";
import { stripVTControlCharacters } from "node:util";
import { LoggingSettings } from "../../../components/logging/settings.ts";
import { parseSettings } from "../../../components/settings.ts";
import { formatDns, formatProcessing } from "../../../lab/plan/plan-text.ts";

describe("the processing steps in a plan", () => {
  it("are one line each, and nothing without steps", () => {
    const processing = {
      redact: ["email", { pattern: "CUST-\\d+", replacement: "[customer]" }],
      drop: [{ pattern: "GET /health" }, { levels: ["debug", "trace"], teams: ["ts"], labels: { tier: "web" } }],
      sample: [{ ratio: 0.125, streams: ["stdout"] }, { ratio: 0.5 }],
      limit: [{ linesPerSecond: 100 }, { linesPerSecond: 5, namespaces: ["a", "b"] }],
      firstLines: [{ pattern: "^\\d{4}-" }],
      fields: { env: "prod" },
    };
    const text = formatProcessing(LoggingSettings.parse({ processing }));
    assert.deepEqual(stripVTControlCharacters(text).split("\n"), [
      "Log processing:",
      "    joins   : lines up to the next of /^\\d{4}-/",
      "    redacts : email, /CUST-\\d+/",
      "    drops   : /GET /health/",
      "    drops   : team ts, label tier=web, level debug or trace",
      "    keeps   : 12.5 % of stream stdout",
      "    keeps   : 50 % of all lines",
      "    limits  : each pod to 100 lines/s",
      "    limits  : each pod to 5 lines/s in namespace a or b",
      "    adds    : env=prod",
      "",
      "",
    ]);
    assert.equal(formatProcessing(LoggingSettings.parse({})), "");
    assert.equal(formatProcessing(undefined), "");
  });
});

describe("the DNS settings in a plan", () => {
  const linesFor = (cluster: object, dns: object = {}) => {
    const config = { "aws:region": "eu-central-1", "eks-dns-logging:cluster": cluster, "eks-dns-logging:dns": dns };
    const text = Object.entries(config).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]);
    return formatDns(parseSettings(Object.fromEntries(text))).split("\n");
  };

  it("are omitted if each node answers DNS itself", () => {
    const prod = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" };
    assert.match(linesFor(prod)[1] ?? "", /^ {4}replicas +: 2 +the add-on's default/);
    assert.deepEqual(linesFor({ ...prod, compute: "auto" }), [""]);
    assert.match(linesFor({ ...prod, compute: "auto" }, { adopt: {} })[1] ?? "", /^ {4}replicas +: unchanged/);
  });

  it("say which pods answer where CoreDNS is left as it is", () => {
    const adopt = { manage: false, namespace: "dns", selector: { "k8s-app": "coredns" } };
    assert.deepEqual(linesFor({ kind: "existing" }, { adopt }), [
      "DNS, left as it is: pods of dns with k8s-app=coredns answer queries.",
      "",
      "",
    ]);
  });
});
