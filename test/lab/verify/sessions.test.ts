import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { allChecks } from "../../../lab/verify/catalog.ts";
import { unreadableFinder } from "../../../lab/verify/find/marker-finders.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { curlCommand, curlFrom, PodSessions, sessionScript } from "../../../lab/verify/sessions.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { answered, commandsIn, failed, fakeCluster, healthy, isSession, ran, runningPod } from "./fake-cluster.ts";

const POD = runningPod("ts");
const CURLS = {
  a: answered("10.0.0.1", "from a"),
  b: failed(7, "Connection refused", "10.0.0.2"),
  c: answered("10.0.0.3", ""),
};

/** A cluster that counts its sessions. */
function counting(hasShell = true) {
  const sessions: string[] = [];
  const cluster = fakeCluster({}, (command, pod) => {
    const found = Object.entries(CURLS).find(([name]) => command.at(-1) === `http://${name}/`);
    return found?.[1] ?? healthy(command, pod);
  });
  const { exec } = cluster;
  const count: typeof exec = async (pod, container, command, seconds) => {
    if (isSession(command) && !hasShell)
      throw new ClusterError("other", 'exec failed: exec: "sh": executable file not found in $PATH');
    sessions.push(
      `${pod.name} ${command[0]} ${isSession(command) ? commandsIn(command[2] ?? "").length : 1} ${seconds}`,
    );
    return exec(pod, container, command, seconds);
  };
  return { sessions, lab: new Lab({ ...cluster, exec: count }) };
}

describe("curl in a pod", () => {
  const ends = async (lab: Lab, names: readonly string[]) =>
    (await Promise.all(names.map((name) => curlFrom(lab, POD, `http://${name}/`)))).map(({ end, addresses, body }) =>
      `${end} ${addresses} ${body}`.trim(),
    );
  const EXPECTED = ["answered 10.0.0.1 from a", "refused 10.0.0.2", "answered 10.0.0.3", "answered 10.0.0.1 from a"];

  it("shares one session among the commands of one turn, and runs identical ones once", async () => {
    const { lab, sessions } = counting();
    assert.deepEqual(await ends(lab, ["a", "b", "c", "a"]), EXPECTED);
    assert.deepEqual(sessions, ["curl-ts sh 3 37"]);
    assert.deepEqual(await ends(lab, ["b"]), ["refused 10.0.0.2"]);
    assert.deepEqual(sessions.slice(1), ["curl-ts curl 1 19"]);
  });

  it("has a session for each pod", async () => {
    const { lab, sessions } = counting();
    const other = curlFrom(lab, runningPod("sa"), "http://a/");
    await Promise.all([curlFrom(lab, POD, "http://a/"), curlFrom(lab, POD, "http://b/", 3), other]);
    assert.deepEqual(sessions.toSorted(), ["curl-sa curl 1 19", "curl-ts sh 2 25"]);
  });

  it("limits parallel sessions, and adds commands that arrive meanwhile to the next", async () => {
    let open = 0;
    let most = 0;
    const asked: number[] = [];
    const cluster = fakeCluster({
      async exec(_pod, _container, command) {
        most = Math.max(most, ++open);
        asked.push(isSession(command) ? commandsIn(command[2] ?? "").length : 1);
        await new Promise((resolve) => setTimeout(resolve, 5));
        open -= 1;
        return ran("");
      },
    });
    const sessions = new PodSessions(cluster, 2);
    const ask = (team: string, word: string) => sessions.run(runningPod(team), ["cat", word], 1);
    const first = Promise.all(["a", "b", "c"].map((team) => ask(team, "1")));
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.allSettled([first, ask("c", "2"), ask("d", "1")]);
    assert.equal(most, 2);
    assert.deepEqual(asked, [1, 1, 2, 1]);
  });

  it("splits what is too much for one request", async () => {
    const { lab, sessions } = counting();
    await Promise.all(Array.from({ length: 45 }, (_, index) => curlFrom(lab, POD, `http://curl-ts/${index}`)));
    assert.deepEqual(sessions, ["curl-ts sh 40 370", "curl-ts sh 5 55"]);
  });

  it("needs no shell", async () => {
    const { lab, sessions } = counting(false);
    assert.deepEqual(await ends(lab, ["a", "b", "c", "a"]), EXPECTED);
    assert.deepEqual(sessions, Array(3).fill("curl-ts curl 1 19"));
  });

  it("fails for every URL if the session fails", async () => {
    const exec = async () => {
      throw new ClusterError("forbidden", "no right to create pods/exec");
    };
    const lab = new Lab(fakeCluster({ exec }));
    const all = await Promise.allSettled(["a", "b"].map((name) => curlFrom(lab, POD, `http://${name}/`)));
    assert.deepEqual(
      all.map((one) => one.status === "rejected" && one.reason.message),
      Array(2).fill("no right to create pods/exec"),
    );
  });

  for (const [where, folder] of [
    ["files", undefined],
    ["a pod without a folder for files", "/nowhere"],
  ] as const) {
    it(`is a script that any shell runs, with each exit code and stream apart, in ${where}`, async () => {
      const commands = [
        ["sh", "-c", "echo out; echo err >&2; exit 3"],
        ["printf", "%s\\n\\n", "it's $(id)"],
        ["sh", "-c", "printf '\\n\\n'"],
        ["false", ""],
        // Built into dash, with another meaning.
        ["echo", "a\\tb"],
        ...[1, 2, 3, 4, 5].map((index) => ["sh", "-c", `seq ${index}000 ${index}999; echo ${index} >&2`]),
      ];
      const exec = async (_pod: unknown, _container: string, [program = "", ...args]: readonly string[]) => {
        const env = { PATH: process.env.PATH, ...(folder === undefined ? {} : { TMPDIR: folder }) };
        const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8", env });
        assert.equal(error, undefined);
        return { exitCode: status ?? -1, stdout, stderr };
      };
      const sessions = new PodSessions(fakeCluster({ exec }), 1);
      const results = await Promise.all(commands.map((command) => sessions.run(POD, command, 5)));
      const alone = await Promise.all(commands.map((command) => exec(POD, "curl", command)));
      assert.deepEqual(results, alone);
    });
  }

  it("keeps its request short", () => {
    const urls = Array.from(
      { length: 40 },
      (_, index) => `http://curl-team-${index}.team-${index}-team.svc.cluster.local/`,
    );
    const [, , script = ""] = sessionScript(urls.map((url) => curlCommand(url, 6)));
    assert.ok(encodeURIComponent(script).length < 8000, `${encodeURIComponent(script).length} characters`);
  });

  it("uses one session for all names of a team that another one looks up", async () => {
    const { lab, sessions } = counting();
    const teams = [
      { name: "ts", peers: ["sa"] },
      { name: "sa", peers: ["ts"] },
    ];
    const finder = unreadableFinder("http", "cannot be read back");
    const all = allChecks({ teams, ndots: 3, enforced: false, finders: [finder], wait: 1 });
    const names = all.filter(({ group }) => group === "dns" || group === "curl");
    const rows = await runChecks(names, lab, { parallel: 4 });
    assert.deepEqual(
      rows.map(({ id }) => id),
      names.map(({ id }) => id),
    );
    assert.deepEqual([...new Set(rows.map(({ status }) => status))], ["pass"]);
    assert.equal(names.length, 38);
    assert.equal(sessions.length, 2);
  });
});
