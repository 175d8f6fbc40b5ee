import { parse } from "yaml";
import { z } from "zod";
import { vector } from "../../../../../components/logging/collectors/vector/index.ts";
import { pipelines } from "../pipelines.ts";

const Component = z.looseObject({ type: z.string() });
type Component = z.infer<typeof Component>;
const Components = z.record(z.string(), Component);
const Configuration = z.looseObject({ sources: Components, transforms: Components, sinks: Components });

/** The pipeline of settings below `logging`. */
export const pipelineOf = pipelines({ collector: "vector" });

/** What Vector is told for settings below `logging`, taken apart. */
export function render(settings: object = {}, source?: "application") {
  const { files, args, environment } = vector.render(pipelineOf(settings, source));
  const text = files["vector.yaml"] ?? "";
  const configuration = Configuration.parse(parse(text));
  const program = String(configuration.transforms.records?.source);
  const part = (parts: Record<string, Component>, name: string): Component => parts[name] ?? { type: "missing" };
  return {
    text,
    args,
    environment,
    configuration,
    logs: part(configuration.sources, "logs"),
    parts: configuration.transforms.parts,
    traces: configuration.transforms.traces,
    records: part(configuration.transforms, "records"),
    program,
    constants: constantsOf(program),
    output: part(configuration.sinks, "destination"),
  };
}

/** The constants in front of the program; what follows is of `record.vrl`. */
function constantsOf(program: string): Readonly<Record<string, unknown>> {
  const [header = ""] = program.split(/^line = /m);
  return Object.fromEntries(
    header
      .trim()
      .split("\n")
      .map((line) => line.split(" = ", 2))
      .map(([name = "", value = ""]) => [name, JSON.parse(value)]),
  );
}
