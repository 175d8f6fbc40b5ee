import assert from "node:assert/strict";
import { z } from "zod";
import { seconds } from "../../support/collectors/losses.ts";
import { inParts } from "../../support/collectors/measures.ts";
import { Receiver } from "../../support/collectors/receiver.ts";
import { Sandbox } from "../../support/collectors/sandbox.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { hasOpenssl, startTlsReceiver } from "../tls-receiver.ts";
import { localFluentBit, skipWithoutFluentBit } from "./local.ts";

const Put = z.object({
  logGroupName: z.string(),
  logStreamName: z.string(),
  logEvents: z.array(z.object({ timestamp: z.number(), message: z.string() })),
});

describe("Fluent Bit to CloudWatch Logs", () => {
  before(function () {
    skipWithoutFluentBit.call(this);
    if (!hasOpenssl()) leaveOut(this, "no openssl");
  });

  it("sends each container's lines to its own stream, and a long JSON line without its fields", async () => {
    const local = localFluentBit();
    assert.ok(local);
    const receiver = await startTlsReceiver();
    const api = await Receiver.start();
    const toReceiver = (text: string) => text.replace(`port: ${api.port}`, `port: ${receiver.port}`);
    const adapt: typeof local.adapt = (text, place) => toReceiver(local.adapt(text, place));
    const sandbox = new Sandbox({ ...local, adapt }, { destination: { kind: "cloudwatch" } }, api.port);
    const collector = sandbox.start();
    const events = () =>
      receiver.bodies
        .map((body) => Put.safeParse(JSON.parse(body)).data)
        .flatMap(
          (put) =>
            put?.logEvents.map(({ message }) => ({ place: `${put.logGroupName} ${put.logStreamName}`, message })) ?? [],
        );
    try {
      await seconds(1);
      const long = JSON.stringify({ text: '"'.repeat(50_000).padEnd(500_000, "x") });
      const lines = ['{"a":1}', long, "after"];
      sandbox.write({ namespace: "ts-team", pod: "curl-ts", container: "curl" }, lines.flatMap(inParts));
      sandbox.write({ namespace: "sa-team", pod: "curl-sa", container: "curl" }, inParts("other"));
      for (let wait = 0; wait < 60 && events().length < 4; wait += 1) await seconds(0.25);
      const found = events().map(({ place, message }) => ({ place, ...JSON.parse(message) }));
      const of = (name: string) => found.filter(({ place }) => place === `/eks-dns-logging/test/pods ${name}`);
      const [first, second, third] = of("ts-team.curl-ts.curl");
      assert.deepEqual([first?.log, second?.log === long, third?.log], ['{"a":1}', true, "after"]);
      assert.deepEqual([first?.fields, second?.fields], [{ a: 1 }, undefined]);
      assert.deepEqual(
        of("sa-team.curl-sa.curl").map(({ log }) => log),
        ["other"],
      );
    } finally {
      await collector.stop("SIGKILL");
      receiver.stop();
      await api.stop();
      sandbox.remove();
    }
  });
});
