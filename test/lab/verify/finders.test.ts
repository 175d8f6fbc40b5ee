import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { IndexFormat, indexName } from "../../../components/logging/indexing/index-format.ts";
import { parseSettings } from "../../../components/settings.ts";
import { ClusterError, type ProxyTarget } from "../../../lab/kubernetes/cluster.ts";
import type { MarkerFinder } from "../../../lab/verify/find/finder.ts";
import {
  cloudwatchFinder,
  expectedNames,
  fileFinder,
  findersFor,
  lokiFinder,
  searchFinder,
} from "../../../lab/verify/find/marker-finders.ts";
import { Lab } from "../../../lab/verify/lab.ts";
import { listen } from "../../support/listen.ts";
import { fakeCluster, notFound, runningPod } from "./fake-cluster.ts";

const FLUENT_BIT = { collector: "fluent-bit", namespace: "logging" } as const;

const pod = runningPod("ts", { labels: { app: "curl-ts", team: "ts", "app.kubernetes.io/name": "curl" } });
const collector = runningPod("fluent-bit", { namespace: "logging", name: "fluent-bit-1", ip: "10.0.0.7" });
const opensearch = runningPod("opensearch", { namespace: "logging", name: "opensearch-0", ip: "10.0.0.9" });
const wanted = { marker: "labmarkerabc", pod, seconds: 30 };
const index = IndexFormat.parse({});
const none = { port: 9200, tls: undefined, credentials: undefined };

/** A lab whose proxy answers by what is asked, and that writes down what that was. */
function proxied(answer: (path: string, target: ProxyTarget) => string) {
  const asked: string[] = [];
  const lab = new Lab(
    fakeCluster({
      pods: async () => [collector],
      async proxyGet(target, path, headers = {}) {
        const place = target.kind === "nodes" ? target.name : `${target.namespace}/${target.name}`;
        asked.push([place, path, ...Object.entries(headers).flat()].join(" "));
        return answer(path, target);
      },
    }),
  );
  return { lab, asked };
}

function hits(name: string | undefined): string {
  return JSON.stringify({ hits: { hits: name === undefined ? [] : [{ _index: name }] } });
}

describe("finding a marker in OpenSearch and Elasticsearch", () => {
  const inCluster = { ...none, kind: "opensearch", inCluster: true, host: undefined, storage: undefined } as const;

  it("asks the one inside the cluster through the API server, and names the index", async () => {
    const name = indexName(index, new Date());
    const { lab, asked } = proxied(() => hits(name));
    assert.deepEqual(await searchFinder(inCluster, index, FLUENT_BIT).find(lab, wanted), { where: `index ${name}` });
    assert.match(asked[0] ?? "", /^logging\/opensearch:9200 \/logs-\*\/_search\?q=labmarkerabc&/);
    await searchFinder(inCluster, index, { ...FLUENT_BIT, namespace: "observability" }).find(lab, wanted);
    assert.match(asked[1] ?? "", /^observability\/opensearch:9200 /);
  });

  for (const [nodes, message, cause] of [
    [[], "no opensearch pod", /StatefulSet opensearch does not exist/],
    [
      [{ ...opensearch, phase: "Pending", reason: "Unschedulable" }],
      "opensearch-0 is Pending (Unschedulable)",
      /show the reason/,
    ],
    [[{ ...opensearch, ready: false }], "opensearch-0 is not ready", /kubectl -n logging describe pod opensearch-0/],
  ] as const) {
    it(`says before waiting what is the matter with the one inside the cluster: ${message}`, async () => {
      const pods = async (_namespace: string, selector: string) =>
        selector.endsWith("=opensearch") ? [...nodes] : [collector];
      const prepared = searchFinder(inCluster, index, FLUENT_BIT).prepare?.(new Lab(fakeCluster({ pods })), pod);
      await assert.rejects(async () => prepared, { name: "UnmetPrecondition", message, likelyCause: cause });
    });
  }

  for (const refusal of [
    'the API server answered 503: no endpoints available for service "opensearch:9200"',
    "the API server answered 503: error trying to reach service: dial tcp 10.0.0.9:9200: connect: connection refused",
  ]) {
    it(`says that nobody is there, and not that the API server refused: ${refusal.slice(30)}`, async () => {
      const { lab } = proxied(() => {
        throw new ClusterError("other", refusal);
      });
      await assert.rejects(searchFinder(inCluster, index, FLUENT_BIT).find(lab, wanted), {
        name: "UnmetPrecondition",
        message: "no pod behind the Service opensearch in logging answers",
      });
    });
  }

  it("waits for a hit, and reports an index with another name than in the settings", async () => {
    const finder = searchFinder(inCluster, index, FLUENT_BIT);
    assert.equal(await finder.find(proxied(() => hits(undefined)).lab, wanted), undefined);
    const found = await finder.find(proxied(() => hits("logs-old")).lab, wanted);
    assert.match(found?.unexpected ?? "", /^by the settings it should be logs-\d{4}\.\d\d\.\d\d/);
    assert.match(await finder.whyMissing(proxied(() => "").lab, pod), /no index logs-\* has the line/);
  });

  it("accepts the names around midnight and by either label of the app", () => {
    const midnight = new Date("2026-03-01T00:00:30Z");
    assert.deepEqual([...expectedNames(index, pod, midnight)], ["logs-2026.03.01", "logs-2026.02.28"]);
    const byApp = IndexFormat.parse({ splitBy: "app" });
    assert.deepEqual(
      [...expectedNames(byApp, pod, new Date("2026-03-01T12:00:00Z"))],
      ["logs-curl-ts-2026.03.01", "logs-curl-2026.03.01"],
    );
    const byTeam = IndexFormat.parse({ splitBy: "team" });
    assert.deepEqual([...expectedNames(byTeam, pod, new Date("2026-03-01T12:00:00Z"))], ["logs-ts-2026.03.01"]);
  });

  it("reports before waiting that a Service with a password cannot be queried from outside", () => {
    const credentials = { secretName: "s", usernameKey: "username", passwordKey: "password" };
    const host = "search.logging.svc.cluster.local";
    const finder = searchFinder({ ...none, kind: "elasticsearch", host, credentials }, index, FLUENT_BIT);
    assert.match(finder.whyUnreadable ?? "", /requires a password/);
  });

  it("asks one outside directly, with the password of its Secret", async () => {
    const seen: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(seen.length === 1 ? 200 : 403);
      response.end(seen.length === 1 ? hits(indexName(index, new Date())) : "{\n no }");
    });
    const port = await listen(server);
    const credentials = { secretName: "s", usernameKey: "username", passwordKey: "password" };
    const destination = {
      kind: "elasticsearch",
      host: "127.0.0.1",
      port,
      tls: false,
      credentials,
    } as const;
    const lab = new Lab(fakeCluster({ secret: async () => ({ username: "u", password: "p" }) }));
    const finder = searchFinder(destination, index, FLUENT_BIT);
    assert.ok(await finder.find(lab, wanted));
    assert.deepEqual(seen, [`Basic ${Buffer.from("u:p").toString("base64")}`]);
    await assert.rejects(finder.find(lab, wanted), /answered 403: { no }/);
    server.closeAllConnections();
    server.close();
    await assert.rejects(finder.find(lab, wanted), /^ClusterError: 127\.0\.0\.1:\d+ does not answer/);
  });
});

describe("finding a marker if something else answers", () => {
  for (const [answer, told] of [
    ["<html>\n Sign in </html>", /^ClusterError: .* returned an unexpected answer: <html> Sign in <\/html>$/],
    ["{}", /unexpected answer: {}$/],
    ["", /unexpected answer: nothing$/],
  ] as const) {
    it(`says so in one line: ${JSON.stringify(answer)}`, async () => {
      const { lab } = proxied(() => answer);
      const search = { ...none, kind: "opensearch", inCluster: true, host: undefined, storage: undefined } as const;
      await assert.rejects(searchFinder(search, index, FLUENT_BIT).find(lab, wanted), told);
      const loki = { kind: "loki", url: "http://loki.monitoring.svc", tenant: undefined, verify: true } as const;
      await assert.rejects(lokiFinder({ ...loki, credentials: undefined }, "promtail").find(lab, wanted), told);
    });
  }
});

describe("finding a marker in Loki", () => {
  const url = "http://loki.monitoring.svc:3100";

  it("asks for the namespace's streams, as the tenant", async () => {
    const stream = { namespace: "ts-team", app: "curl-ts" };
    const { lab, asked } = proxied(() => JSON.stringify({ data: { result: [{ stream }] } }));
    const finder = lokiFinder({ kind: "loki", url, tenant: "lab", verify: true, credentials: undefined }, "promtail");
    assert.deepEqual(await finder.find(lab, wanted), { where: "stream {namespace=ts-team, app=curl-ts}" });
    assert.match(
      decodeURIComponent(asked[0] ?? ""),
      /^monitoring\/loki:3100 .*query={namespace="ts-team"}\+\|=\+"labmarkerabc".* X-Scope-OrgID lab$/,
    );
  });

  it("sends the destination's headers, with the values of secret ones from their Secrets", async () => {
    const seen: IncomingHttpHeaders[] = [];
    const server = createServer(({ headers }, response) => {
      seen.push(headers);
      response.end(JSON.stringify({ data: { result: [] } }));
    });
    const loki = { kind: "loki", tenant: "lab", verify: true, credentials: undefined } as const;
    const headers = { "X-Api-Key": { secretName: "gateway", key: "key" }, "X-Plain": "a" };
    const outside = { ...loki, url: `http://127.0.0.1:${await listen(server)}`, headers };
    const secret = async (_namespace: string, name: string) => ({ key: `of ${name}\n` });
    await lokiFinder(outside, "fluent-bit").find(new Lab(fakeCluster({ secret, pods: async () => [] })), wanted);
    server.close();
    const [{ "x-api-key": key, "x-plain": plain, "x-scope-orgid": tenant } = {}] = seen;
    assert.deepEqual([key, plain, tenant], ["of gateway", "a", "lab"]);
    assert.match(lokiFinder({ ...loki, url, headers }, "fluent-bit").whyUnreadable ?? "", /requires a secret header/);
  });

  it("waits while there is none", async () => {
    const { lab } = proxied(() => JSON.stringify({ data: { result: [] } }));
    const finder = lokiFinder(
      { kind: "loki", url, tenant: undefined, verify: true, credentials: undefined },
      "promtail",
    );
    assert.equal(await finder.find(lab, wanted), undefined);
  });
});

describe("finding a marker in the files of a node", () => {
  const finder = fileFinder("/var/log/collected", "fluent-bit");

  it("reads the ends of the files that the kubelet lists, folders included", async () => {
    const pages: Readonly<Record<string, string>> = {
      "/logs/collected/": '<pre>\n<a href="a.log">a.log</a>\n<a href="ts-team/">ts-team/</a>\n</pre>',
      "/logs/collected/a.log": "nothing",
      "/logs/collected/ts-team/": '<a href="b.log">b.log</a>',
      "/logs/collected/ts-team/b.log": "x labmarkerabc y",
    };
    const { lab, asked } = proxied((path) => pages[path] ?? "");
    assert.deepEqual(await finder.find(lab, wanted), { where: "/var/log/collected/ts-team/b.log" });
    assert.ok(asked.includes("node-1 /logs/collected/a.log Range bytes=-4194304"));
  });

  it("finds nothing if the folder does not exist yet", async () => {
    const { lab } = proxied(() => {
      throw notFound("folder");
    });
    assert.equal(await finder.find(lab, wanted), undefined);
  });

  it("reports a missing permission", async () => {
    const { lab } = proxied(() => {
      throw new ClusterError("forbidden", "no right to get nodes/proxy");
    });
    await assert.rejects(finder.find(lab, wanted), { kind: "forbidden" });
  });
});

describe("finding a marker in CloudWatch Logs", () => {
  it("asks the AWS CLI for the log group of the region", async () => {
    const asked: string[] = [];
    const finder = cloudwatchFinder({ logGroup: "/lab/pods", region: "eu-central-1" }, "fluent-bit", async (args) => {
      asked.push(args.join(" "));
      return JSON.stringify({ events: asked.length === 1 ? [] : [{ logStreamName: "s1" }] });
    });
    const { lab } = proxied(() => "");
    assert.equal(await finder.find(lab, wanted), undefined);
    assert.deepEqual(await finder.find(lab, wanted), { where: "log stream s1" });
    assert.match(
      asked[0] ?? "",
      /^logs filter-log-events --log-group-name \/lab\/pods --region eu-central-1 --start-time \d+ --filter-pattern "labmarkerabc"/,
    );
  });
});

describe("every destination of the settings", () => {
  function finderOf(
    logging: Record<string, unknown>,
    cluster: Record<string, unknown> = { kind: "existing" },
  ): MarkerFinder {
    const config = {
      "eks-dns-logging:cluster": JSON.stringify(cluster),
      "eks-dns-logging:logging": JSON.stringify(logging),
    };
    const [finder] = findersFor(parseSettings({ ...config, "aws:region": "eu-central-1" }));
    assert.ok(finder);
    return finder;
  }

  for (const [destination, place, unable] of [
    [{ kind: "stdout" }, "fluent-bit stdout", undefined],
    [{ kind: "opensearch", inCluster: true }, "opensearch logs-*", undefined],
    [{ kind: "elasticsearch", host: "search.example.com" }, "elasticsearch logs-*", undefined],
    [{ kind: "file" }, "/var/log/collected on the node", undefined],
    [{ kind: "loki", url: "http://loki.monitoring.svc:3100" }, "loki loki.monitoring.svc:3100", undefined],
    [{ kind: "http", url: "https://logs.example.com/in" }, "http", /cannot be queried/],
  ] as const) {
    it(`${destination.kind} has a way to find a marker, or says why not`, () => {
      const finder = finderOf({ destination });
      assert.equal(finder.place, place);
      assert.match(finder.whyUnreadable ?? "", unable ?? /^$/);
    });
  }
});
