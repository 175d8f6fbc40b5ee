import { hasIndex, type LogPipeline } from "../../pipeline.ts";
import {
  JOURNAL_FIELDS,
  JOURNAL_FOLDER,
  type JournalSource,
  journalSources,
  sourceIndex,
} from "../../sources/source.ts";
import type { Options } from "../collector.ts";
import { exporter, sourcePart } from "./exporters.ts";
import { fieldStatements, indexStatement, memoryLimiter, statements, timeStatements, transform } from "./processors.ts";
import { offeringAgain, POSITION_STORAGE } from "./receivers.ts";
import { replaceStatements } from "./redact-steps.ts";
import { resource, text } from "./route-conditions.ts";

/** Components by name, and the pipelines that connect them. */
interface Parts {
  readonly receivers: Readonly<Record<string, Options>>;
  readonly processors: Readonly<Record<string, Options>>;
  readonly exporters: Readonly<Record<string, Options>>;
  readonly connectors: Readonly<Record<string, Options>>;
  readonly pipelines: Readonly<Record<string, Options>>;
}

/** The node's folders with journalctl and its libraries: the image contains only the collector. Each is mounted at the same path. */
export const PROGRAM_FOLDERS = ["/usr", "/lib", "/lib64"];

/**
 * Components that read each part of the journal and send it to its destinations. Their names begin with a dot, unlike those of
 * destinations and of teams' places.
 * @see https://github.com/open-telemetry/opentelemetry-collector-contrib/tree/main/receiver/journaldreceiver
 */
export function journalParts(pipeline: LogPipeline): Parts {
  const all = journalSources(pipeline.sources).map((source) => partsOfSource(pipeline, source));
  const merged = (key: keyof Parts) => Object.assign({}, ...all.map((parts) => parts[key]));
  return {
    receivers: merged("receivers"),
    processors: merged("processors"),
    exporters: merged("exporters"),
    connectors: merged("connectors"),
    pipelines: merged("pipelines"),
  };
}

function partsOfSource(pipeline: LogPipeline, source: JournalSource): Parts {
  const name = `.journal.${source}`;
  const receiver = `journald/${source}`;
  const record = [{ context: "log" as const, statements: recordStatements(pipeline, source) }];
  const limiter = Object.keys(memoryLimiter(pipeline));
  const receivers = { [receiver]: journal(pipeline, source) };
  if (pipeline.branches.length === 0) {
    const end = exporter(sourcePart(pipeline, source));
    return {
      receivers,
      processors: { [`transform/${name}`]: transform([...record, ...destinationStatements(pipeline, source)]) },
      exporters: { [end.name]: end.options },
      connectors: {},
      pipelines: {
        [`logs/${name}`]: {
          receivers: [receiver],
          processors: [...limiter, `transform/${name}`],
          exporters: [end.name],
        },
      },
    };
  }
  const fork = `forward/${name}`;
  const branches = pipeline.branches
    .filter(({ sources }) => sources.includes(source))
    .map((branch) => ({
      pipeline: branch,
      name: `${name}.${branch.name}`,
      exporter: exporter(sourcePart(branch, source)),
    }));
  return {
    receivers,
    processors: {
      [`transform/${name}`]: transform(record),
      ...Object.fromEntries(
        branches.map((branch) => [
          `transform/${branch.name}`,
          transform(destinationStatements(branch.pipeline, source)),
        ]),
      ),
    },
    exporters: Object.fromEntries(branches.map((branch) => [branch.exporter.name, branch.exporter.options])),
    connectors: { [fork]: {} },
    pipelines: {
      [`logs/${name}`]: { receivers: [receiver], processors: [...limiter, `transform/${name}`], exporters: [fork] },
      ...Object.fromEntries(
        branches.map((branch) => [
          `logs/${branch.name}`,
          { receivers: [fork], processors: [`transform/${branch.name}`], exporters: [branch.exporter.name] },
        ]),
      ),
    },
  };
}

/** Reads a part of the journal from its beginning, or from the stored position. `merge` also reads entries from before the node started. */
function journal({ buffer }: LogPipeline, source: JournalSource): Options {
  return {
    journalctl_path: "/usr/bin/journalctl",
    directory: JOURNAL_FOLDER,
    start_at: "beginning",
    matches: JOURNAL_FIELDS[source].map((field) => Object.fromEntries([field.split("=", 2)])),
    priority: "debug",
    merge: true,
    // Without it fields of more than 4096 characters are omitted.
    all: true,
    convert_message_bytes: true,
    storage: POSITION_STORAGE,
    ...offeringAgain(buffer),
  };
}

/** Makes the body the record that all collectors send. Missing fields are omitted. */
function recordStatements({ processing }: LogPipeline, source: JournalSource): string[] {
  return [
    ...statements("journal-record"),
    `set(log.body["source"], ${text(source)})`,
    ...replaceStatements(processing, 'log.body["log"]'),
    ...fieldStatements(processing.fields),
  ];
}

/** What the destination needs: an index and an id, a stream, or attributes. */
function destinationStatements({ destination, index }: LogPipeline, source: JournalSource) {
  const search = hasIndex(destination);
  return [
    {
      context: "log" as const,
      statements: [
        ...(search ? [indexStatement(sourceIndex(index, source)), ...statements("journal-id")] : []),
        ...timeStatements(destination),
        ...statements("attributes"),
      ],
    },
    { context: "resource" as const, statements: placeStatements(destination.kind, source) },
  ];
}

function placeStatements(kind: LogPipeline["destination"]["kind"], source: JournalSource): string[] {
  if (kind === "cloudwatch") return [`set(${resource("pod")}, "\${env:NODE_NAME}.${source}")`];
  if (kind !== "loki" && kind !== "otlp") return [];
  return [`set(${resource("service.namespace")}, ${text(source)})`, ...statements("journal-attributes")];
}
