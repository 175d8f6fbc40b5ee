import assert from "node:assert/strict";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { render } from "../collectors/fluent-bit/rendered.ts";

const issues = (settings: object) =>
  checkLogging(LoggingSettings.parse(settings), "eks")
    .filter(({ severity }) => severity !== "warning")
    .map(formatIssue);
const SEARCH = { kind: "opensearch", host: "search.example.com" };

describe("Sources", () => {
  it("are the pods alone by default, which changes no configuration", () => {
    assert.deepEqual(render({ sources: ["pods"] }).configuration, render({}).configuration);
    assert.doesNotMatch(JSON.stringify(render({}).configuration), /journal/);
  });

  it("give each part of the journal a position, and index names of its own", () => {
    const { configuration } = render({
      sources: ["pods", "auth", "kubelet"],
      destination: SEARCH,
      index: { splitBy: "team" },
    });
    const { inputs, filters, outputs } = configuration.pipeline;
    const journal = inputs.filter(({ name }) => name === "systemd");
    assert.deepEqual(
      journal.map(({ tag, db, path, systemd_filter }) => [tag, db, path, systemd_filter]),
      [
        [
          "journal.kubelet",
          "/var/lib/fluent-bit/journal-kubelet.db",
          "/var/log/journal",
          ["_SYSTEMD_UNIT=kubelet.service"],
        ],
        [
          "journal.auth",
          "/var/lib/fluent-bit/journal-auth.db",
          "/var/log/journal",
          ["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"],
        ],
      ],
    );
    for (const input of journal) assert.equal(input["storage.type"], "filesystem");
    assert.deepEqual(
      outputs.map(({ match, logstash_prefix, logstash_prefix_key }) => [match, logstash_prefix, logstash_prefix_key]),
      [
        ["kube.*", "logs", "$TAG[999]logs-$index_split"],
        ["journal.kubelet", "logs-node-kubelet", undefined],
        ["journal.auth", "logs-node-auth", undefined],
      ],
    );
    assert.ok(filters.some(({ match, name }) => match === "journal.auth" && name === "modify"));
  });

  it("have streams, keys and labels of their own elsewhere", () => {
    const of = (destination: object) =>
      render({ sources: ["pods", "kernel"], destination }).configuration.pipeline.outputs[1] ?? {};
    assert.equal(of({ kind: "cloudwatch" }).log_stream_template, "$node.kernel");
    assert.match(String(of({ kind: "s3" }).s3_key_format), /^\/logs\/node\/kernel\//);
    assert.notEqual(of({ kind: "s3" }).store_dir, "/var/lib/fluent-bit/s3");
    assert.match(String(of({ kind: "loki", url: "http://loki:3100" }).labels), /source=kernel/);
    assert.equal(of({ kind: "file" }).file, "kernel.log");
  });

  for (const [settings, expected] of [
    [{ sources: ["kubelet"] }, /^sources: must contain pods/],
    [
      { sources: ["pods", "kubelet"], collector: "fluentd" },
      /^sources: must be only pods with Fluentd, which does not/,
    ],
    [{ sources: ["pods", "kubelet"], mode: "sidecar" }, /^sources: must be only pods with mode sidecar/],
    [{ sources: ["pods", "auth"], destinations: { search: SEARCH } }, /^sources: must be only pods with destinations/],
    [
      { sources: ["pods", "auth"], processing: { redact: ["email"] } },
      /^sources: must be only pods with processing, which is for the lines of pods/,
    ],
    [
      { sources: ["pods", "auth"], destination: { kind: "elasticsearch", host: "h" } },
      /^index: prefix and separator must not form a name that Elasticsearch reserves .* with the source after them/,
    ],
  ] as const)
    it(`are refused: ${JSON.stringify(settings)}`, () => {
      const found = issues(settings);
      assert.equal(found.filter((line) => expected.test(line)).length, 1, found.join("\n"));
    });
});
