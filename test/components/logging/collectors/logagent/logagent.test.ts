import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { z } from "zod";
import { logagent } from "../../../../../components/logging/collectors/logagent/index.ts";
import { credentials, pipelines } from "../pipelines.ts";

const Options = z.record(z.string(), z.unknown());
const Section = z.looseObject({ module: z.string() });
const Configuration = z.strictObject({
  options: Options,
  input: z.strictObject({ logs: Section }),
  output: z.strictObject({ destination: Section }),
});
const Known = z.object({ source: z.string(), options: z.array(z.string()) });
const KNOWN = z
  .object({ logagent: Known, input: Known, output: Known })
  .parse(JSON.parse(readFileSync(new URL("./options.json", import.meta.url), "utf8")));

const DESTINATIONS: readonly object[] = [
  { kind: "stdout" },
  { kind: "file", path: "/var/log/all" },
  { kind: "http", url: "https://logs.example.com:8443/ingest?a=1", verify: false, caSecretName: "ca", credentials },
  { kind: "opensearch", host: "search.example.com", credentials, tls: { caSecretName: "search-ca" } },
  { kind: "opensearch", inCluster: true },
  { kind: "elasticsearch", host: "10.0.0.5", tls: false },
];

/** The pipeline of settings below `logging`. */
const pipelineOf = pipelines({ collector: "logagent" });

function render(settings: object = {}, source?: "application") {
  const { files, args } = logagent.render(pipelineOf(settings, source));
  const text = files["logagent.yml"] ?? "";
  const { options, input, output } = Configuration.parse(parse(text));
  return { text, files, args, options, input: input.logs, output: output.destination };
}

/** Paths of all options: `index.prefix`. A list is a value. */
function optionsOf(value: unknown, before = ""): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [before];
  return Object.entries(value).flatMap(([key, inner]) => optionsOf(inner, before === "" ? key : `${before}.${key}`));
}

function unknownIn(options: object, { options: known }: z.infer<typeof Known>): string[] {
  return optionsOf(options).filter(
    (option) => !known.includes(option) && !known.includes(option.replace(/\.[^.]+$/, ".*")),
  );
}

describe("Logagent's configuration", () => {
  for (const source of [undefined, "application"] as const) {
    for (const destination of DESTINATIONS) {
      it(`has no option that nobody reads: ${source ?? "node"}, ${JSON.stringify(destination)}`, () => {
        const index = { splitBy: "app", timeZone: "Europe/Madrid" };
        const { options, input, output } = render({ destination, labels: { app: "web" }, index }, source);
        assert.deepEqual(unknownIn({ options }, KNOWN.logagent), []);
        assert.deepEqual(unknownIn(input, KNOWN.input), []);
        // The options of stdout are none.
        const { stdout: _stdout, ...rest } = output;
        assert.deepEqual(unknownIn(rest, KNOWN.output), []);
      });
    }
  }

  it("loads its plugins from its own folder, with all their modules", () => {
    const { input, output, files, args } = render();
    assert.deepEqual([input.module, output.module], ["/etc/sematext/input.cjs", "/etc/sematext/output.cjs"]);
    assert.deepEqual(args, ["--config", "/etc/sematext/logagent.yml"]);
    for (const [name, text] of Object.entries(files))
      for (const [, needed = ""] of text.matchAll(/require\("\.\/([^"]+)"\)/g))
        assert.ok(needed in files, `${needed}, which ${name} needs`);
    assert.ok("input.cjs" in files && "output.cjs" in files);
  });

  it("reads the pods' files except those of its own namespace and of pods that opt out", () => {
    const namespaces = { include: ["ts-team", "sa-team"], exclude: ["kube-system"] };
    const { input } = render({ namespaces, labels: { tier: "x" }, metadata: { annotations: true } });
    assert.deepEqual(input.node, {
      folder: "/var/log/pods",
      include: ["sa-team", "ts-team"],
      exclude: ["kube-system", "logging"],
      labels: { tier: "x" },
      optOut: "fluentbit.io/exclude",
      keep: { labels: true, annotations: true },
    });
    assert.deepEqual(logagent.apiRules, [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }]);
    assert.deepEqual(input.api, {
      url: "https://kubernetes.default.svc",
      tokenFile: "/var/run/secrets/kubernetes.io/serviceaccount/token",
      caFile: "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
    });
  });

  it("keeps both the buffer and the read positions in the state folder, up to the buffer's size", () => {
    const { input, output } = render({ buffer: { size: "1Gi", whenFull: "drop-oldest" } });
    assert.deepEqual([input.state, output.state], [logagent.stateFolder, logagent.stateFolder]);
    assert.deepEqual(output.buffer, { bytes: 1_073_741_824, whenFull: "drop-oldest" });
    assert.deepEqual(render({ buffer: { whenFull: "block" } }).output.buffer, {
      bytes: 4 * 2 ** 30,
      whenFull: "block",
    });
    // What the settings promise of a collector that can.
    assert.deepEqual(render().output.buffer, { bytes: 4 * 2 ** 30, whenFull: "drop-oldest" });
  });

  it("silences Logagent's built-in output to stdout, which would duplicate each record", () => {
    assert.equal(render({ destination: { kind: "stdout" } }).options.suppress, true);
  });

  it("joins traces only with languages, and parses fields only if enabled", () => {
    assert.match(String(render().input.continues), /Caused by: /);
    assert.equal("continues" in render({ multiline: [] }).input, false);
    assert.deepEqual(render({ parseJson: false }).input.record, { parseJson: false, safeNames: false });
    const destination = { kind: "opensearch", inCluster: true };
    assert.deepEqual(render({ destination }).input.record, { parseJson: true, safeNames: true, fieldsBytes: 32_000 });
  });

  it("knows its pod as a sidecar, and does not use the API", () => {
    const { input } = render({ mode: "sidecar" }, "application");
    assert.equal("api" in input || "node" in input, false);
    assert.deepEqual(input.application, {
      folder: "/var/log/app",
      kubernetes: {
        namespace_name: "ts-team",
        pod_name: "curl-ts",
        container_name: "responder",
        labels: { "app_kubernetes_io/name": "curl-ts" },
      },
      team: "ts",
      app: "curl-ts",
    });
  });

  it("names the index by the format, with the offsets of its time zone", () => {
    const index = { prefix: "lab", separator: "_", datePattern: "xxxx.ww", splitBy: "team", timeZone: "Asia/Kolkata" };
    assert.deepEqual(render({ index }).output.index, {
      prefix: "lab",
      separator: "_",
      datePattern: "xxxx.ww",
      splitBy: "team",
      offsets: [[0, 19_800]],
    });
  });

  it("sends to the configured destination, and contains no password", () => {
    const [, file, http, opensearch, inCluster, elasticsearch] = DESTINATIONS.map((destination) =>
      render({ destination }),
    );
    assert.deepEqual(file?.output.file, { path: "/var/log/all" });
    assert.deepEqual(http?.output.http, {
      url: "https://logs.example.com:8443/ingest?a=1",
      credentials: true,
      verify: false,
      caFile: "/etc/log-destination/ca.crt",
    });
    const url = (engine: string) => `${engine}/_bulk?filter_path=errors,items.*.status,items.*.error`;
    assert.deepEqual(opensearch?.output.bulk, {
      url: url("https://search.example.com:9200"),
      credentials: true,
      verify: true,
      caFile: "/etc/log-destination/ca.crt",
    });
    assert.deepEqual(inCluster?.output.bulk, { url: url("http://opensearch.logging.svc.cluster.local:9200") });
    assert.deepEqual(elasticsearch?.output.bulk, { url: url("http://10.0.0.5:9200") });
    for (const rendered of [http, opensearch]) assert.ok(!rendered?.text.includes("log-writer"));
  });

  it("rejects destinations that Logagent has no output for, with a reason", () => {
    for (const kind of ["cloudwatch", "s3", "loki"] as const)
      assert.equal(logagent.destinations[kind], "Logagent has no such output");
    assert.throws(
      () => render({ destination: { kind: "loki", url: "http://loki:3100" } }),
      /^Error: destination loki: Logagent has no such output$/,
    );
    assert.deepEqual(logagent.unsupported(pipelineOf({})), []);
  });
});
