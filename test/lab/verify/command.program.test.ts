import assert from "node:assert/strict";
import { runLab } from "../../support/run-lab.ts";

/** Fails in one line, without a trace of the stack, and with the exit code for what could not be tried. */
async function refused(
  args: readonly string[],
  message: RegExp,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { exitCode, stdout, stderr } = await runLab(args, env);
  assert.match(stderr, message);
  assert.equal(stderr.includes("    at "), false, stderr);
  assert.equal(stdout, "");
  assert.equal(exitCode, 2);
}

describe("the command verify", () => {
  it("rejects a stack, a row, a folder and a number that do not exist", async () => {
    await Promise.all([
      refused(["verify", "--stack", "nowhere"], /^no stack 'nowhere'/),
      refused(["verify", "--only", "pink"], /^no row matches 'pink'; ids start with: coredns/),
      refused(["verify", "--report", "/nowhere/a.html"], /^\/nowhere\/a\.html cannot be written: ENOENT\n$/),
      refused(["verify", "--parallel", "0"], /integer from 1 to 64/),
    ]);
  });

  it("is checked by `up` before it deploys anything", async () => {
    const env = { KUBECONFIG: "/nowhere/config" };
    await Promise.all([
      refused(["up", "--only", "pink"], /^no row matches 'pink'; ids start with: coredns/, env),
      refused(["up", "--report", "/nowhere/a.html"], /^\/nowhere\/a\.html cannot be written: ENOENT\n$/, env),
    ]);
  });

  it("reports, like audit and bench, an unwritable file before it queries the cluster", async () => {
    const env = { KUBECONFIG: "/nowhere/config" };
    const line = /^\/nowhere\/a cannot be written: ENOENT\n$/;
    await Promise.all([
      refused(["audit", "--sarif", "/nowhere/a"], line, env),
      refused(["audit", "--markdown", "/nowhere/a"], line, env),
      refused(["dns", "bench", "--html", "/nowhere/a"], line, env),
    ]);
  });

  it("accepts a drill or --random", async () => {
    await Promise.all([
      refused(["drill", "start"], /^name a drill from `npm run lab -- drill list`, or use --random\n$/),
      refused(["drill", "start", "no-answer", "--random"], /^drill 'no-answer' and --random are mutually exclusive\n$/),
    ]);
  });

  it("says in one line that there is no kubeconfig, as `up` does", async () => {
    const env = { KUBECONFIG: "/nowhere/config" };
    const line = /^no kubeconfig at \/nowhere\/config: [^\n]+\n$/;
    await Promise.all([refused(["verify"], line, env), refused(["up", "--kubeconfig", "/nowhere/config"], line)]);
  });

  it("is refused by `up` and `down` for a cluster that the stack itself creates", async () => {
    await Promise.all([
      refused(["up", "--stack", "dev"], /^stack 'dev' is on EKS: use `pulumi up --stack dev`; `lab up` is/),
      refused(["down", "--stack", "dev"], /^stack 'dev' is on EKS: use `pulumi destroy --stack dev`; `lab down` is/),
    ]);
  });
});
