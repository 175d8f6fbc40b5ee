import assert from "node:assert/strict";
import { parse } from "yaml";
import { vector } from "../../../../../components/logging/collectors/vector/index.ts";
import { logPipeline } from "../../../../../components/logging/pipeline.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkPipeline } from "../../../../../components/logging/validation.ts";

const SETTINGS = {
  collector: "vector",
  destinations: {
    archive: { kind: "s3", bucket: "acme-logs", buffer: { size: "1Gi" } },
    "loki-main": { kind: "loki", url: "https://l.example.com", credentials: { secretName: "l" }, caSecretName: "ca" },
    search: { kind: "opensearch", host: "search.example.com", index: { splitBy: "team", prefix: "app" } },
  },
  routes: [
    { to: ["archive"] },
    { to: ["loki-main"], namespaces: ["a", "b"], streams: ["stderr"] },
    { to: ["loki-main"], labels: { "app.kubernetes.io/name": "shop" } },
    { to: ["search"], teams: ["ts"], levels: ["error"] },
  ],
};

describe("Vector with several destinations", () => {
  const settings = LoggingSettings.parse(SETTINGS);
  const { files } = vector.render(logPipeline(settings, { cluster: "dev", region: "eu-central-1" }));
  const { transforms, sinks, secret } = parse(files["vector.yaml"] ?? "");

  it("is a valid choice", () => assert.deepEqual(checkPipeline(settings), []));

  it("copies each record to the destinations of its routes, and the rest nowhere", () => {
    assert.deepEqual(
      { inputs: transforms.routes.inputs, rest: transforms.routes.reroute_unmatched },
      { inputs: ["records"], rest: false },
    );
    assert.deepEqual(Object.keys(transforms.routes.route), ["destination-loki-main", "destination-search"]);
    assert.deepEqual(
      Object.entries<{ inputs: string[] }>(sinks).map(([name, { inputs }]) => [name, ...inputs]),
      [
        ["destination-archive", "records"],
        ["destination-loki-main", "record-loki-main"],
        ["destination-search", "record-search"],
        ["metrics", "internal"],
      ],
    );
    assert.deepEqual(transforms["record-search"].inputs, ["routes.destination-search"]);
  });

  it("keeps a line's origin only in programs that read it", () => {
    const own = LoggingSettings.parse({ collector: "vector", destination: { kind: "s3" } });
    const single = vector.render(logPipeline(own, { cluster: "dev", region: "eu-central-1" }));
    const { source } = parse(single.files["vector.yaml"] ?? "").transforms.records;
    assert.match(transforms.records.source, /^origin = .*\n[\s\S]*^%origin = origin$/m);
    assert.doesNotMatch(source, /origin/);
  });

  it("reads of the record only what a destination's program uses", () => {
    const { search, ...others } = SETTINGS.destinations;
    const plain = { ...SETTINGS, destinations: { ...others, search: { ...search, index: {} } } };
    const own = vector.render(logPipeline(LoggingSettings.parse(plain), { cluster: "dev", region: "eu-central-1" }));
    const read = (name: string, of: Record<string, { source: string }>) =>
      Array.from(of[name]?.source.matchAll(/^(line|kubernetes|labels|origin|time) = /gm) ?? [], ([, value]) => value);
    assert.deepEqual(read("record-loki-main", transforms), []);
    assert.deepEqual(read("record-search", parse(own.files["vector.yaml"] ?? "").transforms), [
      "line",
      "origin",
      "time",
    ]);
    assert.deepEqual(read("record-search", transforms), ["line", "kubernetes", "labels", "origin", "time"]);
  });

  it("has a disk buffer for each, and waits for none that is full", () => {
    const buffers = Object.values<{ buffer?: object[] }>(sinks).flatMap(({ buffer = [] }) => buffer);
    assert.deepEqual(buffers, [
      { type: "disk", max_size: 2 ** 30, when_full: "drop_newest" },
      { type: "disk", max_size: 2 ** 32, when_full: "drop_newest" },
      { type: "disk", max_size: 2 ** 32, when_full: "drop_newest" },
    ]);
  });

  it("keeps users and CA certificates in folders named after the destination", () => {
    const folder = "/etc/log-destination/loki-main";
    assert.deepEqual(secret, { credentials_loki_main: { type: "directory", path: `${folder}/credentials` } });
    assert.equal(sinks["destination-loki-main"].auth.user, "SECRET[credentials_loki_main.username]");
    assert.equal(sinks["destination-loki-main"].tls.ca_file, `${folder}/ca.crt`);
  });

  it("names an index, and omits long fields, only for search engines", () => {
    assert.doesNotMatch(transforms.records.source, /%index|32000/);
    assert.match(transforms["record-search"].source, /max_fields_bytes = 32000\n/);
    assert.match(transforms["record-search"].source, /split_by = "team"\n/);
    assert.equal(sinks["destination-search"].bulk.index, "app-{{ %index }}");
  });
});
