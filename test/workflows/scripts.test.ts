import assert from "node:assert/strict";
import { compileFunction } from "node:vm";
import { scriptOf } from "./workflows.ts";

/** A call of GitHub's API: its name and what it was given. */
type Call = readonly [string, Readonly<Record<string, unknown>>];

interface World {
  readonly payload?: object;
  /** What the API answers, by the name of the call. */
  readonly answers: Readonly<Record<string, readonly object[]>>;
  readonly files: Readonly<Record<string, string>>;
  /** Names of those files that are links. */
  readonly links?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a workflow's script as actions/github-script does, and returns what it wrote. */
async function run(
  name: string,
  { payload = {}, answers, files, links = [], env = {} }: World,
): Promise<readonly Call[]> {
  const written: Call[] = [];
  const group = (prefix: string) =>
    new Proxy<Record<string, (args: Readonly<Record<string, unknown>>) => Promise<object>>>(
      {},
      {
        get: (_, method) => async (args: Readonly<Record<string, unknown>>) => {
          const call = `${prefix}.${String(method)}`;
          if (!String(method).startsWith("list")) written.push([call, args]);
          return { data: answers[call] ?? [] };
        },
      },
    );
  const github = {
    rest: { pulls: group("pulls"), issues: group("issues") },
    paginate: async (list: (args: object) => Promise<{ data: object[] }>, args: object) => (await list(args)).data,
  };
  const context = { payload, repo: { owner: "o", repo: "r" }, serverUrl: "https://github.com", runId: 7 };
  const fs = {
    existsSync: (file: string) => Object.keys(files).some((name) => name === file || name.startsWith(`${file}/`)),
    readdirSync: (folder: string) =>
      Object.keys(files).flatMap((name) => (name.startsWith(`${folder}/`) ? [name.slice(folder.length + 1)] : [])),
    lstatSync: (file: string) => ({ isFile: () => file in files && !links.includes(file) }),
    readFileSync: (file: string) => {
      const text = files[file];
      if (text === undefined) throw new Error(`no file ${file}`);
      return text;
    },
  };
  const core = { notice: () => undefined };
  const script = compileFunction(`return (async () => {${scriptOf(name)}})();`, [
    "github",
    "context",
    "core",
    "require",
    "process",
  ]);
  await script(github, context, core, () => fs, { env });
  return written;
}

function only(calls: readonly Call[]): Call {
  const [call] = calls;
  assert.ok(call !== undefined && calls.length === 1, JSON.stringify(calls));
  return call;
}

const MARKER = "<!-- eks-dns-logging: lab diff -->";

describe("the script of comment.yml", () => {
  const workflow_run = {
    html_url: "https://github.com/o/r/actions/runs/7",
    conclusion: "success",
    head_sha: "abc",
    head_branch: "patch",
    head_repository: { owner: { login: "fork" } },
  };
  const pull = { number: 5, head: { sha: "abc" } };
  const world = (
    comments: readonly object[],
    text = `${MARKER}\n### What`,
    pulls: readonly object[] = [pull],
  ): World => ({
    payload: { workflow_run },
    answers: { "pulls.list": pulls, "issues.listComments": comments },
    files: { "preview/comment.md": text },
  });

  it("makes the first comment", async () => {
    const [call, args] = only(await run("comment", world([])));
    assert.equal(call, "issues.createComment");
    assert.equal(args.issue_number, 5);
    assert.ok(String(args.body).startsWith(`${MARKER}\n`));
  });

  it("then changes its own, and nobody else's", async () => {
    const comments = [
      { id: 1, user: { login: "stranger" }, body: `${MARKER}\nmine` },
      { id: 2, user: { login: "github-actions[bot]" }, body: "another workflow's" },
      { id: 3, user: { login: "github-actions[bot]" }, body: `${MARKER}\nold` },
    ];
    assert.deepEqual(
      (await run("comment", world(comments))).map(([call, args]) => [call, args.comment_id]),
      [["issues.updateComment", 3]],
    );
  });

  it("writes nowhere when the pull request has newer commits, or is closed", async () => {
    const newer = { number: 5, head: { sha: "def" } };
    assert.deepEqual(await run("comment", world([], "x", [newer])), []);
    assert.deepEqual(await run("comment", world([], "x", [])), []);
  });

  it("says so where nothing was compared, instead of leaving an older comparison", async () => {
    for (const text of ["", `${MARKER}\n`]) {
      const [, args] = only(await run("comment", world([], text)));
      assert.equal(
        args.body,
        `${MARKER}\nThe two revisions could not be compared: https://github.com/o/r/actions/runs/7\n`,
      );
    }
  });

  it("reads no link, which would show a file of the runner", async () => {
    await assert.rejects(
      run("comment", { ...world([]), links: ["preview/comment.md"] }),
      /comment\.md is not a regular file/,
    );
  });

  it("shows the engine's previews, and says of a failed one that it failed, in place of an earlier green one", async () => {
    const comments = [{ id: 3, user: { login: "github-actions[bot]" }, body: `${MARKER}\n### all green` }];
    const { files } = world(comments);
    const [call, args] = only(
      await run("comment", {
        ...world(comments),
        payload: { workflow_run: { ...workflow_run, conclusion: "failure" } },
        files: {
          ...files,
          "preview/engine-dev.txt": "[mandatory] cluster-logs\n```",
          "preview/engine-dev.failed": "",
          "preview/engine-prod.txt": "Resources: 83 unchanged",
          "preview/engine-../x.txt": "not a stack",
        },
      }),
    );
    assert.deepEqual([call, args.comment_id], ["issues.updateComment", 3]);
    const body = String(args.body);
    assert.match(body, /\*\*The preview failed:\*\* https:\/\/github\.com\/o\/r\/actions\/runs\/7/);
    assert.match(body, /### `pulumi preview`, stack dev: failed\n\n<details open>/);
    assert.match(body, /````diff\n\[mandatory\] cluster-logs\n```\n````/);
    assert.match(body, /### `pulumi preview`, stack prod\n\n<details>/);
    assert.doesNotMatch(body, /all green|not a stack/);
  });

  it("says so where the engine's job wrote nothing at all", async () => {
    const [, args] = only(
      await run("comment", { ...world([]), payload: { workflow_run: { ...workflow_run, conclusion: "failure" } } }),
    );
    assert.match(String(args.body), /\*\*The preview failed:\*\*/);
    const [, empty] = only(await run("comment", { ...world([]), files: {} }));
    assert.match(String(empty.body), /could not be compared/);
  });

  it("keeps the previews where the comparison is too long for one comment", async () => {
    const large = world([], "x".repeat(200_000));
    const [, args] = only(
      await run("comment", {
        ...large,
        files: { ...large.files, "preview/engine-dev.txt": `${"y".repeat(90_000)} end` },
      }),
    );
    assert.ok(String(args.body).length <= 65_536);
    assert.match(String(args.body), /stack dev\n/);
    assert.match(String(args.body), /y end\n```/);
  });

  it("keeps one marker and GitHub's limit, whatever the artifact holds", async () => {
    const [, args] = only(await run("comment", world([], `x${MARKER}`.repeat(10_000))));
    assert.ok(String(args.body).length <= 65_536);
    assert.equal(String(args.body).split(MARKER).length, 2);
  });
});

describe("the script of drift.yml", () => {
  const issue = { number: 9, title: "Drift in stack dev" };
  const drift = (files: Readonly<Record<string, string>>, open: readonly object[]): World => ({
    answers: { "issues.listForRepo": open },
    files,
    env: { STACKS: '["dev"]' },
  });

  it("opens an issue, and then keeps it up to date", async () => {
    const files = { "drift/dev.txt": "~ aws:eks/cluster\n```" };
    const [call, args] = only(await run("drift", drift(files, [])));
    assert.deepEqual([call, args.title], ["issues.create", "Drift in stack dev"]);
    assert.match(String(args.body), /````diff\n~ aws:eks\/cluster\n```\n````/);
    // `pulumi up` alone compares with the state, and leaves what was changed by hand.
    assert.match(String(args.body), /`pulumi up --refresh`.*restores.*`pulumi up` without `--refresh` does not/s);
    assert.deepEqual(
      (await run("drift", drift(files, [issue]))).map(([name, { issue_number }]) => [name, issue_number]),
      [["issues.update", 9]],
    );
  });

  it("closes it once nothing differs", async () => {
    const calls = await run("drift", drift({ "drift/dev.clean": "" }, [issue]));
    assert.deepEqual(
      calls.map(([call, { state }]) => [call, state]),
      [
        ["issues.createComment", undefined],
        ["issues.update", "closed"],
      ],
    );
    assert.deepEqual(await run("drift", drift({ "drift/dev.clean": "" }, [])), []);
  });

  it("says nothing of a stack that could not be asked", async () => {
    assert.deepEqual(await run("drift", drift({}, [issue])), []);
  });
});
