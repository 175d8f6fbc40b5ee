import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runLab } from "../support/run-lab.ts";
import { commandsOf, pages, wordsOf } from "./markdown.ts";

/** A command of the command line that a page shows: its words after `lab`. */
interface LabCommand {
  readonly where: string;
  readonly args: readonly string[];
}

/** Those that ask neither a cluster nor an account, and so run here as they are shown. */
const OFFLINE = [
  /^plan --manifests/,
  /^policies\b/,
  /^collectors\b/,
  /^images --stack local/,
  /^dns profile\b/,
  /^dns schema$/,
  /^drill list$/,
];

const WRONG = `config:
  aws:region: eu-central-1
  eks-dns-logging:cluster: { kind: eks, version: "1.29" }
  eks-dns-logging:teams: [{ name: ts, peers: [nobody] }, { name: sa }]
  eks-dns-logging:logging: { index: { prefix: Logs } }
`;

function labCommands(): LabCommand[] {
  return pages()
    .flatMap(commandsOf)
    .flatMap(({ where, command }) => {
      const [npm, run, name = "", separator, ...rest] = wordsOf(command.replace("--silent ", ""));
      if (npm !== "npm" || run !== "run" || !["lab", "plan", "verify"].includes(name)) return [];
      assert.ok(
        separator === undefined || separator === "--",
        `${where}: npm takes the flags of ${command} for its own`,
      );
      return [{ where, args: name === "lab" ? rest : [name, ...rest] }];
    });
}

describe("the commands of the pages", () => {
  const commands = labCommands();
  const lines = [...new Set(commands.map(({ args }) => args.join(" ")))];

  it("have the subcommands and options that the command line has", async () => {
    assert.ok(lines.length >= 20, lines.join("\n"));
    const help = new Map<string, string>();
    for (const { where, args } of commands) {
      const subcommand = args[0] === "dns" || args[0] === "drill" ? args.slice(0, 2) : args.slice(0, 1);
      if (subcommand[0]?.startsWith("-")) continue;
      const name = subcommand.join(" ");
      if (!help.has(name)) {
        const run = await runLab([...subcommand, "--help"]);
        assert.equal(run.exitCode, 0, `${where}: ${run.stderr}`);
        const wide = run.stdout.split("\n").filter((line) => line.length > 80);
        assert.deepEqual(wide, [], `the help of ${name} is wider than a terminal`);
        help.set(name, run.stdout);
      }
      assert.match(help.get(name) ?? "", new RegExp(`^Usage: lab ${name} `), where);
      for (const flag of args.filter((word) => word.startsWith("--")))
        assert.match(help.get(name) ?? "", new RegExp(`^ +(-\\w, )?${flag}\\b`, "m"), `${where}: ${name} ${flag}`);
    }
  }).timeout(120_000);

  it("plan what the README shows", async () => {
    const readme = pages().find(({ file }) => file === "README.md")?.text ?? "";
    const shown = /```text\n( +\+ \d+ to create[^`]*)```/.exec(readme)?.[1]?.trimEnd().split("\n") ?? [];
    assert.equal(shown.length, 2);
    const { stdout } = await runLab(["plan"]);
    assert.deepEqual(
      shown.filter((line) => !stdout.split("\n").includes(line)),
      [],
    );
  });

  it("plan as many resources as the README says, for the stack that collects logs on an existing cluster", async () => {
    const readme = pages().find(({ file }) => file === "README.md");
    const [, resources = ""] = /only collects logs, with (\d+) resources/.exec(readme?.text ?? "") ?? [];
    const stack = readme?.blocks.find(({ text }) => text.includes("kind: eks-existing"))?.text ?? "";
    const folder = await mkdtemp(join(tmpdir(), "commands-"));
    try {
      await writeFile(join(folder, "prod.yaml"), `config:\n${stack.replaceAll(/^/gm, "  ")}\n`);
      const { stdout, stderr } = await runLab(["plan", "--config-file", join(folder, "prod.yaml")]);
      assert.match(stdout, new RegExp(`to create: ${resources} resources`), stderr);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("report the errors that the README shows", async () => {
    const folder = await mkdtemp(join(tmpdir(), "commands-"));
    try {
      await writeFile(join(folder, "wrong.yaml"), WRONG);
      const { exitCode, stderr } = await runLab(["plan", "--config-file", join(folder, "wrong.yaml")]);
      assert.equal(exitCode, 2);
      const readme = pages().find(({ file }) => file === "README.md")?.text ?? "";
      assert.ok(readme.includes(`wrong.yaml\n${stderr}\`\`\``), stderr);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("run as they are shown, where they ask no cluster", async () => {
    const folder = await mkdtemp(join(tmpdir(), "commands-"));
    try {
      const offline = lines.filter((line) => OFFLINE.some((pattern) => pattern.test(line)));
      assert.ok(offline.length >= 5, offline.join("\n"));
      for (const line of offline) {
        const args = line.split(" ").map((word) => (word === "manifests" ? join(folder, word) : word));
        const { exitCode, stderr } = await runLab(args, { HOME: folder });
        assert.equal(exitCode, 0, `lab ${line}: ${stderr}`);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }).timeout(120_000);
});
