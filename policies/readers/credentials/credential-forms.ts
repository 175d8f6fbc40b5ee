import { anyOf, isCredential, isLiteral, isReference, type TextKind } from "./credential-values.ts";

/** Tokens, which their own form reveals. */
export const TOKENS: readonly TextKind[] = [
  { what: "of GitHub", form: /\bgh[opsur]_[A-Za-z0-9]{36}/, examples: [`ghp_${"a1".repeat(18)}`], others: ["ghp_a1"] },
  { what: "of GitHub, fine-grained", form: /\bgithub_pat_\w{22,}/, examples: [`github_pat_${"a1".repeat(11)}`] },
  { what: "of GitLab", form: /\bglpat-[\w-]{20}/, examples: [`glpat-${"a1".repeat(10)}`] },
  { what: "of Slack", form: /\bxox[abprs]-[\w-]{10,}/, examples: [`xoxb-${"12".repeat(5)}`] },
  {
    what: "of a Slack webhook",
    form: /hooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}/,
    examples: [`https://hooks.slack.com/services/T0/B0/${"a1".repeat(10)}`],
  },
  { what: "of Vault", form: /\bhvs\.[\w-]{20,}/, examples: [`hvs.${"a1".repeat(10)}`] },
  { what: "of npm", form: /\bnpm_[A-Za-z0-9]{36}/, examples: [`npm_${"a1".repeat(18)}`], others: ["npm_config_cache"] },
  { what: "of PyPI", form: /\bpypi-[\w-]{16,}/, examples: [`pypi-${"a1".repeat(8)}`] },
  { what: "of Stripe", form: /\b[rs]k_live_[A-Za-z0-9]{20,}/, examples: [`sk_live_${"a1".repeat(10)}`] },
  { what: "of Google", form: /\bAIza[\w-]{35}/, examples: [`AIza${"a".repeat(35)}`] },
  { what: "of SendGrid", form: /\bSG\.[\w-]{22}\.[\w-]{43}/, examples: [`SG.${"a".repeat(22)}.${"a".repeat(43)}`] },
  { what: "of Docker Hub", form: /\bdckr_pat_[\w-]{20,}/, examples: [`dckr_pat_${"a1".repeat(10)}`] },
  {
    what: "a signed JSON Web Token",
    form: /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}/,
    examples: [`eyJ${"a".repeat(10)}.eyJ${"a".repeat(10)}.${"a".repeat(20)}`],
    others: [`eyJ${"a".repeat(10)}.eyJ${"a".repeat(10)}.`],
  },
];
const IS_TOKEN = anyOf(TOKENS);

/** A place in a text where a credential may be, as the group `value` of its pattern. */
export interface CredentialPlace extends TextKind {
  /** A text in each match, in lower case: looking for it is cheap. */
  readonly part: string;
}

const CONNECTION_STRING = "a password in a connection string";
const NETRC = "a password of .netrc";

/** Places by what a finding calls the credential; `what` is therefore the same for several. */
export const PLACES: readonly CredentialPlace[] = [
  {
    what: CONNECTION_STRING,
    part: "=",
    form: /[;"'](?:password|pwd|account_?key|shared_?access_?key)\s*=\s*(?<value>[^;"'\s]+)/i,
    examples: ['"Server=db;User Id=sa;Password=hunter2"', "AccountName=a;AccountKey=hunter2=="],
  },
  // Of PostgreSQL and Java clients: several names with values on one line.
  {
    what: CONNECTION_STRING,
    part: "password",
    form: /(?:^|\s)\w+\s*=\s*\S+\s(?:.{0,200}?\s)?password\s*=\s*["']?(?<value>[^\s"';]+)/i,
    examples: ["host=db user=shop password=hunter2", 'Module required user="me" a=b password="hunter2";'],
  },
  // Of MySQL's driver for Go.
  {
    what: CONNECTION_STRING,
    part: "@",
    form: /(?:^|[\s"'=])[\w.-]+:(?<value>[^\s:@/"']+)@(?:tcp|unix)\(/,
    examples: ["dsn: shop:hunter2@tcp(db:3306)/shop"],
  },
  {
    what: "a password in a URL",
    part: "://",
    form: /(?<!\[):\/\/[^/\s:@"'[\]]*:(?<value>[^/\s@"'\]]+)@/,
    examples: ["postgres://shop:hunter2@db/shop", "redis://:hunter2@cache"],
    others: ["https://db.example.com:8443/a@b"],
  },
  // Two numbers are a user and a group; Kubernetes' own users have names such as system:node:a.
  {
    what: "a password after -u or --user",
    part: ":",
    form: /(?:^|\s)(?:-u|--(?:proxy-)?user)(?:\s+|=)?["']?(?!system:)[^\s:"'=+-][^\s:"']*:(?!\d+(?:["'\s]|$))(?<value>[^\s"']+)/,
    examples: ["curl -u me:hunter2 https://x", "curl --user=me:hunter2 https://x"],
    others: ["docker run -u 1000:1000 a", "kubectl --user=system:node:a"],
  },
  {
    what: "a password in a command line",
    part: "pass",
    form: /(?:^|\s)--?(?![\w-]*bypass)[\w-]*pass(?:word|wd|phrase)?[\s=]+["']?(?<value>[^\s"'-][^\s"']*)/i,
    examples: ["mysql --password=hunter2", "openssl aes -pass pass:hunter2"],
    others: ["proxy --bypass=10.0.0.0/8", "docker login --password-stdin"],
  },
  {
    what: "a literal Authorization",
    part: "authorization",
    form: /\bauthorization\b["']?\s*[:= ]\s*["']?(?:bearer|basic|splunk|apikey|api-token)\s+(?<value>[^\s"']+)/i,
    examples: ["Authorization: Bearer hunter2", "Header Authorization Splunk hunter2"],
  },
  {
    what: NETRC,
    part: "password",
    form: /^[^\S\n]*(?:machine\s+\S+|default)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+(?<value>\S+)/m,
    examples: ["machine api.example.com login me password hunter2", "default login me account a password hunter2"],
  },
  {
    what: NETRC,
    part: "password",
    form: /^[^\S\n]*machine\s+\S+\s+password\s+(?<value>\S+)\s*$/m,
    examples: ["machine api.example.com password hunter2"],
  },
  {
    what: NETRC,
    part: "password",
    form: /^[^\S\n]*login\s+(?!and|or|with|by)\S+\s+password\s+(?<value>\S+)\s*$/m,
    examples: ["  login me password hunter2"],
    others: ["login with password reset"],
  },
  {
    what: "a credential of .npmrc",
    part: "_",
    form: /(?:^|[:\s])_(?:authToken|auth|password)\s*=\s*["']?(?<value>[^\s"']+)/,
    examples: ["//npm.example.com/:_authToken=hunter2", "_auth = hunter2"],
  },
  {
    what: "a password of .pgpass",
    part: ":",
    form: /^[^\S\n]*[\w.*-]+:(?:\*|[1-9]\d{2,4}):[^:\s]+:[^:\s]+:(?!\d+$)(?<value>[^:\s]+)\s*$/m,
    examples: ["db.example.com:5432:shop:shop:hunter2", "*:*:*:shop:hunter2"],
    others: ["host:5432:a:b:10"],
  },
  {
    what: "a password of Redis",
    part: "user",
    form: /^[^\S\n]*user\s+\S+\s+on\s(?:.*\s)?>(?<value>\S+)/m,
    examples: ["user shop on ~* +@all >hunter2"],
  },
  {
    what: "a password of HAProxy",
    part: "insecure-password",
    form: /\binsecure-password\s+(?<value>\S+)/,
    examples: ["user me insecure-password hunter2"],
  },
];

/** Programs with a short option that takes a password, which is the group `value`. */
export const CLIENTS: readonly TextKind[] = [
  {
    what: "a MySQL or MariaDB client",
    form: /\b(?:mysql|mysqldump|mysqladmin|mysqlsh|mariadb|mariadb-dump)\b[^;|&]{0,2000}?\s-p["']?(?<value>[^\s"']+)/,
    examples: ["mysql -u root -phunter2"],
    others: ["mysql -u root -p"],
  },
  { what: "sshpass", form: /\bsshpass\s+-p\s*["']?(?<value>[^\s"']+)/, examples: ["sshpass -p hunter2 ssh a"] },
  {
    what: "a login",
    form: /\b(?:docker|podman|helm|registry|oras|az|skopeo|oc)\s+login\b[^;|&]{0,2000}?\s-p\s*["']?(?<value>[^\s"']+)/,
    examples: ["docker login -u me -p hunter2 ghcr.io"],
  },
  {
    what: "Redis's client",
    form: /\bredis-cli\b[^;|&]{0,2000}?\s-a\s*["']?(?<value>[^\s"']+)/,
    examples: ["redis-cli -h cache -a hunter2 ping"],
  },
];

/** Kind of a credential that a text's own form reveals, whatever its name. */
export function credentialInText(text: string): string | undefined {
  if (holdsPrivateKey(text)) return "a private key";
  if (/\b(AKIA|ASIA)[0-9A-Z]{16}\b/.test(text)) return "an AWS access key";
  if (IS_TOKEN.test(text)) return "a token";
  if (holdsRegistryLogin(text)) return "a registry's password";
  const inQuery = queryPairs(text).find(([name, value]) => isCredential(name, value));
  if (inQuery !== undefined) return `a literal ${inQuery[0]} in a URL`;
  const lower = text.toLowerCase();
  return PLACES.find(({ part, form }) => lower.includes(part) && holdsValue(text, form))?.what;
}

function holdsValue(text: string, place: RegExp): boolean {
  if (!place.test(text)) return false;
  const values = [...text.matchAll(new RegExp(place, `${place.flags}g`))].map(({ groups }) => groups?.value ?? "");
  return values.some(isLiteral);
}

/** Also in base64, as in a kubeconfig or Secret. */
function holdsPrivateKey(text: string): boolean {
  const isKey = (one: string) => /-----BEGIN [A-Z0-9 ]*PRIVATE KEY|^PuTTY-User-Key-File-/m.test(one);
  const encoded = text.match(/LS0tLS1CRUdJTi[A-Za-z0-9+/]*/g) ?? [];
  return isKey(text) || encoded.some((base64) => isKey(Buffer.from(base64, "base64").toString("latin1")));
}

/** Docker's stored logins: name and password in base64, such as `"auth": "bWU6aHVudGVyMg=="`. */
function holdsRegistryLogin(text: string): boolean {
  if (!text.includes('"auth"')) return false;
  const logins = [...text.matchAll(/"auth"\s*:\s*"([A-Za-z0-9+/]{6,}={0,2})"/g)];
  return logins.some(([, login = ""]) =>
    /^[\w.@|+-]+:[\x20-\x7e]+$/.test(Buffer.from(login, "base64").toString("latin1")),
  );
}

/** Names and values in URL queries, without patterns and variables. */
function queryPairs(text: string): [name: string, value: string][] {
  if (!text.includes("?")) return [];
  const queries = [...text.matchAll(/[\w./-]\?([^\s"'<>#]+)/g)].map(([, query = ""]) => query);
  return queries.flatMap((query) =>
    [...query.matchAll(/(?:^|[&;])([\w.-]+)=([\w.~%+/=:-]+)(?=[&;]|$)/g)].map(
      ([, name = "", value = ""]): [string, string] => [name, value],
    ),
  );
}

/** Names and values in a command: assignments, long options and headers. */
const IN_COMMAND: readonly RegExp[] = [
  /(?:^|[\s;&|("'?])(?<name>[A-Za-z_]\w*)=["']?(?<value>[^\s;&|"']+)/g,
  /(?:^|\s)--(?<name>[\w-]+)[\s=]+["']?(?<value>[^\s"'-][^\s"']*)/g,
  /["'\s](?<name>x-api-key|x-auth-token|private-token)\s*:\s*(?<value>[^\s"']+)/gi,
  /(?:^|\s)(?:-H|--header)[\s=]*["']?(?<name>[\w.-]+)\s*:\s*(?<value>[^\s"']+)/g,
];
/** An expansion by a shell, which is not a value. */
const EXPANSION = /^\$|`|\$\(/;

/** Kind of a credential in a shell command: in an assignment, an option, a header, a URL or a client's password option. */
export function credentialInCommand(command: string): string | undefined {
  const known = credentialInText(command);
  if (known !== undefined) return known;
  const passwords = CLIENTS.flatMap(({ form }) => form.exec(command)?.groups?.value ?? []);
  if (passwords.some((password) => !isReference(password))) return "a password in a command line";
  const names = IN_COMMAND.flatMap((form) => [...command.matchAll(form)]).flatMap(({ groups }) => {
    const { name = "", value = "" } = groups ?? {};
    return !EXPANSION.test(value) && isCredential(name, value) ? [name] : [];
  });
  return names[0] === undefined ? undefined : `the literal value of ${names[0]}`;
}
