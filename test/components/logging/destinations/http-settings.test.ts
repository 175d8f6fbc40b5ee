import assert from "node:assert/strict";
import type { Collector } from "../../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import type { DestinationArgs } from "../../../../components/logging/destinations/destination-args.ts";
import { destinationSecrets } from "../../../../components/logging/destinations/destination-secrets.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../components/logging/validation.ts";
import { errorMap, formatIssue, issuesOf } from "../../../../components/schema/errors.ts";
import { collect, podOf } from "../recorded-collection.ts";

const HTTP = { kind: "http", url: "https://logs.example.com/in" } as const;
const LOKI = { kind: "loki", url: "https://loki.example.com" } as const;
const OTLP = { kind: "otlp", url: "https://otel.example.com" } as const;

function issues(destination: object, collector = "fluent-bit"): string[] {
  const given = { collector, destination };
  const parsed = LoggingSettings.safeParse(given, { error: errorMap });
  const found = parsed.success ? checkLogging(parsed.data, "eks") : issuesOf(parsed.error, given, []);
  return found.map(formatIssue);
}

const asSecret = "must be a Secret, such as { secretName: datadog, key: api-key }, since it would be in a ConfigMap";
const asValue =
  "must be a string of up to 4096 printable ASCII characters, without blanks at the ends, or a Secret, such as { secretName: datadog, key: api-key }";

describe("The URL of a destination", () => {
  it("has a port that servers can have, or none", () => {
    for (const destination of [HTTP, LOKI, OTLP]) {
      const url = "https://logs.example.com";
      assert.deepEqual(issues({ ...destination, url: `${url}:0` }), [
        `destination.url: must be a URL with a port from 1 to 65535 (found "${url}:0")`,
      ]);
      assert.deepEqual(issues({ ...destination, url: `${url}:65535` }), []);
      assert.match(issues({ ...destination, url: `${url}:65536` }).join("\n"), /^destination\.url: must be an http or/);
    }
  });
});

describe("Headers of a destination", () => {
  it("are strings and Secrets, with names that RFC 9110 allows", () => {
    const secret = { secretName: "datadog", key: "api-key" };
    for (const [name, value] of [
      ["DD-API-KEY", secret],
      ["Authorization", secret],
      ["X-Dataset", "prod, \"a\" 'b'"],
      ["VL-Stream-Fields", "kubernetes.pod_name,team"],
      ["!#$%&'*+-.^_`|~9", "~"],
    ] as const)
      for (const destination of [HTTP, LOKI, OTLP])
        assert.deepEqual(issues({ ...destination, headers: { [name]: value } }), [], name);
    for (const name of ["X A", "X;A", "", "Ä", "a/b", "x".repeat(129)]) {
      const key = name === "" ? '[""]' : /^x+$/.test(name) ? `.${name.slice(0, 77)}…` : `["${name}"]`;
      const message = "key must be the name of a header: up to 128 letters, digits and !#$%&'*+-.^_`|~";
      assert.deepEqual(issues({ ...HTTP, headers: { [name]: "a" } }), [`destination.headers${key}: ${message}`]);
    }
  });

  it("reject values with line breaks, non-ASCII characters or blanks at the ends, without showing them", () => {
    for (const value of ["a\r\nHost: b", "a\n", "\u0000", "ä", " a", "a ", "", 5, null, { value: "hunter2" }])
      assert.deepEqual(issues({ ...HTTP, headers: { "X-A": value } }), [
        `destination.headers.X-A: ${asValue} (found "(not shown)")`,
      ]);
  });

  it("reject names that the collector sets, duplicates, and names that belong to other settings", () => {
    for (const name of ["Host", "content-length", "Transfer-Encoding", "Content-Type", "Connection", "User-Agent"])
      assert.deepEqual(issues({ ...HTTP, headers: { [name]: "1" } }), [
        `destination.headers: ${name} must not be set, since the collector sets it`,
      ]);
    assert.deepEqual(issues({ ...HTTP, headers: { "X-A": "1", "x-a": "2" } }), [
      "destination.headers: X-A and x-a are the same header",
    ]);
    assert.deepEqual(issues({ ...LOKI, headers: { "X-Scope-OrgID": "1" } }), [
      "destination.headers: X-Scope-OrgID must not be set, since tenant sets it",
    ]);
    const own = { headers: { authorization: { secretName: "a" } } };
    for (const key of ["token", "credentials"])
      assert.deepEqual(issues({ ...HTTP, ...own, [key]: { secretName: "b" } }), [
        `destination.headers: authorization must not be set with ${key}, since the collector sets it from there`,
      ]);
    for (const name of ["grpc-timeout", "trace-bin", "a!b"]) {
      const message = `${name} must be of letters, digits, '-', '_' and '.' with protocol grpc, without the prefix grpc- and the suffix -bin`;
      assert.deepEqual(issues({ ...OTLP, protocol: "grpc", headers: { [name]: "1" } }), [
        `destination.headers: ${message}`,
      ]);
      assert.deepEqual(issues({ ...OTLP, headers: { [name]: "1" } }), []);
    }
  });

  it("must be Secrets if they look like a key, and Secrets require TLS", () => {
    for (const name of [
      ...["DD-API-KEY", "Api-Key", "X-Api-Key", "apikey", "X-Honeycomb-Team", "X-License-Key", "X-Insert-Key"],
      ...["Authorization", "Cookie", "X-Auth-Token", "CF-Access-Client-Secret", "signoz-ingestion-key", "uptrace-dsn"],
      ...["lightstep-access-token", "Ocp-Apim-Subscription-Key", "X-Functions-Key", "X-P-API-Key"],
    ])
      assert.deepEqual(issues({ ...HTTP, headers: { [name]: "abc" } }), [`destination.headers: ${name} ${asSecret}`]);
    for (const value of ["Bearer abc", "eyJhbGciOiJ.eyJzdWIiOiIx.c2ln", "0123456789abcdef0123456789abcdef", "xaat-1"])
      assert.deepEqual(issues({ ...HTTP, headers: { "X-A": value } }), [`destination.headers: X-A ${asSecret}`]);
    for (const name of ["X-Dataset", "Idempotency-Key", "X-Axiom-Dataset", "AccountID", "X-Token-Type", "X-Author"])
      assert.deepEqual(issues({ ...HTTP, headers: { [name]: "abc" } }), []);
    assert.deepEqual(
      issues({ kind: "http", url: "http://l.monitoring.svc/in", headers: { "X-A": { secretName: "a" } } }),
      ["destination: headers with a Secret require an https URL, since the secret would be sent in clear text"],
    );
  });

  it("and arrays are errors with collectors that do not support them", () => {
    const headers = { "X-A": "a" };
    const message = (kind: string, able: string, title: string) =>
      `must not be set with ${title}, which cannot send headers to ${kind} here: set collector one of ${able}`;
    for (const [collector, title] of [
      ["fluentd", "Fluentd"],
      ["logagent", "Logagent"],
    ] as const) {
      assert.deepEqual(issues({ ...HTTP, headers }, collector), [
        `destination.headers: ${message("http", "Fluent Bit, Vector", title)}`,
      ]);
      assert.deepEqual(issues({ ...HTTP, body: "array" }, collector), [
        `destination.body: must be lines with ${title}, which posts no arrays here (found "array")`,
      ]);
    }
    for (const [collector, title] of [
      ["vector", "Vector"],
      ["promtail", "Promtail"],
    ] as const)
      assert.ok(
        issues({ ...LOKI, headers }, collector).includes(
          `destination.headers: ${message("loki", "Fluent Bit, OpenTelemetry Collector", title)}`,
        ),
      );
    assert.match(issues({ ...HTTP, headers: { "X-A": `\${HOME}` } }).join(), /X-A: must be a string without '\$\{'/);
    for (const value of ["100%", "{{ a }}", "SECRET[a.b]"])
      assert.match(
        issues({ ...HTTP, headers: { "X-A": value } }, "vector").join(),
        /X-A: must be a string without '%'/,
      );
  });

  it("reach the container only from their Secrets: as variables, or as files in one folder", async () => {
    const headers = { "DD-API-KEY": { secretName: "datadog", key: "api-key" }, "X-A": { secretName: "a" }, b: "c" };
    const destination: DestinationArgs = { ...OTLP, token: { secretName: "a", key: "login" }, headers };
    const recorded = await collect({ destination });
    const [container] = podOf(recorded, "fluent-bit").containers;
    const variables = container.env.filter(
      ({ valueFrom }: { valueFrom?: { secretKeyRef?: object } }) => valueFrom?.secretKeyRef,
    );
    const variable = (name: string, secret: string, key: string) => ({
      name,
      valueFrom: { secretKeyRef: { name: secret, key } },
    });
    assert.deepEqual(variables, [
      variable("LOG_TOKEN", "a", "login"),
      variable("LOG_HEADER_1", "datadog", "api-key"),
      variable("LOG_HEADER_2", "a", "token"),
    ]);
    const parsed = LoggingSettings.parse({ destination }).destination;
    const collector: Collector | undefined = COLLECTORS.opentelemetry;
    assert.ok(collector && parsed);
    assert.deepEqual(destinationSecrets(collector, parsed).volumes, [
      {
        name: "credentials",
        projected: {
          sources: [
            {
              secret: {
                name: "a",
                items: [
                  { key: "login", path: "token" },
                  { key: "token", path: "header_2" },
                ],
              },
            },
            { secret: { name: "datadog", items: [{ key: "api-key", path: "header_1" }] } },
          ],
        },
      },
    ]);
  });
});
