import assert from "node:assert/strict";
import { answerFor, forwardTo, hostsEntry, intoBlock } from "../../../lab/drill/drill.ts";

/** A zone of its own before the block for every name, with what a drill must not touch. */
const STUB = `corp.example:53 {
    # forward . all { of it
    forward . 10.0.0.1
}
`;
const ENTRY = hostsEntry("192.0.2.10", "curl-sa.sa-team.svc.cluster.local");

/** The lines that a fault writes, and those that it takes away. */
function changed(fault: (text: string) => string | undefined, text: string) {
  const [before, after] = [text.split("\n"), (fault(text) ?? text).split("\n")];
  const only = (some: string[], others: string[]) => some.filter((line) => !others.includes(line));
  return { come: only(after, before), gone: only(before, after) };
}

const root = (...lines: string[]) => `.:53 {\n${lines.map((line) => `    ${line}\n`).join("")}}\n`;

describe("A drill's fault in a Corefile", () => {
  it("changes the block for every name, not one of another zone before it", () => {
    const text = `${STUB}${root("forward . /etc/resolv.conf 10.0.0.2 {", "  max_concurrent 1000", "}")}`;
    assert.deepEqual(changed(forwardTo("192.0.2.53"), text), {
      come: ["    forward . 192.0.2.53 {"],
      gone: ["    forward . /etc/resolv.conf 10.0.0.2 {"],
    });
    assert.equal(intoBlock("    cahce 30\n")(text)?.split("\n")[5], "    cahce 30");
    assert.equal(forwardTo("192.0.2.53")(STUB), undefined);
    assert.equal(intoBlock("    cahce 30\n")(STUB), undefined);
  });

  it("finds what a Helm chart writes, with more blanks and the domain twice", () => {
    const text = root("kubernetes   cluster.local  cluster.local in-addr.arpa ip6.arpa {", "}", "forward   . 10.0.0.2");
    const zones = changed(answerFor("cluster.internal", "cluster.local"), text);
    assert.deepEqual(zones.come, ["    kubernetes   cluster.internal  cluster.internal in-addr.arpa ip6.arpa {"]);
    assert.deepEqual(changed(forwardTo("127.0.0.1"), text).come, ["    forward   . 127.0.0.1"]);
  });

  it("takes the domain with a dot at its end, as kOps writes it, but no other zone and no comment", () => {
    const text = root("# kubernetes cluster.local", "kubernetes corp.example Cluster.local. in-addr.arpa");
    const fault = answerFor("cluster.internal", "cluster.local");
    assert.deepEqual(changed(fault, text).come, ["    kubernetes corp.example cluster.internal in-addr.arpa"]);
    assert.equal(fault(root("kubernetes corp.example")), root("kubernetes corp.example"));
  });

  it("puts a name into the block hosts that is there, since CoreDNS takes no second one", () => {
    const k3s = root("ready", "hosts /etc/coredns/NodeHosts {", "  ttl 60", "  fallthrough", "}");
    const minikube = `${STUB}${root("hosts {", "   192.168.49.1 host.minikube.internal", "   fallthrough", "}")}`;
    for (const text of [k3s, minikube])
      assert.deepEqual(changed(ENTRY, text), {
        come: ["      192.0.2.10 curl-sa.sa-team.svc.cluster.local"],
        gone: [],
      });
    assert.deepEqual(changed(ENTRY, root("ready")).come, [
      "    hosts {",
      "      192.0.2.10 curl-sa.sa-team.svc.cluster.local",
      "      fallthrough",
      "    }",
    ]);
  });

  it("leaves a block hosts alone that does not see the name, or would answer for all others", () => {
    const zoned = root("hosts /rootfs/etc/hosts k8s.local {", "  fallthrough", "}");
    const whole = root("hosts /etc/coredns/NodeHosts");
    const ending = root("hosts {", "  fallthrough corp.example", "}");
    for (const text of [zoned, whole, ending]) assert.equal(ENTRY(text), undefined);
    assert.equal(ENTRY(root("hosts {")), undefined);
  });

  it("changes the block at the port of CoreDNS's pods, wherever they listen", () => {
    const text = root("forward . /etc/resolv.conf").replace(".:53", "dns://.:5353");
    assert.deepEqual(changed((given) => forwardTo("192.0.2.53")(given, 5353), text).come, ["    forward . 192.0.2.53"]);
    assert.deepEqual(changed((given) => ENTRY(given, 5353), text).come.slice(0, 2), [
      "    hosts {",
      "      192.0.2.10 curl-sa.sa-team.svc.cluster.local",
    ]);
    assert.equal(forwardTo("192.0.2.53")(text), undefined);
    assert.equal(intoBlock("    cahce 30\n")(root("ready"), 5353), undefined);
  });
});
