import assert from "node:assert/strict";
import { seconds } from "../../support/collectors/losses.ts";
import { whyMissing } from "../../support/collectors/program.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import type { LocalCollector } from "../../support/collectors/sandbox.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { suiteCollector } from "../../support/collectors/suite-collector.ts";
import { freePort } from "../../support/free-port.ts";
import { line, POD } from "../curl-pod.ts";
import { localFluentd } from "./local.ts";

const WRITES = 'fluentd_output_status_flush_time_count{plugin_id="opensearch",type="opensearch"}';
const WAITING = 'fluentd_output_status_buffer_total_bytes{plugin_id="opensearch",type="opensearch"}';

describe("The metrics of Fluentd", () => {
  const fluentd = suiteCollector(localFluentd, () => whyMissing("fluentd"));
  fluentd.use();

  it("show the buffer in an outage, and the time of successful writes", async () => {
    const local = fluentd.found();
    const receiver = await Receiver.start({ keep: 100 });
    const port = await freePort();
    const metric = async (name: string) => sampleOf(await metricsAt(port), name);
    const adapt: LocalCollector["adapt"] = (text, place) =>
      local.adapt(text, place).replace("port 0\n", `port ${port}\n`);
    const settings = { destination: { kind: "opensearch", host: "127.0.0.1", port: receiver.port, tls: false } };
    const sandbox = new Sandbox({ ...local, adapt }, settings, receiver.port);
    try {
      sandbox.write(POD, [line(0, "stdout F first")]);
      const running = sandbox.start();
      await until(async () => (await receiver.kept()).length === 1 && (await metric(WRITES)) > 0);

      receiver.set("busy");
      const written = await metric(WRITES);
      sandbox.write(POD, [line(1, "stdout F waits")]);
      await until(
        async () => (await metric('fluentd_output_status_num_errors{plugin_id="opensearch",type="opensearch"}')) > 1,
      );
      assert.equal(await metric(WRITES), written);
      assert.ok((await metric(WAITING)) > 0);

      receiver.set("take");
      await until(async () => (await receiver.kept()).length === 2 && (await metric(WRITES)) > written);
      await until(async () => (await metric(WAITING)) === 0);
      await running.stop();
    } finally {
      await receiver.stop();
      sandbox.remove();
    }
  });
});

async function metricsAt(port: number): Promise<string> {
  try {
    return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  } catch {
    // It has not started yet.
    return "";
  }
}

function sampleOf(text: string, name: string): number {
  return Number(
    text
      .split("\n")
      .find((row) => row.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? 0,
  );
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 120; waited += 1) {
    if (await holds()) return;
    await seconds(0.5);
  }
  assert.fail("not within a minute");
}
