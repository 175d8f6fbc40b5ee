import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { errorMap, formatIssue, issuesOf, SettingsError } from "../../../components/schema/errors.ts";
import { parseSettings, StackSettings } from "../../../components/settings.ts";
import { innerOf } from "./inner-schemas.ts";
import { INVALID_SETTINGS } from "./invalid-settings.ts";

const EKS = { cluster: { kind: "eks" } };

/** What is said of settings as they stand in a stack's file, a line each. */
function saidOf(text: string): string[] {
  const settings: unknown = parse(text);
  assert.ok(typeof settings === "object" && settings !== null);
  const config = Object.entries({ cluster: { kind: "existing" }, ...settings }).map(([key, value]) => [
    key.includes(":") ? key : `eks-dns-logging:${key}`,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
  try {
    parseSettings(Object.fromEntries([["aws:region", "eu-central-1"], ...config]));
  } catch (error) {
    assert.ok(error instanceof SettingsError, String(error));
    return error.message
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
}

describe("The message of an invalid setting", () => {
  for (const [settings, ...lines] of INVALID_SETTINGS) {
    it(`names it, its value and all that is valid: ${settings}`, () => assert.deepEqual(saidOf(settings), lines));
  }

  it("is in this program's own words for whatever value of whatever setting", () => {
    const garbage = [
      "",
      " ",
      "4 cores",
      "a b",
      "\u0000ä",
      "x".repeat(5000),
      -1,
      0,
      1.5,
      1e12,
      true,
      null,
      [],
      [{}],
      {},
      { a: 1 },
    ];
    const [said, visited] = [new Map<string, string>(), new Set<z.core.$ZodType>()];
    const visit = (path: string, schema: z.core.$ZodType): void => {
      if (visited.has(schema)) return;
      visited.add(schema);
      for (const value of garbage) {
        const { error } = z.safeParse(schema, value, { error: errorMap });
        for (const issue of error === undefined ? [] : issuesOf(new z.ZodError(error.issues), value, [path]))
          said.set(issue.message, path);
      }
      for (const [key, inner] of innerOf(schema)) visit(`${path}.${key}`, inner);
    };
    visit("", StackSettings);
    assert.ok(visited.size > 400 && said.size > 100, `${visited.size} schemas, ${said.size} messages`);
    const foreign = [...said].filter(([message]) =>
      /^Invalid|expected|match pattern|\b(undefined|NaN)\b|\\d|\[object/.test(message),
    );
    assert.deepEqual(foreign, []);
  });

  it("shows only the beginning of a long key, value or name, and both ends of a long list", () => {
    const [long, cut] = ["a".repeat(5000), `${"a".repeat(77)}…`];
    const [known = ""] = saidOf("curlPod: {b: 1}");
    assert.deepEqual(saidOf(JSON.stringify({ curlPod: { [long]: 1 } })), [known.replace(".b:", `.${cut}:`)]);
    const rewrite = { match: "exact", from: `${long}.example`, to: "{9}.example" };
    const dns = { corefile: { options: { rewrite: [rewrite, { ...rewrite, match: "regex" }] } } };
    const said = saidOf(JSON.stringify({ dns }));
    assert.ok(said.length > 1 && said.every((line) => line.includes("dns.")), String(said));
    for (const line of said) assert.ok(line.length < 400, line);
    const teams = Array.from({ length: 400 }, (_, index) => ({ name: `team-${index}`, peers: ["nobody"] }));
    const [first = ""] = saidOf(JSON.stringify({ teams }));
    assert.match(
      first,
      /^teams\[0\]\.peers\[0\]: must be the name of another team \(team-1, .* … .* team-399\) \(found "nobody"\)$/,
    );
    assert.ok(first.length < 2100, first);
  });

  it("names the type of a value that JSON cannot represent, which only a program can pass", () => {
    const circle: Record<string, unknown> = {};
    circle.own = circle;
    const values = [() => 1, 10n, circle, Symbol("a"), Number.NaN];
    assert.deepEqual(
      values.map((value) => formatIssue({ path: ["ts", "team"], message: "must be a string", value })),
      ["a function", "a bigint", "an object", "a symbol", "NaN"].map(
        (type) => `ts.team: must be a string (found ${type})`,
      ),
    );
  });

  it("is absent for valid values, including those at the bounds", () => {
    const right = [
      "curlPod: {lifetime: 60}",
      "curlPod: {lifetime: 31536000}",
      "curlPod: {lifetime: infinity}",
      "curlPod: {ndots: 15}",
      "teams: [{name: ts, limits: {memoryRequest: 1Gi, memoryLimit: 1024Mi, maxMemory: 2G}}]",
      "logging: {destination: {kind: loki, url: 'https://loki.example.com/'}}",
      "logging: {destination: {kind: http, url: 'https://logs.example.com/in?to=me@example.com'}}",
      "kubernetes:cluster: kind-lab",
      JSON.stringify({ ...EKS, curlPod: {} }),
    ];
    assert.deepEqual(right.flatMap(saidOf), []);
  });
});
