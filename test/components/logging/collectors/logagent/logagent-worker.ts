import { EventEmitter } from "node:events";
import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";

/** Stands for Logagent, as far as plugins see it: makes them, hands on what the input gives a turn later, and stops them. */
interface Plugin {
  start(): void;
  stop(done: () => void): void;
}
type PluginClass = new (config: object, emitter: EventEmitter) => Plugin;

const require = createRequire(import.meta.url);
const { input, output }: Record<"input" | "output", object & { module: string }> = workerData;
const emitter = new EventEmitter();
const plugins = [input, output].map((config) => {
  const Loaded: PluginClass = require(config.module);
  return new Loaded({ ...config, configFile: {} }, emitter);
});
for (const plugin of plugins) plugin.start();
emitter.on("data.object", async (record: object, context: object) => {
  await Promise.resolve();
  emitter.emit("data.parsed", record, structuredClone(context));
});
parentPort?.on("message", () => {
  for (const plugin of plugins) plugin.stop(() => {});
});
