import { parse } from "yaml";
import { z } from "zod";
import { fluentBit } from "../../../../../components/logging/collectors/fluent-bit/index.ts";
import { pipelines } from "../pipelines.ts";

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
