import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { parse } from "yaml";
import { z } from "zod";
import { logagent } from "../../../../components/logging/collectors/logagent/index.ts";
import record from "../../../../components/logging/collectors/logagent/record.cjs";
import sources from "../../../../components/logging/collectors/logagent/sources.cjs";
import { opentelemetry } from "../../../../components/logging/collectors/opentelemetry/index.ts";
import {
  indexOf,
  inUtc,
  NAME_CASES,
  type NamedLine,
  namePipeline,
  streamOf,
  strftime,
} from "../../../support/collectors/name-cases.ts";

const elasticsearch = { kind: "elasticsearch", host: "h" };
type Format = (typeof NAME_CASES)[number]["format"];

const configOf = (format: Format) => {
  const pipeline = namePipeline("logagent", { destination: elasticsearch, index: format });
  return parse(logagent.render(pipeline).files["logagent.yml"] ?? "");
};

/** What tells pods of lines apart. */
const podOf = ({ namespace, pod, labels }: NamedLine) => JSON.stringify([namespace, pod, labels]);

/** The logs that Logagent's own script finds on a node with the pods of all lines: in the pods' folders, with what the API says of these. */
function logsOnNode(options: Parameters<typeof sources.nodeLogs>[0]) {
  const lines = NAME_CASES.flatMap((each) => each.lines);
  const pods = [...new Map(lines.map((line) => [podOf(line), line])).values()];
  const folders = new Map(pods.map((line, at) => [podOf(line), `${line.namespace}_${line.pod}_${at}`]));
  const placeOf = (line: NamedLine) => join(folders.get(podOf(line)) ?? "", line.container);
  const folder = mkdtempSync(join(tmpdir(), "logagent-names-"));
  try {
    for (const place of new Set(lines.map(placeOf))) {
      mkdirSync(join(folder, place), { recursive: true });
      writeFileSync(join(folder, place, "0.log"), "");
    }
    const labels = new Map(pods.map((line) => [folders.get(podOf(line)), line.labels]));
    const api = {
      keep: () => undefined,
      find: (key: string) => ({ labels: labels.get(key) ?? {}, annotations: {}, at: 0 }),
    };
    const logs = sources.nodeLogs({ ...options, folder }, api);
    return (line: NamedLine) => logs.find((each) => each?.name.includes(`/${placeOf(line)}/`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const Statements = z.array(z.object({ statements: z.array(z.string()) }));

/** What the statements of the OpenTelemetry Collector's transforms make of attributes, as JavaScript. */
function openTelemetryNames(format: Format, destination: object) {
  const settings = { destination, index: inUtc(format), buffer: { whenFull: "block" } };
  const { processors } = parse(
    opentelemetry.render(namePipeline("opentelemetry", settings)).files["config.yaml"] ?? "",
  );
  const transforms = Object.entries<{ log_statements?: unknown }>(processors).filter(([name]) =>
    name.startsWith("transform"),
  );
  const statements = transforms
    .flatMap(([, { log_statements = [] }]) => Statements.parse(log_statements))
    .flatMap((each) => each.statements)
    .filter((text) =>
      /^(set|replace_pattern)\((resource\.attributes\["(team|split|pod)"\]|log\.attributes\["elast.*index)/.test(text),
    )
    .map(asJavaScript);
  const run = runInNewContext(`(resource, log, Concat, ConvertCase, FormatTime, IsMatch, replaced) => {
    ${statements.join("\n")}
    return { index: log.attributes["elasticsearch.index"], stream: resource.attributes.pod };
  }`);
  return ({ at, namespace, pod, container, labels }: NamedLine) => {
    const named = Object.entries(labels).map(([key, value]) => [`label/${key}`, value]);
    const names = { "k8s.namespace.name": namespace, "k8s.pod.name": pod, "k8s.container.name": container };
    return run(
      { attributes: { ...names, ...Object.fromEntries(named) } },
      { attributes: {}, time: at },
      (parts: string[], separator: string) => parts.join(separator),
      (text: string) => text.toLowerCase(),
      (time: Date, pattern: string) => strftime(pattern, time),
      (text: string, pattern: string) => new RegExp(pattern).test(text),
      (text: string, pattern: string, by: string) => text.replaceAll(new RegExp(pattern, "g"), by),
    );
  };
}

function asJavaScript(statement: string): string {
  const [, call = "", target = "", rest = "", condition = "true"] =
    /^(set|replace_pattern)\((\w+\.attributes\["[^"]+"\]), (.*?)\)(?: where (.*))?$/.exec(statement) ?? [];
  const value = call === "set" ? rest : `replaced(${target}, ${rest})`;
  const when = condition.replaceAll(" and ", " && ").replaceAll(" or ", " || ").replaceAll("nil", "undefined");
  return `if (${when}) ${target} = ${value};`;
}

describe("Indices of a thousand formats, teams and dates", () => {
  it("are the same with Logagent, in any time zone", () => {
    const configs = NAME_CASES.map(({ format }) => configOf(format));
    const node = configs[0]?.input.logs.node;
    const logOf = logsOnNode(node);
    for (const [at, { format, lines }] of NAME_CASES.entries()) {
      assert.deepEqual(configs[at]?.input.logs.node, node);
      const nameOf = record.createNames(configs[at]?.output.destination.index);
      const names = lines.map((line) => {
        const log = logOf(line);
        const namespace = String(log?.source.kubernetes.namespace_name);
        return nameOf(line.at.toISOString(), { team: log?.source.team, namespace, app: log?.app });
      });
      assert.deepEqual(
        names,
        lines.map((line) => indexOf(format, line)),
      );
    }
  });

  it("are the same with the OpenTelemetry Collector, as its statements are interpreted", () => {
    for (const { format, lines } of NAME_CASES) {
      const nameOf = openTelemetryNames(format, elasticsearch);
      assert.deepEqual(
        lines.map((line) => nameOf(line).index),
        lines.map((line) => indexOf(inUtc(format), line)),
      );
    }
  });

  it("have the same streams in CloudWatch Logs with the OpenTelemetry Collector", () => {
    const [one] = NAME_CASES;
    assert.ok(one);
    const nameOf = openTelemetryNames(one.format, { kind: "cloudwatch" });
    const lines = NAME_CASES.flatMap((each) => each.lines);
    assert.deepEqual(
      lines.map((line) => nameOf(line).stream),
      lines.map(streamOf),
    );
  });
});
