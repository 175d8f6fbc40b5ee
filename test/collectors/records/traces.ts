import { cri, type Line, type RecordCase, STDERR, time } from "./lines.ts";

/** Stack traces that come line by line, and what comes between them. */
export function trace(name: string, ...traces: readonly (readonly string[])[]): RecordCase {
  const records = traces.flatMap((lines, at) => [lines, [`between ${at}`]]);
  let number = 0;
  const wanted = records.map((lines) => {
    const at = time(number);
    number += lines.length;
    return { log: lines.join("\n"), stream: "stderr", at };
  });
  return { name, lines: cri(...records.flat().map((text): Line => [STDERR, text])), wanted };
}

/** Stack traces of the four languages. */
export const TRACE_CASES: readonly RecordCase[] = [
  trace(
    "java",
    [
      'Exception in thread "main" java.lang.IllegalStateException: outer',
      "\tat com.example.Main.main(Main.java:7)",
      "Caused by: java.lang.RuntimeException: inner",
      "\tat com.example.Other.run(Other.java:9)",
      "\t... 1 more",
      "Caused by: java.io.IOException",
      "\t... 2 more",
    ],
    [
      "java.lang.Error: first",
      "\tSuppressed: java.lang.Error: second",
      "\t\tat com.example.A.b(A.java:1)",
      "\t\t... 1 more",
    ],
  ),
  trace(
    "python",
    [
      "Traceback (most recent call last):",
      '  File "x.py", line 1, in <module>',
      "    f()",
      "    ^^^",
      "ValueError: bad",
    ],
    ["Traceback (most recent call last):", '  File "x.py", line 2, in g', "    raise Stop", "KeyboardInterrupt"],
  ),
  trace("go", [
    "panic: runtime error: index out of range [5] with length 3",
    "",
    "goroutine 1 [running]:",
    "main.crash(...)",
    "\t/app/main.go:12",
    "main.main()",
    "\t/app/main.go:8 +0x1d",
  ]),
  trace("go-signal", [
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x45]",
    "",
    "goroutine 7 [running]:",
    "example.com/app/pkg.(*Server).Handle(0xc0000, {0x1, 0x2})",
    "\t/app/pkg/server.go:30 +0x1",
    "created by example.com/app/pkg.Start in goroutine 1",
    "\t/app/pkg/server.go:10 +0x2",
  ]),
  trace("node", [
    "TypeError: Cannot read properties of undefined (reading 'x')",
    "    at Object.<anonymous> (/app/index.js:1:7)",
    "    at node:internal/main/run_main_module:23:47",
  ]),
  trace("node-properties", [
    "Error: connect ECONNREFUSED 127.0.0.1:5432",
    "    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16) {",
    "  errno: -111,",
    "  [cause]: Error: timeout",
    "      at Timeout._onTimeout (/app/index.js:3:9)",
    "}",
  ]),
  trace("go-fatal", [
    "fatal error: all goroutines are asleep - deadlock!",
    "",
    "goroutine 1 gp=0xc000002380 m=0 mp=0x5be2a0 [chan receive]:",
    "main.main()",
    "\t/app/main.go:5 +0x1d",
  ]),
  trace("dotnet", [
    "Unhandled exception. System.InvalidOperationException: outer",
    " ---> System.IO.IOException: inner",
    "   at App.Program.Read() in /src/Program.cs:line 5",
    "   --- End of inner exception stack trace ---",
    "   at App.Program.Main(String[] args) in /src/Program.cs:line 10",
  ]),
  {
    name: "trace-between",
    lines: cri(
      [STDERR, "java.lang.Error: one"],
      [STDERR, "\tat A.b(A.java:1)"],
      "out",
      [STDERR, "\tat A.c(A.java:2)"],
      [STDERR, "Caused by: java.lang.Error: two"],
      "out again",
      [STDERR, "\tat A.d(A.java:3)"],
      [STDERR, "done"],
    ),
    wanted: [
      {
        log: "java.lang.Error: one\n\tat A.b(A.java:1)\n\tat A.c(A.java:2)\nCaused by: java.lang.Error: two\n\tat A.d(A.java:3)",
        stream: "stderr",
        at: time(0),
      },
      { log: "out", at: time(2) },
      { log: "out again", at: time(5) },
      { log: "done", stream: "stderr", at: time(7) },
    ],
  },
];
