import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answering, killed, restartedWhileAway, stopped } from "../../support/collectors/events.ts";
import { seconds, settingsAt } from "../../support/collectors/losses.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { hasOpenssl, startTlsProxy, type TlsProxy } from "../tls-receiver.ts";
import { type FluentBitTrial, RATE, run, skipWithoutFluentBit } from "./local.ts";

type Port = (port: number) => object;

/** What a receiver can stand for. */
const DESTINATIONS: Readonly<Record<string, Port>> = {
  opensearch: (port) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false }),
  elasticsearch: (port) => ({ kind: "elasticsearch", host: "127.0.0.1", port, tls: false }),
  loki: (port) => ({ kind: "loki", url: `http://127.0.0.1:${port}` }),
  http: (port) => ({ kind: "http", url: `http://127.0.0.1:${port}/lines` }),
  s3: () => ({ kind: "s3" }),
  cloudwatch: () => ({ kind: "cloudwatch" }),
};

/**
 * Sends to AWS by TLS, as it does there. Without it the output of 5.1.1 for S3, which waits for an answer outside of its event loop, reads
 * a closed connection for ever.
 */
function byTls(configuration: string, proxy: TlsProxy): string {
  const [, receiver = ""] = /kube_url: http:\/\/127\.0\.0\.1:(\d+)/.exec(configuration) ?? [];
  proxy.passTo(Number(receiver));
  return configuration
    .replace(
      `endpoint: http://127.0.0.1:${receiver}\n      tls: off`,
      `endpoint: https://127.0.0.1:${proxy.port}\n      tls.verify: off`,
    )
    .replace(`endpoint: 127.0.0.1\n      port: ${receiver}`, `endpoint: 127.0.0.1\n      port: ${proxy.port}`);
}

for (const [kind, destination] of Object.entries(DESTINATIONS)) {
  /** Whether documents have ids, so that a chunk that is sent again doubles nothing. */
  const hasIds = kind === "opensearch" || kind === "elasticsearch";
  // Several suites share the machine: the full rate is for one of them.
  const rate = kind === "opensearch" ? RATE * 1e6 : 2e6;

  describe(`Fluent Bit to ${kind} loses nothing at ${rate / 1e6} MB/s`, () => {
    const isAws = kind === "s3" || kind === "cloudwatch";
    let proxy: TlsProxy | undefined;
    before(async function () {
      skipWithoutFluentBit.call(this);
      if (isAws && !hasOpenssl()) leaveOut(this, "no openssl");
      if (isAws) proxy = await startTlsProxy();
    });
    after(() => proxy?.stop());

    async function loses({ settings, write, ...trial }: FluentBitTrial): Promise<void> {
      const { lost, stats, written } = await run({
        settings: (port) => ({ destination: destination(port), ...settingsAt(settings, port) }),
        write: { bytesPerSecond: rate, ...write },
        quietSeconds: kind === "s3" ? 75 : 35,
        hasten: (configuration) => {
          // An object is closed by its age here, which is five minutes else.
          const soon = configuration.replace("upload_timeout: 5m", "upload_timeout: 6s");
          return proxy === undefined ? soon : byTls(soon, proxy);
        },
        ...trial,
      });
      assert.ok(written > 0);
      assert.equal(lost, 0);
      if (hasIds) assert.equal(stats.doubled, 0);
    }

    it("with the destination away for a while", () =>
      loses({ write: { seconds: 14 }, meanwhile: answering("away", { after: 3, during: 8 }) }));

    for (const mode of ["busy", "failing"] as const)
      it(`with the destination ${mode}`, () => loses({ meanwhile: answering(mode, { after: 0, during: 5 }) }));

    it("stopped and started again", () => loses({ meanwhile: stopped({ after: 4, pause: 2 }) }));

    it("killed and started again, three times", () => loses({ meanwhile: killed(2.3, 2.6, 2.9) }));

    it("stopped while the destination is down", () =>
      loses({ meanwhile: restartedWhileAway("SIGTERM", { after: 2, away: 3, pause: 2 }) }));

    if (!hasIds) return;
    it("with a part of the documents refused for now", () =>
      // A chunk is sent again whole; its documents have their ids.
      loses({ meanwhile: answering("partial", { after: 0, during: 6 }) }));

    it("with documents that are there already, since their answer was lost", () =>
      loses({ meanwhile: answering("forgetful", { after: 2, during: 3 }) }));
  });
}

describe(`Fluent Bit loses nothing at ${RATE} MB/s`, () => {
  before(skipWithoutFluentBit);

  it("with files rotated under it", async () => {
    const { lost, stats } = await run({});
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
  });

  it("with an index for each app, by a script", async () => {
    const { lost, stats } = await run({ settings: { index: { splitBy: "app" } } });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-curl-\d{4}\.\d\d\.\d\d$/);
  });

  it("killed and started again with an index for each app, whose ids a script makes", async () => {
    const { lost, stats } = await run({
      settings: { index: { splitBy: "app" } },
      write: { bytesPerSecond: (RATE * 1e6) / 2 },
      meanwhile: killed(4),
    });
    assert.deepEqual([lost, stats.doubled], [0, 0]);
  });

  it("with S3 away for longer than five tries", async () => {
    const { lost } = await run({
      settings: { destination: { kind: "s3" } },
      write: { files: 2, bytesPerSecond: 1e5, seconds: 4 },
      hasten: (configuration) => configuration.replace("upload_timeout: 5m", "upload_timeout: 6s"),
      meanwhile: answering("failing", { after: 0, during: 40 }),
      quietSeconds: 30,
    });
    assert.equal(lost, 0);
  });

  it("started again with another format of the index, under both names", async () => {
    const { lost, stats } = await run({
      meanwhile: async ({ sandbox, restart }) => {
        await seconds(5);
        const file = join(sandbox.folder, "config", "fluent-bit.yaml");
        writeFileSync(file, readFileSync(file, "utf8").replace("logstash_prefix: logs\n", "logstash_prefix: pods\n"));
        await restart("SIGTERM", 2);
      },
    });
    // A line that was sent as it stopped, and not yet answered, comes under its id in the index of the new name too.
    assert.deepEqual([lost, stats.doubled], [0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-\d{4}\.\d\d\.\d\d,pods-\d{4}\.\d\d\.\d\d$/);
  });

  it("with a hundred new pods at once, and their metadata", async () => {
    const { lost, stats } = await run({
      settings: { index: { splitBy: "app" } },
      write: { files: 100, ownPods: true },
    });
    assert.deepEqual([lost, stats.doubled, stats.repeated], [0, 0, 0]);
    assert.match(Object.keys(stats.places).join(), /^logs-curl-\d{4}\.\d\d\.\d\d$/);
  });
});
