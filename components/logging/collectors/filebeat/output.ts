import type { DestinationKind } from "../../destination-settings.ts";
import { notation } from "../../index-format.ts";
import { type LogPipeline, PASSWORD_VARIABLE, searchHost, tlsOf, USER_VARIABLE } from "../../pipeline.ts";
import { SPLIT_FIELD } from "./inputs.ts";

const NO_OUTPUT = "Filebeat has no such output";
export const DESTINATIONS: Readonly<Record<DestinationKind, true | string>> = {
  stdout: true,
  file: true,
  http: NO_OUTPUT,
  opensearch: "Filebeat requires an Elasticsearch license, which OpenSearch does not report",
  elasticsearch: true,
  cloudwatch: NO_OUTPUT,
  s3: NO_OUTPUT,
  loki: NO_OUTPUT,
};

const CODEC = { "codec.json": { pretty: false, escape_html: false } };

/** The output of a pipeline. @see https://www.elastic.co/docs/reference/beats/filebeat/configuring-output */
export function output(pipeline: LogPipeline): Readonly<Record<string, unknown>> {
  const { destination } = pipeline;
  switch (destination.kind) {
    case "stdout":
      return { "output.console": CODEC };
    case "file":
      // The largest number of files: beyond 100 GB the oldest are overwritten.
      return {
        "output.file": {
          path: destination.path,
          filename: "pods",
          rotate_every_kb: 102_400,
          number_of_files: 1024,
          ...CODEC,
        },
      };
    case "elasticsearch":
      return { "output.elasticsearch": elasticsearch(pipeline) };
    default:
      throw new Error(`destination ${destination.kind}: ${DESTINATIONS[destination.kind]}`);
  }
}

/** A document that is refused for good is dropped and logged; everything else is retried for ever. */
function elasticsearch({ destination, index }: LogPipeline): object {
  if (destination.kind !== "elasticsearch") return {};
  const { host, port } = searchHost(destination);
  const tls = tlsOf(destination);
  const parts = [
    index.prefix,
    ...(index.splitBy === "none" ? [] : [`%{[${SPLIT_FIELD}]}`]),
    `%{+${notation(index.datePattern, "joda")}}`,
  ];
  return {
    hosts: [`${tls === undefined ? "http" : "https"}://${host}:${port}`],
    index: parts.join(index.separator),
    preset: "custom",
    bulk_max_size: 1600,
    worker: 2,
    max_retries: -1,
    "backoff.max": "30s",
    ...(destination.credentials === undefined
      ? {}
      : { username: quoted(USER_VARIABLE), password: quoted(PASSWORD_VARIABLE) }),
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            verification_mode: tls.verify ? "full" : "none",
            ...(tls.caFile === undefined ? {} : { certificate_authorities: [tls.caFile] }),
          },
        }),
  };
}

/**
 * Filebeat parses the value of a variable: a comma or a bracket makes it a list, digits a number. In quotes it stays text, which must not
 * contain a single quote.
 * @see https://github.com/elastic/go-ucfg/blob/main/parse/parse.go
 */
function quoted(variable: string): string {
  return `'\${${variable}}'`;
}
