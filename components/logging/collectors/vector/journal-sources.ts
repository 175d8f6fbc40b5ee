import { notation } from "../../indexing/index-format.ts";
import { destinationPipelines, hasIndex, type LogPipeline } from "../../pipeline.ts";
import {
  JOURNAL_FIELDS,
  JOURNAL_FOLDER,
  type JournalSource,
  journalSources,
  sourceIndex,
  sourcePlace,
} from "../../sources/source.ts";
import type { Options } from "../collector.ts";
import { fieldsProgram, redactProgram } from "./line-program.ts";
import { program, recordSection } from "./records.ts";
import { acknowledgements, sink, sinkName } from "./sinks.ts";

/** Components by name. */
interface Parts {
  readonly sources: Readonly<Record<string, Options>>;
  readonly transforms: Readonly<Record<string, Options>>;
  readonly sinks: Readonly<Record<string, Options>>;
}

/**
 * Components that read each part of the journal for each destination, build records and send them. The journal is the buffer: its position
 * advances when the destination accepts a line. A disk buffer loses lines in a kill, since it accepts them shortly before writing them.
 * @see https://vector.dev/docs/reference/configuration/sources/journald/
 */
export function journalParts(pipeline: LogPipeline): Parts {
  const all = destinationPipelines(pipeline).flatMap((branch) =>
    journalSources(branch.sources).map((source) => ({
      branch,
      source,
      name: `journal-${source}-${sinkName(branch.name)}`,
    })),
  );
  return {
    sources: Object.fromEntries(all.map(({ source, name }) => [name, journal(source)])),
    transforms: Object.fromEntries(
      all.map(({ branch, source, name }) => [
        `${name}-record`,
        { type: "remap", inputs: [name], source: recordProgram(branch, source), drop_on_error: false },
      ]),
    ),
    sinks: Object.fromEntries(
      all.map(({ branch, source, name }) => [
        `${name}-sink`,
        { inputs: [`${name}-record`], ...journalSink(branch, source) },
      ]),
    ),
  };
}

/** Reads a part of the journal from its beginning, or from the stored position. */
function journal(source: JournalSource): Options {
  return {
    type: "journald",
    journal_directory: JOURNAL_FOLDER,
    // Vector rejects false with this version of journalctl, which follows no other boot. But with --merge it does.
    current_boot_only: true,
    // Without --no-tail it shows ten lines after a restart, and the rest only with the next entry. Vector's option for fields would read all
    // entries and discard the others.
    extra_args: ["--merge", "--no-tail", ...JOURNAL_FIELDS[source]],
    emit_cursor: true,
  };
}

function recordProgram({ processing, destination, index }: LogPipeline, source: JournalSource): string {
  const date_format = notation(index.datePattern, "strftime");
  const search = hasIndex(destination);
  return program({ source, ...(search ? { date_format, time_zone: index.timeZone } : {}) }, [
    recordSection("journal-line"),
    ...(search ? [recordSection("journal-cursor")] : []),
    redactProgram(processing),
    recordSection("journal-record"),
    fieldsProgram(processing),
    ...(search ? [recordSection("journal-index")] : []),
  ]);
}

/** The destination's sink, with the source's own names. */
function journalSink(branch: LogPipeline, source: JournalSource): Options {
  const destination =
    branch.destination.kind === "s3"
      ? { ...branch.destination, prefix: sourcePlace(branch.destination.prefix, source) }
      : branch.destination;
  const ofSource = { ...branch, destination, index: sourceIndex(branch.index, source), places: [] };
  return {
    ...sink(ofSource),
    ...ownNames(ofSource, source),
    acknowledgements: acknowledgements(destination),
    buffer: [{ type: "memory", max_events: 500, when_full: "block" }],
  };
}

function ownNames({ destination }: LogPipeline, source: JournalSource): Options {
  switch (destination.kind) {
    case "cloudwatch":
      return { stream_name: `{{ node }}.${source}` };
    case "file":
      return { path: `${destination.path}/${source}.log` };
    case "loki":
      return { labels: { job: "eks-dns-logging", source, node: "{{ node }}" } };
    // Lines that wait for an object are in memory.
    case "s3":
      return { batch: { max_bytes: 10_000_000, timeout_secs: 300 } };
    default:
      return {};
  }
}
