import type { LogPipeline } from "../../pipeline.ts";
import { patternText } from "../../processing/pattern-text.ts";
import { namespaceMatch } from "./line-filters.ts";
import type { Section } from "./service.ts";

/** Joins the parts into which a container runtime splits a long line. */
export const CRI_PARTS = "cri_parts";
/** Joins the lines of a stack trace. */
const STACK_TRACE = "stack_trace";
const CRI_LINE = "cri_line";

/** A line that matches in this state continues the record and leads to the next state; in `start_state` it begins a record. */
interface Rule {
  readonly state: string;
  readonly regex: string;
  readonly next_state: string;
}
/** A record never continues in the other stream. */
const OF_STREAM = { key_group: "stream" };
type Language = LogPipeline["multiline"][number];

/** No line continues a record in this state. Fluent Bit keeps the state for later lines, so a rule for any indented line must end. */
const END = "end";
/** Matches no line: Fluent Bit requires a rule for each state. */
const end: Rule = { state: END, regex: "/(?!)/", next_state: END };

/** Error properties that Node.js prints in braces after the last frame, or instead of frames. These rules precede the rule for frames. */
const properties: readonly Rule[] = [
  { state: "start_state", regex: "/\\A\\[.*Error.*\\] \\{$/", next_state: "node_properties" },
  { state: "java_after_exception,java,node_modules", regex: "/^[\\t ]+at .* \\{$/", next_state: "node_properties" },
  { state: "node_properties", regex: "/^[\\t ]/", next_state: "node_properties" },
  { state: "node_properties", regex: "/^\\}$/", next_state: END },
  end,
];

/** Node.js's require stack of a missing module: lines between the error and its frames. */
const modules: readonly Rule[] = [
  { state: "java_after_exception", regex: "/^Require stack:$/", next_state: "node_modules" },
  { state: "node_modules", regex: "/^- /", next_state: "node_modules" },
];

/** Lines of a trace other than frames. */
const BETWEEN_FRAMES = [
  "[\\t ]+--- End of inner exception stack trace ---$",
  "--- End of stack trace from previous location(?: where exception was thrown)? ---$",
  "[\\t ]*\\.\\.\\. \\d+ (?:more|(?:common )?frames|lines matching)",
  // Reactor: where an error was observed.
  "(?:Error has been observed at the following site|Assembly trace from producer |Original Stack Trace:$)",
  "[\\t ]+[*|]_",
];

/** Frames of Ruby and PHP: their exceptions are named like Java's. */
const rubyAndPhp: readonly Rule[] = [
  { state: "java_after_exception,java", regex: "/^[\\t ]+from .*:\\d+:in /", next_state: "java" },
  { state: "java_after_exception", regex: "/^Stack trace:$/", next_state: "php" },
  { state: "php", regex: "/^#\\d+ /", next_state: "php" },
  { state: "php", regex: "/^  thrown in /", next_state: END },
  end,
];

/** Since 1.73 Rust prints the location of a panic and, in the next line, which no other thread can interleave, its message. */
const rust: readonly Rule[] = [
  { state: "start_state", regex: "/ panicked at .*:\\d+:$/", next_state: "rust" },
  { state: "rust", regex: "/^/", next_state: "rust_message" },
  { state: "rust_message", regex: "/^stack backtrace:$/", next_state: "rust_frames" },
  { state: "rust_frames", regex: "/^ +(?:\\d+: |at )/", next_state: "rust_frames" },
  { state: "rust_message,rust_frames", regex: "/^note: .*`RUST_BACKTRACE=/", next_state: END },
  end,
];

/**
 * One rule per word, since a single word is searched many times faster than an alternation. After the word comes the message or
 * nothing, or what Node.js puts in brackets: `TypeError [ERR_INVALID_URL]: …`, `NotFound [Error]: …`, or Ruby's closing parenthesis.
 */
const java: readonly Rule[] = [
  ...properties,
  ...modules,
  ...rubyAndPhp,
  ...["Exception", "Error", "Throwable", "V8 errors stack trace"].map((word) => ({
    state: "start_state,java_start_exception",
    regex: `/${word}(?:\\]?:|\\)?$| \\[)/`,
    next_state: "java_after_exception",
  })),
  // Frames of an exception whose name has none of these words.
  { state: "start_state", regex: "/\\A[\\t ]+at /", next_state: "java" },
  {
    state: "java_after_exception",
    regex: "/^[\\t ]*nested exception is:[\\t ]*/",
    next_state: "java_start_exception",
  },
  // .NET's inner exception.
  { state: "java_after_exception,java", regex: "/^[\\t ]+---> /", next_state: "java_after_exception" },
  {
    state: "java_after_exception,java",
    regex: "/^[\\t ]*(?:Caused by|Suppressed|Wrapped by):/",
    next_state: "java_after_exception",
  },
  ...["[\\t ]+(?:eval )?at ", ...BETWEEN_FRAMES].map((line) => ({
    state: "java_after_exception,java,node_modules",
    regex: `/^${line}/`,
    next_state: "java",
  })),
];

const go: readonly Rule[] = [
  ...rust,
  {
    state: "start_state",
    regex: "/\\A(?:(?:panic|fatal error|SIG[A-Z]+): |runtime: goroutine stack exceeds )/",
    next_state: "go_panic",
  },
  { state: "start_state", regex: "/\\bpanic: /", next_state: "go_after_panic" },
  { state: "start_state", regex: "/http: panic serving/", next_state: "go_after_panic" },
  { state: "start_state", regex: "/\\Agoroutine \\d+ \\[[^\\]]+\\]:$/", next_state: "go_frame_1" },
  // The rest of a multi-line message, and a recovered panic.
  { state: "go_panic", regex: "/^(?:\\t|runtime: sp=|fatal error: |PC=0x|signal arrived )/", next_state: "go_panic" },
  { state: "go_panic,go_after_panic", regex: "/^\\[signal /", next_state: "go_panic" },
  { state: "go_panic,go_after_panic,go_frame_1", regex: "/^$/", next_state: "go_goroutine" },
  {
    state: "go_panic,go_after_panic,go_goroutine",
    regex: "/^(?:goroutine \\d+ (?:[^\\[]+ )?\\[[^\\]]+\\]|runtime stack):$/",
    next_state: "go_frame_1",
  },
  { state: "go_frame_1", regex: "/^(?:\\S+\\(.*\\)|created by .*)$/", next_state: "go_frame_2" },
  {
    state: "go_frame_1",
    regex: "/^(?:\\.\\.\\.(?:additional|\\d+) frames elided|\\tgoroutine running on other thread)/",
    next_state: "go_frame_1",
  },
  { state: "go_frame_2", regex: "/^\\s/", next_state: "go_frame_1" },
];

const TRACEBACK = "Traceback \\(most recent call last\\):$";
const GROUP = " +\\+ Exception Group Traceback \\(most recent call last\\):$";
const CHAIN =
  "(?:During handling of the above exception, another exception occurred|The above exception was the direct cause of the following exception):$";

/**
 * Matches the lines of `^^^` that Python prints below its code since 3.11, exceptions without a message, groups, and exceptions raised
 * while another is handled, between empty lines.
 */
const python: readonly Rule[] = [
  { state: "start_state", regex: `/\\A${TRACEBACK}/`, next_state: "python" },
  { state: "start_state", regex: `/\\A${GROUP}/`, next_state: "python_group" },
  { state: "python", regex: "/\\A[\\t ]/", next_state: "python" },
  { state: "python", regex: "/\\A[A-Za-z_][\\w.]*(?::|$)/", next_state: "python_end" },
  { state: "python_group", regex: "/\\A +[|+]/", next_state: "python_group" },
  { state: "python_end,python_group", regex: "/\\A$/", next_state: "python_before_chain" },
  { state: "python_before_chain", regex: `/\\A${CHAIN}/`, next_state: "python_chain" },
  { state: "python_chain", regex: "/\\A$/", next_state: "python_after_chain" },
  { state: "python_after_chain", regex: `/\\A${TRACEBACK}/`, next_state: "python" },
  { state: "python_after_chain", regex: `/\\A${GROUP}/`, next_state: "python_group" },
];

/** JavaScript's traces look like Java's. */
const RULES: Readonly<Record<Language, readonly Rule[]>> = { java, node: java, go, python };

/**
 * The rules of Fluent Bit's built-in parsers `java`, `go` and `python`, in one parser: measured, the built-in ones take twice the time,
 * and the one for Python sends the last line of each trace twice.
 * @see https://docs.fluentbit.io/manual/data-pipeline/parsers/multiline-parsing
 */
export function stackTraceParsers({ multiline }: Pick<LogPipeline, "multiline">): object[] {
  const rules = [...new Set(multiline.flatMap((language) => RULES[language]))];
  return rules.length === 0 ? [] : [{ name: STACK_TRACE, type: "regex", ...OF_STREAM, flush_timeout: 1000, rules }];
}

/**
 * Joins stack traces. Without its own buffer, the filter joins what was read together: a trace may be cut in two, but a kill loses none.
 * @see https://docs.fluentbit.io/manual/data-pipeline/filters/multiline-stacktrace
 */
export function stackTraceFilters({
  multiline,
  processing: { firstLines },
}: Pick<LogPipeline, "multiline" | "processing">): Section[] {
  const ruled = firstLines.map(({ namespaces }) => namespaces);
  const traces = multiline.length === 0 || ruled.includes(undefined) ? [] : [joiner(STACK_TRACE, elsewhere(ruled))];
  return [
    ...traces,
    ...firstLines.map(({ namespaces }, index) => joiner(firstLineParser(index), namespaceMatch([namespaces]))),
    ...emptyLines(firstLines),
  ];
}

function joiner(parser: string, match: Section): Section {
  return {
    name: "multiline",
    ...match,
    "multiline.key_content": "log",
    "multiline.parser": parser,
    mode: "parser",
    buffer: "off",
  };
}

/**
 * The filter has one state for the lines of all pods, and replaces an empty line that it takes for a continuation with a line break, even
 * if that record was already sent. After a stack trace that is one line, which is not worth a filter for each line.
 */
function emptyLines(firstLines: LogPipeline["processing"]["firstLines"]): Section[] {
  if (firstLines.length === 0) return [];
  return [{ name: "modify", match: "kube.*", condition: "key_value_matches log \\A\\n\\z", set: 'log ""' }];
}

/** Matches the tags of all other namespaces. */
function elsewhere(ruled: readonly (readonly string[] | undefined)[]): Section {
  const names = [...new Set(ruled.flatMap((namespaces = []) => namespaces))].sort();
  return names.length === 0 ? { match: "kube.*" } : { match_regex: `^kube\\.(?!(${names.join("|")})_)` };
}

function firstLineParser(index: number): string {
  return `first_line_${index}`;
}

/** Joins a line that a pattern matches with all following lines that it does not match. */
export function firstLineParsers({ processing: { firstLines } }: Pick<LogPipeline, "processing">): object[] {
  return firstLines.map(({ pattern }, index) => {
    const regex = patternText(pattern, "onigmo");
    return {
      name: firstLineParser(index),
      type: "regex",
      ...OF_STREAM,
      flush_timeout: 1000,
      rules: [
        { state: "start_state", regex: `/${regex}/`, next_state: "more" },
        { state: "more", regex: `/\\A(?!(?m:.*)(?:${regex}))/`, next_state: "more" },
      ],
    };
  });
}

const TWO_DIGITS = "[0-9][0-9]";
/** UTC time of day as containerd and CRI-O write it, without quantifiers, each step of which backtracking would retry. */
const TIME_OF_DAY = `${TWO_DIGITS}:${TWO_DIGITS}:${TWO_DIGITS}\\.${TWO_DIGITS.repeat(4)}[0-9]Z`;
/**
 * The rest of a line. Recording each character as a possible end costs more than reading it, so JSON can end only at a brace, and text only
 * after the last blank.
 */
const CONTENT = "(?m:\\{.*\\}(?!.)|.* [^ ]*|.*)";

/**
 * A line of a container runtime. Like Fluent Bit's parser `cri`, but the time must begin with a date and consist of a time's characters,
 * instead of the shortest match: Fluent Bit prints what it cannot parse as a time.
 */
export const criLine: Section = {
  name: CRI_LINE,
  format: "regex",
  regex: `\\A(?<time>\\d{4}-\\d\\d-\\d\\dT(?:${TIME_OF_DAY}|[0-9:.Z+-]+)) (?<stream>stdout|stderr) (?<_p>[FP]) (?<log>${CONTENT})`,
  time_key: "time",
  time_format: "%Y-%m-%dT%H:%M:%S.%L%z",
  // A runtime omits the fraction of a full second; else that line would get the time of reading.
  time_strict: "off",
  time_keep: "on",
  // A line may be empty.
  skip_empty_values: "off",
};

/** The parts of a line have the flag `P`, the last one `F`; parts of stdout and stderr may alternate. */
export const criParts: object = {
  name: CRI_PARTS,
  type: "equal",
  match_string: "F",
  key_content: "log",
  key_pattern: "_p",
  key_group: "stream",
  parser: CRI_LINE,
  flush_timeout: 4000,
};
