import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parseDocument } from "yaml";
import { z } from "zod";
import { CONFIG_NAMESPACE, extend } from "../../components/schema/extends.ts";
import { parseSettings } from "../../components/settings.ts";
import { readStack } from "../../lab/stack-file.ts";
import { ruleConfig, unknownRules } from "../../policies/core/pack-config.ts";
import { RULES } from "../../policies/pack.ts";
import { anchorsOf, type Block, cellsOf, commandsOf, linksOf, PROJECT_FOLDER, pages, wordsOf } from "./markdown.ts";

const MAX_CELL_WORDS = 20;
const MAX_README_LINES = 150;

const Group = z.record(z.string(), z.unknown());
const Environment = z.strictObject({
  env: z.array(z.strictObject({ name: z.string(), value: z.string() })).min(1),
});
const TrustPolicy = z.strictObject({
  Version: z.literal("2012-10-17"),
  Statement: z.array(z.looseObject({ Effect: z.literal("Allow"), Principal: Group, Action: z.string() })),
});

/** Options of the programs that the pages call, from the programs' own references. */
const PROGRAMS: Readonly<Record<string, RegExp>> = {
  aws: /^aws eks describe-addon-configuration\b/,
  curl: /^curl (-\S+ .*)?https:\/\//,
  gh: /^gh attestation verify \S+ --repo OWNER\/\S+$/,
  git: /^git (fetch --tags|clone \S+)$/,
  kind: /^kind create cluster$/,
  kubectl: /^kubectl (-n \S+ )?(get|exec|logs|describe|port-forward|run|create|apply|top|rollout)\b/,
  ls: /^ls -l \/var\/log\/containers$/,
  pulumi:
    /^pulumi (login --local|package add github\.com\/OWNER\/eks-dns-logging\/library@v\d+\.\d+\.\d+|stack (init|select) \S+( --secrets-provider .+)?|stack output verify|plugin install resource kubernetes \d+\.\d+\.\d+|cancel|destroy|refresh --clear-pending-creates|(up|preview)( --(refresh|replace '[^']+'|policy-pack policies|policy-pack-config policy-config\.json))*)$/,
  tail: /^tail -n 1 \/var\/log\/pods\//,
};

/** Name of the npm package that this project publishes. */
const LIBRARY = "eks-dns-logging-components";

const all = pages();
const page = (file: string) => all.find((candidate) => candidate.file === file);
const text = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

function merged(over: unknown, base: unknown): unknown {
  const [own, below] = [Group.safeParse(over), Group.safeParse(base)];
  if (Array.isArray(over) || !own.success || !below.success) return over;
  return {
    ...below.data,
    ...Object.fromEntries(Object.entries(own.data).map(([key, value]) => [key, merged(value, below.data[key])])),
  };
}

function yamlOf({ page: file, line, text: source }: Block): unknown {
  const document = parseDocument(source, { strict: true, uniqueKeys: true });
  const [issue] = [...document.errors, ...document.warnings];
  assert.equal(issue?.message, undefined, `${file}:${line}`);
  return document.toJS();
}

describe("the pages", () => {
  const stacks = new Map<string, Readonly<Record<string, string>>>();
  let folder: string;
  before(async () => {
    for (const name of ["dev", "local"]) stacks.set(name, (await readStack(name)).config);
    folder = await mkdtemp(join(tmpdir(), "pages-"));
    // What one block shows as a file, another may extend.
    for (const { blocks } of all) {
      for (const block of blocks) {
        const [, name] = /^# (environments\/\S+\.yaml)$/m.exec(block.text) ?? [];
        if (block.language !== "yaml" || name === undefined) continue;
        mkdirSync(join(folder, dirname(name)), { recursive: true });
        await writeFile(join(folder, name), block.text);
      }
    }
  });
  after(() => rm(folder, { recursive: true }));

  /** The settings of a block over those of the stack that it belongs to, as the program takes them. */
  function take(settings: Readonly<Record<string, unknown>>, where: string): void {
    const { kind } = Group.parse(settings[`${CONFIG_NAMESPACE}:cluster`] ?? {});
    const eks =
      kind === "eks" ||
      (kind === undefined && (`${CONFIG_NAMESPACE}:cluster` in settings || `${CONFIG_NAMESPACE}:dns` in settings));
    const base = stacks.get(eks ? "dev" : "local") ?? {};
    const config = { ...base };
    for (const [key, value] of Object.entries(settings)) {
      const below: unknown = key in base && base[key]?.startsWith("{") ? JSON.parse(base[key]) : base[key];
      // Only a cluster is shown in part; all other sections have defaults.
      config[key] = text(key.endsWith(":cluster") ? merged(value, below) : value);
    }
    try {
      parseSettings(config);
    } catch (error) {
      assert.fail(`${where}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  it("show YAML that is taken", () => {
    let taken = 0;
    for (const block of all.flatMap(({ blocks }) => blocks).filter(({ language }) => language === "yaml")) {
      const where = `${block.page}:${block.line}`;
      const value = Group.parse(yamlOf(block), { error: () => where });
      const keys = Object.keys(value);
      if (keys.every((key) => key.includes(":"))) take(value, where);
      else if (keys.includes("config")) {
        const { "eks-dns-logging:extends": file, ...own } = Group.parse(value.config);
        const isOwn = ([key]: [string, unknown]) => key.startsWith(`${CONFIG_NAMESPACE}:`);
        const named = Object.entries(own).filter(isOwn);
        const others = Object.entries(own).filter((entry) => !isOwn(entry));
        const short = named.map(([key, each]) => [key.slice(CONFIG_NAMESPACE.length + 1), each]);
        const { settings, issues } = extend({ extends: file, ...Object.fromEntries(short) }, {}, folder);
        assert.deepEqual(issues, [], where);
        take({ ...Object.fromEntries(others), ...prefixed(settings) }, where);
      } else if (/^# environments\//.test(block.text)) take(prefixed(value), where);
      else Environment.parse(value, { error: () => `${where}: neither settings nor a part of a pod` });
      taken++;
    }
    assert.ok(taken >= 20, `${taken}`);
  });

  const prefixed = (settings: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`${CONFIG_NAMESPACE}:${key}`, value]));

  it("show JSON that is a trust policy or a configuration of the policies", () => {
    const blocks = all.flatMap(({ blocks }) => blocks).filter(({ language }) => language === "json");
    assert.ok(blocks.length >= 3);
    for (const { page: file, line, text: source } of blocks) {
      const value: unknown = JSON.parse(source);
      if (TrustPolicy.safeParse(value).success) continue;
      const config = Group.parse(value);
      assert.deepEqual(unknownRules(RULES, config), [], `${file}:${line}`);
      const issues = RULES.filter(({ id }) => id in config).flatMap((rule) => ruleConfig(rule, config).issues);
      assert.deepEqual(issues, [], `${file}:${line}`);
    }
  });

  it("show commands of programs and npm scripts that there are", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(PROJECT_FOLDER, "package.json"), "utf8")));
    const commands = all.flatMap(commandsOf);
    assert.ok(commands.length >= 60, `${commands.length}`);
    for (const { where, command } of commands) {
      const [program = "", first, second = ""] = wordsOf(command);
      if (program === "npm") {
        const known = { ci: true, test: true, run: second in scripts, install: second === LIBRARY };
        assert.ok(first !== undefined && Reflect.get(known, first), `${where}: ${command}`);
      } else assert.match(command, PROGRAMS[program] ?? /^\b$/, `${where}: ${command}`);
    }
    // The same for npm scripts within a sentence or a table.
    for (const { file, prose } of all)
      for (const [, script = ""] of prose.join("\n").matchAll(/`npm run (?:--silent )?([\w:-]+)/g))
        assert.ok(script in scripts, `${file}: npm run ${script}`);
  });

  it("say in which language each block is", () => {
    for (const { page: file, line, language } of all.flatMap(({ blocks }) => blocks))
      assert.ok(
        ["sh", "console", "yaml", "json", "typescript", "text", "mermaid"].includes(language),
        `${file}:${line} ${language}`,
      );
  });

  it("show TypeScript that is a part of the example, which a test compiles", () => {
    const example = readFileSync(join(PROJECT_FOLDER, "examples/typescript/index.ts"), "utf8");
    const blocks = all.flatMap(({ blocks }) => blocks).filter(({ language }) => language === "typescript");
    assert.ok(blocks.length > 0);
    for (const { page: file, line, text: source } of blocks) assert.ok(example.includes(source), `${file}:${line}`);
  });

  it("link to files and headings that there are", () => {
    for (const from of all) {
      for (const { file, fragment } of linksOf(from)) {
        assert.ok(existsSync(join(PROJECT_FOLDER, file)), `${from.file}: ${file}`);
        const target = page(file);
        if (fragment === "" || target === undefined) continue;
        assert.ok(anchorsOf(target).includes(fragment), `${from.file}: ${file}#${fragment}`);
      }
    }
  });

  it("are each linked from another page", () => {
    const linked = new Set(
      all.flatMap((from) => linksOf(from).flatMap(({ file }) => (file === from.file ? [] : [file]))),
    );
    for (const { file } of all) {
      if (!file.startsWith("docs/")) continue;
      assert.ok(linked.has(file), file);
    }
  });

  it(`have at most ${MAX_CELL_WORDS} words in a cell of a table`, () => {
    for (const each of all)
      for (const cell of cellsOf(each))
        assert.ok(
          cell.split(/\s+/).length <= MAX_CELL_WORDS,
          `${each.file}: ${cell.split(/\s+/).length} words: ${cell}`,
        );
  });

  it("name files of the project that there are", () => {
    for (const { file, prose } of all) {
      if (file === "CHANGELOG.md") continue;
      const named = prose
        .join("\n")
        .matchAll(/`((?:components|corefile|policies|lab|tools|test|docs)\/[a-z0-9./-]*)`/g);
      for (const [, path = ""] of named) assert.ok(existsSync(join(PROJECT_FOLDER, path)), `${file}: ${path}`);
    }
  });

  it("begin with a README that is read in minutes, whose first two commands run the main job and the tests", () => {
    const readme = page("README.md");
    assert.ok(readme !== undefined && readme.text.trimEnd().split("\n").length <= MAX_README_LINES);
    assert.deepEqual(
      commandsOf(readme)
        .slice(0, 4)
        .map(({ command }) => command),
      ["npm ci", "npm run plan", "npm ci", "npm test"],
    );
    for (const heading of [
      "Installation",
      "Quick start",
      "Architecture",
      "Configuration",
      "Troubleshooting",
      "Clean up",
    ])
      assert.ok(readme.text.includes(`\n## ${heading}\n`), heading);
  });
});

describe("the walks of ARCHITECTURE.md", () => {
  const [, walks = ""] = page("ARCHITECTURE.md")?.text.split("## Three walks") ?? [];
  for (const setting of ["teams[].peers", "logging.index.splitBy", "dns.corefile.options.cache.success.capacity"])
    it(`take ${setting} through at most four files, all of which name it`, () => {
      const [, walk = ""] = walks.split(`### \`${setting}\``);
      const files = [...(walk.split("\n#")[0] ?? "").matchAll(/^\d\. `([^`]+)`/gm)].map(([, file]) => file ?? "");
      assert.ok(files.length >= 3 && files.length <= 4, files.join(", "));
      const key = setting.split(".").at(-1) ?? "";
      for (const file of files)
        assert.match(readFileSync(join(PROJECT_FOLDER, file), "utf8"), new RegExp(`\\b${key}\\b`), file);
    });
});

describe("the checks of the pages", () => {
  it("find what they look for", () => {
    const planted = {
      file: "docs/x.md",
      text: "",
      blocks: [{ page: "docs/x.md", line: 3, language: "console", text: "$ npm run plan && npm test # twice\noutput" }],
      prose: [
        "# A title: here",
        "[a](../b.md#c) [d](#a-title-here) [e](https://example.com)",
        "| one | `a \\| b` |",
        "|---|---|",
      ],
    };
    assert.deepEqual(commandsOf(planted), [
      { where: "docs/x.md:3", command: "npm run plan" },
      { where: "docs/x.md:3", command: "npm test" },
    ]);
    assert.deepEqual(linksOf(planted), [
      { file: "b.md", fragment: "c" },
      { file: "docs/x.md", fragment: "a-title-here" },
    ]);
    assert.deepEqual(anchorsOf(planted), ["a-title-here"]);
    assert.deepEqual(cellsOf(planted), ["one", "`a \\| b`"]);
    assert.deepEqual(wordsOf("pulumi up --replace '**-curl pod'"), ["pulumi", "up", "--replace", "**-curl pod"]);
  });
});
