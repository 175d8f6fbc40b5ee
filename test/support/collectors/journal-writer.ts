import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";

/** Writes journal files from entries in its export format, as journald does by itself. */
const PROGRAM = "/lib/systemd/systemd-journal-remote";
const ID = "0123456789abcdef0123456789abcdef";
const OTHER_BOOT = ID.replaceAll("0", "f");
/** Entries that are handed over at a time. */
const CHUNK = 500;

/** Where the entries are from, one after another: the kubelet, the kernel, and something that nobody asks for. */
const KINDS = [
  "_TRANSPORT=stdout\n_SYSTEMD_UNIT=kubelet.service\nSYSLOG_IDENTIFIER=kubelet\n_PID=7",
  "_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel",
  "_TRANSPORT=stdout\n_SYSTEMD_UNIT=cron.service\nSYSLOG_IDENTIFIER=cron",
];

/** A node's journal that grows, and whose files are rotated as journald does: renamed, and followed by a new one. */
export class JournalWriter {
  readonly #folder: string;
  #number = 0;
  #rotations = 0;
  #program: ChildProcess | undefined;

  /** @param folder The journal: its files are in a folder of the machine's id. */
  constructor(folder: string) {
    this.#folder = join(folder, ID);
    mkdirSync(this.#folder, { recursive: true });
  }

  static isHere(): boolean {
    return existsSync(PROGRAM);
  }

  /** Appends entries with the lines `line 0`, `line 1` and so on; each third is the kubelet's, the next one the kernel's. */
  async write(count: number): Promise<void> {
    this.#program ??= spawn(PROGRAM, [`--output=${join(this.#folder, "system.journal")}`, "-"], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    const input = this.#program.stdin;
    for (const end = this.#number + count; this.#number < end; ) {
      const size = Math.min(CHUNK, end - this.#number);
      const first = this.#number;
      this.#number += size;
      const entries = Array.from({ length: size }, (_, at) =>
        entry(first + at, this.#rotations < 2 ? ID : OTHER_BOOT),
      ).join("");
      if (input?.write(entries) === false) await once(input, "drain");
    }
  }

  /** Ends the file; the next entry begins another one. After the second time the node has been started again. */
  async rotate(): Promise<void> {
    await this.end();
    const name = `system@${ID}-${String(this.#rotations).padStart(16, "0")}-000000000000000${this.#rotations}.journal`;
    renameSync(join(this.#folder, "system.journal"), join(this.#folder, name));
    this.#rotations += 1;
  }

  async end(): Promise<void> {
    const program = this.#program;
    this.#program = undefined;
    if (program === undefined) return;
    const gone = once(program, "exit");
    program.stdin?.end();
    await gone;
  }
}

function entry(number: number, boot: string): string {
  const time = Date.now() * 1000 + (number % 1000);
  return `__REALTIME_TIMESTAMP=${time}\n_BOOT_ID=${boot}\n_MACHINE_ID=${ID}\n${KINDS[number % 3]}\nPRIORITY=6\nMESSAGE=line ${number}\n\n`;
}
