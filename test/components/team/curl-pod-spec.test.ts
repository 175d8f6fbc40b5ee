import assert from "node:assert/strict";
import { curlPodSpec, responderConfig } from "../../../components/team/curl-pod-spec.ts";
import { CurlPodSettings } from "../../../components/team/settings.ts";

const names = { serviceAccount: "workload", configMap: "curl-ts-responder" };
const spec = (settings: object = {}) => curlPodSpec("ts", CurlPodSettings.parse(settings), names);

describe("curlPodSpec", () => {
  it("sleeps for an hour and then completes, as in the lab", () => {
    assert.deepEqual(spec().containers[0]?.command, ["sh", "-c", "trap : TERM; sleep 3600 & wait $!"]);
    assert.equal(spec().restartPolicy, "Never");
    assert.match(spec({ lifetime: "infinity" }).containers[0]?.command[2] ?? "", /; sleep infinity &/);
  });

  it("runs the responder as a native sidecar, so that the pod still completes", () => {
    const [responder] = spec().initContainers;
    assert.equal(responder?.name, "responder");
    assert.equal(responder?.restartPolicy, "Always");
    assert.deepEqual(responder?.ports, [{ name: "http", containerPort: 80, protocol: "TCP" }]);
  });

  it("meets Pod Security restricted, with a read-only root", () => {
    const pod = spec();
    assert.deepEqual(pod.securityContext.seccompProfile, { type: "RuntimeDefault" });
    for (const container of [...pod.initContainers, ...pod.containers]) {
      assert.equal(container.securityContext.allowPrivilegeEscalation, false);
      assert.equal(container.securityContext.readOnlyRootFilesystem, true);
      assert.equal(container.securityContext.runAsNonRoot, true);
      assert.deepEqual(container.securityContext.capabilities, { drop: ["ALL"] });
    }
    // The images name their users by name, which a kubelet cannot tell from root.
    assert.deepEqual(
      [...pod.initContainers, ...pod.containers].map((container) => container.securityContext.runAsUser),
      [101, 100],
    );
    assert.equal(pod.automountServiceAccountToken, false);
  });

  it("pings and listens on port 80 without a capability", () => {
    assert.deepEqual(spec().securityContext.sysctls, [
      { name: "net.ipv4.ip_unprivileged_port_start", value: "0" },
      { name: "net.ipv4.ping_group_range", value: "0 2147483647" },
    ]);
  });

  it("queries a name with three dots as is", () => {
    assert.deepEqual(spec().dnsConfig, { options: [{ name: "ndots", value: "3" }] });
    assert.deepEqual(spec({ ndots: 5 }).dnsConfig.options, [{ name: "ndots", value: "5" }]);
  });

  it("queries its own servers with the kubelet's search list", () => {
    const dns = { nameservers: ["169.254.20.10"], clusterDomain: "cluster.local" };
    const pod = curlPodSpec("ts", CurlPodSettings.parse({}), names, undefined, dns);
    assert.deepEqual("dnsPolicy" in pod && [pod.dnsPolicy, pod.dnsConfig], [
      "None",
      {
        nameservers: ["169.254.20.10"],
        searches: ["ts-team.svc.cluster.local", "svc.cluster.local", "cluster.local"],
        options: [{ name: "ndots", value: "3" }],
      },
    ]);
    assert.ok(!("dnsPolicy" in spec()));
  });

  it("answers with the pod's name and logs each request to stdout, but not the health checks", () => {
    assert.match(responderConfig(), /return 200 "\$hostname answers \$remote_addr from \$server_addr\\n";/);
    assert.match(responderConfig(), /access_log \/dev\/stdout combined;/);
    assert.match(responderConfig(), /location = \/healthz \{ access_log off;/);
    assert.match(responderConfig(), /listen 80;/);
  });
});
