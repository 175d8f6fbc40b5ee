import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { listen } from "../../support/listen.ts";

const SCRIPT = fileURLToPath(new URL("../../../components/monitoring/canary.sh", import.meta.url));

/** What the destination does with a line. */
type Fate = "keep" | "lose" | "double" | "break";

/** A destination as OpenSearch and Loki answer: it counts the lines that the canary wrote. */
class Destination {
  fate: Fate = "keep";
  readonly requests: string[] = [];
  readonly server: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (data) => {
      body += data;
    });
    request.on("end", () => {
      const text = `${decodeURIComponent((request.url ?? "").replaceAll("+", " "))} ${body}`;
      this.requests.push(`${request.headers["x-scope-orgid"] ?? ""} ${text}`);
      if (this.fate === "break") return response.writeHead(503).end("unavailable");
      const count = { keep: 1, lose: 0, double: 2 }[this.fate];
      if (text.includes("_cluster/health")) return response.end('{"status":"yellow"}');
      if (text.includes("_settings"))
        return response.end(
          '{"a":{"settings":{"index.blocks.read_only_allow_delete":"true"}},"b":{"settings":{"index.blocks.write":"false"}}}',
        );
      if (!text.includes("loki")) return response.end(JSON.stringify({ count, _shards: { total: 5 } }));
      const result = count === 0 ? [] : [{ metric: {}, value: [1, String(count)] }];
      return response.end(JSON.stringify({ status: "success", data: { resultType: "vector", result } }));
    });
  });
}

describe("the canary", function () {
  this.timeout(60_000);
  let folder: string;
  let destination: Destination;
  let address: string;
  let canary: ChildProcess | undefined;
  let output = "";

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "canary-"));
    output = "";
    destination = new Destination();
    address = `http://127.0.0.1:${await listen(destination.server)}`;
    // Answers for names of the cluster alone.
    const lookup = "#!/bin/sh\ncase $1 in *cluster.local.) exit 0 ;; *) exit 1 ;; esac\n";
    await writeFile(join(folder, "nslookup"), lookup);
    await chmod(join(folder, "nslookup"), 0o755);
  });
  afterEach(async () => {
    canary?.kill("SIGKILL");
    canary = undefined;
    destination.server.closeAllConnections();
    destination.server.close();
    await rm(folder, { recursive: true });
  });

  function start(variables: Readonly<Record<string, string>>): void {
    canary = spawn("sh", [SCRIPT], {
      env: {
        PATH: `${folder}:${process.env.PATH}`,
        STATE: folder,
        NODE_NAME: "node-1",
        INSIDE_NAME: "kubernetes.default.svc.cluster.local.",
        OUTSIDE_NAME: "aws.amazon.com.",
        API_URL: `${address}/readyz`,
        INTERVAL: "2",
        TICK: "1",
        DOUBLE_AFTER: "1",
        LOSS_AFTER: "2",
        SEARCH_URL: address,
        SEARCH_INDEX: "logs-*",
        LOKI_URL: address,
        ...variables,
      },
      stdio: ["ignore", "pipe", "inherit"],
    });
    canary.stdout?.on("data", (data) => {
      output += data;
    });
  }

  /** The metrics by name and labels but the node's, once they are as wanted. */
  async function metrics(isThere: (found: ReadonlyMap<string, number>) => boolean): Promise<Map<string, number>> {
    for (let tries = 0; tries < 150; tries++) {
      const text = await readFile(join(folder, "metrics"), "utf8").catch(() => "");
      const found = new Map(
        [...text.matchAll(/^(\w+)\{node="node-1"(?:,name="(\w+)")?\} (\S+)$/gm)].map(
          ([, name = "", label, value]): [string, number] => [
            label === undefined ? name : `${name} ${label}`,
            Number(value),
          ],
        ),
      );
      assert.equal(found.size, text.split("\n").filter((line) => line !== "").length, text);
      if (isThere(found)) return found;
      await sleep(200);
    }
    throw new Error(`not reached: ${await readFile(join(folder, "metrics"), "utf8").catch(() => "no metrics")}`);
  }

  it("reports which program its image lacks, and exits", async () => {
    const bin = join(folder, "bin");
    await mkdir(bin);
    for (const program of ["curl", "date", "grep", "mkdir", "mv", "nslookup", "sed", "sleep"])
      await symlink("/bin/true", join(bin, program));
    const { status, stderr } = spawnSync("/bin/sh", [SCRIPT], { env: { PATH: bin, STATE: folder }, encoding: "utf8" });
    assert.deepEqual(
      [status, stderr],
      [
        1,
        "the canary's image lacks: rm tr; set monitoring.canary.image to one with curl and busybox, such as the default\n",
      ],
    );
  });

  for (const [host, url] of [
    ["10.96.0.1", "https://10.96.0.1:443/readyz"],
    ["fd00::1", "https://[fd00::1]:443/readyz"],
  ] as const)
    it(`queries the API server at ${host}, since a name would test DNS`, async () => {
      await writeFile(join(folder, "curl"), '#!/bin/sh\necho "$@" >>"$STATE/asked"\nprintf 401\n');
      await chmod(join(folder, "curl"), 0o755);
      start({ DESTINATION: "none", API_URL: "", KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: "443" });
      const found = await metrics((all) => all.has("canary_api_server_up"));
      assert.equal(found.get("canary_api_server_up"), 1);
      const [asked = ""] = (await readFile(join(folder, "asked"), "utf8")).split("\n");
      assert.equal(asked.split(" ").at(-1), url);
    });

  it("follows its lines to a search engine, and looks up names", async () => {
    start({ DESTINATION: "search", SEARCH_OWN: "1" });
    const found = await metrics((all) => (all.get("canary_lines_delivered_total") ?? 0) >= 2);
    assert.equal(found.get("canary_lines_lost_total"), 0);
    assert.equal(found.get("canary_lines_duplicated_total"), 0);
    assert.equal(found.get("canary_destination_readable"), 1);
    assert.equal(found.get("canary_lookup_up inside"), 1);
    assert.equal(found.get("canary_lookup_up outside"), 0);
    assert.equal(found.get("canary_api_server_up"), 1);
    assert.equal(found.get("canary_search_up"), 1);
    assert.equal(found.get("canary_search_read_only_indices"), 1);
    assert.ok((found.get("canary_newest_line_age_seconds") ?? 99) < 10);
    const written = output.match(/^canary line canary\d+x\d+$/gm) ?? [];
    assert.ok(written.length >= 2, output);
    // By its own sum, so that a node keeps its word: 31 * sum + character, modulo 2 ** 32.
    const sum = [..."node-1"].reduce((total, letter) => (total * 31 + letter.charCodeAt(0)) % 2 ** 32, 0);
    assert.ok(
      written.every((line) => line.startsWith(`canary line canary${sum}x`)),
      output,
    );
    assert.match(output, /^canary lookup failed for the name outside the cluster: aws\.amazon\.com\.$/m);
    const id = written[0]?.split(" ")[2] ?? "";
    assert.ok(destination.requests.some((text) => text.includes("/logs-*/_count") && text.includes(`"query":"${id}"`)));
  });

  it("counts lost and doubled lines", async () => {
    destination.fate = "lose";
    start({ DESTINATION: "search" });
    await metrics((all) => (all.get("canary_lines_lost_total") ?? 0) >= 1);
    destination.fate = "double";
    const found = await metrics((all) => (all.get("canary_lines_duplicated_total") ?? 0) >= 1);
    assert.ok((found.get("canary_lines_delivered_total") ?? 0) >= 1);
    assert.equal(found.has("canary_search_up"), false);
  });

  it("does not count a line as lost while the destination does not answer", async () => {
    destination.fate = "break";
    start({ DESTINATION: "search" });
    const found = await metrics((all) => (all.get("canary_newest_line_age_seconds") ?? 0) >= 5);
    assert.equal(found.get("canary_destination_readable"), 0);
    assert.equal(found.get("canary_lines_lost_total"), 0);
    destination.fate = "keep";
    const again = await metrics((all) => (all.get("canary_lines_delivered_total") ?? 0) >= 2);
    assert.equal(again.get("canary_lines_lost_total"), 0);
    // The first of them waited while the destination was away.
    assert.ok((again.get("canary_line_delay_seconds_total") ?? 0) >= 4);
  });

  it("queries Loki with its tenant, and treats an empty result as no line", async () => {
    destination.fate = "lose";
    start({ DESTINATION: "loki", LOKI_TENANT: "team a" });
    await metrics((all) => (all.get("canary_lines_lost_total") ?? 0) >= 1);
    destination.fate = "keep";
    await metrics((all) => (all.get("canary_lines_delivered_total") ?? 0) >= 1);
    assert.ok(
      destination.requests.some((text) =>
        /^team a \/loki\/api\/v1\/query.*\{namespace="canary"\} \|= "canary/.test(text),
      ),
    );
  });

  it("counts no lines if it cannot find them, and exits on SIGTERM", async () => {
    start({ DESTINATION: "none" });
    const found = await metrics((all) => (all.get("canary_lines_written_total") ?? 0) >= 2);
    assert.deepEqual(
      [...found.keys()].filter((name) => /lost|delivered|readable/.test(name)),
      [],
    );
    const ended = new Promise((resolve) => canary?.once("exit", resolve));
    canary?.kill("SIGTERM");
    assert.equal(await ended, 0);
  });
});
