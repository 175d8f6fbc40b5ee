import assert from "node:assert/strict";
import { z } from "zod";
import { manifestsOf } from "../../../lab/plan/manifests.ts";
import { plan } from "./stacks.ts";

const Monitor = z.object({
  kind: z.literal("PodMonitor"),
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    namespaceSelector: z.object({ matchNames: z.array(z.string()) }),
    selector: z.object({ matchLabels: z.record(z.string(), z.string()) }),
    podMetricsEndpoints: z.array(z.object({ portNumber: z.number() })),
  }),
});
const Ports = z.array(z.object({ ports: z.array(z.object({ containerPort: z.number() })).default([]) }));
const Workload = z.object({
  kind: z.enum(["DaemonSet", "StatefulSet", "Deployment"]),
  metadata: z.object({ namespace: z.string() }),
  spec: z.object({
    template: z.object({
      metadata: z.object({ labels: z.record(z.string(), z.string()) }),
      spec: z.object({ containers: Ports, initContainers: Ports.default([]) }),
    }),
  }),
});

const STACKS = {
  several: {
    sources: ["pods", "events"],
    destinations: { a: { kind: "stdout" }, b: { kind: "http", url: "http://b/" } },
  },
  vector: { collector: "vector", sources: ["pods", "events"], destination: { kind: "http", url: "http://a/" } },
  opentelemetry: { collector: "opentelemetry", destination: { kind: "elasticsearch", host: "es.example.com" } },
  fluentd: { collector: "fluentd", destination: { kind: "elasticsearch", host: "es.example.com" } },
  promtail: { collector: "promtail", destination: { kind: "loki", url: "http://loki.example.com" } },
};

/** The operator keeps only the targets of ports that the pods declare. @see https://prometheus-operator.dev/docs/api-reference/api/#monitoring.coreos.com/v1.PodMetricsEndpoint */
describe("each port that a PodMonitor scrapes", function () {
  this.timeout(20_000);

  for (const [name, logging] of Object.entries(STACKS))
    it(`is declared once by the pods: ${name}`, async () => {
      const dns = { nodeLocalCache: {}, clusterDns: ["10.96.0.10"] };
      const { resources } = await plan("existing", { dns, logging, monitoring: { kind: "prometheus-operator" } });
      const objects = manifestsOf(resources).map(({ object }) => object);
      const monitors = objects.flatMap((one) => Monitor.safeParse(one).data ?? []);
      const workloads = objects.flatMap((one) => Workload.safeParse(one).data ?? []);
      // CoreDNS is somebody else's.
      const own = monitors.filter(({ metadata }) => metadata.name !== "eks-dns-logging-coredns");
      assert.ok(own.length >= 3, `${own.length}`);
      for (const { metadata, spec } of own) {
        const selected = workloads.filter(
          (one) =>
            spec.namespaceSelector.matchNames.includes(one.metadata.namespace) &&
            Object.entries(spec.selector.matchLabels).every(
              ([key, value]) => one.spec.template.metadata.labels[key] === value,
            ),
        );
        assert.equal(selected.length, 1, metadata.name);
        const declared = selected.flatMap(({ spec: { template } }) =>
          [...template.spec.containers, ...template.spec.initContainers].flatMap(({ ports }) =>
            ports.map(({ containerPort }) => containerPort),
          ),
        );
        for (const { portNumber } of spec.podMetricsEndpoints)
          assert.deepEqual(
            declared.filter((port) => port === portNumber),
            [portNumber],
            metadata.name,
          );
      }
    });
});
