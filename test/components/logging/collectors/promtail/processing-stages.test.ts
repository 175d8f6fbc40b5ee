import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { promtail } from "../../../../../components/logging/collectors/promtail/index.ts";
import { REDACTION_KINDS } from "../../../../../components/logging/processing/redaction.ts";
import { ODD_SECRETS } from "../../../../support/collectors/json-secrets.ts";
import { OWN_REDACTION, plantedLines } from "../../../../support/collectors/secrets.ts";
import { pipelines } from "../pipelines.ts";

const pipelineOf = pipelines({ collector: "promtail", destination: { kind: "loki", url: "http://loki:3100" } });
const Configuration = z.looseObject({
  scrape_configs: z.tuple([
    z.looseObject({
      relabel_configs: z.array(z.unknown()),
      pipeline_stages: z.array(z.record(z.string(), z.unknown())),
    }),
  ]),
});

function render(processing: object, more: object = {}) {
  const { files } = promtail.render(pipelineOf({ processing, multiline: [], ...more }));
  const [config] = Configuration.parse(parse(files["promtail.yaml"] ?? "")).scrape_configs;
  const { pipeline_stages: stages, relabel_configs: relabel } = config;
  // What stands between the runtime's format, with the line's end and time, and the record.
  return { all: stages, steps: stages.slice(3, -3), relabel };
}

const Replace = z.object({ replace: z.object({ expression: z.string(), replace: z.string() }) });
const CHECKED = /\{\{ if eq \$rest 0 \}\}(.*)\{\{ else \}\}\{\{ \.Value \}\}\{\{ end \}\}$/;

/** As Promtail does it: the one group of each match is replaced, and the template knows its text. */
function replaced({ replace: { expression, replace } }: z.infer<typeof Replace>): (line: string) => string {
  const regex = new RegExp(expression.replaceAll("\\A", "^"), "g");
  const mask = CHECKED.exec(replace)?.[1];
  return (line) =>
    line.replace(regex, (all: string, secret: string) => {
      const stays = all.slice(0, all.length - secret.length);
      if (mask === undefined) return stays + replace;
      return hasCheckDigit(secret) ? stays + mask : all;
    });
}

/** A stage that replaces, or does so in lines that an expression matches. */
type StageOf = z.infer<typeof Replace> | { readonly match: { readonly selector: string; readonly stages: StageOf[] } };
const Stage: z.ZodType<StageOf> = z.union([
  Replace,
  z.object({ match: z.object({ selector: z.string(), stages: z.array(z.lazy(() => Stage)) }) }),
]);

function done(stage: StageOf): (line: string) => string {
  if ("replace" in stage) return stage.replace.replace.includes("regexMatch") ? marked(stage) : replaced(stage);
  const { selector, stages } = stage.match;
  const filter: string = JSON.parse(selector.slice(selector.indexOf("|~") + 3));
  const regex = new RegExp(filter.replaceAll("\\A", "^").replaceAll("\\z", "$"));
  return (line) => (regex.test(line) ? stages.map(done).reduce((text, next) => next(text), line) : line);
}

/** As the template does that tells by an expression which matches get quotation marks. */
function marked({ replace: { expression, replace } }: z.infer<typeof Replace>): (line: string) => string {
  const isBare = new RegExp(/regexMatch `(.*?)`/.exec(replace)?.[1] ?? "");
  const regex = new RegExp(expression.replaceAll("\\A", "^").replaceAll("\\z", "$"), "g");
  return (line) => line.replace(regex, (all) => (isBare.test(all) ? `"${all.replace(/^-/, "")}"` : all));
}

/** By the steps of the template. */
function hasCheckDigit(text: string): boolean {
  const digits = text.replaceAll(/[^0-9]/g, "").split("");
  const sum = digits.reduce((total, digit, at) => {
    const value = Number(digit) * (2 - ((digits.length - at) % 2));
    return total + Math.floor(value / 10) + (value % 10);
  }, 0);
  return sum % 10 === 0;
}

describe("Promtail's processing", () => {
  it("masks planted secrets with its stages, one after another", () => {
    const { steps } = render({ redact: [...REDACTION_KINDS, OWN_REDACTION] });
    const masks = z.array(Stage).parse(steps).map(done);
    assert.ok(masks.length > REDACTION_KINDS.length);
    const missed = [...plantedLines(7), ...ODD_SECRETS].filter(
      ({ text, masked }) => masks.reduce((line, mask) => mask(line), text) !== masked,
    );
    assert.deepEqual(missed.slice(0, 3), []);
  });

  it("redacts joined records, then drops, and builds the record last", () => {
    const processing = {
      firstLines: [{ pattern: "^X" }],
      redact: ["email"],
      drop: [{ levels: ["debug"] }],
      limit: [{ linesPerSecond: 9 }],
      fields: { env: "prod" },
    };
    const { all, relabel } = render(processing);
    assert.deepEqual(
      all.flatMap((stage) => Object.keys(stage)),
      [
        "cri",
        "replace",
        "regex",
        "multiline",
        "replace",
        "template",
        "drop",
        "limit",
        "template",
        "output",
        "labelallow",
      ],
    );
    assert.match(JSON.stringify(all.at(-3)), /,\\"env\\":\\"prod\\"\}"/);
    assert.ok(JSON.stringify(relabel).includes('"separator":"/","target_label":"limit_pod"'));
  });

  it("drops what meets all conditions of a rule", () => {
    const drop = [
      { pattern: "^GET /health" },
      { namespaces: ["shop", "web"], streams: ["stderr"], labels: { "app.kubernetes.io/name": "a.b" } },
      { levels: ["warn"], pattern: 'a"b' },
    ];
    const { steps, relabel } = render({
      drop,
      sample: [
        { teams: ["ts"], ratio: 0.25 },
        { levels: ["debug"], ratio: 0.9 },
      ],
    });
    assert.deepEqual(steps.slice(1), [
      { drop: { expression: "\\AGET\\x20\\x2fhealth" } },
      {
        match: {
          selector: '{job!="", namespace=~"shop|web", stream=~"stderr", rule_label_app_kubernetes_io_name=~"a[.]b"}',
          stages: [{ drop: { source: "time" } }],
        },
      },
      {
        match: {
          selector: '{job!=""} |~ "a\\\\x22b"',
          stages: [{ drop: { source: "level_of_line", expression: "^(warn|warning)$" } }],
        },
      },
      {
        match: {
          selector: '{job!="", namespace=~"ts-team"}',
          stages: [
            {
              drop: {
                source: "time",
                expression: "\\.[0-9]{3}([3-9][0-9][0-9]|2[6-9][0-9]|25[1-9]|250)",
              },
            },
          ],
        },
      },
      {
        drop: {
          source: ["level_of_line", "time"],
          separator: " ",
          expression: "^(debug) .*\\.[0-9]{3}(9[1-9][0-9]|90[1-9]|900)",
        },
      },
    ]);
    const label = { source_labels: ["__meta_kubernetes_pod_label_app_kubernetes_io_name"] };
    assert.ok(
      JSON.stringify(relabel).includes(JSON.stringify({ ...label, target_label: "rule_label_app_kubernetes_io_name" })),
    );
  });

  it("joins records by the first rule for a namespace, and traces elsewhere", () => {
    const firstLines = [
      { namespaces: ["a", "b"], pattern: "^A" },
      { namespaces: ["b", "c"], pattern: "^B" },
    ];
    const joins = (settings: object[], multiline: string[]) =>
      render({ firstLines: settings }, { multiline }).steps.map((step) => {
        const text = JSON.stringify(step);
        return [
          /"selector":"(.*?)\}"/.exec(text)?.[1],
          JSON.parse(`"${/"firstline":"(.*?)","max/.exec(text)?.[1]}"`).slice(0, 5),
        ];
      });
    assert.deepEqual(joins(firstLines, ["java"]), [
      ['{job!=\\"\\", namespace=~\\"a|b\\"', "\\AA"],
      ['{job!=\\"\\", namespace=~\\"c\\"', "\\AB"],
      ['{job!=\\"\\", namespace!~\\"a|b|c\\"', "^([^\\"],
    ]);
    assert.deepEqual(joins([{ pattern: "^A" }], ["java"]), [[undefined, "\\AA"]]);
  });

  it("keeps only the beginning of a match, and rejects other replacements", () => {
    const issues = (pattern: string, replacement: string) =>
      promtail.unsupported(pipelineOf({ processing: { redact: [{ pattern, replacement }] } }));
    assert.deepEqual(issues("(user|id)=\\d+", "$1=[id]"), []);
    assert.deepEqual(issues("(user|id)=\\d+", "$1"), []);
    assert.deepEqual(render({ redact: [{ pattern: "x\\d", replacement: "" }] }).steps, [
      {
        replace: {
          expression: "(?:(?:(?:\\x1b|\\x5cu001[Bb])\\x5b[0-9;]{0,16}m|\\x5c(?:[bfnrt]|u[0-9A-Fa-f]{4}))?)(x[0-9])",
          replace: "",
        },
      },
    ]);
    assert.deepEqual(issues("user=(\\d)\\d+", "user=$1*"), [
      {
        path: ["processing", "redact"],
        message: "must use groups only at the beginning of both pattern and replacement, with Promtail",
        value: "user=$1*",
      },
    ]);
    assert.deepEqual(render({ redact: [{ pattern: "(user|id)=\\d+", replacement: "$1={{x}}" }] }).steps.slice(0, 1), [
      {
        replace: {
          expression:
            "(?:(?:(?:\\x1b|\\x5cu001[Bb])\\x5b[0-9;]{0,16}m|\\x5c(?:[bfnrt]|u[0-9A-Fa-f]{4}))?)(?:user|id)(=[0-9]+)",
          replace: '={{ "{{" }}x}}',
        },
      },
    ]);
  });
});
