import assert from "node:assert/strict";
import { render } from "./rendered.ts";

const SEARCH = { kind: "opensearch", host: "search.example.com" };
const NODE = "{{ node }}";

describe("Vector and the node's journal", () => {
  const { configuration } = render({ sources: ["pods", "auth", "kubelet"], destination: SEARCH });
  const { sources, transforms, sinks } = configuration;

  it("reads each part from its beginning, before the node's last start too, by fields that journalctl filters", () => {
    assert.deepEqual(sources["journal-kubelet-destination"], {
      type: "journald",
      journal_directory: "/var/log/journal",
      current_boot_only: true,
      extra_args: ["--merge", "--no-tail", "_SYSTEMD_UNIT=kubelet.service"],
      emit_cursor: true,
    });
    assert.deepEqual(sources["journal-auth-destination"]?.extra_args, [
      ...["--merge", "--no-tail"],
      ...["SYSLOG_FACILITY=4", "SYSLOG_FACILITY=10"],
    ]);
  });

  it("advances its position when the destination has the line, without a disk buffer, which loses lines in a kill", () => {
    const sink = sinks["journal-kubelet-destination-sink"];
    assert.deepEqual(sink?.acknowledgements, { enabled: true });
    assert.deepEqual(sink?.buffer, [{ type: "memory", max_events: 500, when_full: "block" }]);
    assert.equal(sinks.destination?.acknowledgements, undefined);
    assert.deepEqual(sinks.destination?.inputs, ["records"]);
  });

  it("has its own index names and ids", () => {
    const sink = sinks["journal-kubelet-destination-sink"];
    assert.deepEqual(sink?.inputs, ["journal-kubelet-destination-record"]);
    assert.equal(Object(sink?.bulk).index, "logs-node-kubelet-{{ %index }}");
    assert.equal(sink?.id_key, "_id");
    const program = String(transforms["journal-kubelet-destination-record"]?.source);
    assert.match(program, /^source = "kubelet"\ndate_format = "%Y\.%m\.%d"\ntime_zone = "UTC"\n/);
    assert.match(program, /\._id = sha1\(cursor\)/);
    assert.doesNotMatch(render({ destination: SEARCH }).text, /journal/);
    assert.doesNotMatch(render({ sources: ["pods", "kubelet"] }).text, /cursor =/);
  });

  it("is redacted, and has the fields of the settings", () => {
    const processing = { redact: ["email"], fields: { stage: "prod" } };
    const config = render({ sources: ["pods", "kernel"], destination: SEARCH, processing }).configuration;
    const program = String(config.transforms["journal-kernel-destination-record"]?.source);
    assert.match(program, /\nline = replace\(line, .+\n(?:.*\n)*\. = compact\(/);
    assert.match(program, /\.stage = "prod"\n/);
  });

  it("has its own streams, keys, labels and files elsewhere", () => {
    const of = (destination: object) => {
      const { sinks: found } = render({
        sources: ["pods", "kernel"],
        destination,
        index: { splitBy: "team" },
      }).configuration;
      return found["journal-kernel-destination-sink"];
    };
    const group = of({ kind: "cloudwatch", logGroup: "/pods" });
    assert.deepEqual([group?.group_name, group?.stream_name], ["/pods", `${NODE}.kernel`]);
    const bucket = of({ kind: "s3", bucket: "b-1" });
    assert.equal(bucket?.key_prefix, "logs/node/kernel/%Y/%m/%d/%H/");
    assert.equal(Object(bucket?.batch).max_bytes, 10_000_000);
    const loki = of({ kind: "loki", url: "http://l" });
    assert.deepEqual(loki?.labels, { job: "eks-dns-logging", source: "kernel", node: NODE });
    assert.equal(of({ kind: "file" })?.path, "/var/log/collected/kernel.log");
    const splunk = of({ kind: "splunk", url: "https://s", token: { secretName: "hec" } });
    assert.deepEqual(splunk?.acknowledgements, { enabled: true, indexer_acknowledgements_enabled: false });
  });

  it("is read for each destination of its routes, so that none waits for another", () => {
    const several = render({
      sources: ["pods", "kernel", "auth"],
      destinations: {
        archive: { kind: "s3", bucket: "acme-logs" },
        search: SEARCH,
        siem: { kind: "splunk", url: "https://splunk.example.com", token: { secretName: "hec" } },
      },
      routes: [
        { to: ["archive"] },
        { to: ["search"], sources: ["pods"], namespaces: ["shop"] },
        { to: ["siem"], sources: ["auth", "kernel"] },
        { to: ["search"], sources: ["kernel"] },
      ],
    }).configuration;
    assert.deepEqual(
      Object.entries(several.sinks).map(([name, { inputs }]) => [name, ...Object.values(Object(inputs))]),
      [
        ["destination-archive", "records"],
        ["destination-search", "record-search"],
        ...["kernel-destination-archive", "auth-destination-archive", "kernel-destination-search"].map((name) => [
          `journal-${name}-sink`,
          `journal-${name}-record`,
        ]),
        ["journal-kernel-destination-siem-sink", "journal-kernel-destination-siem-record"],
        ["journal-auth-destination-siem-sink", "journal-auth-destination-siem-record"],
        ["metrics", "internal"],
      ],
    );
    assert.deepEqual(Object.keys(Object(several.transforms.routes).route), ["destination-search"]);
  });
});
