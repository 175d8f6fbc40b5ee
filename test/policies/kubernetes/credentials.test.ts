import assert from "node:assert/strict";
import { destinationsOf } from "../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { credentialInCommand, credentialInText, credentialsIn } from "../../../policies/readers/credentials.ts";
import { DESTINATIONS, pipelines } from "../../components/logging/collectors/pipelines.ts";

describe("what counts as a credential in a ConfigMap", () => {
  // The rule is mandatory: a reference that it took for a password would stop the deployment.
  for (const [id, collector] of Object.entries(COLLECTORS)) {
    it(`is nothing that ${id} is rendered with, wherever it sends to`, () => {
      const able = new Set(destinationsOf(collector));
      const tried = DESTINATIONS.filter(({ kind }) => able.has(String(kind)));
      assert.ok(tried.length > 0);
      for (const destination of tried) {
        const pipelineOf = pipelines({ collector: id, destination });
        const source = collector.modes.includes("daemonset") ? undefined : "application";
        for (const [file, text] of Object.entries(collector.render(pipelineOf({}, source)).files))
          assert.deepEqual(credentialsIn(text), [], `${file} for ${JSON.stringify(destination)}`);
      }
    });
  }

  for (const [id, collector] of Object.entries(COLLECTORS).filter(([, { destinations }]) => destinations.http === true))
    it(`is a token in the query of a URL, as ${id} has it`, () => {
      const pipelineOf = pipelines({
        collector: id,
        destination: { kind: "http", url: "https://l.example.com/in?a=1" },
      });
      const files = Object.values(collector.render(pipelineOf({})).files);
      const withQuery = (query: string) =>
        files.flatMap((text) => credentialsIn(text.replaceAll("?a=1", `?a=1&${query}`))).map(({ what }) => what);
      for (const name of ["token", "dd-api-key", "api_key", "Api-Key", "access_token", "apikey"])
        assert.deepEqual(withQuery(`${name}=abcdef0123&b=2`), [`a literal ${name} in a URL`]);
      for (const query of ["token_type=jwt", "max_tokens=10", "tokenizer=a"]) assert.deepEqual(withQuery(query), []);
    });

  it("is a token in the query of any URL, and no variable or pattern in its place", () => {
    const values = ["hunter2", "%68unter", "$token", "$(cat /run/token)", "<token>", "(.*)", "[^&]+", "{{ .token }}"];
    const found = values.filter((value) => credentialInText(`https://x/in?token=${value}`) !== undefined);
    assert.deepEqual(found, ["hunter2", "%68unter"]);
    assert.deepEqual(credentialsIn("a: b\nrewrite ^/in?token=hunter2 /out"), [
      { line: 2, what: "a literal token in a URL" },
    ]);
  });

  it("is a password, and no reference to one", () => {
    const lines = ["|-", "|2-", ">-2", "SECRET[store.password]", `\${LOG_PASSWORD}`, "hunter2", "SECRET", "|hunter2"];
    const found = lines.filter((value) => credentialsIn(`a: b\npassword: ${value}`).length > 0);
    assert.deepEqual(found, ["hunter2", "SECRET", "|hunter2"]);
  });

  // https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#variable-expansion
  it("is no file or variable that Grafana reads, and nothing that a command prints", () => {
    const values = ["$__file{/etc/secrets/oauth}", "$__env{KEY}", "$__file", "$__x"];
    const found = values.filter((value) => credentialsIn(`client_secret = ${value}`).length > 0);
    assert.deepEqual(found, ["$__file", "$__x"]);
    assert.equal(credentialInCommand('curl -H "Authorization: Bearer $(cat /run/token)" https://x'), undefined);
    const login =
      "aws ecr get-login-password | docker login --username AWS --password-stdin 1.dkr.ecr.eu-west-1.amazonaws.com";
    assert.equal(credentialInCommand(login), undefined);
    assert.equal(credentialInCommand('curl -H "Authorization: Bearer hunter2" https://x'), "a literal Authorization");
  });

  // https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/#sensitive-data-and-sso-client-secrets
  it("is no key of a Secret that Argo CD fills in", () => {
    const values = [
      "$oidc.okta.clientSecret",
      "$dex.github.clientSecret",
      "$my-secret:client-id",
      "$ecret",
      "$e.",
      "$1.2",
    ];
    const found = values.filter((value) => credentialsIn(`clientSecret: ${value}`).length > 0);
    assert.deepEqual(found, ["$ecret", "$e.", "$1.2"]);
  });
});
