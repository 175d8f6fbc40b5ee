import assert from "node:assert/strict";
import { destinationsOf } from "../../../components/logging/collectors/collector.ts";
import { COLLECTORS } from "../../../components/logging/collectors/index.ts";
import { credentialInCommand, credentialInText } from "../../../policies/readers/credentials/credential-forms.ts";
import { credentialsIn } from "../../../policies/readers/credentials/credential-lines.ts";
import { DESTINATIONS, pipelines } from "../../components/logging/collectors/pipelines.ts";

describe("a credential in a ConfigMap", () => {
  // The rule is mandatory: a reference that it took for a password would stop the deployment.
  for (const [id, collector] of Object.entries(COLLECTORS)) {
    it(`is nothing in a rendered configuration of ${id}, with any destination`, () => {
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
    it(`is a token in the query of a URL, as with ${id}`, () => {
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

  it("is a token in the query of any URL, but not a variable or pattern", () => {
    const values = ["hunter2", "%68unter", "$token", "$(cat /run/token)", "<token>", "(.*)", "[^&]+", "{{ .token }}"];
    const found = values.filter((value) => credentialInText(`https://x/in?token=${value}`) !== undefined);
    assert.deepEqual(found, ["hunter2", "%68unter"]);
    assert.deepEqual(credentialsIn("a: b\nrewrite ^/in?token=hunter2 /out"), [
      { line: 2, what: "a literal token in a URL" },
    ]);
  });

  it("is not a setting about a secret's use, lifetime or bypass", () => {
    const lines = [
      ...["proxy_pass http://backend:8080;", "passwordPattern: ^.{8,32}$", "passwordConnector: local"],
      ...["secretEnv: CLIENT_SECRET", "tokenURL: https://sso.example.com/token", "token-uri: https://sso.example.com"],
      ...["password_rotation_interval: 90", "password_rotation_user_retention: 180"],
    ];
    for (const line of lines) assert.deepEqual(credentialsIn(`a: b\n${line}`), [], line);
    const commands = [
      "operator --secret-field-selector=type!=kubernetes.io/dockercfg",
      'echo "$(date -u +%H:%M:%S)"',
      "proxy --bypass=10.0.0.0/8 --auth-token-audiences=https://kubernetes.default.svc",
    ];
    for (const command of commands) assert.equal(credentialInCommand(command), undefined, command);
  });

  it("is neither the name of a Secret nor that of a key in one", () => {
    const lines = [
      ...["accessKeyIdKey: awsAccessKeyId", "bearerTokenKey: bearerToken", "clientSecretKey: client-secret"],
      ...["existingUserSecretKey: username", "credentialsKey: service-account.json", "passphraseKey: phrase"],
      ...["from_secret: registry", "caCertsSecret: ca-certs", "webhook-serving-secret: webhook-tls"],
      ...["PULL_SECRET_NAMES: registry-credentials", "extraEnvVarsSecret: elastic", "secretProviderClass: aws"],
    ];
    for (const line of lines) assert.deepEqual(credentialsIn(`a: b\n${line}`), [], line);
    const literal = [
      "clientSecretKey: hunter2",
      "secretKey: secret",
      "secret_key: secret",
      "env_secret: hunter2",
      "apiKey: -_-_-",
      // Behind letters it is a number, and no name of a program.
      "SMTP1PASSWORD: hunter2",
      "user1Password: hunter2",
    ];
    for (const line of literal) assert.equal(credentialsIn(`a: b\n${line}`).length, 1, line);
  });

  it("is not an option of Kubernetes, etcd, AWS, Kafka or Apache with a secret only in its name", () => {
    const lines = [
      ...["configMapAndSecretChangeDetectionStrategy: Watch", 'ETCD_INITIAL_CLUSTER_TOKEN="etcd-1"'],
      ...["credential_process = aws-vault exec a", "password.encoder.iterations=4096", "SSLPassPhraseDialog  builtin"],
      ...[
        '  "usePassword": true,',
        '  "apiToken": null,',
        '  "enable_token_replication": true,',
        '  "privateKey": "certs/localhost/key.pem",',
        '"access_token": "jwt"',
      ],
      ...['1password-cli = "2.35.0"', "password-store=basic", "tokenScope: api", "credential-volume: a-b"],
      ...["account_token: <<LOGZIO_ACCOUNT_TOKEN>>", "(Authorization: Bearer <token>)", "X-Xsrftoken: redacted"],
    ];
    for (const line of lines) assert.deepEqual(credentialsIn(`a: b\n${line}`), [], line);
    const commands = [
      "etcd --name=a --initial-cluster-token=etcd-cluster",
      "kubectl config set-context a --user=system:kube-scheduler",
      "mysql -u root -p$$MYSQL_ROOT_PASSWORD -e 'SELECT 1'",
      "openssl aes-256-cbc -d -pass stdin",
      "PASSWORD=glc_$(tr -dc a-z </dev/urandom)",
    ];
    for (const command of commands) assert.equal(credentialInCommand(command), undefined, command);
    const literal = ["curl --user=me:hunter2 https://x", "mysql -phunter2", "openssl aes -pass pass:hunter2"];
    for (const command of literal) assert.notEqual(credentialInCommand(command), undefined, command);
  });

  it("is a token by its form, the password of Redis and one in a connection string", () => {
    const lines = [
      `GH: ghp_${"a1".repeat(18)}`,
      "requirepass S3cr3tP4ssw0rd",
      '  "Default": "Server=db;User Id=sa;Password=Pa55w0rd1x;Encrypt=true"',
    ];
    assert.deepEqual(
      lines.map((line) => credentialsIn(`a: b\n${line}`)[0]?.what),
      ["a token", "a literal requirepass", "a password in a connection string"],
    );
  });

  it("is a key in a header, as in collectors and shells, but not a variable", () => {
    const written = (value: string) => [
      `    Header DD-API-KEY ${value}`,
      `    Header X-Honeycomb-Team ${value}`,
      `      header: Api-Key ${value}`,
      `      header:\n        - X-Dataset prod\n        - X-Honeycomb-Team ${value}`,
      `        x-honeycomb-team: ${value}`,
      `X-Insert-Key = "${value}"`,
      `  {"headers": {"signoz-ingestion-key": "${value}"}}`,
      `    Header Authorization Api-Token ${value}`,
    ];
    const found = (value: string) => written(value).map((text) => credentialsIn(text).map(({ what }) => what)[0]);
    assert.deepEqual(
      found("hunter2"),
      [
        ...["DD-API-KEY", "X-Honeycomb-Team", "Api-Key", "X-Honeycomb-Team", "x-honeycomb-team", "X-Insert-Key"],
        ...["signoz-ingestion-key", "Authorization"],
      ].map((name) => `a literal ${name}`),
    );
    for (const value of [`\${DD_API_KEY}`, `\${file:/etc/key}`, "SECRET[store.key]"])
      assert.deepEqual(
        found(value),
        written(value).map(() => undefined),
      );
    for (const line of ["header: X-Request-Id 7", "idempotency-key: abc", "- token bucket", "header: Content-Type a/b"])
      assert.deepEqual(credentialsIn(`a: b\n${line}`), [], line);
    assert.equal(
      credentialInCommand("curl -H 'X-Honeycomb-Team: hunter2' https://x"),
      "the literal value of X-Honeycomb-Team",
    );
    assert.equal(credentialInCommand('curl -H "DD-API-KEY: $KEY" https://x'), undefined);
  });

  it("is a password, but not a reference to one", () => {
    const lines = ["|-", "|2-", ">-2", "SECRET[store.password]", `\${LOG_PASSWORD}`, "hunter2", "SECRET", "|hunter2"];
    const found = lines.filter((value) => credentialsIn(`a: b\npassword: ${value}`).length > 0);
    assert.deepEqual(found, ["hunter2", "SECRET", "|hunter2"]);
  });

  // https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#variable-expansion
  it("is not a file or variable of Grafana, nor a command's output", () => {
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
  it("is not a key of an Argo CD Secret", () => {
    const values = [
      "$oidc.okta.clientSecret",
      "$dex.github.clientSecret",
      "$my-secret:client-id",
      "$slack-token",
      "$email-password",
      "$ecret",
      "$e.",
      "$1.2",
    ];
    const found = values.filter((value) => credentialsIn(`clientSecret: ${value}`).length > 0);
    assert.deepEqual(found, ["$ecret", "$e.", "$1.2"]);
  });
});
