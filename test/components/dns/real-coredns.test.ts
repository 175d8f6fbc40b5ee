import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import fc from "fast-check";
import { corefileOf } from "../../../components/dns/corefile/from-settings.ts";
import { type Corefile, type Plugin, parseCorefile } from "../../../components/dns/corefile/model.ts";
import { ONCE, rankOf } from "../../../components/dns/corefile/order.ts";
import { readUpstream } from "../../../components/dns/corefile/upstream.ts";
import { nodeLocalCorefile } from "../../../components/dns/node-local-cache/corefile.ts";
import { NodeLocalCacheSettings } from "../../../components/dns/node-local-cache/settings.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";
import { dnsSettings } from "./arbitraries.ts";
import { REFUSED_LINES } from "./corefile/refused-lines.ts";
import { COREDNS, complaint, describeReal, SKIPPED, withoutCluster } from "./real-coredns.ts";

const settings = (corefile: unknown) => DnsSettings.parse({ corefile });

describeReal(`the real CoreDNS${SKIPPED}`, () => {
  for (const profile of ["eks-default", "tuned"]) {
    it(`takes the profile ${profile}`, async () => {
      assert.equal(await complaint(withoutCluster(corefileOf(settings({ profile })))), undefined);
    });
  }

  it("takes autopath with the tuned profile", async () => {
    const corefile = corefileOf(settings({ profile: "tuned", options: { autopath: true, multisocket: 2 } }));
    assert.equal(await complaint(withoutCluster(corefile)), undefined);
  });

  it("takes what any options make", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(dnsSettings, { minLength: 8, maxLength: 8 }), async (list) => {
        // Many in one process: CoreDNS sets up all blocks before it looks at their zones.
        const together = list.map((one) => withoutCluster(corefileOf(one))).join("");
        assert.equal(await complaint(together), undefined);
      }),
      { numRuns: 8 },
    );
  });

  it("takes NodeLocal DNSCache's Corefile once its words are filled in", async () => {
    for (const mode of ["iptables", "kubelet"]) {
      const dns = DnsSettings.parse({ clusterDns: ["10.100.0.10"] });
      const text = nodeLocalCorefile(dns, NodeLocalCacheSettings.parse({ mode }))
        .replaceAll("__PILLAR__CLUSTER__DNS__", "10.100.7.7")
        .replaceAll("__PILLAR__UPSTREAM__SERVERS__", "/etc/resolv.conf");
      assert.equal(await complaint(text), undefined);
    }
  });

  it("refuses every line that the model calls wrong", async () => {
    assert.deepEqual(await taken(REFUSED_LINES.map(([line]) => line)), []);
  });

  it("refuses a second line of the plugins that the model allows once", async () => {
    const lines: Readonly<Record<string, string>> = { kubernetes: "kubernetes a {\nendpoint http://127.0.0.1:1\n}" };
    const known = ["dnssec", "tsig", "view"];
    const twice = [...ONCE].filter((name) => !known.includes(name)).map((name) => lines[name] ?? name);
    assert.deepEqual(await taken(twice.map((line) => `${line}\n${line}`)), []);
  });

  it("refuses the upstreams that the model calls wrong, and takes the others", async () => {
    const wrong = ["dns.corp", "quic://1.1.1.1", "https://1.1.1.1", "10.0", "10.0.0.256", "unix:///s", "/no/such/file"];
    assert.deepEqual(await taken(wrong.map((upstream) => `forward . ${upstream}`)), []);
    const right = [
      "10.0.0.2",
      "10.0.0.2:5353",
      "fd00::2",
      "[fd00::2]:53",
      "tls://9.9.9.9%dns.quad9.net",
      "fe80::1%eth0",
    ];
    assert.equal(
      await complaint(`.:53 {\nforward . ${right.join(" ")} dns://10.0.0.3 tls://[fd00::3]:853\n}\n`),
      undefined,
    );
    assert.deepEqual(
      right.filter((upstream) => typeof readUpstream(upstream) === "string"),
      [],
    );
    assert.deepEqual(
      wrong.slice(0, -1).filter((upstream) => typeof readUpstream(upstream) !== "string"),
      [],
    );
  });

  it("has no plugin whose place the model does not know", () => {
    const { stdout } = spawnSync(COREDNS ?? "coredns", ["-plugins"], { encoding: "utf8" });
    const plugins = stdout.split("\n").filter((name) => /^[a-z0-9_]+$/.test(name));
    assert.ok(plugins.length > 40, stdout);
    assert.deepEqual(
      plugins.filter((name) => rankOf(name) === undefined),
      [],
    );
  });
});

describeReal(`queries to the real CoreDNS${SKIPPED}`, () => {
  let upstream: Socket;
  let child: ChildProcess | undefined;
  let folder: string;

  before(async () => {
    upstream = await answering([192, 0, 2, 7]);
    folder = await mkdtemp(join(tmpdir(), "coredns-"));
  });
  after(async () => {
    child?.kill("SIGKILL");
    upstream.close();
    await rm(folder, { recursive: true });
  });

  it("are answered by hosts, rewrites, stub domains and upstreams as the options say", async () => {
    const server = `127.0.0.1:${upstream.address().port}`;
    const corefile = corefileOf(
      settings({
        profile: "tuned",
        options: {
          upstreams: [server],
          hosts: { entries: [{ address: "10.1.2.3", names: ["printer.corp.test"] }] },
          rewrite: [{ match: "suffix", from: ".old.test", to: ".corp.test" }],
          stubDomains: [{ domains: ["stub.test"], upstreams: [server] }],
          lameduck: "0s",
        },
      }),
    );
    const port = await freePort();
    child = await start(withoutCluster(onPort(corefile, port), onLoopback), folder);
    const resolver = new Resolver({ timeout: 1000, tries: 3 });
    resolver.setServers([`127.0.0.1:${port}`]);
    assert.deepEqual(await resolver.resolve4("printer.corp.test"), ["10.1.2.3"]);
    assert.deepEqual(await resolver.resolve4("printer.old.test"), ["10.1.2.3"]);
    assert.deepEqual(await resolver.resolve4("www.stub.test"), ["192.0.2.7"]);
    assert.deepEqual(await resolver.resolve4("outside.test"), ["192.0.2.7"]);
  });
});

/** The lines that CoreDNS takes, of those that it should not. */
async function taken(lines: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  const queue = [...lines];
  const worker = async () => {
    for (let line = queue.pop(); line !== undefined; line = queue.pop()) {
      if ((await complaint(`.:53 {\n${line}\n}\n`)) === undefined) found.push(line);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
  return found;
}

/** A DNS server that gives one address for every name. */
async function answering(address: readonly [number, number, number, number]): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (query, client) => {
    // The question ends after its name, two bytes of type and two of class.
    const end = query.indexOf(0, 12) + 5;
    const isAddress = query.readUInt16BE(end - 4) === 1;
    const header = Buffer.from([...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, isAddress ? 1 : 0, 0, 0, 0, 0]);
    const record = isAddress ? [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address] : [];
    socket.send(Buffer.concat([header, query.subarray(12, end), Buffer.from(record)]), client.port, client.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

function onPort(corefile: Corefile, port: number): Corefile {
  const servers = corefile.servers.map(({ zones, plugins }) => ({
    zones: zones.map((zone) => zone.replace(/:53$/, `:${port}`)),
    plugins: [...plugins, { plugin: "bind", addresses: ["127.0.0.1"] } as const],
  }));
  return { ...corefile, servers };
}

function onLoopback(plugin: Plugin): Plugin {
  switch (plugin.plugin) {
    case "health":
    case "ready":
    case "prometheus":
      return { ...plugin, address: "127.0.0.1:0" };
    default:
      return plugin;
  }
}

async function start(corefile: string, folder: string): Promise<ChildProcess> {
  assert.equal(parseCorefile(corefile).servers.length, 2);
  const file = join(folder, "Corefile");
  await writeFile(file, corefile);
  const child = spawn(COREDNS ?? "coredns", ["-conf", file], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  for (let waited = 0; !said.includes("CoreDNS-"); waited += 20) {
    assert.ok(waited < 10_000 && child.exitCode === null, `CoreDNS does not start:\n${said}`);
    await pause(20);
  }
  return child;
}
