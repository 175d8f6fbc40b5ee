import { UNKNOWN } from "../../../policies/core/resource.ts";
import type { CasesByRule } from "./cases.ts";
import { first } from "./samples.ts";
import { GOOD_POD, patchedDeployment } from "./workloads.ts";

const C = "spec.containers.0";
const AT = "Pod/ts-team/curl-ts: spec.containers[0]";
const set = (path: string, to: Parameters<typeof first>[2]) => first(GOOD_POD, path, to);

const SHELL_LINES = [
  "mysql -h db -phunter2",
  "mysqldump -u root -phunter2 shop",
  "PGPASSWORD=hunter2 psql -h db",
  "export MYSQL_PWD=hunter2; mysql",
  "redis-cli -h cache -a hunter2 ping",
  "sshpass -p hunter2 ssh host",
  "docker login -u me -p hunter2",
  "kubectl --token eyJhbGciOiJSUzI1NiJ9 get pods",
  "curl -H 'X-Api-Key: hunter2' https://search",
  "curl 'https://search/?access_token=hunter2'",
  `curl https://api.example/${"ghp_"}${"a1B2".repeat(9)}`,
];
const HARMLESS_LINES = [
  "mysql -h db -p$PASSWORD",
  "mysql -p -h db",
  'PGPASSWORD="$(cat /run/password)" psql',
  'tool --token "$TOKEN" --max-tokens 100',
  "mkdir -p /data && ssh -p2222 host",
  "docker run -p 8080:80 image",
  "mysqld --mysql-native-password=ON",
  "login --password-stdin --token-file=/run/token",
];

export const POD_WORKLOAD_CASES: CasesByRule = {
  "pods-resources": {
    good: {
      "all three": GOOD_POD,
      "an ephemeral container, which cannot have them": set("spec.ephemeralContainers", [{ name: "debug" }]),
      "a CPU limit too": set(`${C}.resources.limits.cpu`, "1"),
      "limits, to which unset requests default": set(`${C}.resources`, {
        limits: { cpu: "1", memory: "1Gi" },
      }),
      "what the pod as a whole has": set("spec", {
        resources: { requests: { cpu: "1" }, limits: { memory: "1Gi" } },
        containers: [{ name: "curl" }, { name: "other", resources: { requests: { memory: "1Mi" } } }],
      }),
    },
    bad: {
      "no CPU request": [
        set(`${C}.resources.requests.cpu`, undefined),
        `${AT}.resources.requests.cpu is not set, so the node`,
      ],
      "no memory request": [
        set(`${C}.resources`, { requests: { cpu: "1m" } }),
        `${AT}.resources.requests.memory is not set`,
        `${AT}.resources.limits.memory is not set`,
      ],
      "a pod as a whole without a memory limit": [
        set("spec", {
          resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "1" } },
          containers: [{ name: "curl" }],
        }),
        `${AT}.resources.limits.memory is not set`,
      ],
      "no memory limit": [set(`${C}.resources.limits`, undefined), `${AT}.resources.limits.memory is not set`],
      "an init container without": [
        set("spec.initContainers", [{ name: "init" }]),
        "Pod/ts-team/curl-ts: spec.initContainers[0].resources.requests.cpu is not set",
        "Pod/ts-team/curl-ts: spec.initContainers[0].resources.requests.memory is not set",
        "Pod/ts-team/curl-ts: spec.initContainers[0].resources.limits.memory is not set",
      ],
    },
    unknown: {
      "unknown limits": [set(`${C}.resources.limits`, UNKNOWN), `${AT}.resources.limits.memory is known only`],
    },
  },
  "pods-no-literal-secrets": {
    good: {
      "a setting": GOOD_POD,
      "a Secret": set(`${C}.env`, [{ name: "PASSWORD", valueFrom: { secretKeyRef: { name: "s", key: "p" } } }]),
      "a file's name": set(`${C}.env`, [{ name: "PASSWORD_FILE", value: "/run/secrets/password" }]),
      "another variable": set(`${C}.env`, [{ name: "DB_PASSWORD", value: "$(PASSWORD)" }]),
      "switches and numbers": set(`${C}.env`, [
        { name: "ALLOW_EMPTY_PASSWORD", value: "yes" },
        { name: "VNC_NO_PASSWORD", value: "1" },
        { name: "MAX_TOKENS", value: "4096" },
        { name: "TOKEN_TTL", value: "10m" },
        { name: "TOKEN_CACHE_SIZE_OF_TOKEN", value: "100" },
      ]),
      "names of what a secret is used for": set(
        `${C}.env`,
        [
          ["SECRET_STORE", "aws-secretsmanager"],
          ["CREDENTIALS_PROVIDER", "pod-identity"],
          ["AIRFLOW__SECRETS__BACKEND", "airflow.providers.SecretsManagerBackend"],
          ["SSO_TOKEN_ENDPOINT", "https://sso.example.com/token"],
          ["OIDC_TOKEN_AUDIENCE", "sts.amazonaws.com"],
          ["JWT_TOKEN_ISSUER", "issuer.example.com"],
          ["POSTGRES_PASSWORD_ENCRYPTION", "scram-sha-256"],
          ["PASSWORD_MIN_LENGTH", "12"],
          ["TOKEN_ALGORITHM", "RS256"],
          ["AWS_SECRET_REGION", "eu-central-1"],
          ["SECRET_NAMESPACE", "prod"],
          ["passwordPolicy", "strong"],
          ["IMAGE_PULL_SECRETS", "registry"],
          ["TOKENIZER", "standard"],
          ["PASSWORDLESS", "enabled"],
        ].map(([name = "", value = ""]) => ({ name, value })),
      ),
      "a URL without a password": set(`${C}.env`, [
        { name: "DATABASE_URL", value: "postgres://shop@db.shop.svc:5432/shop" },
        { name: "CACHE_URL", value: "redis://:$(PASSWORD)@cache.shop.svc" },
      ]),
      ...Object.fromEntries(
        HARMLESS_LINES.map((line) => [`no credential in ${line}`, set(`${C}.command`, ["sh", "-c", line])]),
      ),
      "a probe and its header without": set(`${C}.livenessProbe`, {
        exec: { command: ["mysqladmin", "ping", "-p$PASSWORD"] },
        httpGet: { port: 80, httpHeaders: [{ name: "Host", value: "a.example.com" }] },
      }),
      "an unknown value of no secret": set(`${C}.env`, [{ name: "DATABASE_HOST", value: UNKNOWN }]),
      arguments: set(`${C}.args`, [
        "--password-file=/run/p",
        "--log-level=debug",
        "--token=$(TOKEN)",
        "-u",
        "1000:1000",
        "--user",
        "admin:$PASSWORD",
      ]),
    },
    bad: {
      "a password": [
        set(`${C}.env`, [{ name: "DB_PASSWORD", value: "hunter2" }]),
        `${AT}.env[0].value (value not shown), the literal value of DB_PASSWORD`,
      ],
      "keys of a store, a backend and a provider": [
        set(
          `${C}.env`,
          ["API_KEY_STORE", "TOKEN_BACKEND", "CLIENT_SECRET_SHOP"].map((name) => ({ name, value: "hunter2" })),
        ),
        `${AT}.env[0].value (value not shown), the literal value of API_KEY_STORE`,
        `${AT}.env[1].value (value not shown), the literal value of TOKEN_BACKEND`,
        `${AT}.env[2].value (value not shown), the literal value of CLIENT_SECRET_SHOP`,
      ],
      "a password by its short name": [
        set(`${C}.env`, [
          { name: "DB_PASS", value: "hunter2" },
          { name: "MYSQL_PWD", value: "12345678" },
        ]),
        `${AT}.env[0].value (value not shown), the literal value of DB_PASS`,
        `${AT}.env[1].value (value not shown), the literal value of MYSQL_PWD`,
      ],
      "a password in a URL": [
        set(`${C}.env`, [{ name: "DATABASE_URL", value: "postgres://shop:hunter2$@db.shop.svc/shop" }]),
        `${AT}.env[0].value (value not shown), a password in a URL`,
      ],
      "an access key under any name": [
        set(`${C}.env`, [{ name: "ID", value: "AKIAIOSFODNN7EXAMPLE" }]),
        `${AT}.env[0].value (value not shown), an AWS access key`,
      ],
      "a password among the arguments": [
        set(`${C}.args`, ["serve", "--db-password=hunter2"]),
        `${AT}.args[1] (value not shown), the literal value of db-password`,
      ],
      "a password after -u": [
        set(`${C}.command`, ["curl", "-u", "elastic:hunter2", "https://search"]),
        `${AT}.command[2] (value not shown), a password after -u or --user`,
      ],
      "a password in a shell's line": [
        set(`${C}.args`, ["-c", "curl -s --user 'elastic:hunter2' https://search"]),
        `${AT}.args[1] (value not shown), a password after -u or --user`,
      ],
      "a password as a word of its own": [
        set(`${C}.args`, ["--password", "hunter2"]),
        `${AT}.args[1] (value not shown), the literal value of password`,
      ],
      ...Object.fromEntries(
        SHELL_LINES.map((line) => [
          `a credential in ${line}`,
          [set(`${C}.command`, ["sh", "-c", line]), `${AT}.command[2] (value not shown), `] as const,
        ]),
      ),
      "a password in a probe's command": [
        set(`${C}.livenessProbe`, { exec: { command: ["mysqladmin", "ping", "-phunter2"] } }),
        `${AT}.livenessProbe.exec.command (value not shown), a password in a command line`,
      ],
      "a password in a hook's command": [
        set(`${C}.lifecycle`, { preStop: { exec: { command: ["sh", "-c", "curl -u me:hunter2 https://a"] } } }),
        `${AT}.lifecycle.preStop.exec.command[2] (value not shown), a password after -u or --user`,
      ],
      "a password in a probe's header": [
        set(`${C}.readinessProbe`, {
          httpGet: { port: 80, httpHeaders: [{ name: "Authorization", value: "Basic bWU6aHVudGVyMg==" }] },
        }),
        `${AT}.readinessProbe.httpGet.httpHeaders[0].value (value not shown), a literal Authorization`,
      ],
      "a key in a probe's header": [
        set(`${C}.startupProbe`, { httpGet: { port: 80, httpHeaders: [{ name: "X-Api-Key", value: "hunter2" }] } }),
        `${AT}.startupProbe.httpGet.httpHeaders[0].value (value not shown), the literal value of X-Api-Key`,
      ],
      "a password after -p, as a client's words": [
        set(`${C}.command`, ["mysql", "-h", "db", "-phunter2"]),
        `${AT}.command (value not shown), a password in a command line`,
      ],
      "a URL in the command": [
        set(`${C}.command`, ["migrate", "mysql://root:hunter2@db/shop"]),
        `${AT}.command[1] (value not shown), a password in a URL`,
      ],
      "a secret that a patch sets": [
        patchedDeployment({ name: "app", env: [{ name: "API_KEY", value: "hunter2" }] }),
        "DeploymentPatch/shop/app: spec.template.spec.containers[0].env[0].value (value not shown)",
      ],
      "an AWS key": [
        set(`${C}.env`, [{ name: "AWS_SECRET_ACCESS_KEY", value: "abc" }]),
        `${AT}.env[0].value (value not shown), the literal value of AWS_SECRET_ACCESS_KEY`,
      ],
      "a literal token that is not yet known": [
        set(`${C}.env`, [{ name: "API_TOKEN", value: UNKNOWN }]),
        `${AT}.env[0].value (value not shown), the literal value of API_TOKEN`,
      ],
    },
    unknown: {
      "an unknown environment": [set(`${C}.env`, UNKNOWN), `${AT}.env is known only`],
      "unknown arguments": [set(`${C}.args`, [UNKNOWN]), `${AT}.args[0] is known only`],
    },
  },
};
