/** Namespaces to which a rule applies. */
interface PlacesArgs {
  /** Namespaces to whose lines it applies. @default all */
  readonly namespaces?: readonly string[];
  /** Teams to whose namespaces' lines it applies. @default all */
  readonly teams?: readonly string[];
}

/** Conditions of a rule, all of which a line must meet. */
interface MatchArgs extends PlacesArgs {
  /** Regular expression, in the syntax that all collectors share, that matches anywhere in the line. @default any line */
  readonly pattern?: string;
  /** Levels of JSON lines, by their `level` or `severity`. @default all lines */
  readonly levels?: readonly ("trace" | "debug" | "info" | "warn" | "error" | "fatal")[];
  /** Only lines of pods with all these labels. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Streams of its lines. @default both */
  readonly streams?: readonly ("stdout" | "stderr")[];
}

/** Changes to lines before they are sent, in the order firstLines, redact, drop, sample, limit, fields. */
export interface ProcessingArgs {
  /**
   * What to mask in lines and their JSON fields: kinds of secrets, and custom patterns.
   * @default nothing
   * @example ["email", "credit-card", { pattern: "\\bCUST-\\d{8}\\b", replacement: "[customer]" }]
   */
  readonly redact?: readonly (
    | "private-key"
    | "jwt"
    | "bearer-token"
    | "aws-access-key"
    | "api-key"
    | "email"
    | "credit-card"
    | "ipv4"
    | "ipv6"
    | {
        /** Regular expression of the text to replace. */
        readonly pattern: string;
        /** Replacement; $1 is the first group's match. @default "[REDACTED]" */
        readonly replacement?: string;
      }
  )[];
  /** Lines to drop. @default none */
  readonly drop?: readonly MatchArgs[];
  /** Lines to sample. @default none */
  readonly sample?: readonly (MatchArgs & {
    /** Share to keep, 0.001 to 0.999. */
    readonly ratio: number;
  })[];
  /** Maximum lines per pod; the rest is dropped. @default no limit */
  readonly limit?: readonly (PlacesArgs & {
    /** Lines per second for each pod. */
    readonly linesPerSecond: number;
  })[];
  /** First lines of multi-line records, replacing `multiline` for their namespaces. @default none */
  readonly firstLines?: readonly (PlacesArgs & {
    /** Regular expression that matches the first line of each record. */
    readonly pattern: string;
  })[];
  /** Fields added to each record. @default none */
  readonly fields?: Readonly<Record<string, string>>;
}
