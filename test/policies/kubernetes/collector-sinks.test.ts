import assert from "node:assert/strict";
import { once } from "node:events";
import { destinationsOf } from "../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { firstHostOf, plainSendings, sinksIn, unverifiedBy } from "../../../policies/readers/collector-sinks.ts";
import { credentials, DESTINATIONS, pipelines } from "../../components/logging/collectors/pipelines.ts";

/** Configurations, with what sends in the clear and what is not verified, by the program and the host. */
const CASES: Readonly<Record<string, readonly [text: string, plain: readonly string[], unverified?: string]>> = {
  "the OpenTelemetry Collector": [
    `receivers:
  kubeletstats: { insecure_skip_verify: true, endpoint: "http://10.0.0.1:10255" }
exporters:
  otlp: { endpoint: "gateway.example.com:4317" }
  otlp/plain: { endpoint: "gateway.example.com:4317", tls: { insecure: true, insecure_skip_verify: true } }
  otlphttp: { endpoint: "http://gateway.example.com:4318" }
  otlphttp/tls: { endpoint: "https://gateway.example.com", tls: { insecure_skip_verify: true } }
  kafka: { brokers: ["k1.example.com:9092"] }
  kafka/tls: { brokers: ["k1.example.com:9094"], tls: { ca_file: /ca.pem } }
  syslog: { endpoint: s.example.com, network: udp }
  elasticsearch: { endpoints: ["https://e.example.com", "http://f.example.com:9200"] }
  debug: {}
service: { pipelines: {} }
`,
    [
      "endpoint of otlp/plain is gateway.example.com:4317",
      "endpoint of otlphttp is http://gateway.example.com:4318",
      "brokers of kafka is k1.example.com:9092",
      "endpoint of syslog is s.example.com",
      "endpoints of elasticsearch is http://f.example.com:9200",
    ],
    "tls.insecure_skip_verify of otlphttp/tls is true",
  ],
  "Vector in YAML": [
    `sources: { logs: { type: kubernetes_logs, endpoint: "http://sources.example.com" } }
sinks:
  search: { type: elasticsearch, endpoints: ["http://me:hunter2@search.example.com:9200"] }
  safe: { type: http, uri: "https://in.example.com", tls: { verify_certificate: false } }
  kafka: { type: kafka, bootstrap_servers: "a.example.com:9092,b.example.com:9092" }
  kafka_tls: { type: kafka, bootstrap_servers: "a.example.com:9094", tls: { enabled: true } }
  socket: { type: socket, mode: udp, address: "u.example.com:514" }
  bucket: { type: aws_s3, bucket: logs, region: eu-central-1 }
`,
    [
      "endpoints of search is http://search.example.com:9200",
      "bootstrap_servers of kafka is a.example.com:9092",
      "bootstrap_servers of kafka is b.example.com:9092",
      "address of socket is u.example.com:514",
    ],
    "tls.verify_certificate of safe is false",
  ],
  "Vector in TOML": [
    `[sources.logs]
type = "kubernetes_logs"
[sinks.loki]
type = "loki"
endpoint = "http://loki.example.com:3100" # old
[sinks.http]
type = "http"
uri = "https://in.example.com"
[sinks.http.tls]
verify_hostname = false
`,
    ["endpoint of loki is http://loki.example.com:3100"],
    "tls.verify_hostname of http is false",
  ],
  Promtail: [
    `server: { http_listen_port: 3101 }
clients:
  - url: http://me:hunter2@loki.example.com/loki/api/v1/push?token=hunter2
  - url: https://logs.example.com/loki/api/v1/push
    tls_config: { insecure_skip_verify: true }
scrape_configs: [{ kubernetes_sd_configs: [{ api_server: "http://10.0.0.1" }] }]
`,
    ["url of clients is http://loki.example.com"],
    "tls_config.insecure_skip_verify of clients is true",
  ],
  "Filebeat by a dotted key": [
    `filebeat.inputs: [{ type: container, paths: ["/var/log/containers/*.log"] }]
output.elasticsearch: { hosts: ["search.example.com:9200"] }
`,
    ["hosts of output.elasticsearch is search.example.com:9200"],
  ],
  "Filebeat by protocol": [
    `output.elasticsearch: { hosts: ["search.example.com:9200"], protocol: https, ssl.verification_mode: none }`,
    [],
    "ssl.verification_mode of output.elasticsearch is none",
  ],
  "Filebeat to Logstash": [
    `output: { logstash: { hosts: ["l.example.com:5044"] } }`,
    ["hosts of output.logstash is l.example.com:5044"],
  ],
  "Filebeat to Logstash by TLS": [
    `output.logstash: { hosts: ["l.example.com:5044"], ssl.certificate_authorities: ["/ca.pem"] }`,
    [],
  ],
  Alloy: [
    `loki.source.kubernetes "pods" { forward_to = [loki.write.out.receiver] }
loki.write "out" {
  external_labels = {
    cluster = "a",
  }
  endpoint {
    url = "http://loki.example.com"
  }
}
loki.write "safe" {
  endpoint {
    url = sys.env("LOKI_URL")
    tls_config {
      insecure_skip_verify = true
    }
  }
}
otelcol.exporter.otlp "tempo" {
  client {
    endpoint = "tempo.example.com:4317"
    tls {
      insecure = true
    }
  }
}
otelcol.exporter.loki "logs" {
  forward_to = [loki.write.out.receiver]
}
pyroscope.write "profiles" {
  endpoint {
    url = "http://profiles.example.com"
  }
}
discovery.kubernetes "pods" {
  api_server = "http://10.0.0.1"
}
`,
    [
      'endpoint.url of loki.write "out" is http://loki.example.com',
      'client.endpoint of otelcol.exporter.otlp "tempo" is tempo.example.com:4317',
    ],
    'endpoint.tls_config.insecure_skip_verify of loki.write "safe" is true',
  ],
  Fluentd: [
    `<source>
  @type http
  bind 0.0.0.0
</source>
<match **>
  @type copy
  <store>
    @type elasticsearch
    host search.example.com
    port 9200
    <buffer>
      path /buffers
    </buffer>
  </store>
  <store>
    @type elasticsearch
    host safe.example.com
    scheme https
    ssl_verify false
  </store>
  <store>
    @type http
    endpoint http://in.example.com/logs
  </store>
  <store>
    @type forward
    <server>
      host aggregator.example.com
    </server>
  </store>
  <store>
    @type forward
    transport tls
    <server>
      host aggregator.example.com
    </server>
  </store>
  <store>
    @type opensearch
    host "#{ENV['SEARCH']}"
  </store>
</match>
`,
    [
      "host of store is search.example.com",
      "endpoint of store is http://in.example.com",
      "server.host of store is aggregator.example.com",
    ],
    "ssl_verify of store is false",
  ],
  "names that gRPC resolves, and sockets": [
    `receivers: {}
exporters:
  otlp: { endpoint: "dns:///otlp.example.com:4317" }
  otlp/plain: { endpoint: "dns://9.9.9.9/otlp.example.com:4317", tls: { insecure: true } }
  otlp/socket: { endpoint: "unix:///run/otlp.sock", tls: { insecure: true } }
`,
    ["endpoint of otlp/plain is otlp.example.com:4317"],
  ],
  "TLS in ClickHouse's URL, and in Kafka's group of authentication": [
    `receivers: {}
exporters:
  clickhouse: { endpoint: "tcp://db.example.com:9440?secure=true" }
  clickhouse/plain: { endpoint: "clickhouse://db.example.com:9000?secure=false" }
  kafka: { brokers: ["kafka.example.com:9096"], auth: { tls: { insecure: false } } }
  kafka/plain: { brokers: ["kafka.example.com:9092"], auth: { tls: { insecure: true } } }
`,
    [
      "endpoint of clickhouse/plain is clickhouse://db.example.com:9000",
      "brokers of kafka/plain is kafka.example.com:9092",
    ],
  ],
  "Fluentd's certificates of Kafka and switch of Splunk": [
    `<match a.**>
  @type kafka2
  brokers kafka.example.com:9094
  ssl_ca_cert /etc/kafka/ca.crt
</match>
<match b.**>
  @type kafka2
  brokers hub.example.com:9093
  ssl_ca_certs_from_system true
</match>
<match c.**>
  @type splunk_hec
  hec_host splunk.example.com
  insecure_ssl true
</match>
<match d.**>
  @type kafka2
  brokers plain.example.com:9092
</match>
`,
    ["brokers of match d.** is plain.example.com:9092"],
    "insecure_ssl of match c.** is true",
  ],
  "a group that holds itself": ["receivers: {}\nexporters: &all { otlp: *all }\n", []],
  "what is no collector's": ["server: { url: http://a.example.com }\nclients: [{ url: http://b.example.com }]\n", []],
};

const brokers = ["b-1.example.com:9096"];
const token = { secretName: "log-token" };
/** Each way to TLS, and to none, of the kinds that not every collector has. */
const MORE_DESTINATIONS: typeof DESTINATIONS = [
  { kind: "kafka", brokers, topic: "pods", credentials },
  { kind: "kafka", brokers, topic: "pods", tls: { caSecretName: "kafka-ca" } },
  { kind: "kafka", brokers, topic: "pods", tls: { verify: false } },
  { kind: "kafka", brokers, topic: "pods", tls: false },
  { kind: "otlp", url: "https://otel.example.com:4318" },
  { kind: "otlp", url: "http://otel.example.com:4318" },
  { kind: "splunk", url: "https://splunk.example.com:8088", token },
];

describe("destinations of collectors other than Fluent Bit", () => {
  for (const [what, [text, plain, unverified]] of Object.entries(CASES))
    it(`are read from ${what}`, () => {
      const sinks = sinksIn(text);
      assert.deepEqual(
        sinks.flatMap(plainSendings).map(({ part }) => part),
        plain,
      );
      assert.deepEqual(
        sinks.flatMap((sink) => unverifiedBy(sink) ?? []),
        unverified === undefined ? [] : [unverified],
      );
    });

  it("are read from long lines and many empty ones in less than a second", () => {
    const long = "a".repeat(1e5);
    for (const text of [`loki.write "a" {\n${long}`, `loki.write "a" {\n${long}{ ${long}`, "\n".repeat(1e5)]) {
      const start = process.cpuUsage();
      sinksIn(text);
      const { user } = process.cpuUsage(start);
      assert.ok(user < 1e6, `${text.slice(0, 20)}: ${user / 1e6} s`);
    }
  });

  it("are named by their host", () => {
    const [sink] = sinksIn(`output.elasticsearch: { hosts: ["https://me@search.example.com:9200/logs"] }`);
    assert.equal(sink === undefined ? undefined : firstHostOf(sink), "search.example.com");
    const [inBrackets] = sinksIn(`output.elasticsearch: { hosts: ["https://[fd00::1]:9200"] }`);
    assert.equal(inBrackets === undefined ? undefined : firstHostOf(inBrackets), "[fd00::1]");
  });

  // Fluent Bit's own configuration is read by another reader.
  for (const [id, collector] of Object.entries(COLLECTORS).filter(([one]) => one !== "fluent-bit"))
    it(`are unencrypted with ${id} only if the settings say so`, () => {
      const able = new Set(destinationsOf(collector));
      const tried = [...DESTINATIONS, ...MORE_DESTINATIONS].filter(({ kind }) => able.has(String(kind)));
      assert.ok(tried.length > 0);
      for (const destination of tried) {
        const source = collector.modes.includes("daemonset") ? undefined : "application";
        const { files } = collector.render(pipelines({ collector: id, destination })({}, source));
        const found = Object.values(files).flatMap(sinksIn).flatMap(plainSendings);
        const said = JSON.stringify(destination);
        assert.equal(found.length > 0, /"tls":false|"inCluster":true|"http:/.test(said), said);
      }
    });
});

describe("YAML in a ConfigMap", () => {
  it("causes no parser warnings, even as an unrendered template", async () => {
    const warnings: Error[] = [];
    const collect = (warning: Error) => warnings.push(warning);
    process.on("warning", collect);
    try {
      assert.deepEqual(sinksIn("{ PROJECT_ID }: 1\nclients: {{ .Values.clients }}\n"), []);
      // A later warning is the last that may arrive.
      process.emitWarning("the end");
      await once(process, "warning");
    } finally {
      process.off("warning", collect);
    }
    assert.deepEqual(
      warnings.map(({ message }) => message),
      ["the end"],
    );
  });
});
