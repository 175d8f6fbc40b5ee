import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** What waits in the buffer on disk, a folder of the collector's state, in bytes; it is printed too. */
export function waitingBytes(state: string, folder = "buffer"): number {
  const waiting = readdirSync(join(state, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    // One may be gone meanwhile: sent, or dropped.
    .reduce(
      (sum, { parentPath, name }) => sum + (statSync(join(parentPath, name), { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  process.stdout.write(`        ${Math.round(waiting / 1e6)} MB waited on disk\n`);
  return waiting;
}

/** Most memory that a process has had, in bytes; undefined where the system does not say. */
export function peakMemory(pid: number | undefined): number | undefined {
  const status = `/proc/${pid}/status`;
  if (!existsSync(status)) return undefined;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(status, "utf8"))?.[1]) * 1024;
}

/** A line as a container runtime writes it: in parts of 16 KiB. */
export function inParts(line: string): string[] {
  const parts = line.match(/.{1,16384}/g) ?? [];
  const time = `${new Date().toISOString().slice(0, -1)}000000Z`;
  return parts.map((part, at) => `${time} stdout ${at === parts.length - 1 ? "F" : "P"} ${part}`);
}
