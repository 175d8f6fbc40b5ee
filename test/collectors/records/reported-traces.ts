import { type RecordCase, time, type Wanted } from "./lines.ts";
import { trace } from "./traces.ts";

/** A trace as programs write it, and the lines at which one that knows no languages begins a record. */
interface Reported {
  readonly traces: readonly (readonly string[])[];
  /** Numbers of all lines, those between the traces too. Default: it joins the same. */
  readonly dividedAt?: readonly number[];
}

const FRAME = "\tat com.example.Main.run(Main.java:7)";
const NODE_FRAMES = ["    at open (node:fs:622:5)", "    at /app/index.js:2:23"];
const GO_MAIN = ["main.main()", "\t/app/main.go:8 +0x1d"];
const TRACEBACK = ["Traceback (most recent call last):", '  File "x.py", line 3, in f', "    f()", "    ^^^"];

const REPORTED: Readonly<Record<string, Reported>> = {
  "java-without-message": {
    traces: [
      ["java.lang.NullPointerException", FRAME, FRAME],
      ['Exception in thread "worker-1" java.lang.StackOverflowError', FRAME],
    ],
  },
  "java-frames-left-out": {
    traces: [
      [
        "java.lang.NullPointerException: null",
        FRAME,
        "\t... 27 frames excluded",
        "\t... 12 common frames omitted",
        "Wrapped by: java.lang.IllegalStateException: outer",
        FRAME,
      ],
      [
        "java.lang.Exception: one",
        FRAME,
        "Caused by: java.lang.Exception: two",
        "\t... 8 more",
        "Caused by: [CIRCULAR REFERENCE: one]",
      ],
    ],
  },
  reactor: {
    traces: [
      [
        "java.lang.IllegalStateException: boom",
        FRAME,
        "\tSuppressed: reactor.core.publisher.FluxOnAssembly$OnAssemblyException: ",
        "Error has been observed at the following site(s):",
        '\t*__checkpoint \u21e2 HTTP GET "/x" [ExceptionHandlingWebHandler]',
        "\t|_ Mono.flatMap \u21e2 at com.example.Main.run(Main.java:7)",
        "Original Stack Trace:",
        `\t${FRAME}`,
        "Caused by: java.io.IOException",
        "\t... 3 more",
      ],
    ],
  },
  "dotnet-async": {
    traces: [
      [
        "System.InvalidOperationException: outer",
        "   at App.Service.DoAsync() in /src/Service.cs:line 12",
        "--- End of stack trace from previous location ---",
        "   at App.Controller.Get() in /src/Controller.cs:line 34",
      ],
      [
        "Unhandled exception. System.AggregateException: One or more errors occurred. (one) (two)",
        " ---> System.Exception: one",
        "   at App.A() in /src/A.cs:line 1",
        "   --- End of inner exception stack trace ---",
        "   at App.Main() in /src/A.cs:line 9",
        " ---> (Inner Exception #1) System.Exception: two",
        "   at App.B() in /src/B.cs:line 2<---",
      ],
    ],
  },
  "node-codes": {
    traces: [
      ['TypeError [ERR_INVALID_ARG_TYPE]: The "path" argument', ...NODE_FRAMES],
      ["NotFound [Error]: mine", ...NODE_FRAMES],
      ["DOMException [AbortError]: This operation was aborted", ...NODE_FRAMES],
      ["Error", ...NODE_FRAMES],
      [
        "Error: outer",
        ...NODE_FRAMES,
        "    ... 7 lines matching cause stack trace ...",
        `${NODE_FRAMES[1]} {`,
        "  [cause]: Error: x",
        "}",
      ],
      ["[Error: ENOENT: no such file or directory, open '/x'] {", "  errno: -2,", "  code: 'ENOENT'", "}"],
    ],
  },
  "node-modules": {
    traces: [["Error: Cannot find module './x'", "Require stack:", "- /app/a.js", "- /app/b.js", ...NODE_FRAMES]],
    dividedAt: [0, 1, 2, 3, 6],
  },
  // What a trace goes on with is no more when it has ended.
  "after-traces": {
    traces: [
      ["Error: x", `${NODE_FRAMES[1]} {`, "  code: 'E'", "}"],
      ["  indented"],
      ["  too"],
      ["Error: y"],
      [""],
      [...TRACEBACK, "ValueError: bad"],
      ["worker: started"],
    ],
    dividedAt: [0, 4, 6, 8, 9, 10, 11, 12, 13, 17, 18, 19, 20],
  },
  "go-generics": {
    traces: [
      [
        "panic: in generic",
        "",
        "goroutine 1 [running]:",
        "main.main.func1(0x2e3a4bd0c00?, 0x2e3a4bcae18?)",
        "\t/app/main.go:10 +0x25",
        "slices.pdqsortCmpFunc[...]({0x2e3a4bcaee0, 0x3, 0x3}, 0x70)",
        "\t/usr/local/go/src/slices/zsortanyfunc.go:73 +0x48f",
        "main.(*Stack[...]).Pop(...)",
        "\t/app/main.go:4",
        "...additional frames elided...",
        "created by main.Map[...] in goroutine 1",
        "\t/app/main.go:16 +0x30c",
      ],
    ],
    dividedAt: [0, 1, 5, 9, 12],
  },
  "go-panics": {
    traces: [
      [
        "panic: first [recovered]",
        "\tpanic: again",
        "",
        "goroutine 1 [running]:",
        "panic({0x4b19c0?, 0x10?})",
        "\t/usr/local/go/src/runtime/panic.go:860 +0x13a",
        ...GO_MAIN,
      ],
      [
        "panic: my error",
        "\tof two lines",
        "[signal SIGSEGV: segmentation violation code=0x1]",
        "",
        "goroutine 1 [running]:",
        ...GO_MAIN,
      ],
      ["goroutine 7 [running]:", ...GO_MAIN],
    ],
    dividedAt: [0, 2, 8, 9, 12, 16, 20],
  },
  "go-overflow": {
    traces: [
      [
        "runtime: goroutine stack exceeds 1000000000-byte limit",
        "runtime: sp=0x1dd3f3260398 stack=[0x1dd3f3260000, 0x1dd413260000]",
        "fatal error: stack overflow",
        "",
        "runtime stack:",
        "runtime.newstack()",
        "\t/usr/local/go/src/runtime/stack.go:1207 +0x5fd fp=0x1dd3d31e5fc8",
        "",
        "goroutine 1 gp=0x1dd3d318e1e0 m=2 mp=0x1dd3d31ca808 [running]:",
        ...GO_MAIN,
      ],
    ],
    dividedAt: [0, 1, 2, 3, 4, 5, 7, 11],
  },
  "python-chained": {
    traces: [
      ["chained"],
      [
        ...TRACEBACK,
        "KeyError: 'a'",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        ...TRACEBACK,
        "ValueError: bad",
        "",
        "The above exception was the direct cause of the following exception:",
        "",
        ...TRACEBACK,
        "RuntimeError",
      ],
    ],
    dividedAt: [0, 1, 2, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 22, 23],
  },
  "python-group": {
    traces: [
      ["before"],
      [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "x.py", line 12, in <module>',
        "  | ExceptionGroup: group (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: 1",
        "    +------------------------------------",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        ...TRACEBACK,
        "ValueError: 2",
      ],
    ],
    dividedAt: [0, 1, 8, 9, 10, 11, 15, 16],
  },
  ruby: {
    traces: [
      [
        "/app/main.rb:3:in `/': divided by 0 (ZeroDivisionError)",
        "\tfrom /app/main.rb:3:in `ratio'",
        "\tfrom /app/main.rb:7:in `<main>'",
      ],
      ["app.rb:1:in 'Integer#/': divided by 0 (App::MathException)", "\tfrom app.rb:1:in 'Object#ratio'"],
    ],
  },
  // Whose last line is indented.
  php: {
    traces: [
      [
        "PHP Fatal error:  Uncaught Exception: boom in /app/index.php:3",
        "Stack trace:",
        "#0 /app/index.php(7): foo()",
        "#1 {main}",
        "  thrown in /app/index.php on line 3",
      ],
      ["TypeError: foo(): Argument #1 in /app/a.php:4", "Stack trace:", "#0 [internal function]: foo()", "#1 {main}"],
      ["#1 [internal] load build definition"],
    ],
    dividedAt: [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12],
  },
  rust: {
    traces: [
      [
        "thread 'main' panicked at src/main.rs:2:5:",
        "index out of bounds: the len is 3 but the index is 7",
        "stack backtrace:",
        "   0: rust_begin_unwind",
        "             at /rustc/1/library/std/src/panicking.rs:697:5",
        "   1: app::main",
        "note: Some details are omitted, run with `RUST_BACKTRACE=full` for a verbose backtrace.",
      ],
      [
        "thread 'tokio-runtime-worker' (31) panicked at src/lib.rs:9:1:",
        "boom",
        "note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace",
      ],
      ["the server panicked at 10:15"],
      ["note: mind the gap"],
    ],
    dividedAt: [0, 1, 7, 8, 9, 11, 12, 13, 14, 15],
  },
  "java-other-name": {
    traces: [["com.example.Problem: went wrong", FRAME, FRAME, "Caused by: java.io.IOException", FRAME]],
  },
};

/** Traces that were reported to be divided by some collector. */
export const REPORTED_TRACES: readonly RecordCase[] = Object.entries(REPORTED).map(([name, { traces }]) =>
  trace(name, ...traces),
);

/** Of an exception that is not called one Fluent Bit knows the frames only. */
export const FRAMES_APART: Readonly<Record<string, readonly Wanted[]>> = records("java-other-name", [0, 1, 5], "kept");

/** What becomes of empty lines: they stay, unless they are joined to others, or never do. */
export type EmptyLines = "kept" | "kept alone" | "left out";

/** What comes of these traces by their indentation. */
export function dividedTraces(emptyLines: EmptyLines): Readonly<Record<string, readonly Wanted[]>> {
  return Object.assign(
    {},
    ...Object.entries(REPORTED).map(([name, { dividedAt }]) =>
      dividedAt === undefined ? {} : records(name, dividedAt, emptyLines),
    ),
  );
}

/** Records that begin at these lines of a case. */
function records(name: string, begins: readonly number[], emptyLines: EmptyLines) {
  const lines = (REPORTED[name]?.traces ?? []).flatMap((texts, at) => [...texts, `between ${at}`]);
  const wanted = begins.flatMap((from, at): Wanted[] => {
    const texts = lines.slice(from, begins[at + 1]);
    const keeps = emptyLines === "kept" || (emptyLines === "kept alone" && texts.length === 1);
    const kept = keeps ? texts : texts.filter((text) => text !== "");
    return kept.length === 0 ? [] : [{ log: kept.join("\n"), stream: "stderr", at: time(from) }];
  });
  return { [name]: wanted };
}
