import assert from "node:assert/strict";
import fc from "fast-check";
import { readerRoles } from "../../../../components/logging/destinations/team-readers.ts";
import { IndexFormat, indexName, teamOf } from "../../../../components/logging/indexing/index-format.ts";
import { targetsOf } from "../../../../components/logging/routing/routes.ts";
import { LoggingSettings } from "../../../../components/logging/settings.ts";
import { anyFormat, anyTime } from "../arbitraries.ts";

const TEAMS = [{ name: "ts" }, { name: "ts-ops" }, { name: "none" }, { name: "own", namespaces: [{ name: "shop" }] }];

function rolesOf(logging: object, teams: typeof TEAMS = TEAMS) {
  return readerRoles("lab", targetsOf(LoggingSettings.parse(logging), teams), teams);
}

const search = { kind: "opensearch", host: "search.example.com" };

/** The names that a role's patterns match, as the plugin reads them: the whole name. */
function matches(patterns: readonly string[] | undefined, name: string): boolean {
  return (patterns ?? []).some((pattern) => new RegExp(`^(?:${pattern.slice(1, -1)})$`).test(name));
}

describe("the roles of OpenSearch for a team's members", () => {
  it("read the team's own indices, if each team has its own", () => {
    assert.deepEqual(rolesOf({ destination: search, index: { splitBy: "team" } })["lab-logs.ts"], {
      description: "Read the logs of team ts of cluster lab",
      cluster_permissions: ["cluster_composite_ops_ro"],
      index_permissions: [{ index_patterns: ["/logs-ts-[0-9]{4}\\.[0-9]{2}\\.[0-9]{2}/"], allowed_actions: ["read"] }],
    });
  });

  it("read the team's documents in shared indices", () => {
    const [permission] = rolesOf({ destination: search })["lab-logs.ts"]?.index_permissions ?? [];
    assert.deepEqual(permission, {
      index_patterns: ["/logs-[0-9]{4}\\.[0-9]{2}\\.[0-9]{2}/"],
      dls: '{"term":{"team":"ts"}}',
      allowed_actions: ["read"],
    });
  });

  it("exist for each destination with its own users, for the teams whose lines go there", () => {
    const signed = { sigv4: { arn: "arn:aws:es:eu-central-1:111122223333:domain/logs" } };
    const serverless = { sigv4: { arn: "arn:aws:aoss:eu-central-1:111122223333:collection/07tjusf2h91cunochc" } };
    const roles = rolesOf({
      destinations: {
        audit: { kind: "http", url: "https://h/in" },
        domain: { ...search, ...signed },
        lab: { kind: "opensearch", inCluster: true },
        serverless: { ...search, ...serverless },
      },
      routes: [{ to: ["domain"], teams: ["own"] }, { to: ["lab", "serverless", "audit"] }],
    });
    assert.deepEqual(Object.keys(roles), ["lab-logs.own.domain"]);
  });

  it("match every index of the team and no other team's, for any format", () => {
    const lines = TEAMS.flatMap(({ name, namespaces = [{ name: `${name}-team` }] }) =>
      namespaces.map(({ name: namespace }) => ({ team: name, namespace })),
    );
    const others = ["kube-system", "none", "ts"].map((namespace) => ({ team: teamOf(namespace), namespace }));
    const targets = targetsOf(LoggingSettings.parse({ destination: search }), TEAMS);
    const apps = fc.constantFrom(undefined, "curl", "Web_1.x", "x".repeat(63));
    fc.assert(
      fc.property(anyFormat, anyTime, apps, (index, at, app) => {
        const roles = readerRoles(
          "lab",
          targets.map((target) => ({ ...target, index })),
          TEAMS,
        );
        for (const { name } of TEAMS) {
          const [permission] = roles[`lab-logs.${name}`]?.index_permissions ?? [];
          assert.ok(permission);
          for (const line of [...lines, ...others]) {
            const found = indexName(IndexFormat.parse(index), at, { ...line, app });
            const reads = matches(permission.index_patterns, found);
            if (line.team === name) assert.ok(reads, `${name} does not read ${found}`);
            else if (permission.dls === undefined) assert.ok(!reads, `${name} reads ${found}`);
            else assert.deepEqual(JSON.parse(permission.dls), { term: { team: name } });
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
