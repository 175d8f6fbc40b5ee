import assert from "node:assert/strict";
import fc from "fast-check";
import { corefileOf, corefileText } from "../../components/dns/corefile-rendering.ts";
import { DnsSettings } from "../../components/dns/settings.ts";
import { checkCorefile } from "../../corefile/checks/checker.ts";
import { parseCorefile, pluginName, renderCorefile } from "../../corefile/model.ts";
import { startOf } from "../../corefile/setups/starts.ts";
import { dnsSettings } from "../components/dns/arbitraries.ts";
import { EKS_COREFILE } from "../support/eks-corefile.ts";
import { PLUGIN_LINES } from "./plugin-lines.ts";
import { REFUSED_LINES } from "./refused-lines.ts";
import { sameMeaning } from "./same-meaning.ts";

/** The only plugin of a Corefile with one line. */
function plugin(line: string) {
  const [server] = parseCorefile(`.:53 {\n${line}\n}\n`).servers;
  const [first, ...others] = server?.plugins ?? [];
  assert.ok(first !== undefined && others.length === 0);
  return JSON.parse(JSON.stringify(first));
}

/** That line as it is rendered. */
function rendered(line: string): string {
  const lines = renderCorefile(parseCorefile(`.:53 {\n${line}\n}\n`))
    .split("\n")
    .slice(1, -2);
  return lines.map((text) => text.slice(4)).join("\n");
}

describe("Corefile model", () => {
  it("reads the EKS default as typed plugins, and renders the same meaning", () => {
    const corefile = parseCorefile(EKS_COREFILE);
    assert.deepEqual(
      corefile.servers.flatMap(({ plugins }) => plugins.filter(({ plugin: name }) => name === "other")),
      [],
    );
    assert.ok(sameMeaning(parseCorefile(renderCorefile(corefile)), corefile));
  });

  it("renders the EKS default from empty settings", () => {
    assert.ok(sameMeaning(corefileOf(DnsSettings.parse({})), parseCorefile(EKS_COREFILE)));
  });

  for (const [line, model, spelling] of PLUGIN_LINES) {
    it(`reads and writes ${line.split("\n").join(" ")}`, () => {
      assert.deepEqual(plugin(line), model);
      assert.equal(rendered(line), spelling ?? line);
    });
  }

  for (const [line, problem] of REFUSED_LINES) {
    it(`tells why CoreDNS rejects ${line.split("\n").join(" ")}`, () => {
      const [found, ...others] = startOf(`.:53 {\n${line}\n}\n`).errors;
      assert.equal(found, `.:53: ${problem}`);
      assert.deepEqual(others, []);
    });
  }

  it("expands snippets at their imports, and keeps unknown plugins unchanged", () => {
    const text =
      '(common) {\n    errors\n    cache 30\n}\n.:53 {\n    import common\n    import custom/*.override\n    nonesuch a "b c" {\n        d\n    }\n}\n';
    const corefile = parseCorefile(text);
    assert.deepEqual(corefile.servers[0]?.plugins.map(pluginName), ["errors", "cache", "nonesuch"]);
    assert.deepEqual(corefile.imports, ["custom/*.override"]);
    assert.ok(renderCorefile(corefile).includes('    nonesuch a "b c" {\n        d\n    }\n'));
  });

  it("keeps other distributions' Corefiles, such as of k3s and kubeadm", () => {
    const k3s = [
      ".:53 {",
      "    errors",
      "    health",
      "    ready",
      "    kubernetes cluster.local in-addr.arpa ip6.arpa {",
      "        pods insecure",
      "        fallthrough in-addr.arpa ip6.arpa",
      "    }",
      "    hosts /etc/coredns/NodeHosts {",
      "        ttl 60",
      "        reload 15s",
      "        fallthrough",
      "    }",
      "    prometheus :9153",
      "    cache 30 {",
      "        disable success cluster.local",
      "        disable denial cluster.local",
      "    }",
      "    forward . /etc/resolv.conf {",
      "        max_concurrent 1000",
      "    }",
      "    import /etc/coredns/custom/*.override",
      "}",
      "import /etc/coredns/custom/*.server",
      "",
    ].join("\n");
    const corefile = parseCorefile(k3s);
    assert.deepEqual(corefile.imports, ["/etc/coredns/custom/*.server", "/etc/coredns/custom/*.override"]);
    assert.deepEqual(
      corefile.servers.flatMap(({ plugins }) => plugins.map(pluginName)),
      ["errors", "health", "ready", "kubernetes", "hosts", "prometheus", "cache", "forward"],
    );
    assert.deepEqual(checkCorefile(k3s), {
      errors: [],
      warnings: [
        "import /etc/coredns/custom/*.server: what is in that file is not checked",
        "import /etc/coredns/custom/*.override: what is in that file is not checked",
        ".:53: hosts: is written after kubernetes but sees a query before it, since CoreDNS's order is fixed and ignores that of the lines",
      ],
    });
  });

  it("writes a capacity's minimum TTL after the TTL that applies without it", () => {
    const corefile = (cache: unknown) => corefileText(DnsSettings.parse({ corefile: { options: { cache } } }));
    assert.match(corefile({ success: { capacity: 2048, minTtl: 1 } }), /success 2048 30 1/);
    assert.match(corefile({ ttl: 60, denial: { minTtl: 1 } }), /denial 9984 60 1/);
  });

  it("reads what it renders, for any settings", () => {
    fc.assert(
      fc.property(dnsSettings, (settings) => {
        const corefile = corefileOf(settings);
        const text = renderCorefile(corefile);
        const again = parseCorefile(text);
        assert.equal(renderCorefile(again), text);
        assert.ok(sameMeaning(again, corefile));
        assert.deepEqual(
          again.servers.flatMap(({ plugins }) => plugins.filter(({ plugin: name }) => name === "other")),
          [],
        );
      }),
    );
  });
});
