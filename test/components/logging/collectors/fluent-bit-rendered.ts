import { parse } from "yaml";
import { z } from "zod";
import { fluentBit } from "../../../../components/logging/collectors/fluent-bit.ts";
import { credentials, pipelines } from "./pipelines.ts";

const Section = z.record(z.string(), z.union([z.string(), z.number(), z.array(z.string())]));
const Joining = z
  .object({ name: z.string(), parser: z.string().optional(), rules: z.array(Section).optional() })
  .loose();
const Configuration = z.strictObject({
  service: Section,
  parsers: z.array(Section),
  multiline_parsers: z.array(Joining).default([]),
  pipeline: z.strictObject({ inputs: z.array(Section), filters: z.array(Section), outputs: z.array(Section) }),
});

/** The pipeline of settings below `logging`. */
export const pipelineOf = pipelines({ collector: "fluent-bit" });

/** What Fluent Bit is told for settings below `logging`, taken apart. */
export function render(settings: object) {
  const { files } = fluentBit.render(pipelineOf(settings));
  const configuration = Configuration.parse(parse(files["fluent-bit.yaml"] ?? ""));
  const [input = {}] = configuration.pipeline.inputs;
  const [output = {}] = configuration.pipeline.outputs;
  const named = (name: string) => configuration.pipeline.filters.filter((section) => section.name === name);
  const filter = (name: string) => named(name).at(-1);
  const joining = (name: string) => configuration.multiline_parsers.find((parser) => parser.name === name);
  return { files, configuration, input, output, named, filter, joining };
}

/** Each kind, and what differs within it. */
export const DESTINATIONS: readonly object[] = [
  { kind: "stdout" },
  { kind: "file" },
  { kind: "http", url: "https://logs.example.com:8443/ingest?a=1", credentials },
  { kind: "opensearch", host: "search.example.com", credentials, tls: { caSecretName: "search-ca" } },
  { kind: "opensearch", inCluster: true },
  { kind: "elasticsearch", host: "10.0.0.5", tls: false },
  { kind: "cloudwatch" },
  { kind: "s3" },
  { kind: "loki", url: "http://loki.monitoring.svc:3100", tenant: "one" },
];
