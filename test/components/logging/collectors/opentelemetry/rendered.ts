import { parse } from "yaml";
import { z } from "zod";
import { opentelemetry } from "../../../../../components/logging/collectors/opentelemetry/index.ts";
import { pipelines } from "../pipelines.ts";

export const Options = z.record(z.string(), z.unknown());
const Components = z.record(z.string(), Options);
const Statements = z.array(z.object({ context: z.string(), statements: z.array(z.string()) }));
const Configuration = z.strictObject({
  extensions: Components,
  receivers: Components,
  processors: Components,
  exporters: Components,
  service: z.looseObject({
    extensions: z.array(z.string()),
    pipelines: z.object({
      logs: z.object({
        receivers: z.array(z.string()),
        processors: z.array(z.string()),
        exporters: z.array(z.string()),
      }),
    }),
  }),
});

export const elasticsearch = { kind: "elasticsearch", host: "search.example.com" };

const pipelineOf = pipelines({ collector: "opentelemetry", destination: elasticsearch, buffer: { whenFull: "block" } });

export function render(settings: object = {}, source?: "application") {
  const text = opentelemetry.render(pipelineOf(settings, source)).files["config.yaml"] ?? "";
  const configuration = Configuration.parse(parse(text));
  const [exporter = ["", {}]] = Object.entries(configuration.exporters);
  const statements = Statements.parse(configuration.processors.transform?.log_statements);
  return {
    text,
    ...configuration,
    name: exporter[0],
    exporter: exporter[1],
    statements: statements.flatMap((group) => group.statements),
    files: configuration.receivers.file_log ?? {},
  };
}

/** What it cannot do of settings below `logging`. */
export const unsupported = (settings: object) =>
  opentelemetry.unsupported(pipelineOf(settings)).map(({ path, message }) => `${path.join(".")}: ${message}`);
