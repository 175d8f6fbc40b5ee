import assert from "node:assert/strict";
import { formatIssue, SettingsError } from "../../components/schema/errors.ts";
import { parseSettings } from "../../components/settings.ts";

/** Places of the issues in a stack's configuration. */
function placesOf(config: Readonly<Record<string, object>>): string[] {
  const given = Object.entries(config).map(([key, value]) => [`eks-dns-logging:${key}`, JSON.stringify(value)]);
  try {
    parseSettings({ "aws:region": "eu-central-1", ...Object.fromEntries(given) });
  } catch (error) {
    assert.ok(error instanceof SettingsError);
    return error.issues.map(({ path }) => path.join("."));
  }
  return [];
}

describe("Issues across the settings", () => {
  const promtail = { collector: "promtail", destination: { kind: "opensearch", host: "search.example.com" } };
  const dns = {
    addonVersion: "v1.11.1-eksbuild.8",
    autoscaling: {},
    corefile: { options: { cache: { servfail: "6m" } } },
  };

  it("are told of a section that its schema takes, though another section is wrong", () => {
    assert.deepEqual(placesOf({ cluster: { kind: "eks", name: "no name" }, dns, logging: promtail }), [
      "cluster.name",
      "dns.autoscaling",
      "dns.corefile.options.cache.servfail",
      "logging.destination.kind",
    ]);
  });

  it("are told once where every schema takes its section", () => {
    assert.deepEqual(placesOf({ cluster: { kind: "eks" }, dns, logging: promtail }), [
      "dns.autoscaling",
      "dns.corefile.options.cache.servfail",
      "logging.destination.kind",
    ]);
  });

  it("are not told of a peer or a member that is named twice, which changes nothing", () => {
    const teams = [{ name: "ts", peers: ["sa", "sa"], members: ["dev", "dev"] }, { name: "sa" }];
    assert.deepEqual(placesOf({ cluster: { kind: "existing" }, teams }), []);
  });

  it("of a cluster that nobody can tell leave the rest to be checked as for an existing one", () => {
    const cloudwatch = { destination: { kind: "cloudwatch" } };
    assert.deepEqual(placesOf({ cluster: { kind: "gke" }, logging: cloudwatch }), [
      "cluster.kind",
      "logging.destination.kind",
    ]);
    assert.deepEqual(placesOf({ cluster: { kind: "eks", name: "no name" }, logging: cloudwatch }), ["cluster.name"]);
    assert.deepEqual(placesOf({ cluster: { name: "prod" }, logging: cloudwatch }), ["cluster.kind"]);
  });

  it("are told of buffers that fill the disk of a new node", () => {
    const cluster = { kind: "eks", nodeGroups: [{ name: "large", diskSize: 50 }, { name: "small" }] };
    const destinations = { archive: { kind: "s3" }, groups: { kind: "cloudwatch", buffer: { size: "12Gi" } } };
    const logging = (size: string) => ({ destinations, buffer: { size } });
    assert.deepEqual(placesOf({ cluster, logging: logging("7Gi") }), []);
    assert.deepEqual(placesOf({ cluster, logging: logging("8Gi") }), ["logging.destinations.groups.buffer.size"]);
    assert.deepEqual(placesOf({ cluster, logging: logging("13Gi") }), ["logging.buffer.size"]);
    assert.deepEqual(
      placesOf({ cluster: { ...cluster, nodeGroups: [{ name: "large", diskSize: 50 }] }, logging: logging("8Gi") }),
      [],
    );
    assert.deepEqual(placesOf({ cluster, logging: { buffer: { size: "20Gi" } } }), ["logging.buffer.size"]);
    assert.deepEqual(placesOf({ cluster, logging: { mode: "sidecar", buffer: { size: "20Gi" } } }), []);
    const existing = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35" };
    assert.deepEqual(placesOf({ cluster: existing, logging: logging("20Gi") }), []);
  });
});

describe("Settings of a stack whose base file cannot be read", () => {
  it("may be missing, unlike what no base file can hold", () => {
    const config = (more: object) => ({
      "eks-dns-logging:extends": "environments/none.yaml",
      "eks-dns-logging:cluster": JSON.stringify({ kind: "eks-existing", ...more }),
    });
    const sentences = (more: object) => {
      try {
        parseSettings(config(more));
      } catch (error) {
        assert.ok(error instanceof SettingsError);
        return error.sentences;
      }
      return [];
    };
    const [unread, region] = [
      `extends: must be a file that exists, relative to the project's folder (found "environments/none.yaml")`,
      "aws:region: must be an AWS region, such as eu-central-1, but is not set",
    ];
    assert.deepEqual(sentences({}), [unread, region]);
    const [first, second = "", ...others] = sentences({ name: "no name" });
    assert.deepEqual([first, others], [unread, [region]]);
    assert.match(second, /^cluster\.name: must be .* \(found "no name"\)$/);
  });
});

describe("Settings by an old name", () => {
  const settingsOf = (logging: object) =>
    parseSettings({
      "eks-dns-logging:cluster": JSON.stringify({ kind: "existing", context: "kind-lab" }),
      "eks-dns-logging:logging": JSON.stringify({ collector: "tail", ...logging }),
    });

  it("work as by the current one, with a warning that names it", () => {
    const { logging, warnings } = settingsOf({ carrier: "sidecar" });
    assert.deepEqual(logging, settingsOf({ mode: "sidecar" }).logging);
    assert.deepEqual(warnings.map(formatIssue), ["logging.carrier: is deprecated, use logging.mode"]);
  });
});
