import type { LogPipeline } from "../../pipeline.ts";
import { LEVEL_KEYS, LEVELS, type Selection } from "../../routing/routes.ts";
import { destinationProgram, type Options } from "./records.ts";

/** The transform that copies each record to the destinations that its routes name. */
const ROUTES = "routes";

/** Sink of a destination; of several, that of its name. */
export function sinkName(name: string | undefined): string {
  return name === undefined ? "destination" : `destination-${name}`;
}

/**
 * The transforms between the record and the sinks of several destinations, and what each sink takes its records from. A destination
 * without routes takes all.
 * @param from The transform that makes the record.
 * @see https://vector.dev/docs/reference/configuration/transforms/route/
 */
export function routing(branches: readonly LogPipeline[], from: string) {
  const route: Record<string, Options> = {};
  const transforms: Record<string, Options> = {};
  const inputs: Record<string, string> = {};
  for (const branch of branches) {
    const name = sinkName(branch.name);
    const source = routeCondition(branch.selections);
    if (source !== undefined) route[name] = { type: "vrl", source };
    inputs[name] = source === undefined ? from : `${ROUTES}.${name}`;
    const program = destinationProgram(branch);
    if (program === undefined) continue;
    const step = `record-${branch.name}`;
    transforms[step] = {
      type: "remap",
      inputs: [inputs[name]],
      source: program,
      drop_on_error: false,
    };
    inputs[name] = step;
  }
  const routes = { type: "route", inputs: [from], reroute_unmatched: false, route };
  return { inputs, transforms: { ...(Object.keys(route).length === 0 ? {} : { [ROUTES]: routes }), ...transforms } };
}

/** The condition of a record that one of the routes takes, in VRL; undefined where all lines go there. */
export function routeCondition(selections: readonly Selection[]): string | undefined {
  if (selections.length === 0) return undefined;
  const level = selections.some(({ levels }) => levels !== undefined) ? LEVEL : "";
  return `${level}${selections.map((selection) => `(${conditions(selection).join(" && ")})`).join(" || ")}`;
}

/** The word of a line's level: that of the first key that is there. */
const LEVEL = `word = ${LEVEL_KEYS.map((key) => `if exists(.fields.${key}) { .fields.${key} }`).join(" else ")} else { "" }
word = downcase(string(word) ?? "")
`;

function conditions({ namespaces, labels = {}, streams, levels }: Selection): string[] {
  const isOne = (values: readonly string[], path: string) => `includes(${JSON.stringify(values)}, ${path})`;
  return [
    ...(namespaces === undefined ? [] : [isOne(namespaces, ".kubernetes.namespace_name")]),
    ...Object.entries(labels).map(([key, value]) => `%labels.${JSON.stringify(key)} == ${JSON.stringify(value)}`),
    ...(streams === undefined ? [] : [isOne(streams, ".stream")]),
    ...(levels === undefined
      ? []
      : [
          isOne(
            levels.flatMap((level) => LEVELS[level]),
            "word",
          ),
        ]),
  ];
}
