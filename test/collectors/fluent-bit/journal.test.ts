import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

/** Writes journal files from entries in its export format. */
const WRITER = "/lib/systemd/systemd-journal-remote";
const LINES = Number(process.env.JOURNAL_LINES ?? 6000);
const Logged = z.object({ log: z.string() });
const ID = "0123456789abcdef0123456789abcdef";

/** Writes a file of the journal: each third line is of the kubelet, the kernel, and of something that nobody asks for. */
function writeJournal(file: string, from: number, count: number): void {
  const entry = (number: number) => {
    const kinds = [
      "_TRANSPORT=stdout\n_SYSTEMD_UNIT=kubelet.service\nSYSLOG_IDENTIFIER=kubelet",
      "_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel",
      "_TRANSPORT=stdout\n_SYSTEMD_UNIT=cron.service\nSYSLOG_IDENTIFIER=cron",
    ];
    const time = (Date.now() - 60_000) * 1000 + number;
    return `__REALTIME_TIMESTAMP=${time}\n_BOOT_ID=${ID}\n_MACHINE_ID=${ID}\n${kinds[number % 3]}\nPRIORITY=6\nMESSAGE=line ${number}\n\n`;
  };
  const input = Array.from({ length: count }, (_, at) => entry(from + at)).join("");
  execFileSync(WRITER, [`--output=${file}`, "-"], { input, stdio: ["pipe", "ignore", "ignore"] });
}

describe("Fluent Bit and the node's journal", () => {
  before(function () {
    skipWithoutFluentBit.call(this);
    if (!existsSync(WRITER)) leaveOut(this, `no ${WRITER}`);
  });

  it("loses no line through two rotations and three kills, and sends each source to its own index", async () => {
    const local = localFluentBit();
    assert.ok(local);
    const receiver = await Receiver.start({ keep: 4 * LINES });
    let folder = "";
    const adapt: typeof local.adapt = (text, place) => local.adapt(text, place).replaceAll("/var/log/journal", folder);
    const destination = { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false };
    folder = join("/tmp", `journal-${process.pid}`, ID);
    mkdirSync(folder, { recursive: true });
    const sandbox = new Sandbox(
      { ...local, adapt },
      { destination, sources: ["pods", "kubelet", "kernel"] },
      receiver.port,
    );
    let collector = sandbox.start();
    try {
      for (let part = 0; part < 3; part += 1) {
        writeJournal(
          join(folder, part === 2 ? "system.journal" : `system@${part}.journal`),
          (part * LINES) / 3,
          LINES / 3,
        );
        await seconds(1.5);
        await collector.stop("SIGKILL");
        collector = sandbox.start();
      }
      const wanted = (LINES * 2) / 3;
      let records = 0;
      for (let quiet = 0; quiet < 80; quiet += 1) {
        await seconds(0.25);
        const now = (await receiver.stats()).records;
        if (now > records) quiet = 0;
        records = now;
        if (records >= wanted && quiet > 8) break;
      }
      const lines = new Map(
        (await receiver.kept()).map(({ json, place }) => [Logged.parse(JSON.parse(json)).log, place]),
      );
      if (process.env.JOURNAL_LINES !== undefined)
        process.stdout.write(`${records} records, ${lines.size} of ${wanted} lines\n`);
      assert.equal(lines.size, wanted);
      for (const [line, place] of lines) {
        const kind = ["kubelet", "kernel"][Number(line.split(" ")[1]) % 3];
        assert.match(place, new RegExp(`^logs-node-${kind}-\\d{4}\\.\\d\\d\\.\\d\\d$`), line);
      }
      const first = (await receiver.kept()).find(({ json }) => json.includes("kubelet.service"));
      const { node, priority, pid, ...record } = JSON.parse(first?.json ?? "{}");
      assert.deepEqual([node, priority, pid], ["node", "6", undefined]);
      assert.deepEqual(Object.keys(record).sort(), ["@timestamp", "identifier", "log", "source", "unit"]);
    } finally {
      await collector.stop("SIGKILL");
      await receiver.stop();
      sandbox.remove();
      execFileSync("rm", ["-r", join("/tmp", `journal-${process.pid}`)]);
    }
  });
});
