import assert from "node:assert/strict";
import { corefilePorts, queryPorts, serverPorts, targetPort } from "../../../components/dns/endpoints.ts";
import { DnsSettings } from "../../../components/dns/settings.ts";

const dns = (adopt: object | undefined, text?: string) =>
  DnsSettings.parse({ adopt, corefile: text === undefined ? {} : { text } });

describe("the ports of CoreDNS", () => {
  it("are those of the Corefile's servers, or their scheme's default", () => {
    const text = ". {\n}\nexample.org:1053 {\n}\ntls://. {\n}\nhttps://example.org:8443 {\n}\ngrpc://. {\n}\n";
    assert.deepEqual(serverPorts(text), [53, 443, 853, 1053, 8443]);
    for (const [scheme, port] of Object.entries({ tls: 853, quic: 853, https: 443, https3: 443, grpc: 443 }))
      assert.deepEqual(serverPorts(`${scheme}://. {\n}\n`), [port]);
    // The system chooses one then, and nobody can be told it.
    assert.deepEqual(serverPorts(".:0 {\n}\n.:5353 {\n}\n"), [5353]);
  });

  it("are a Service's target port for queries, and always 53", () => {
    const ports = (adopt: object | undefined, text?: string) => queryPorts(dns(adopt, text));
    assert.deepEqual(queryPorts(undefined), [53]);
    assert.deepEqual(ports(undefined), [53]);
    assert.deepEqual(ports({}, ".:5353 {\n}\ntls://.:853 {\n}\n"), [53, 5353]);
    // Servers to which others of the Corefile forward are asked by nobody else.
    assert.deepEqual(ports(undefined, ". {\n  forward . 127.0.0.1:5300\n}\n.:5300 {\n}\n"), [53]);
    assert.deepEqual(ports({ port: 1053 }, ".:5353 {\n}\n"), [53, 1053]);
    assert.deepEqual(ports({ manage: false }, ".:5353 {\n}\n"), [53]);
    assert.deepEqual(ports({ manage: false, port: 1053 }), [53, 1053]);
  });

  it("include a Service's target: the port of the block for all zones", () => {
    const port = (adopt: object | undefined, text?: string) => targetPort(dns(adopt, text));
    assert.equal(port(undefined), 53);
    assert.equal(port({}, "a.example:53 {\n}\n.:5353 {\n}\n"), 5353);
    assert.equal(port({}, ".:5353 {\n}\n.:53 {\n}\n"), 53);
    assert.equal(port({}, "tls://.:853 {\n}\n"), 53);
    assert.equal(port({}, "a.example:1053 {\n}\n"), 1053);
    assert.equal(port({ port: 1053, manage: false }), 1053);
  });

  it("are known of a Corefile that can be read, and takes none of files and variables", () => {
    assert.deepEqual(corefilePorts("a.example:1053 {\n}\n.:5353 {\n}\ntls://. {\n}\n"), [1053, 5353]);
    assert.deepEqual(corefilePorts("tls://. {\n}\n"), []);
    for (const text of [".:53 {\n", "import *.server\n. {\n}\n", ".:{$PORT} {\n}\n", ".:{%PORT%} {\n}\n"])
      assert.equal(corefilePorts(text), undefined, text);
  });
});
