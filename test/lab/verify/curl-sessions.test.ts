import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { allChecks } from "../../../lab/verify/catalog.ts";
import { curlFrom, curlScript } from "../../../lab/verify/curl.ts";
import { unableFinder } from "../../../lab/verify/find/finder.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { leaveOut } from "../../support/leave-out.ts";
import { answered, failed, fakeCluster, healthy, runningPod } from "./fake-cluster.ts";

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
    if (command[0] === "sh" && !hasShell)
      throw new ClusterError("other", 'exec failed: exec: "sh": executable file not found in $PATH');
    sessions.push(
      `${pod.name} ${command[0]} ${command[2]?.startsWith("for url;") ? command.length - 4 : 1} ${seconds}`,
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

  it("shares one session among the URLs of one turn, and asks none of them twice", async () => {
    const { lab, sessions } = counting();
    assert.deepEqual(await ends(lab, ["a", "b", "c", "a"]), EXPECTED);
    assert.deepEqual(sessions, ["curl-ts sh 3 37"]);
    assert.deepEqual(await ends(lab, ["b"]), ["refused 10.0.0.2"]);
    assert.deepEqual(sessions.slice(1), ["curl-ts curl 1 19"]);
  });

  it("has a session for each pod and each limit of time", async () => {
    const { lab, sessions } = counting();
    const other = curlFrom(lab, runningPod("sa"), "http://a/");
    await Promise.all([curlFrom(lab, POD, "http://a/"), curlFrom(lab, POD, "http://b/", 3), other]);
    assert.deepEqual(sessions.toSorted(), ["curl-sa curl 1 19", "curl-ts curl 1 16", "curl-ts curl 1 19"]);
  });

  it("needs no shell", async () => {
    const { lab, sessions } = counting(false);
    assert.deepEqual(await ends(lab, ["a", "b", "c", "a"]), EXPECTED);
    assert.deepEqual(sessions, Array(3).fill("curl-ts curl 1 19"));
  });

  it("is a failure of every URL where the session fails", async () => {
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

  it("is a script that any shell runs, with each exit code and each stream apart", function () {
    if (spawnSync("curl", ["--version"]).error !== undefined) return leaveOut(this, "no curl on the PATH");
    const [program = "", ...args] = curlScript(["http://nope.invalid/", "http://127.0.0.1:9/$(id)'"], 2);
    const { stdout, stderr, error } = spawnSync(program, args, { encoding: "utf8" });
    assert.equal(error, undefined);
    const marks = (text: string) => text.match(/^--- .*$/gm);
    assert.deepEqual(marks(stdout), ["--- lab verify curl --- 6", "--- lab verify curl --- 7"]);
    assert.deepEqual(marks(stderr), marks(stdout));
    assert.match(stderr.split("---")[0] ?? "", /^curl: \(6\) Could not resolve host: nope\.invalid$/m);
    assert.doesNotMatch(stdout + stderr, /uid=/);
  });

  it("is one session for all names of a team that another one asks", async () => {
    const { lab, sessions } = counting();
    const teams = [
      { name: "ts", peers: ["sa"] },
      { name: "sa", peers: ["ts"] },
    ];
    const finder = unableFinder("http", "cannot be read back");
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
