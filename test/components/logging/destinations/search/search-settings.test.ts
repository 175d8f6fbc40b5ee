import assert from "node:assert/strict";
import { searchStatement, signingOf } from "../../../../../components/logging/destinations/search/search-settings.ts";
import { LoggingSettings } from "../../../../../components/logging/settings.ts";
import { checkLogging } from "../../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../../components/schema/errors.ts";
import { issuesIn } from "../../../../support/issues.ts";

const ID = "abcdefghijklmnopqrstuvwxyz";
const DOMAIN = `search-logs-${ID}.eu-central-1.es.amazonaws.com`;
const DOMAIN_ARN = "arn:aws:es:eu-central-1:111122223333:domain/logs";
const COLLECTION = "07tjusf2h91cunochc.eu-central-1.aoss.amazonaws.com";
const COLLECTION_ARN = "arn:aws:aoss:eu-central-1:111122223333:collection/07tjusf2h91cunochc";
const credentials = { secretName: "writer" };
const cluster = { name: "dev", region: "eu-central-1" };

const check = (settings: object, kind: "eks" | "existing" = "eks") =>
  checkLogging(LoggingSettings.parse(settings), kind, kind === "eks" ? cluster : undefined);
const issues = (destination: object, more: object = {}) => check({ destination, ...more }).map(formatIssue);
const signed = (host: string, arn: string, more: object = {}) => ({
  kind: "opensearch",
  host,
  port: 443,
  sigv4: { arn },
  ...more,
});

describe("An Amazon OpenSearch endpoint", () => {
  it("is rejected without authentication and on another port", () => {
    for (const [kind, key] of [
      ["opensearch", "sigv4"],
      ["elasticsearch", "credentials"],
    ]) {
      const found = issues({ kind, host: DOMAIN });
      assert.equal(found.length, 2, found.join("\n"));
      assert.match(
        found[0] ?? "",
        /^destination\.port: must be 443 for a domain of Amazon OpenSearch Service \(found 9200\)$/,
      );
      assert.match(found[1] ?? "", new RegExp(`^destination\\.${key}: must be set for a domain of Amazon OpenSearch`));
    }
  });

  for (const host of [DOMAIN, DOMAIN.toUpperCase(), `${DOMAIN}.cn`, `search-logs-${ID}.aos.eu-central-1.on.aws`]) {
    it(`needs a signature or a user of the domain: ${host}`, () => {
      assert.match(issues({ kind: "opensearch", host, port: 443 }).join(), /^destination\.sigv4: must be set/);
      assert.deepEqual(issues({ kind: "opensearch", host, port: 443, credentials }), []);
      assert.deepEqual(issues(signed(host, DOMAIN_ARN)), []);
    });
  }

  it("in a VPC may allow unsigned requests, which is a warning", () => {
    const destination = { kind: "opensearch", host: "vpc-logs-abc.eu-central-1.es.amazonaws.com", port: 443 };
    assert.deepEqual(
      check({ destination }).map(({ path, severity }) => [path.join("."), severity]),
      [["destination.credentials", "warning"]],
    );
    assert.deepEqual(
      check({ destination: { ...destination, port: 80, tls: false } }).map(({ severity }) => severity),
      ["warning"],
    );
  });

  it("of Serverless accepts only signed requests, on 443 and with TLS", () => {
    assert.deepEqual(issues(signed(COLLECTION, COLLECTION_ARN)), []);
    const wrong: readonly [object, RegExp][] = [
      [{ kind: "opensearch", host: COLLECTION, port: 443, credentials }, /^destination\.sigv4: must be set for a coll/],
      [{ kind: "opensearch", host: COLLECTION, port: 443 }, /^destination\.sigv4: must be set for a collection of/],
      [signed(COLLECTION, COLLECTION_ARN, { port: 9200 }), /^destination\.port: must be 443 for a collection of/],
      [
        { kind: "elasticsearch", host: COLLECTION, port: 443 },
        /^destination\.host: must not be an endpoint of .*Serverl/,
      ],
      [{ kind: "http", url: `https://${COLLECTION}/x` }, /^destination\.url: must not be an endpoint of .*Serverless/],
      [{ kind: "http", url: "https://logs-abc.eu-central-1.osis.amazonaws.com/x" }, /^destination\.url: .*Ingestion/],
    ];
    for (const [destination, expected] of wrong) {
      const [found, ...more] = issues(destination);
      assert.match(found ?? "", expected);
      assert.deepEqual(more, []);
    }
  });

  it("must match the ARN", () => {
    const wrong: readonly [string, string, RegExp][] = [
      [DOMAIN, DOMAIN_ARN.replace("eu-central-1", "eu-west-1"), /sigv4\.arn: must be in the region of host/],
      [DOMAIN, DOMAIN_ARN.replace("/logs", "/other"), /sigv4\.arn: must be the ARN of the domain in host/],
      [DOMAIN, COLLECTION_ARN, /sigv4\.arn: must be the ARN of the domain in host/],
      [COLLECTION, DOMAIN_ARN, /sigv4\.arn: must be the ARN of the collection in host/],
      [COLLECTION, COLLECTION_ARN.replace("07t", "17t"), /sigv4\.arn: must be the ARN of the collection in host/],
      [COLLECTION, COLLECTION_ARN.replace("eu-central-1", "eu-west-1"), /sigv4\.arn: must be in the region of host/],
    ];
    for (const [host, arn, expected] of wrong) {
      const found = issues(signed(host, arn));
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    }
  });

  it("may have a custom name", () => {
    assert.deepEqual(issues(signed("logs.example.com", DOMAIN_ARN)), []);
  });

  it("is not recognized in other names", () => {
    for (const host of ["es.example.com", "search.amazonaws.com.example.com", "myes.amazonaws.example"])
      assert.deepEqual(issues({ kind: "opensearch", host }), []);
  });
});

describe("Signed requests", () => {
  const destination = signed(DOMAIN, DOMAIN_ARN);

  it("require a collector that signs, named in the message", () => {
    for (const collector of ["fluent-bit", "vector"]) {
      const errors = check({ collector, destination }).filter(({ severity }) => severity !== "warning");
      assert.deepEqual(errors, [], collector);
    }
    for (const [collector, title] of [
      ["fluentd", "Fluentd"],
      ["logagent", "Logagent"],
    ]) {
      const found = issues(destination, { collector });
      assert.ok(
        found.some((line) => line.startsWith(`destination.sigv4: must not be set with ${title}, which cannot sign`)),
        found.join("\n"),
      );
    }
  });

  it("require an identity, which a team's pod and a non-EKS cluster lack", () => {
    assert.match(
      check({ destination }, "existing").map(formatIssue).join(),
      /^destination\.sigv4: must not be set, since only cluster\.kind eks and eks-existing give pods an AWS identity/,
    );
    assert.match(
      issues(destination, { mode: "sidecar", sidecar: { destinationCidrs: ["10.0.0.0/8"] } }).join(),
      /^destination\.sigv4: must not need an AWS identity with mode sidecar/,
    );
  });

  it("stay in the cluster's partition", () => {
    const other = DOMAIN_ARN.replace("arn:aws:", "arn:aws-cn:");
    assert.match(
      issues(signed("logs.example.com", other)).join(),
      /^destination\.sigv4\.arn: must be in partition aws,/,
    );
  });

  const wrong: readonly [string, object, RegExp][] = [
    ["credentials", { ...destination, credentials }, /^: sigv4 and credentials are mutually exclusive$/],
    ["no TLS", { ...destination, tls: false, port: 80 }, /^: sigv4 requires TLS/],
    [
      "an ARN of something else",
      { ...destination, sigv4: { arn: "arn:aws:s3:::logs" } },
      /^sigv4\.arn: must be the ARN/,
    ],
    ["an ARN with a wildcard", { ...destination, sigv4: { arn: `${DOMAIN_ARN}/*` } }, /^sigv4\.arn: must be the ARN/],
  ];
  for (const [what, given, expected] of wrong)
    it(`go with no ${what}`, () => {
      const found = issuesIn(LoggingSettings.shape.destination, given);
      assert.equal(found.length, 1, found.join("\n"));
      assert.match(found[0] ?? "", expected);
    });

  it("let the role only write documents there", () => {
    assert.deepEqual(searchStatement({ arn: DOMAIN_ARN }), {
      Action: ["es:ESHttpPost"],
      Effect: "Allow",
      Resource: [`${DOMAIN_ARN}/_bulk`],
      Sid: "WriteDocuments",
    });
    assert.deepEqual(searchStatement({ arn: COLLECTION_ARN }), {
      Action: ["aoss:APIAccessAll"],
      Effect: "Allow",
      Resource: [COLLECTION_ARN],
      Sid: "WriteDocuments",
    });
    assert.deepEqual(signingOf({ arn: COLLECTION_ARN }), {
      service: "aoss",
      region: "eu-central-1",
      name: "07tjusf2h91cunochc",
      partition: "aws",
    });
  });
});
