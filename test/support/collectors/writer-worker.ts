import { closeSync, existsSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync, writeSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";
import type { WriterOptions, Written } from "./writer.ts";

const ROTATE_AT = 10 * 2 ** 20;
/** Bytes of a line before what fills it: time, stream and marker, about. */
const HEAD_BYTES = 60;
const {
  folder,
  files,
  bytesPerSecond,
  seconds,
  poisonEvery,
  firstFile = 0,
  ownPods = false,
  rotationSeconds = 0,
  namespace = "ts-team",
  lineBytes = 290,
}: WriterOptions = workerData;
const PAD = "x".repeat(lineBytes - HEAD_BYTES);

/** One container's log, rotated as the kubelet does. */
class ContainerLog {
  readonly #path: string;
  readonly #number: number;
  #descriptor: number;
  #size = 0;
  #rotated: string | undefined;
  rotations = 0;
  #looked = Date.now();
  lines = 0;
  poisoned = 0;

  constructor(number: number) {
    const pod = ownPods ? `load-${number}` : "curl-ts";
    const place = `${folder}/${namespace}_${pod}_95c1ec06-0000-0000-0000-000000000000/load${number}`;
    mkdirSync(place, { recursive: true });
    this.#number = number;
    this.#path = `${place}/0.log`;
    this.#descriptor = openSync(this.#path, "a");
  }

  write(count: number): number {
    const time = new Date().toISOString().slice(0, -1);
    let text = "";
    for (let at = 0; at < count; at += 1) {
      const nanoseconds = String(this.lines % 1_000_000).padStart(6, "0");
      const poison = poisonEvery !== undefined && this.lines % poisonEvery === 0;
      text += `${time}${nanoseconds}Z stdout F f${this.#number} s${this.lines} ${poison ? "poison " : ""}${PAD}\n`;
      if (poison) this.poisoned += 1;
      this.lines += 1;
    }
    const bytes = writeSync(this.#descriptor, text);
    this.#size += bytes;
    if (Date.now() - this.#looked < rotationSeconds * 1000) return bytes;
    this.#looked = Date.now();
    if (this.#size > ROTATE_AT) this.#rotate();
    return bytes;
  }

  /** @see https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/logs/container_log_manager.go */
  #rotate(): void {
    closeSync(this.#descriptor);
    // All but the latest rotated file are compressed, and so out of a collector's sight.
    if (this.#rotated !== undefined && existsSync(this.#rotated)) {
      writeFileSync(`${this.#rotated}.gz`, "");
      unlinkSync(this.#rotated);
    }
    this.rotations += 1;
    const day = new Date().toISOString().slice(0, 10).replaceAll("-", "");
    this.#rotated = `${this.#path}.${day}-${String(this.rotations).padStart(6, "0")}`;
    renameSync(this.#path, this.#rotated);
    this.#descriptor = openSync(this.#path, "a");
    this.#size = 0;
  }
}

const logs = Array.from({ length: files }, (_, number) => new ContainerLog(firstFile + number));
const started = Date.now();
let written = 0;
const timer = setInterval(() => {
  const elapsed = (Date.now() - started) / 1000;
  if (elapsed >= seconds) {
    clearInterval(timer);
    const sum = (what: "lines" | "poisoned" | "rotations") => logs.reduce((total, log) => total + log[what], 0);
    const found = { lines: sum("lines"), poisoned: sum("poisoned"), rotations: sum("rotations") };
    parentPort?.postMessage(found satisfies Written);
    return;
  }
  const each = Math.floor((bytesPerSecond * elapsed - written) / files / lineBytes);
  if (each > 0) for (const log of logs) written += log.write(each);
}, 20);
