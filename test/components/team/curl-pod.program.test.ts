import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { performance } from "node:perf_hooks";
import { setTimeout as wait } from "node:timers/promises";
import { curlPodSpec } from "../../../components/team/curl-pod-spec.ts";
import { CurlPodSettings } from "../../../components/team/settings.ts";

/** Starts the command of the container `curl`, in a process group of its own. */
function start(lifetime: number) {
  const names = { serviceAccount: "workload", configMap: "curl-ts-responder" };
  const { containers } = curlPodSpec("ts", { ...CurlPodSettings.parse({}), lifetime }, names);
  const [program = "", ...args] = containers[0]?.command ?? [];
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  return { child, exit: once(child, "exit") };
}

describe("the command of the curl pod", () => {
  it("ends with 0 after the lifetime, so that the pod completes", async () => {
    const { exit } = start(1);
    assert.deepEqual(await exit, [0, null]);
  });

  it("ends at SIGTERM by an exit code, as PID 1 only does if it handles the signal", async () => {
    const { child, exit } = start(60);
    // Until the shell has read its script.
    await wait(1000);
    const before = performance.now();
    child.kill("SIGTERM");
    assert.deepEqual(await exit, [143, null]);
    assert.ok(performance.now() - before < 10_000);
    // A container's end would also end the `sleep`.
    if (child.pid !== undefined) process.kill(-child.pid);
  });
});
