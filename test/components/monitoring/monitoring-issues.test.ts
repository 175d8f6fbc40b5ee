import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { configOf, type Kind, OWN_SEARCH, warnings } from "./stacks.ts";

describe("issues of monitoring settings", () => {
  it("rejects contradictory settings, and warns of those without effect", () => {
    const refused = (kind: Kind, monitoring: unknown) => () => parseSettings(configOf(kind, { monitoring }));
    assert.throws(refused("existing", { kind: "cloudwatch" }), /monitoring\.kind: must not be cloudwatch/);
    assert.throws(refused("existing", { kind: "prometheus" }), /monitoring\.kind: must be one of/);
    const fargate = { kind: "eks-existing", name: "prod", kubernetesVersion: "1.35", compute: "fargate" };
    assert.throws(
      () =>
        parseSettings(
          configOf("eks-existing", { cluster: fargate, logging: false, monitoring: { kind: "annotations" } }),
        ),
      /monitoring\.canary\.enabled: must be false with cluster.compute fargate/,
    );
    assert.throws(
      () =>
        parseSettings(
          configOf("eks-existing", {
            cluster: fargate,
            logging: false,
            monitoring: { kind: "cloudwatch", canary: { enabled: false } },
          }),
        ),
      /monitoring\.kind: must not be cloudwatch with cluster\.compute fargate, which runs no DaemonSet/,
    );
    assert.throws(
      () => parseSettings(configOf("eks", { cluster: { name: "dev" }, monitoring: { kind: "cloudwatch" } })),
      ({ message }: Error) => !message.includes("monitoring.kind"),
    );
    const alone = { dns: false, logging: false, monitoring: { kind: "cloudwatch", canary: { enabled: false } } };
    assert.deepEqual(warnings("eks-existing", alone), [
      "monitoring.kind: creates no alarm, since there is nothing to watch",
    ]);
    assert.deepEqual(warnings("existing", { monitoring: { kind: "annotations" } }), [
      "monitoring.canary: follows no lines, so no alert reports lost or late ones: the collector's own log can only be read through the API server",
    ]);
    // An alarm counts the lines only with kind cloudwatch, in a log group of which metrics can be made.
    const uncounted = { destination: { kind: "cloudwatch", class: "INFREQUENT_ACCESS" } };
    for (const [kind, logging] of [
      ["prometheus-operator", {}],
      ["annotations", {}],
      ["cloudwatch", uncounted],
    ] as const)
      assert.ok(
        warnings("eks", {
          logging: { destination: { kind: "cloudwatch" }, ...logging },
          monitoring: { kind },
        }).includes(
          "monitoring.canary: follows no lines, so no alert reports lost or late ones: reading CloudWatch Logs takes an AWS identity, which the canary does not have",
        ),
        kind,
      );
    assert.deepEqual(warnings("existing", { logging: OWN_SEARCH, monitoring: { kind: "annotations" } }), []);
    const logagent = { ...OWN_SEARCH, collector: "logagent" };
    assert.deepEqual(warnings("existing", { logging: logagent, monitoring: { kind: "annotations" } }), [
      "monitoring.kind: scrapes no metrics of Logagent, which has none that Prometheus reads",
    ]);
    assert.deepEqual(
      warnings("existing", { monitoring: { alarmActions: ["arn:aws:sns:eu-central-1:123456789012:a"] } }),
      ["monitoring.alarmActions: has no effect unless kind is cloudwatch"],
    );
  });

  for (const kind of ["cloudwatch", "prometheus-operator", "annotations"])
    it(`lets logging reject what a collector does not support, with ${kind}`, () => {
      const logging = { collector: "promtail", destination: { kind: "cloudwatch" } };
      assert.throws(
        () => parseSettings(configOf("eks-existing", { logging, monitoring: { kind } })),
        ({ message }: Error) =>
          message ===
          'Invalid configuration (1 error), nothing was changed\n  logging.destination.kind: must be loki with Promtail: Promtail sends to Loki only (found "cloudwatch")',
      );
    });

  it("warns if an adopted CoreDNS serves no metrics, or its pods are looked up by default names", () => {
    const of = (adopt: object, kind: string, text?: string) =>
      warnings("eks-existing", {
        dns: { adopt, ...(text === undefined ? {} : { corefile: { text } }) },
        logging: OWN_SEARCH,
        monitoring: { kind },
      }).filter((warning) => /^monitoring.*CoreDNS|Deployment/.test(warning));
    const label =
      "monitoring.kind: looks for CoreDNS's pods in dns-system by the label k8s-app=kube-dns, since dns.adopt.selector is not set: CoreDnsDown fires if it finds none";
    const deployment =
      "monitoring.kind: looks for Deployment coredns in dns-system, since dns.adopt.deployment is not set: CoreDnsDown fires if it finds none";
    const silent =
      'monitoring.kind: scrapes no metrics of CoreDNS, whose Corefile has no line "prometheus :9153", so CoreDnsDown fires';
    const text = ".:53 {\n  errors\n}\n";
    const elsewhere = { namespace: "dns-system" };
    const named = { ...elsewhere, selector: { app: "dns" }, deployment: "dns" };
    assert.deepEqual(of(elsewhere, "annotations"), [label]);
    assert.deepEqual(of(elsewhere, "cloudwatch"), [deployment]);
    assert.deepEqual([of(named, "annotations"), of(named, "cloudwatch"), of(elsewhere, "none")], [[], [], []]);
    assert.deepEqual([of({}, "annotations"), of({}, "cloudwatch")], [[], []]);
    const chart = { selector: { "k8s-app": "coredns" } };
    assert.deepEqual(of(chart, "cloudwatch"), [deployment.replace("dns-system", "kube-system")]);
    assert.deepEqual(
      [of(chart, "annotations"), of({ selector: { "k8s-app": "kube-dns", a: "b" } }, "cloudwatch")],
      [[], []],
    );
    assert.deepEqual([of({}, "annotations", text), of(named, "annotations", text)], [[silent], [silent]]);
    // Container Insights reads none of them.
    assert.deepEqual(of(named, "cloudwatch", text), []);
  });

  it("are reported with those of the sections on which alerts depend", () => {
    const wrong = {
      logging: { buffer: { size: "many" } },
      monitoring: { kind: "annotations", canary: { outsideName: "web.cluster.local" } },
    };
    assert.throws(
      () => parseSettings(configOf("existing", wrong)),
      ({ message }: Error) =>
        message.includes("logging.buffer.size:") && message.includes("monitoring.canary.outsideName:"),
    );
  });

  it("reserves the canary's namespace for the canary", () => {
    const monitoring = { kind: "annotations", prometheus: { namespace: "canary" } };
    const teams = [{ name: "birds", namespaces: [{ name: "aviary" }, { name: "canary", adopt: true }] }];
    const of = (settings: Record<string, unknown>) => () => parseSettings(configOf("existing", settings));
    assert.throws(
      of({ monitoring }),
      /monitoring\.prometheus\.namespace: must be another namespace, .* \(found "canary"\)/,
    );
    assert.throws(
      of({ monitoring: { kind: "annotations" }, teams }),
      /monitoring\.canary\.enabled: must be false while team birds has the namespace canary/,
    );
    assert.doesNotThrow(of({ monitoring: { ...monitoring, canary: { enabled: false } }, teams }));
    assert.doesNotThrow(of({ teams }));
  });

  it("rejects values with which Prometheus would find nothing, and warns of settings that the kind does not use", () => {
    const refused = (prometheus: object) => () =>
      parseSettings(configOf("existing", { monitoring: { kind: "prometheus-operator", prometheus } }));
    for (const interval of ["4s", "61s", "600s", "1m"])
      assert.throws(
        refused({ interval }),
        /prometheus\.interval: must be a number of seconds from 5s to 60s/,
        interval,
      );
    for (const service of ["prometheus:0", "prometheus:65536"])
      assert.throws(refused({ service }), /prometheus\.service: must have a port from 1 to 65535/, service);
    assert.throws(refused({ labels: { "a key": "b" } }), /prometheus\.labels\["a key"\]: key must be a label key/);
    for (const interval of ["5s", "60s"]) assert.doesNotThrow(refused({ interval, service: "prometheus:65535" }));
    const arn = "arn:aws:ssm-incidents::123456789012:response-plan/dns";
    const alarms = (count: number) => () =>
      warnings("eks", { monitoring: { kind: "cloudwatch", alarmActions: Array.from({ length: count }, () => arn) } });
    assert.doesNotThrow(alarms(5));
    assert.throws(alarms(6), /monitoring\.alarmActions: must have at most 5 ARNs/);

    const unread = (monitoring: object) =>
      warnings("eks", { logging: false, monitoring }).filter((line) => line.includes("has no effect"));
    const prometheus = { interval: "10s" };
    const inCluster = "monitoring.prometheus: has no effect unless kind is prometheus-operator or annotations";
    assert.deepEqual(unread({ canary: { lossAfter: 100 }, prometheus }), [
      "monitoring.canary: has no effect while kind is none",
      inCluster,
    ]);
    assert.deepEqual(unread({ kind: "cloudwatch", prometheus, canary: { lossAfter: 100 } }), [inCluster]);
    assert.deepEqual(unread({ kind: "annotations", prometheus }), [
      "monitoring.prometheus.interval: has no effect unless kind is prometheus-operator: set it in your Prometheus",
    ]);
    assert.deepEqual(unread({ kind: "prometheus-operator", prometheus }), []);
    assert.deepEqual(unread({ prometheus: { interval: "30s" } }), []);
  });

  it("warns of each collector without metrics for Prometheus", () => {
    const of = (collector: string) =>
      warnings("existing", {
        logging: { collector, destination: { kind: "elasticsearch", host: "search.example.com" } },
        monitoring: { kind: "prometheus-operator" },
      });
    for (const collector of ["filebeat", "logagent"])
      assert.match(of(collector).join("\n"), /^monitoring\.kind: scrapes no metrics of \w+, which has none/, collector);
    for (const collector of ["fluent-bit", "vector", "opentelemetry", "fluentd"])
      assert.doesNotMatch(of(collector).join("\n"), /scrapes no metrics/, collector);
  });

  it("warns of a Prometheus in a team's namespace, and rejects an outside name inside the cluster", () => {
    const of = (settings: Record<string, unknown>) => () => parseSettings(configOf("existing", settings));
    const teams = [{ name: "ts" }, { name: "birds", namespaces: [{ name: "aviary" }] }];
    const scraped = (namespace: string) =>
      warnings("existing", { teams, logging: false, monitoring: { kind: "annotations", prometheus: { namespace } } });
    assert.deepEqual(scraped("ts-team"), [
      "monitoring.prometheus.namespace: is a namespace of team ts, whose network policies allow no scraping",
    ]);
    assert.match(scraped("aviary").join(), /is a namespace of team birds/);
    assert.deepEqual(scraped("birds-team"), []);
    const outside = (outsideName: string, dns = {}) =>
      of({ dns, monitoring: { kind: "annotations", canary: { outsideName } } });
    assert.throws(
      outside("kubernetes.default.svc.Cluster.local"),
      /monitoring\.canary\.outsideName: must be a name outside the cluster's domain cluster\.local/,
    );
    assert.doesNotThrow(outside("aws.amazon.com"));
    assert.doesNotThrow(outside("notcluster.local"));
  });

  it("rejects a topic in another region, and counts no lines in a log group without metric filters", () => {
    const arn = (region: string) => `arn:aws:sns:${region}:123456789012:ops`;
    const cloudwatch = (alarmActions: string[]) => () =>
      warnings("eks", { monitoring: { kind: "cloudwatch", alarmActions } });
    assert.doesNotThrow(cloudwatch([arn("eu-central-1")]));
    assert.throws(
      cloudwatch([arn("eu-central-1"), arn("us-east-1")]),
      /monitoring\.alarmActions\[1\]: must be in region eu-central-1, where the alarms are \(found "arn:aws:sns:us-east-1/,
    );
    const unseen = (destination: object) =>
      warnings("eks", {
        logging: { destination: { kind: "cloudwatch", ...destination } },
        monitoring: { kind: "cloudwatch" },
      }).join("\n");
    assert.match(unseen({ class: "INFREQUENT_ACCESS" }), /no alarm for .*CoreDnsPanic,/);
    assert.match(unseen({ class: "INFREQUENT_ACCESS" }), /monitoring\.canary: follows no line/);
    assert.doesNotMatch(unseen({}), /CoreDnsPanic|monitoring\.canary/);
  });

  it("rejects actions that alarms do not support, or that are elsewhere", () => {
    const found = (action: string) => {
      try {
        warnings("eks", { monitoring: { kind: "cloudwatch", alarmActions: [action] } });
        return "";
      } catch (error) {
        return String(error);
      }
    };
    const known = [
      "arn:aws:lambda:eu-central-1:123456789012:function:page:live",
      "arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:1:autoScalingGroupName/a:policyName/b",
      "arn:aws:ssm:eu-central-1:123456789012:opsitem:1#CATEGORY=Performance",
      "arn:aws:ssm-incidents::123456789012:response-plan/dns",
      "arn:aws:aiops:eu-central-1:123456789012:investigation-group/abc",
    ];
    for (const action of known) assert.equal(found(action), "", action);
    const topic = "arn:aws:sns:eu-central-1:123456789012:";
    assert.equal(found(topic.padEnd(1024, "a")), "");
    assert.match(
      found(topic.padEnd(1025, "a")),
      /alarmActions\[0\]: must be an ARN of at most 1024 characters, such as/,
    );
    const unknown = [
      "arn:aws:sqs:eu-central-1:123456789012:q",
      "arn:aws:events:eu-central-1:123456789012:event-bus/default",
      "arn:aws:ssm:eu-central-1:123456789012:document/a",
      // A subscription of a topic, and an account that is none.
      "arn:aws:sns:eu-central-1:123456789012:ops:1234abcd-12ab-34cd-56ef-1234567890ab",
      "arn:aws:sns:eu-central-1:123:ops",
      // No alarm of this stack has an instance.
      "arn:aws:automate:eu-central-1:ec2:reboot",
    ];
    for (const action of unknown)
      assert.match(found(action), /alarmActions\[0\]: must be the ARN of an SNS topic, a Lambda function, /, action);
    for (const action of ["arn:aws:lambda:us-east-1:123456789012:function:page", "arn:aws:sns::123456789012:ops"])
      assert.match(found(action), /alarmActions\[0\]: must be in region eu-central-1, where the alarms are/, action);
    assert.match(
      found("arn:aws-cn:sns:eu-central-1:123456789012:ops"),
      /alarmActions\[0\]: must be in partition aws, where the alarms are/,
    );
  });

  it("reports a Service without a port once, and warns of unused settings", () => {
    assert.throws(
      () =>
        parseSettings(
          configOf("existing", { monitoring: { kind: "annotations", prometheus: { service: "prometheus" } } }),
        ),
      /\(1 error\).*\n.*prometheus\.service: must be the name of a Service and a port/,
    );
    const unread = (monitoring: object) =>
      warnings("existing", { logging: false, monitoring }).filter((line) => line.includes("has no effect"));
    assert.deepEqual(unread({ runbookUrl: "https://example.com/runbooks" }), [
      "monitoring.runbookUrl: has no effect while kind is none",
    ]);
    assert.deepEqual(unread({ kind: "annotations", canary: { enabled: false, lossAfter: 100 } }), [
      "monitoring.canary: has no effect while enabled is false",
    ]);
    assert.deepEqual(unread({ kind: "annotations", canary: { enabled: false } }), []);
  });
});
