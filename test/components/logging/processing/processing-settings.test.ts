import assert from "node:assert/strict";
import type { Collector } from "../../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../../components/logging/collectors/index.ts";
import { type DestinationContext, logPipeline } from "../../../../components/logging/pipeline.ts";
import { droppedTimes } from "../../../../components/logging/processing/processing.ts";
import { PROCESSING_STEPS } from "../../../../components/logging/processing/settings.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { checkPipeline } from "../../../../components/logging/validation.ts";
import { formatIssue } from "../../../../components/schema/errors.ts";
import { issuesIn } from "../../../support/issues.ts";

const EXAMPLES = {
  redact: ["email"],
  drop: [{ levels: ["debug"] }],
  sample: [{ ratio: 0.1 }],
  limit: [{ linesPerSecond: 100 }],
  firstLines: [{ pattern: "^\\d{4}-" }],
  fields: { env: "prod" },
};
const check = (settings: object, teams?: readonly { name: string }[]) =>
  checkPipeline(LoggingSettings.parse(settings), teams).map(formatIssue);

describe("Settings of processing", () => {
  for (const [processing, message] of [
    [{ drop: [{}] }, /^processing.drop\[0\]: must have a condition/],
    [{ drop: [{ labels: {} }] }, /^processing.drop\[0\]: must have a condition that some lines do not meet/],
    [{ drop: [{ streams: ["stdout", "stderr"] }] }, /^processing.drop\[0\]: must have a condition/],
    [
      { drop: [{ pattern: "(?=a)" }] },
      /^processing.drop\[0\].pattern: must be a regular expression that all collectors read alike, without a group/,
    ],
    [{ redact: [{ pattern: "^\\s*$" }] }, /^processing\.redact\[0\]\.pattern: must not match an empty string$/],
    [{ redact: [{ pattern: "" }] }, /^processing\.redact\[0\]\.pattern: must not be empty$/],
    [{ redact: [{ pattern: "a*" }] }, /^processing\.redact\[0\]\.pattern: must not match an empty string$/],
    [{ firstLines: [{ pattern: "^" }] }, /^processing\.firstLines\[0\]\.pattern: must not match an empty string$/],
    ...["a*", "^", "$", "^\\s*", "\\s*$", "(?:a?|^)$|x", "(^|b)(a|$)?", "\\b"].map((pattern): [object, RegExp] => [
      { drop: [{ pattern }] },
      /^processing\.drop\[0\]\.pattern: must not match an empty string, unless between \^ and \$, since it would match every line$/,
    ]),
    [{ redact: [{ pattern: "(a+)+b" }] }, /pattern: must be a regular expression without a quantifier within another/],
    [{ redact: ["passport"] }, /^processing\.redact\[0\]: must be one of .*, or an object with a pattern$/],
    [{ redact: [{ pattern: "a", replacement: 'say "a"' }] }, /replacement: must have no quotation mark/],
    [
      { redact: [{ pattern: "a", replacement: "$1" }] },
      /replacement: must contain \$ only as \$1 to \$9 for groups of the pattern, which has 0/,
    ],
    [{ redact: [{ pattern: "(a|b){2}", replacement: "$1" }] }, /no group may then be repeated/],
    [{ sample: [{ ratio: 1 }] }, /ratio: must be a number from 0.001 to 0.999/],
    [{ limit: [{ linesPerSecond: 0 }] }, /linesPerSecond: must be an integer from 1/],
    [{ fields: { log: "x" } }, /must not be a field that records already have/],
    [{ fields: { env: "two words" } }, /must be a quoted string of 1 to 128 letters/],
    [{ fields: { env: true } }, /must be a quoted string of 1 to 128 letters/],
  ] as const)
    it(`are refused: ${JSON.stringify(processing)}`, () => {
      const issues = issuesIn(LoggingSettings, { processing });
      assert.match(issues.join("\n"), message);
    });

  it("may match empty or blank lines", () => {
    for (const pattern of ["^$", "^\\s*$", "^(?:|-+)$", "^ *$|^#", "(?:^)(?:$|\\s+$)"]) {
      assert.deepEqual(issuesIn(LoggingSettings, { processing: { drop: [{ pattern }] } }), [], pattern);
      assert.deepEqual(issuesIn(LoggingSettings, { processing: { sample: [{ pattern, ratio: 0.5 }] } }), [], pattern);
    }
  });

  it("are rejected if a collector does not support them, with its name, and else accepted", () => {
    for (const { id, title, processing, modes } of Object.values(COLLECTORS))
      for (const step of PROCESSING_STEPS) {
        const [mode] = modes;
        if (mode === "sidecar" && processing[step] === true) continue;
        const found = check({ collector: id, mode, processing: { [step]: EXAMPLES[step] } }).filter((issue) =>
          issue.startsWith("processing"),
        );
        const why = processing[step];
        if (why === true) assert.deepEqual(found, [], id);
        else
          assert.ok(
            found[0]?.startsWith(`processing.${step}: must not be set with ${title}, ${why}`),
            `${id}: ${found[0]}`,
          );
      }
  });

  it("must name teams of the stack, and existing namespaces", () => {
    const drop = [{ teams: ["ts", "tx"] }, { teams: ["ts"], namespaces: ["other"] }];
    assert.deepEqual(check({ processing: { drop } }, [{ name: "ts" }]), [
      'processing.drop[0].teams[1]: must be the name of a team, one of ts (found "tx")',
      "processing.drop[1]: teams and namespaces have no namespace in common, so it matches no line",
    ]);
  });

  it("get a warning if they match no line that is collected", () => {
    const told = (at: string, value: string, reason = "logging.namespaces.include leaves it out") =>
      `processing.${at}: has no effect, since ${reason} (found "${value}")`;
    const processing = {
      drop: [{ namespaces: ["kube-system"], pattern: "x" }, { labels: { app: "api" } }],
      sample: [{ namespaces: ["shop", "b"], ratio: 0.5 }],
      limit: [{ teams: ["ts"], linesPerSecond: 5 }],
      firstLines: [{ namespaces: ["b"], pattern: "x" }],
    };
    const namespaces = { include: ["shop"] };
    assert.deepEqual(check({ namespaces, labels: { app: "web" }, processing }, [{ name: "ts" }]), [
      told("drop[0].namespaces[0]", "kube-system"),
      told("drop[1].labels.app", "api", "logging.labels collects only pods with app: web"),
      told("sample[0].namespaces[1]", "b"),
      told("limit[0].teams[0]", "ts", "logging.namespaces leaves out ts-team"),
      told("firstLines[0].namespaces[0]", "b"),
    ]);
    assert.deepEqual(check({ processing }, [{ name: "ts" }]), []);
  });

  it("reject levels without JSON, and pod conditions in a sidecar", () => {
    assert.match(
      check({ parseJson: false, processing: { drop: EXAMPLES.drop } }).join(),
      /levels: must not be set with parseJson false/,
    );
    const found = check({ mode: "sidecar", processing: { ...EXAMPLES, drop: [{ streams: ["stderr"] }] } });
    for (const key of ["sample", "limit", "firstLines", "drop[0].streams"])
      assert.ok(
        found.some((issue) => issue.startsWith(`processing.${key}: must not be set with mode sidecar`)),
        key,
      );
  });

  describe("name the cluster in each record", () => {
    const destinationOf = ({ destinations }: Collector) =>
      destinations.elasticsearch === true
        ? { kind: "elasticsearch", host: "search.example.com" }
        : { kind: "loki", url: "http://loki.example.com" };
    const CONTEXT = { cluster: "prod", region: "eu-west-1" };
    const rendered = (collector: Collector, settings: object, context: DestinationContext = CONTEXT) =>
      collector.render(
        logPipeline(
          LoggingSettings.parse({ collector: collector.id, destination: destinationOf(collector), ...settings }),
          context,
        ),
      );

    it("and the account only with it", () => {
      const accountId = "111122223333";
      assert.deepEqual(check({ metadata: { accountId } }), []);
      assert.deepEqual(check({ metadata: { accountId, cluster: false } }), [
        "metadata: accountId and cluster: false are mutually exclusive",
      ]);
      assert.equal(LoggingSettings.safeParse({ metadata: { accountId: "1111" } }).success, false);
    });

    for (const collector of Object.values(COLLECTORS)) {
      const [mode] = collector.modes;
      if (collector.processing.fields === true)
        it(`with ${collector.title}, and its region where that is known`, () => {
          const unnamed = { metadata: { cluster: false } };
          const fields = (values: object) => ({ ...unnamed, processing: { fields: values } });
          const both = { k8s_cluster_name: "prod", cloud_region: "eu-west-1" };
          assert.deepEqual(rendered(collector, {}), rendered(collector, fields(both)));
          assert.deepEqual(
            rendered(collector, { metadata: { accountId: "111122223333" } }),
            rendered(collector, fields({ ...both, cloud_account_id: "111122223333" })),
          );
          assert.notDeepEqual(rendered(collector, {}), rendered(collector, unnamed));
          assert.deepEqual(
            rendered(collector, {}, { cluster: "lab", region: undefined }),
            rendered(collector, fields({ k8s_cluster_name: "lab" })),
          );
          const own = fields({ k8s_cluster_name: "blue" });
          assert.deepEqual(
            rendered(collector, { processing: own.processing }),
            rendered(collector, fields({ ...both, k8s_cluster_name: "blue" })),
          );
        });
      else
        it(`are refused with ${collector.title}`, () => {
          assert.deepEqual(
            check({ collector: collector.id, mode, metadata: { cluster: true } }).filter((issue) =>
              /cluster/.test(issue),
            ),
            [`metadata.cluster: must be false with ${collector.title}, which adds no fields here (found true)`],
          );
          assert.deepEqual(
            check({ collector: collector.id, mode, metadata: { accountId: "111122223333" } }).filter((issue) =>
              /account/.test(issue),
            ),
            [
              `metadata.accountId: must not be set with ${collector.title}, which adds no fields here (found "111122223333")`,
            ],
          );
        });
    }
  });
});

describe("The times of a sample", () => {
  it("are dropped from a number of microseconds on, and kept if they have none", () => {
    const times = Array.from({ length: 1000 }, (_, at) => `2026-02-01T10:00:00.123${String(at).padStart(3, "0")}789Z`);
    for (const kept of [1, 7, 9, 10, 99, 100, 250, 333, 501, 900, 990, 999]) {
      const drops = new RegExp(droppedTimes(kept));
      const found = times.map((time) => drops.test(time));
      const expected = times.map((_, at) => at >= kept);
      assert.deepEqual(found, expected, String(kept));
      assert.deepEqual(
        ["2026-02-01T10:00:59Z", "2026-02-01T10:00:59.999Z"].map((time) => drops.test(time)),
        [false, false],
      );
    }
  });
});
