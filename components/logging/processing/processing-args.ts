/** Namespaces in which a rule holds. */
interface PlacesArgs {
  /** Namespaces whose lines it is for. @default all */
  readonly namespaces?: readonly string[];
  /** Teams whose namespaces' lines it is for. @default all */
  readonly teams?: readonly string[];
}

/** Which lines a rule is for: those that meet each condition. */
interface MatchArgs extends PlacesArgs {
  /** Regular expression, in the syntax that all collectors share, that matches somewhere in the line. @default any line */
  readonly pattern?: string;
  /** Levels of JSON lines, by their `level` or `severity`. @default all lines */
  readonly levels?: readonly ("trace" | "debug" | "info" | "warn" | "error" | "fatal")[];
  /** Labels that a line's pod has, all of them. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Streams of its lines. @default both */
  readonly streams?: readonly ("stdout" | "stderr")[];
}

/** What is done with lines on their way, in the order firstLines, redact, drop, sample, limit, fields. */
export interface ProcessingArgs {
  /**
   * What is masked in lines and their JSON fields, first of all: kinds of secrets, and own patterns.
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
        /** Regular expression of what is replaced. */
        readonly pattern: string;
        /** Text in its place; $1 is what the first group matched. @default "[REDACTED]" */
        readonly replacement?: string;
      }
  )[];
  /** Lines that are dropped. @default none */
  readonly drop?: readonly MatchArgs[];
  /** Lines to sample. @default none */
  readonly sample?: readonly (MatchArgs & {
    /** Share that is kept, 0.001 to 0.999. */
    readonly ratio: number;
  })[];
  /** Most lines of a pod; more are dropped. @default no limit */
  readonly limit?: readonly (PlacesArgs & {
    /** Lines a second of each pod. */
    readonly linesPerSecond: number;
  })[];
  /** First lines of records with several lines, in the place of `multiline` there. @default none */
  readonly firstLines?: readonly (PlacesArgs & {
    /** Regular expression that matches the first line of each record. */
    readonly pattern: string;
  })[];
  /** Fields added to each record. @default none */
  readonly fields?: Readonly<Record<string, string>>;
}
