import assert from "node:assert/strict";
import { IndexFormat, indexName } from "../../components/logging/indexing/index-format.ts";
import { until } from "../cluster/cluster.ts";
import { seconds } from "../support/collectors/losses.ts";
import { whyMissing } from "../support/collectors/program.ts";
import { Receiver } from "../support/collectors/receiver.ts";
import { type LocalCollector, Sandbox } from "../support/collectors/sandbox.ts";
import { leaveOut } from "../support/leave-out.ts";
import { localFilebeat } from "./filebeat/local.ts";
import { localFluentBit } from "./fluent-bit/local.ts";
import { localFluentd } from "./fluentd/local.ts";
import { localLogagent } from "./logagent/local.ts";
import { LINES, NAMESPACE, NodePods } from "./node-pods.ts";
import { localOpenTelemetry } from "./opentelemetry/local.ts";
import { localPromtail } from "./promtail/local.ts";
import { localVector } from "./vector/local.ts";

interface Candidate {
  readonly name: string;
  start(): LocalCollector | undefined | Promise<LocalCollector | undefined>;
  readonly destination: (port: number) => object;
}

const written = Object.values(LINES).reduce((sum, lines) => sum + lines, 0);
const elasticsearch = () => ({ kind: "elasticsearch", host: "elasticsearch.test", tls: false });
const opensearch = (port: number) => ({ kind: "opensearch", host: "127.0.0.1", port, tls: false });
const CANDIDATES: readonly Candidate[] = [
  { name: "fluent-bit", start: localFluentBit, destination: opensearch },
  { name: "fluentd", start: localFluentd, destination: opensearch },
  { name: "logagent", start: localLogagent, destination: opensearch },
  { name: "filebeat", start: localFilebeat, destination: elasticsearch },
  { name: "vector", start: localVector, destination: opensearch },
  { name: "otelcol", start: localOpenTelemetry, destination: elasticsearch },
  { name: "promtail", start: localPromtail, destination: () => ({ kind: "loki", url: "http://loki.test:3100" }) },
];

describe("On the files of a real node", () => {
  let pods: NodePods;

  before(async function () {
    const found = await NodePods.find();
    if (typeof found !== "string") {
      pods = found;
      return;
    }
    leaveOut(this, found);
  });

  after(() => pods?.remove());

  for (const { name, start, destination } of CANDIDATES) {
    it(`${name} delivers each line once known: through the kubelet's rotation, a container that starts again, a stop and an outage`, async function () {
      const local = await start();
      if (local === undefined) return leaveOut(this, whyMissing(name));
      const receiver = await Receiver.start();
      const settings = {
        destination: destination(receiver.port),
        ...(name === "promtail" ? {} : { index: { prefix: "pods", splitBy: "namespace" } }),
        namespaces: { include: [NAMESPACE] },
        // A trace may join lines; these are to be counted.
        multiline: [],
      };
      const sandbox = new Sandbox(local, settings, receiver.port, "/var/log/pods");
      let running = sandbox.start();
      try {
        const pod = await pods.start(name);
        await until("the first lines arrive", async () => (await receiver.stats()).unique > 0);
        receiver.set("away");
        await seconds(6);
        receiver.set("take");
        await seconds(2);
        await running.stop("SIGTERM");
        await seconds(3);
        running = sandbox.start();
        await until(`pod ${pod} has ended`, () => pods.hasEnded(pod));
        const { unique, repeated, doubled, records, places, files } = await receiver.settled(written, 35);
        process.stdout.write(`        ${written} written, ${written - unique} lost, ${repeated + doubled} twice\n`);
        assert.ok(pods.wasRotated(pod), "the kubelet rotated nothing: there was nothing to prove");
        // A piece of a line that was not joined would be a record of its own.
        assert.deepEqual([files, records], [LINES, unique + repeated + doubled]);
        if (name === "promtail") return;
        const format = IndexFormat.parse(settings.index);
        assert.deepEqual(
          Object.keys(places).filter((place) => !place.startsWith("/")),
          [indexName(format, new Date(), { namespace: NAMESPACE })],
        );
      } finally {
        await running.stop("SIGKILL");
        await receiver.stop();
        sandbox.remove();
        if ("stop" in local && typeof local.stop === "function") local.stop();
      }
    });
  }
});
