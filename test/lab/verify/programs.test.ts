import assert from "node:assert/strict";
import { urlHost } from "../../../components/kubernetes/ip-family.ts";
import { parsePing, pingCommand } from "../../../lab/verify/checks/pods.ts";
import { curlCommand, parseCurl } from "../../../lab/verify/sessions.ts";
import { answered, failed } from "./fake-cluster.ts";

describe("what programs in the pod print", () => {
  it("is an answer of curl with its address, status and times", () => {
    const { exitCode, stdout, stderr } = answered("10.96.1.2", "curl-sa answers 10.0.0.1\nsecond line");
    assert.deepEqual(parseCurl(exitCode, stdout, stderr), {
      end: "answered",
      addresses: ["10.96.1.2"],
      status: 200,
      body: "curl-sa answers 10.0.0.1\nsecond line",
      connected: true,
      lookupMs: 0.9,
      totalMs: 3,
      message: "",
    });
  });

  for (const [exitCode, message, end] of [
    [6, "Could not resolve host: nope", "not resolved"],
    [28, "Resolving timed out after 6000 milliseconds", "not resolved"],
    [28, "Connection timed out after 3001 milliseconds", "timed out"],
    [7, "Failed to connect to 10.0.0.1 port 80: Connection refused", "refused"],
    [7, "Failed to connect to 10.0.0.1 port 80: Connection timed out", "timed out"],
    [52, "Empty reply from server", "failed"],
  ] as const) {
    it(`is curl's exit code ${exitCode} with '${message}': ${end}`, () => {
      const run = failed(exitCode, message, "10.96.1.2");
      const result = parseCurl(run.exitCode, run.stdout, run.stderr);
      assert.equal(result.end, end);
      assert.equal(result.message, message);
      assert.equal(result.connected, false);
      assert.deepEqual(result.addresses, ["10.96.1.2"]);
    });
  }

  it("is an IPv6 address of curl", () => {
    assert.deepEqual(parseCurl(7, "\n000\n0\n0\n0\n", "*   Trying [fd00::12]:80...\n").addresses, ["fd00::12"]);
    assert.equal(urlHost("fd00::12"), "[fd00::12]");
    assert.equal(urlHost("10.0.0.1"), "10.0.0.1");
  });

  it("is ping's summary, of iputils and of busybox", () => {
    const iputils =
      "5 packets transmitted, 4 received, 20% packet loss, time 4ms\nrtt min/avg/max/mdev = 0.1/0.2/0.3/0.1 ms\n";
    assert.deepEqual(parsePing(iputils), {
      sent: 5,
      received: 4,
      loss: 20,
      roundTrip: { min: 0.1, average: 0.2, max: 0.3 },
    });
    const busybox =
      "5 packets transmitted, 5 packets received, 0% packet loss\nround-trip min/avg/max = 0.085/0.090/0.100 ms\n";
    assert.deepEqual(parsePing(busybox), {
      sent: 5,
      received: 5,
      loss: 0,
      roundTrip: { min: 0.085, average: 0.09, max: 0.1 },
    });
    const lost = "5 packets transmitted, 0 received, 100% packet loss, time 4ms\n";
    assert.deepEqual(parsePing(lost), { sent: 5, received: 0, loss: 100, roundTrip: undefined });
    assert.equal(parsePing("ping: permission denied (are you root?)"), undefined);
  });

  it("comes from programs that run without a shell", () => {
    assert.equal(curlCommand("http://x/", 6)[0], "curl");
    assert.equal(curlCommand("http://x/", 6).at(-1), "http://x/");
    assert.deepEqual(pingCommand("10.0.0.1").slice(-1), ["10.0.0.1"]);
  });
});
