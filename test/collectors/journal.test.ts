import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { opentelemetry } from "../../components/logging/collectors/opentelemetry/index.ts";
import { JournalWriter } from "../support/collectors/journal-writer.ts";
import { seconds } from "../support/collectors/losses.ts";
import { readsJournal, whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { ELASTICSEARCH, localOpenTelemetry } from "./opentelemetry/local.ts";
import { localVector } from "./vector/local.ts";

/** Entries, of which two thirds are asked for. */
const ENTRIES = Number(process.env.JOURNAL_LINES ?? 6000);
const SOURCES = ["pods", "kubelet", "kernel"];
const Logged = z.object({ log: z.string() });
const RECORD = ["@timestamp", "identifier", "log", "node", "pid", "priority", "source", "unit"];

interface Reader {
  readonly name: string;
  start(): (LocalCollector & { stop?(): void }) | undefined | Promise<(LocalCollector & { stop?(): void }) | undefined>;
  readonly destination: (port: number) => object;
  /** Most lines that three kills may lose. */
  readonly losses: number;
}

/** Vector with its source of the journal, which not every build has. */
async function localVectorWithJournal() {
  return readsJournal("vector") ? await localVector() : undefined;
}

/** Shows the kubelet's lines in a root with these folders of the node, read-only, and the journal. */
const IN_ROOT = `set -e
root=$1; shift
for folder in "$@"; do mkdir "$root$folder"; mount --bind -o ro "$folder" "$root$folder"; done
exec chroot "$root" /usr/bin/setpriv --bounding-set=-all --inh-caps=-all --no-new-privs /usr/bin/journalctl \\
  --directory /journal --merge --output json _SYSTEMD_UNIT=kubelet.service`;

const READERS: readonly Reader[] = [
  {
    name: "fluent-bit",
    start: localFluentBit,
    destination: (port) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false }),
    losses: 0,
  },
  {
    name: "otelcol",
    start: localOpenTelemetry,
    destination: () => ELASTICSEARCH,
    // It notes the place of a line before it hands that over: one of each source in a kill.
    losses: 6,
  },
  {
    name: "vector",
    start: localVectorWithJournal,
    destination: (port) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false }),
    losses: 0,
  },
];

/** Lines, and the place where each is. */
function placesOf(records: Awaited<ReturnType<Receiver["kept"]>>): Map<string, string> {
  return new Map(records.map(({ json, place }) => [Logged.parse(JSON.parse(json)).log, place]));
}

describe("The node's journal", () => {
  for (const { name, start, destination, losses } of READERS)
    it(`is read by ${name} through two rotations, three kills and a stop, each source to its own index`, async function () {
      if (!JournalWriter.isHere()) return leaveOut(this, "no systemd-journal-remote");
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(name));
      const receiver = await Receiver.start({ keep: 4 * ENTRIES });
      const sandbox = new Sandbox(local, { destination: destination(receiver.port), sources: SOURCES }, receiver.port);
      const journal = new JournalWriter(sandbox.journal);
      let collector = sandbox.start();
      const again = async (signal: "SIGTERM" | "SIGKILL") => {
        await collector.stop(signal, 12);
        collector = sandbox.start();
      };
      try {
        for (let part = 0; part < 3; part += 1) {
          const before = (await receiver.stats()).records;
          const writing = journal.write(ENTRIES / 3);
          // Killed while it is at work.
          for (let wait = 0; wait < 240 && (await receiver.stats()).records === before; wait += 1) await seconds(0.25);
          await again("SIGKILL");
          await writing;
          if (part < 2) await journal.rotate();
          if (part === 1) await again("SIGTERM");
        }
        await journal.end();
        const wanted = (ENTRIES * 2) / 3;
        let records = 0;
        let lines = new Map<string, string>();
        for (let quiet = 0; quiet < 240 && lines.size < wanted; quiet += 1) {
          await seconds(0.25);
          const now = (await receiver.stats()).records;
          if (now > records) quiet = 0;
          records = now;
          // Lines come more than once.
          if (records < wanted || quiet % 10 !== 9) continue;
          lines = placesOf(await receiver.kept());
        }
        const kept = await receiver.kept();
        lines = placesOf(kept);
        if (process.env.JOURNAL_LINES !== undefined)
          process.stdout.write(`${name}: ${records} records, ${lines.size} of ${wanted} lines\n`);
        assert.ok(lines.size >= wanted - losses && lines.size <= wanted, `${lines.size} of ${wanted} lines`);
        for (const [line, place] of lines) {
          const kind = ["kubelet", "kernel"][Number(line.split(" ")[1]) % 3];
          assert.match(place, new RegExp(`^logs-node-${kind}-\\d{4}\\.\\d\\d\\.\\d\\d$`), line);
        }
        const first = JSON.parse(kept.find(({ json }) => json.includes("kubelet.service"))?.json ?? "{}");
        assert.deepEqual(Object.keys(first).sort(), RECORD);
        assert.deepEqual(
          [first.node, first.priority, first.pid, first.source, first.unit, first.identifier],
          ["node", "6", "7", "kubelet", "kubelet.service", "kubelet"],
        );
        assert.ok(Math.abs(Date.now() - Date.parse(first["@timestamp"])) < 3_600_000, first["@timestamp"]);
      } finally {
        await collector.stop("SIGKILL");
        await journal.end();
        await receiver.stop();
        local.stop?.();
        sandbox.remove();
      }
    });

  for (const { name, start, destination } of READERS)
    it(`is routed by ${name} to the destinations of each source, and nowhere else`, async function () {
      if (!JournalWriter.isHere()) return leaveOut(this, "no systemd-journal-remote");
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(name));
      const receiver = await Receiver.start();
      const settings = {
        sources: SOURCES,
        destinations: {
          search: { ...destination(receiver.port), index: { prefix: "app", separator: "_" } },
          other: { kind: "loki", url: `http://127.0.0.1:${receiver.port}` },
        },
        routes: [
          { to: ["search"], sources: ["pods", "kubelet"] },
          { to: ["other"], sources: ["kernel"] },
        ],
      };
      const sandbox = new Sandbox(local, settings, receiver.port);
      const journal = new JournalWriter(sandbox.journal);
      await journal.write(30);
      await journal.end();
      const running = [...sandbox.startSenders(), sandbox.start()];
      try {
        for (let wait = 0; wait < 240 && (await receiver.stats()).records < 20; wait += 1) await seconds(0.25);
        await seconds(1);
        const kept = await receiver.kept();
        const numbers = (isWanted: (place: string) => boolean) =>
          kept
            .filter(({ place }) => isWanted(place))
            .map(({ json }) => Number(/line (\d+)/.exec(json)?.[1]))
            .sort((one, other) => one - other);
        const ofKind = (kind: number) => Array.from({ length: 10 }, (_, at) => 3 * at + kind);
        const isIndex = (place: string) => place.startsWith("app_node_kubelet_");
        assert.deepEqual(numbers(isIndex), ofKind(0));
        assert.deepEqual(
          numbers((place) => !isIndex(place)),
          ofKind(1),
        );
        const labels = kept.find(({ place }) => place.startsWith("{"))?.place;
        if (labels !== undefined)
          assert.deepEqual(JSON.parse(labels), { job: "eks-dns-logging", source: "kernel", node: "node" });
      } finally {
        await Promise.all(running.map((program) => program.stop("SIGKILL")));
        await receiver.stop();
        local.stop?.();
        sandbox.remove();
      }
    });

  it("is readable with journalctl in a root with only the mounted node folders, without capabilities", async function () {
    const folders = opentelemetry.journal?.nodeFolders ?? [];
    if (!JournalWriter.isHere() || spawnSync("unshare", ["--mount", "true"]).status !== 0)
      return leaveOut(this, "no systemd-journal-remote, or no right to a mount namespace");
    const root = mkdtempSync(join(tmpdir(), "journal-root-"));
    try {
      const journal = new JournalWriter(join(root, "journal"));
      await journal.write(30);
      await journal.end();
      const args = ["--mount", "sh", "-c", IN_ROOT, "sh", root, ...folders];
      const { stdout, stderr } = spawnSync("unshare", args, { encoding: "utf8" });
      assert.equal(stdout.match(/"MESSAGE":"line \d+"/g)?.length, 10, stderr);
    } finally {
      // Not what is in them, were they mounted here.
      for (const folder of folders) if (existsSync(join(root, folder))) rmdirSync(join(root, folder));
      rmSync(join(root, "journal"), { recursive: true });
      rmdirSync(root);
    }
  });
});
