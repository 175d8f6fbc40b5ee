import type { LogPipeline } from "../../pipeline.ts";
import { routeCondition } from "./conditions.ts";
import { destinationProgram, type Options } from "./records.ts";

/** The transform that copies each record to the destinations of its routes. */
const ROUTES = "routes";

/** Sink name; includes the destination's name if there are several. */
export function sinkName(name: string | undefined): string {
  return name === undefined ? "destination" : `destination-${name}`;
}

/**
 * The transforms between the record and the sinks of several destinations, and each sink's input. A destination without routes gets all
 * records.
 * @param from The transform that builds the record.
 * @see https://vector.dev/docs/reference/configuration/transforms/route/
 */
export function routing(branches: readonly LogPipeline[], from: string) {
  const route: Record<string, Options> = {};
  const transforms: Record<string, Options> = {};
  const inputs: Record<string, string> = {};
  for (const branch of branches.filter(({ sources }) => sources.includes("pods"))) {
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
