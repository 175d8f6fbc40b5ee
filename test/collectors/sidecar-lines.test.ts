import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { APPLICATION_LOGS } from "../../components/logging/pipeline.ts";
import { whyMissing } from "../support/collectors/program.ts";
import type { LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { collectWith } from "./behaviors.ts";
import { sortedLogs } from "./curl-pod.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { localVector } from "./vector/local.ts";

type Local = LocalCollector & { stop?(): void };

/** Filebeat is not among them: it sends no empty lines. */
const PROGRAMS: Readonly<Record<string, () => Promise<Local | undefined>>> = {
  "fluent-bit": async () => localFluentBit(),
  fluentd: localFluentd,
  logagent: localLogagent,
  otelcol: localOpenTelemetry,
  vector: localVector,
};

/** Files as applications write them, and their lines. */
const FILES: Readonly<Record<string, { readonly text: string; readonly lines: readonly string[] }>> = {
  "blank.log": { text: "first\n\n\nlast\n", lines: ["first", "", "", "last"] },
  "blanks.log": { text: "trailing  \ntab\t\nnext\n", lines: ["trailing  ", "tab\t", "next"] },
  "dos.log": { text: "dos\r\n\r\nbar 1\rbar 2\r\n", lines: ["dos", "", "bar 1\rbar 2"] },
  "trace.log": {
    text: "java.lang.Error: x\r\n\tat A.b(A.java:1)\r\nafter\r\n",
    lines: ["java.lang.Error: x\n\tat A.b(A.java:1)", "after"],
  },
};

describe("A sidecar sends an application's blank lines, and no carriage returns at their ends", () => {
  for (const [program, find] of Object.entries(PROGRAMS)) {
    for (const [what, settings] of Object.entries({
      "": {},
      ", if no traces are joined": { multiline: [] },
    }))
      it(`${program}${what}`, async function () {
        const local = await find();
        if (local === undefined) return leaveOut(this, whyMissing(program));
        const sidecar: LocalCollector = {
          ...local,
          adapt: (text, place) =>
            local.adapt(text, place).replaceAll(APPLICATION_LOGS, join(dirname(place.token), "app")),
        };
        const destination = (port: number) => ({ kind: "elasticsearch", host: "127.0.0.1", port, tls: false });
        const write = (sandbox: Sandbox) => {
          const folder = join(sandbox.folder, "app");
          mkdirSync(folder);
          for (const [name, { text }] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
        };
        const lines = Object.values(FILES).flatMap((file) => file.lines);
        const wanted = what === "" ? lines : lines.flatMap((line) => line.split("\n"));
        try {
          const collect = collectWith(() => sidecar, { mode: "sidecar", index: { prefix: "app" }, ...settings });
          const found = await collect({ destination }, write, wanted.length);
          assert.deepEqual(sortedLogs(found), [...wanted].sort());
        } finally {
          local.stop?.();
        }
      });
  }
});
