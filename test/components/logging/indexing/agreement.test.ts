import assert from "node:assert/strict";
import { runInNewContext } from "node:vm";
import { DateTime } from "luxon";
import { type LuaEngine, LuaFactory } from "wasmoon";
import { parse } from "yaml";
import { recordScript } from "../../../../components/logging/collectors/filebeat/configuration.ts";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { placeName, placeOfNamespace, teamPlaces } from "../../../../components/logging/routing/routes.ts";
import type { CollectorId } from "../../../../components/logging/settings.ts";
import { LUA_BIT } from "../../../support/collectors/lua.ts";
import {
  indexOf,
  inUtc,
  NAME_CASES,
  NAME_TEAMS,
  type NamedLine,
  namePipeline,
  streamOf,
  strftime,
} from "../../../support/collectors/name-cases.ts";

function rendered(collector: CollectorId, settings: object) {
  const found = COLLECTORS[collector];
  assert.ok(found);
  return found.render(namePipeline(collector, settings));
}

/** The first file of a collector's configuration. */
function configOf(collector: CollectorId, settings: object) {
  const [text = ""] = Object.values(rendered(collector, settings).files);
  return parse(text);
}

const tagOf = ({ namespace, pod, container }: NamedLine) => `kube.${namespace}_${pod}_uid_${container}`;
const byTeam = { splitBy: "team" };
const cloudwatch = (logGroup: string) => ({ destination: { kind: "cloudwatch", logGroup }, index: byTeam });
const s3 = (prefix: string) => ({ destination: { kind: "s3", bucket: "acme-logs", prefix }, index: byTeam });

/** What the model says. */
function expected(settings: object, base: string, line: NamedLine): string {
  const { destination, index } = namePipeline("fluent-bit", settings);
  return placeName(base, placeOfNamespace(teamPlaces(destination, index, NAME_TEAMS), line.namespace)?.team);
}
const clean = (prefix: string) => prefix.replace(/\/$/, "");

type Options = Readonly<Record<string, string>>;

/** The output of Fluent Bit that takes a line, by its tag. */
function fluentBitOutput(settings: object): (line: NamedLine) => Options {
  const outputs: Options[] = configOf("fluent-bit", settings).pipeline.outputs;
  return (line) => {
    const takes = outputs.filter(({ match_regex = "" }) => new RegExp(match_regex).test(tagOf(line)));
    assert.equal(takes.length, 1, tagOf(line));
    return takes[0] ?? {};
  };
}

/** What Vector puts in for the place, by the constant of its program. */
function vectorSink(settings: object): (line: NamedLine) => Options {
  const { sinks, transforms } = configOf("vector", settings);
  const places = JSON.parse(/^places = (.*)$/m.exec(transforms.records.source)?.[1] ?? "{}");
  return (line) =>
    Object.fromEntries(
      Object.entries<unknown>(sinks.destination).map(([key, value]) => [
        key,
        String(value)
          .replace("{{ %place }}", places[line.namespace] ?? "")
          .replace("{{ kubernetes.namespace_name }}", line.namespace)
          .replace("{{ kubernetes.pod_name }}", line.pod)
          .replace("{{ kubernetes.container_name }}", line.container),
      ]),
    );
}

/** The exporter of the OpenTelemetry Collector whose pipeline does not drop a line, by the conditions of its filter. */
function openTelemetryExporter(settings: object): (line: NamedLine) => { logGroup: string; prefix: string } {
  const { exporters, processors, service } = configOf("opentelemetry", { ...settings, buffer: { whenFull: "block" } });
  const ends = Object.values<{ processors: string[]; exporters: string[] }>(service.pipelines).filter((each) =>
    each.exporters.some((name) => name in exporters),
  );
  const branches = ends.map(({ processors: names, exporters: [exporter = ""] }) => {
    const dropping: string[] = names.flatMap((name) =>
      name.startsWith("filter/") ? processors[name].log_conditions : [],
    );
    const conditions = dropping.map((condition) =>
      condition
        .replaceAll('resource.attributes["k8s.namespace.name"]', "namespace")
        .replaceAll(" or ", " || ")
        .replaceAll(" and ", " && ")
        .replaceAll("not ", "!"),
    );
    const drops: (namespace: string) => boolean = runInNewContext(`(namespace) => ${conditions.join(" || ")}`);
    return { drops, exporter };
  });
  return ({ namespace }) => {
    const takes = branches.filter(({ drops }) => !drops(namespace));
    assert.equal(takes.length, 1, namespace);
    const { log_group_name: logGroup, s3uploader } = exporters[takes[0]?.exporter ?? ""];
    return { logGroup, prefix: s3uploader?.s3_prefix };
  };
}

describe("Names of a thousand formats, teams and dates", () => {
  it("are a thousand, some of each team and some of none", () => {
    const lines = NAME_CASES.flatMap((each) => each.lines);
    assert.equal(lines.length, 1000);
    assert.ok(new Set(lines.map(({ namespace }) => namespace)).size > 7);
  });

  it("are the same log groups and streams with Fluent Bit, Vector and the OpenTelemetry Collector", () => {
    for (const { place, lines } of NAME_CASES) {
      const settings = cloudwatch(place.logGroup);
      const [bit, vector, otel] = [fluentBitOutput(settings), vectorSink(settings), openTelemetryExporter(settings)];
      for (const line of lines) {
        const group = expected(settings, place.logGroup, line);
        const { log_group_name, log_stream_template = "" } = bit(line);
        const stream = log_stream_template
          .replace("$kubernetes['namespace_name']", line.namespace)
          .replace("$kubernetes['pod_name']", line.pod)
          .replace("$kubernetes['container_name']", line.container);
        assert.deepEqual([log_group_name, stream], [group, streamOf(line)]);
        const { group_name, stream_name } = vector(line);
        assert.deepEqual([group_name, stream_name], [group, streamOf(line)]);
        assert.equal(otel(line).logGroup, group);
      }
    }
  });

  it("are the same prefixes of keys with Fluent Bit, Vector and the OpenTelemetry Collector", () => {
    for (const { place, lines } of NAME_CASES) {
      const settings = s3(place.prefix);
      const [bit, vector, otel] = [fluentBitOutput(settings), vectorSink(settings), openTelemetryExporter(settings)];
      for (const line of lines) {
        const prefix = expected(settings, clean(place.prefix), line);
        const folder = `${prefix}/${strftime("%Y/%m/%d/%H", line.at)}/`;
        const { s3_key_format = "" } = bit(line);
        assert.equal(strftime(s3_key_format.replace("$UUID.gz", ""), line.at), `/${folder}`);
        assert.equal(strftime(vector(line).key_prefix ?? "", line.at), folder);
        assert.equal(otel(line).prefix, prefix);
      }
    }
  });

  describe("are the same indices", () => {
    let lua: LuaEngine;
    before(async () => {
      lua = await new LuaFactory().createEngine();
      await lua.doString(LUA_BIT);
    });
    after(() => lua.global.close());

    it("with Fluent Bit", async () => {
      for (const { format, lines } of NAME_CASES) {
        const settings = { destination: { kind: "opensearch", host: "h" }, index: inUtc(format) };
        const { files } = rendered("fluent-bit", settings);
        const { pipeline, parsers } = parse(files["fluent-bit.yaml"] ?? "");
        const [output] = pipeline.outputs;
        const teamParser = parsers.find(({ name }: Options) => name === "team").regex;
        if (files["index.lua"] !== undefined) await lua.doString(files["index.lua"]);
        for (const line of lines) {
          const split: Record<string, string> = { ...new RegExp(teamParser).exec(line.namespace)?.groups };
          for (const { name, match_regex, set = [], condition, add } of pipeline.filters) {
            if (name !== "modify" || (match_regex !== undefined && !new RegExp(match_regex).test(tagOf(line))))
              continue;
            for (const pair of set) split[pair.split(" ")[0]] = pair.split(" ")[1];
            if (condition === "Key_does_not_exist index_split" && split.index_split === undefined)
              split.index_split = add.split(" ")[1];
          }
          if (files["index.lua"] !== undefined) {
            const record: { index_split?: string; kubernetes: object } = { kubernetes: { labels: line.labels } };
            lua.global.get("app_of_record")(tagOf(line), 1, record);
            split.index_split = record.index_split ?? "";
          }
          const key: string = output.logstash_prefix_key ?? output.logstash_prefix;
          const prefix = key
            .replace("$TAG[999]", "")
            .replace("$kubernetes['namespace_name']", line.namespace)
            .replace("$index_split", split.index_split ?? "?");
          const date = strftime(output.logstash_dateformat, line.at);
          assert.equal([prefix, date].join(output.logstash_prefix_separator), indexOf(inUtc(format), line));
        }
      }
    });

    it("with Filebeat", () => {
      for (const { format, lines } of NAME_CASES) {
        const settings = { destination: { kind: "elasticsearch", host: "h" }, index: inUtc(format) };
        const { files } = rendered("filebeat", settings);
        const { index } = parse(files["filebeat.yml"] ?? "")["output.elasticsearch"];
        const script = runInNewContext(
          `${recordScript(namePipeline("filebeat", settings))}; ({ teamOf: teamOf, splitOf: splitOf })`,
        );
        for (const line of lines) {
          const labels = Object.fromEntries(
            Object.entries(line.labels).map(([key, value]) => [key.replaceAll(".", "_"), value]),
          );
          const team = script.teamOf(line.namespace);
          const split = script.splitOf({ team, labels, kubernetes: { namespace_name: line.namespace } });
          const made = index
            .replace("%{[@metadata.split]}", split)
            .replace(/%\{\+(.*)\}/, (_: string, joda: string) =>
              DateTime.fromJSDate(line.at, { zone: "UTC" })
                .setLocale("en-US")
                .toFormat(joda.replace("xxxx", "kkkk").replace("ww", "WW")),
            );
          assert.equal(made, indexOf(inUtc(format), line));
        }
      }
    });
  });
});
