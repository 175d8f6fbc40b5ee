import assert from "node:assert/strict";
import { verdictsOf } from "../../../policies/core/evaluate.ts";
import { Settings } from "../../../policies/core/rule.ts";
import { RULES } from "../../../policies/pack.ts";
import { credentialInCommand } from "../../../policies/readers/credentials/credential-forms.ts";
import { credentialsIn } from "../../../policies/readers/credentials/credential-lines.ts";
import { first, stackOf } from "../rules/samples.ts";
import { GOOD_POD } from "../rules/workloads.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");
const JWT = ['{"alg":"RS256"}', '{"sub":"someone"}', "a signature of some length"].map((part) =>
  Buffer.from(part).toString("base64url"),
);
const KEY = ["-----BEGIN", "PRIVATE KEY-----"];

/** Files that hold a credential, with its line and what it is. */
const HOLDING: Readonly<Record<string, readonly [text: string, line: number, what: string]>> = {
  "a .netrc": ["machine api.example.com login me@example.com password hunter2", 1, "a password of .netrc"],
  "a .netrc of several lines": ["machine api.example.com\n  login me\n  password hunter2\n", 3, "a literal password"],
  "a .npmrc": [`//npm.example.com/:_authToken=abc0123\n`, 1, "a credential of .npmrc"],
  "a .npmrc of an older npm": ["registry=https://npm.example.com\n_auth = bWU6aHVudGVy\n", 2, "a credential of .npmrc"],
  "a .pgpass": ["db.example.com:5432:shop:shop:hunter2\n", 1, "a password of .pgpass"],
  "a .pgpass for all hosts": ["*:*:*:shop:hunter2", 1, "a password of .pgpass"],
  "Docker's logins": [`{"auths": {"ghcr.io": {"auth": "${base64("me:hunter2")}"}}}`, 1, "a registry's password"],
  "an element of XML": ["<a>\n  <password>hunter2</password>\n</a>", 2, "a literal password"],
  "an attribute of XML": ['<Resource name="jdbc/shop" username="shop" password="hunter2"/>', 1, "a password"],
  "a property of Spring": [
    '<property name="dataSource.password" value="hunter2"/>',
    1,
    "a literal dataSource.password",
  ],
  "a property of Hibernate": [
    '<property name="connection.password">hunter2</property>',
    1,
    "a literal connection.pass",
  ],
  "a property of Hadoop": [
    "<property>\n  <name>fs.s3a.secret.key</name>\n  <value>hunter2</value>\n</property>",
    3,
    "a literal fs.s3a.secret.key",
  ],
  "a kubeconfig's token": ["users:\n- user:\n    token: abc.def\n", 3, "a literal token"],
  "a kubeconfig's key": [`users:\n- user:\n    client-key-data: ${base64(KEY.join(" RSA "))}\n`, 3, "a private key"],
  "a key of GnuPG": [`a: b\n${KEY[0]} PGP PRIVATE KEY BLOCK-----`, 2, "a private key"],
  "AWS's credentials": ["[default]\naws_secret_access_key = abc/def\n", 2, "a literal aws_secret_access_key"],
  "a word below its name": ["a: b\npassword: |-\n  hunter2\nc: d\n", 2, "a literal password"],
  "YAML on one line": ["db: {user: shop, password: hunter2}", 1, "a literal password"],
  "a number in JSON": ['{"password": 123456}', 1, "a literal password"],
  "PostgreSQL's words": ["dsn: host=db user=shop password=hunter2 dbname=shop", 1, "a password in a connection string"],
  "MySQL's driver for Go": ["dsn: shop:hunter2@tcp(db:3306)/shop", 1, "a password in a connection string"],
  "Kafka's JAAS": [
    'sasl.jaas.config=PlainLoginModule required username="me" password="hunter2";',
    1,
    "a password in a connection string",
  ],
  "Azure's storage": ["AccountName=shop;AccountKey=abc123==;Suffix=x", 1, "a password in a connection string"],
  "a variable of PHP": ["  $dbpasswd = 'hunter2';", 1, "a literal dbpasswd"],
  "a constant of JavaScript": ['const apiKey = "hunter2";', 1, "a literal apiKey"],
  "a key of WordPress": ["define('AUTH_KEY', 'MW1pxMctoyA');", 1, "a literal AUTH_KEY"],
  PHP: ["define('DB_PASSWORD', 'hunter2');", 1, "a literal DB_PASSWORD"],
  "a variable's default": [`password: \${DB_PASSWORD:-hunter2}`, 1, "a literal password"],
  "the second of two URLs": ["a: http://$USER:$PASSWORD@a/ http://me:hunter2@b/", 1, "a password in a URL"],
  "a signed token": [`a: ${JWT.join(".")}`, 1, "a token"],
};

/** Lines that name a credential and hold none. */
const HARMLESS = [
  ...["Password reset", "secrets management", "password.reset.title=Reset your password", "message: Password is wrong"],
  ...["use the default password for this machine", "login and password required", "SELECT a FROM b WHERE password = ?"],
  ...['<label for="password">Password</label>', "<password></password>", "passwordLabel: Password"],
  ...[
    "password: {{ .Values.password }}",
    "password: <password>",
    "password: <your-password-here>",
    "token: [[ .token ]]",
  ],
  ...["password: %PASSWORD%", "password: __PASSWORD__", "password: <%= ENV['PASSWORD'] %>", "password: REPLACE_ME"],
  ...[
    "password: '****'",
    "password: [REDACTED]",
    "password: your-password",
    `password: \${DB_PASSWORD:}`,
    `password: "\${PASSWORD:?not set}"`,
  ],
  ...[
    "password: file:///run/secrets/password",
    "password: ./password.txt",
    "token: env:TOKEN",
    "secret: ref+awsssm://a",
  ],
  ...["password: arn:aws:secretsmanager:eu-central-1:1:secret:a", "password: !vault secret/a", "password: vault:a#b"],
  ...['password = sys.env("PASSWORD")', "password = local.file.password.content", "password = var.password"],
  ...[
    "password: process.env.PASSWORD,",
    "password = os.getenv('PASSWORD')",
    "secret := input.secret",
    "password = nil",
  ],
  ...[
    "credentialsSecret: jaeger-creds",
    "storageSecretNameAnnotation: example.com/secret",
    'echo "password=$password"',
  ],
  ...["webhook-cert-secret: serving", 'format("postgresql://%s:%s@%s:%d/", user, password, host, port)'],
  ...[`splunk_hec: {token: \${env:SPLUNK_TOKEN}, a: b}`, `a: {b: c, password: '\${PASSWORD}'}`],
  `<name>db.password</name>\n<value>\n  \${PASSWORD}\n</value>`,
  ...["api_key: ENC[datadog/api_key]", "password: ENC[AES256_GCM,data:Zm9v,iv:YQ==]", `token=\${TOKEN:-}`],
  ...["password: <path:secret/data/shop#password>", "api_key_source: header", "jwt.token.prefix=Bearer"],
  ...["existingSecret: shop", "tlsSecret: shop", "userPasswordKey: password", "credentials: same-origin"],
  ...[
    "password: string",
    "password: String!",
    "  - pattern: 'password=[^&]*'",
    "gsub(/password=x/, 'password=[FILTERED]')",
  ],
  ...['{"auths": {"ghcr.io": {}}}', '{"auth": "required"}', "auth: basic", "passwd: files systemd"],
  ...[
    "2026:11:29:22:48",
    `ca: ${base64("-----BEGIN CERTIFICATE-----")}`,
    "token:\n  audience: a",
    "a:\n  password: |\n    a b",
  ],
];

describe("credentials in files", () => {
  for (const [what, [text, line, credential]] of Object.entries(HOLDING))
    it(`are found in ${what}`, () => {
      const found = credentialsIn(text);
      assert.deepEqual(
        found.map((one) => one.line),
        [line],
      );
      assert.ok(found[0]?.what.startsWith(credential), found[0]?.what);
    });

  it("are found in a one-line file by its name", () => {
    assert.deepEqual(credentialsIn("hunter2", "DB_PASSWORD"), [{ line: 1, what: "a literal DB_PASSWORD" }]);
    assert.deepEqual(credentialsIn("$PASSWORD", "DB_PASSWORD"), []);
    assert.deepEqual(credentialsIn("a\nb", "passwords.txt"), []);
  });

  it("are looked for in many lines, and in XML with much white space, in less than four seconds", () => {
    const properties = `<name>a</name><value>${" ".repeat(1e6)}<`;
    for (const text of ["\n".repeat(1e5), "key: |\n".repeat(5e4), properties]) {
      const start = process.cpuUsage();
      credentialsIn(text);
      const { user } = process.cpuUsage(start);
      assert.ok(user < 4e6, `${text.slice(0, 20)}: ${user / 1e6} s`);
    }
  });

  it("are looked for in a long command in less than a second", () => {
    for (const part of ["mysql ", "docker login ", "redis-cli ", "\n", "  \n"]) {
      const start = process.cpuUsage();
      credentialInCommand(part.repeat(Math.ceil(1e5 / part.length)));
      const { user } = process.cpuUsage(start);
      assert.ok(user < 1e6, `${part}: ${user / 1e6} s`);
    }
  });

  it("are looked for in a line of a megabyte in less than a second", () => {
    for (const part of ["a = b c ", "password ", "{a: b, ", "<a b='c'", "eyJ", "a:b:", 'x="y" ', "://a:"]) {
      const start = process.cpuUsage();
      credentialsIn(part.repeat(Math.ceil(1e6 / part.length)));
      const { user } = process.cpuUsage(start);
      assert.ok(user < 1e6, `${part}: ${user / 1e6} s`);
    }
  });

  it("are found in a file in a container's variable", () => {
    const rule = RULES.find(({ id }) => id === "pods-no-literal-secrets") ?? assert.fail();
    const found = (value: string) =>
      verdictsOf(
        rule,
        stackOf(first(GOOD_POD, "spec.containers.0.env", [{ name: "SETTINGS", value }])),
        new Settings({}),
      );
    assert.deepEqual(
      found("<a>\n  <password>hunter2</password>\n</a>\n").map(({ detail }) => detail),
      ["spec.containers[0].env[0].value (value not shown), a literal password"],
    );
    assert.deepEqual(found("<a>\n  <password>$PASSWORD</password>\n</a>\n"), []);
  });

  for (const text of HARMLESS) it(`are not found in ${text}`, () => assert.deepEqual(credentialsIn(text), []));
});
