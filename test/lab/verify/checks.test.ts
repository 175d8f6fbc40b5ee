import assert from "node:assert/strict";
import { parseSettings } from "../../../components/settings.ts";
import { type Cluster, ClusterError } from "../../../lab/kubernetes/cluster.ts";
import { statedPlace } from "../../../lab/kubernetes/core-dns-place.ts";
import { checkInputOf } from "../../../lab/verify/catalog.ts";
import { corednsCheck, curlCheck, lookupCheck, resolverCheck } from "../../../lab/verify/checks/dns.ts";
import { pingCheck, podCheck, serviceCheck } from "../../../lab/verify/checks/pods.ts";
import { denyCoreDnsCheck, denyTeamCheck } from "../../../lab/verify/checks/team-access.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import type { Check, Row } from "../../../lab/verify/result.ts";
import { runChecks } from "../../../lab/verify/verify.ts";
import { answered, type Execute, failed, fakeCluster, healthy, notFound, ran, runningPod } from "./fake-cluster.ts";

const TS_SA = { from: "ts", to: "sa" };
const TS_TS = { from: "ts", to: "ts" };

async function rowOf(check: Check, changes: Partial<Cluster> = {}, execute?: Execute): Promise<Row> {
  const lab = new Lab(fakeCluster(changes, execute), { pause: async () => {} });
  const [row] = await runChecks([check], lab, { parallel: 1 });
  assert.ok(row);
  return row;
}

/** Every curl ends in the same way. */
function curls(result: ReturnType<typeof failed>): Execute {
  return (command, pod) => (command[0] === "curl" ? result : healthy(command, pod));
}

describe("rows of verify", () => {
  describe("pods", () => {
    it("pass with phase, address and node", async () => {
      const row = await rowOf(podCheck("ts"));
      assert.deepEqual([row.status, row.detail], ["pass", "Running, 10.0.0.1 on node-1"]);
    });

    for (const [changes, cause] of [
      [
        { phase: "Succeeded", ready: false },
        /completes after curlPod.lifetime seconds .* `npm run lab -- up` replaces it/,
      ],
      [{ phase: "Failed", reason: "Evicted" }, /replaces it/],
      [{ phase: "Pending", reason: "ImagePullBackOff", ip: "" }, /cannot pull the image/],
      [{ phase: "Pending", reason: "Unschedulable", ip: "" }, /no node fits or has capacity/],
      [{ phase: "Pending", ip: "" }, /it is starting/],
      [{ deleting: true }, /wait until it is deleted/],
      [{ ready: false, reason: "CrashLoopBackOff" }, /not ready \(CrashLoopBackOff\)/],
    ] as const) {
      it(`fail with the cause for ${JSON.stringify(changes)}`, async () => {
        const row = await rowOf(podCheck("ts"), { pod: async () => runningPod("ts", changes) });
        assert.equal(row.status, "fail");
        assert.match(row.cause ?? "", cause);
      });
    }

    it("fail if there is none, naming the command that creates it", async () => {
      const row = await rowOf(podCheck("ts"), { pod: () => Promise.reject(notFound("pod")) });
      assert.equal(row.detail, "no pod curl-ts in ts-team");
      assert.match(row.cause ?? "", /npm run lab -- up/);
    });

    it("name the command of their own stack", async () => {
      const ended = { pod: async () => runningPod("ts", { phase: "Succeeded" }) };
      const [row] = await runChecks([podCheck("ts")], new Lab(fakeCluster(ended), { up: "pulumi up --stack dev" }), {
        parallel: 1,
      });
      assert.match(row?.cause ?? "", /: `pulumi up --stack dev` replaces it$/);
    });

    it("fail without permission to read them, naming the permissions", async () => {
      const forbidden = new ClusterError("forbidden", "forbidden: no right to get pods in ts-team");
      const row = await rowOf(podCheck("ts"), { pod: () => Promise.reject(forbidden) });
      assert.match(row.cause ?? "", /lacks this permission.*pods\/exec/);
    });
  });

  it("service: leads to the pod, or says why not", async () => {
    assert.equal((await rowOf(serviceCheck("ts"))).detail, "10.96.1.1:80 → 10.0.0.1");
    assert.match(
      (await rowOf(serviceCheck("ts"), { endpoints: async () => [] })).cause ?? "",
      /not ready or lacks the label/,
    );
    assert.match((await rowOf(serviceCheck("ts"), { endpoints: async () => ["10.9.9.9"] })).cause ?? "", /another pod/);
    const service = async () => ({ clusterIP: "10.96.1.1", ports: [8080] });
    assert.match((await rowOf(serviceCheck("ts"), { service })).cause ?? "", /no port 80/);
  });

  it("coredns: shows the DNS address, zones and plugins", async () => {
    const row = await rowOf(corednsCheck());
    assert.equal(row.detail, "10.96.0.10, 1 of 1 pods ready; .:53: errors, forward");
    const pods = async () => [runningPod("dns", { ready: false })];
    assert.equal((await rowOf(corednsCheck(), { pods })).status, "fail");
  });

  it("coredns: says how to locate one that is elsewhere, unless the stack installs it", async () => {
    const gone = {
      service: () => Promise.reject(notFound('services "kube-dns"')),
      configMap: () => Promise.reject(notFound('configmaps "coredns"')),
    };
    const of = async (installsCoreDns: boolean) => {
      const lab = new Lab(fakeCluster(gone), { installsCoreDns });
      const rows = await runChecks([corednsCheck(), resolverCheck("ts", { ndots: 3 })], lab, { parallel: 1 });
      return rows.map(({ status, cause }) => [status, cause]);
    };
    const cause =
      "CoreDNS is not in kube-system under the name in the settings: `kubectl get deployments -A` shows where it is, and `npm run lab -- adopt --coredns NAMESPACE/NAME` writes dns.adopt for it";
    assert.deepEqual(await of(false), [
      ["fail", cause],
      ["fail", cause],
    ]);
    const up = "it does not exist: `npm run lab -- up` creates it";
    assert.deepEqual(await of(true), [
      ["fail", up],
      ["fail", up],
    ]);
    const installs = (cluster: string, more: Readonly<Record<string, string>> = {}) =>
      checkInputOf("x", parseSettings({ "aws:region": "eu-central-1", "eks-dns-logging:cluster": cluster, ...more }), 1)
        .installsCoreDns;
    const adopted = { "eks-dns-logging:dns": '{"adopt":{}}' };
    const existing = '{"kind":"eks-existing","name":"prod","kubernetesVersion":"1.35"}';
    assert.deepEqual(
      [installs('{"kind":"existing"}'), installs('{"kind":"eks"}'), installs(existing), installs(existing, adopted)],
      [false, true, true, false],
    );
  });

  it("resolver: compares resolv.conf with the DNS Service and the settings", async () => {
    assert.equal((await rowOf(resolverCheck("ts", { ndots: 3 }))).status, "pass");
    const stale = await rowOf(resolverCheck("ts", { ndots: 5 }));
    assert.deepEqual([stale.status, /have ndots 5/.test(stale.cause ?? "")], ["warn", true]);
    const local = "search ts-team.svc.cluster.local\nnameserver 169.254.20.10\noptions ndots:3\n";
    assert.match((await rowOf(resolverCheck("ts", { ndots: 3 }), {}, () => ran(local))).cause ?? "", /NodeLocal/);
    const none = () => ran("nameserver 10.96.0.10\n");
    assert.equal((await rowOf(resolverCheck("ts", { ndots: 3 }), {}, none)).status, "fail");
  });

  it("resolver: expects the address of NodeLocal DNSCache first in kubelet mode", async () => {
    const check = resolverCheck("ts", { ndots: 3, nameserver: "169.254.20.10" });
    const local = "search ts-team.svc.cluster.local\nnameserver 169.254.20.10\noptions ndots:3\n";
    assert.equal((await rowOf(check, {}, () => ran(local))).status, "pass");
    const stale = await rowOf(check);
    assert.deepEqual([stale.status, /NodeLocal DNSCache at 169\.254\.20\.10/.test(stale.cause ?? "")], ["warn", true]);
  });

  it("ping: reports loss and round trip, and why there is none", async () => {
    assert.equal((await rowOf(pingCheck(TS_SA))).detail, "10.0.0.2: 0 % loss, 0.026/0.044/0.057 ms");
    const lost = ran("5 packets transmitted, 0 received, 100% packet loss, time 4ms\n");
    assert.match((await rowOf(pingCheck(TS_SA), {}, () => lost)).cause ?? "", /NetworkPolicy rule with ports/);
    const some = ran("5 packets transmitted, 4 received, 20% packet loss, time 4ms\n");
    assert.match((await rowOf(pingCheck(TS_SA), {}, () => some)).cause ?? "", /packets are lost/);
    const denied = { exitCode: 1, stdout: "", stderr: "ping: permission denied (are you root?)\n" };
    assert.match((await rowOf(pingCheck(TS_SA), {}, () => denied)).cause ?? "", /ping_group_range/);
    assert.match((await rowOf(pingCheck(TS_SA), {}, () => ran("?"))).cause ?? "", /did not run as expected/);
    assert.equal((await rowOf(pingCheck(TS_SA), {}, () => ran(""))).detail, "ping printed nothing");
  });

  describe("dns", () => {
    it("passes with the Service's address", async () => {
      const row = await rowOf(lookupCheck(TS_SA, "full"));
      assert.deepEqual(
        [row.status, row.to, row.detail],
        ["pass", "curl-sa.sa-team.svc.cluster.local", "10.96.1.2 in 0.9 ms"],
      );
    });

    it("passes for a pod's own short name with the pod's address, which is in /etc/hosts", async () => {
      assert.equal((await rowOf(lookupCheck(TS_TS, "short"))).detail, "10.0.0.1 in 0.9 ms (by /etc/hosts)");
    });

    it("expects a short name to be unknown elsewhere", async () => {
      assert.equal((await rowOf(lookupCheck(TS_SA, "short"))).status, "pass");
      const known = await rowOf(lookupCheck(TS_SA, "short"), {}, curls(answered("93.184.0.1", "x")));
      assert.match(known.cause ?? "", /something outside sa-team has the name curl-sa/);
    });

    it("fails for another address than the Service's", async () => {
      const row = await rowOf(lookupCheck(TS_SA, "ns"), {}, curls(answered("10.96.9.9", "x")));
      assert.match(row.cause ?? "", /the Service has 10.96.1.2/);
    });

    const unknown = failed(6, "Could not resolve host");
    const noService = { service: () => Promise.reject(notFound('services "curl-sa"')) };
    for (const [why, changes, result, cause] of [
      ["another zone", {}, unknown, /NXDOMAIN .* though its Service exists/],
      ["no Service", noService, unknown, /^NXDOMAIN: there is no Service curl-sa in sa-team; `npm run lab -- up`/],
      ["no answer", {}, failed(6, "Resolving timed out after 6000 milliseconds"), /UDP and TCP 53 .*adopt\.selector/],
      // So says curl with musl's resolver, whose five seconds are over.
      ["no answer to musl", noService, failed(6, "Could not resolve host", undefined, 5.03), /UDP and TCP 53/],
      ["no pod ready", { pods: async () => [runningPod("dns", { ready: false })] }, unknown, /no CoreDNS pod is ready/],
      ["no pod at all", { pods: async () => [] }, unknown, /no CoreDNS pod is ready/],
      ["no right to see them", { pods: () => Promise.reject(new Error("no")) }, unknown, /NXDOMAIN/],
    ] as const) {
      it(`fails with its cause: ${why}`, async () => {
        const row = await rowOf(lookupCheck(TS_SA, "full"), changes, curls(result));
        assert.deepEqual([row.status, row.detail], ["fail", /curl: \(6\) (.*)/.exec(result.stderr)?.[1]]);
        assert.match(row.cause ?? "", cause);
      });
    }

    it("does not take a name for unknown if nothing could have answered", async () => {
      const row = await rowOf(lookupCheck(TS_SA, "short"), { pods: async () => [] }, curls(unknown));
      assert.equal(row.status, "fail");
      assert.match(row.cause ?? "", /no CoreDNS pod is ready/);
    });

    it("fails if the name resolves, but its Service is gone", async () => {
      const row = await rowOf(lookupCheck(TS_SA, "full"), noService);
      assert.match(row.cause ?? "", /`npm run lab -- up` creates it/);
    });
  });

  describe("curl", () => {
    it("passes when the right pod answers", async () => {
      const row = await rowOf(curlCheck(TS_SA, "dot"));
      assert.equal(row.detail, '200 "curl-sa answers 10.0.0.1 from 10.0.0.2" in 3 ms');
    });

    for (const [result, changes, cause] of [
      [answered("10.96.1.2", "curl-xx answers"), {}, /a pod other than curl-sa/],
      [answered("10.96.1.2", "hello", 404), {}, /something other than the responder/],
      [failed(7, "Connection refused", "10.96.1.2"), {}, /container responder/],
      [failed(28, "Connection timed out", "10.96.1.2"), {}, /NetworkPolicy/],
      [failed(7, "Connection refused", "10.96.1.2"), { endpoints: async () => [] }, /no endpoints/],
      [failed(6, "Could not resolve host"), {}, /NXDOMAIN/],
      [failed(52, "Empty reply"), {}, /another reason/],
    ] as const) {
      it(`fails with the cause: ${cause.source}`, async () => {
        const row = await rowOf(curlCheck(TS_SA, "full"), changes, curls(result));
        assert.equal(row.status, "fail");
        assert.match(row.cause ?? "", cause);
      });
    }

    it("retries if the Service is not open yet, and gives up after five seconds", async () => {
      const refusing = (times: number): Execute => {
        let left = times;
        return (command, pod) => {
          if (command[0] !== "curl") return healthy(command, pod);
          left -= 1;
          return left < 0 ? healthy(command, pod) : failed(7, "Connection refused", "10.96.1.2");
        };
      };
      const statusAfter = async (times: number) => (await rowOf(curlCheck(TS_SA, "full"), {}, refusing(times))).status;
      assert.deepEqual([await statusAfter(5), await statusAfter(6)], ["pass", "fail"]);
    });

    it("names hairpin mode if a pod does not reach itself", async () => {
      const row = await rowOf(curlCheck(TS_TS, "full"), {}, curls(failed(28, "Connection timed out", "10.96.1.1")));
      assert.match(row.cause ?? "", /hairpin/);
    });
  });

  describe("deny", () => {
    const enforced = { enforced: true };
    const unknown = { enforced: false };

    it("passes if CoreDNS's port is silent and DNS on the same pod is open", async () => {
      const execute: Execute = (command) =>
        command.at(-1)?.endsWith(":53/") ? answered("10.0.0.53", "") : failed(28, "Connection timed out");
      const row = await rowOf(denyCoreDnsCheck("ts", enforced), {}, execute);
      assert.deepEqual([row.status, row.detail], ["pass", "10.0.0.53:8181 dropped, :53 open"]);
    });

    it("asks for DNS where CoreDNS answers behind its Service", async () => {
      const execute: Execute = (command) =>
        command.at(-1)?.endsWith(":5353/") ? answered("10.0.0.53", "") : failed(28, "Connection timed out");
      const coreDns = { ...statedPlace(undefined), port: 5353 };
      const lab = new Lab(fakeCluster({}, execute), { coreDns });
      const [row] = await runChecks([denyCoreDnsCheck("ts", enforced)], lab, { parallel: 1 });
      assert.deepEqual([row?.status, row?.detail], ["pass", "10.0.0.53:8181 dropped, :5353 open"]);
    });

    it("proves nothing where DNS on the same pod is silent too", async () => {
      const row = await rowOf(denyCoreDnsCheck("ts", enforced), {}, curls(failed(28, "Connection timed out")));
      assert.equal(row.status, "warn");
    });

    it("passes if the network rejects what answers inside the pod, and proves nothing otherwise", async () => {
      const refused = curls(failed(7, "Connection refused"));
      assert.equal((await rowOf(denyCoreDnsCheck("ts", enforced), {}, refused)).status, "pass");
      const podGet = () => Promise.reject(new ClusterError("other", "no"));
      const silent = await rowOf(denyCoreDnsCheck("ts", enforced), { podGet }, refused);
      assert.equal(silent.status, "warn");
      assert.match(silent.cause ?? "", /^nothing was found listening there/);
      const forbidden = { podGet: () => Promise.reject(new ClusterError("forbidden", "no")) };
      const unasked = await rowOf(denyCoreDnsCheck("ts", enforced), forbidden, refused);
      assert.deepEqual(
        [unasked.status, unasked.cause],
        ["warn", "checking whether something listens there needs the right to create pods/portforward in kube-system"],
      );
    });

    it("fails on a network that should enforce policies, warns on one that may not", async () => {
      const open = curls(answered("10.0.0.53", "OK"));
      const known = await rowOf(denyCoreDnsCheck("ts", enforced), {}, open);
      assert.match(known.cause ?? "", /enableNetworkPolicy/);
      assert.equal(known.status, "fail");
      const other = await rowOf(denyCoreDnsCheck("ts", unknown), {}, open);
      assert.equal(other.status, "warn");
      assert.match(other.cause ?? "", /does not enforce NetworkPolicies/);
    });

    it("separates a team from one that is not its peer", async () => {
      assert.equal((await rowOf(denyTeamCheck(TS_SA, enforced), {}, curls(failed(28, "timed out")))).status, "pass");
      assert.equal((await rowOf(denyTeamCheck(TS_SA, enforced), {}, curls(answered("10.0.0.2", "x")))).status, "fail");
      const pod = async (_: string, name: string) => runningPod(name.replace("curl-", ""), { ready: false });
      assert.match((await rowOf(denyTeamCheck(TS_SA, enforced), { pod })).cause ?? "", /nothing listens/);
    });

    it("skips a CoreDNS pod that a rollout is deleting", async () => {
      const dns = (name: string, ip: string, deleting: boolean) =>
        runningPod("dns", { namespace: "kube-system", name, ip, deleting });
      const gone = dns("coredns-1", "10.0.0.53", true);
      const execute: Execute = (command) =>
        command.at(-1)?.includes("10.0.0.53") ? failed(28, "timed out") : answered("10.0.0.54", "OK");
      const pods = async () => [gone, dns("coredns-2", "10.0.0.54", false)];
      const row = await rowOf(denyCoreDnsCheck("ts", unknown), { pods }, execute);
      assert.match(row.detail, /^10\.0\.0\.54:8181 connected/);
      const none = await rowOf(corednsCheck(), { pods: async () => [gone] });
      assert.deepEqual([none.status, /0 of 0 pods ready/.test(none.detail)], ["fail", true]);
      let asked = 0;
      const replacedOnce = async () => {
        asked += 1;
        return asked === 1 ? [{ ...gone, deleting: false }] : pods();
      };
      const late = await rowOf(denyCoreDnsCheck("ts", unknown), { pods: replacedOnce }, execute);
      assert.match(late.detail, /^10\.0\.0\.54:8181 connected/);
    });

    it("does not take the silence of a stopped pod for a policy", async () => {
      const silent = curls(failed(28, "timed out"));
      for (const changes of [{ ip: "10.0.0.9" }, { ready: false }, { deleting: true }, undefined]) {
        let asked = 0;
        const pod = async (_: string, name: string) => {
          if (name === "curl-sa") asked += 1;
          if (asked > 1 && changes === undefined) throw notFound("pod");
          return runningPod(name.replace("curl-", ""), asked > 1 ? changes : {});
        };
        const row = await rowOf(denyTeamCheck(TS_SA, enforced), { pod }, silent);
        assert.deepEqual([row.status, row.detail], ["fail", "curl-sa stopped or was replaced during the check"]);
      }
    });

    it("reports that there is no CoreDNS pod to try", async () => {
      assert.equal(
        (await rowOf(denyCoreDnsCheck("ts", enforced), { pods: async () => [] })).detail,
        "no CoreDNS pod is ready",
      );
    });
  });
});
