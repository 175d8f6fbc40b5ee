const NAME =
  /((?<!(?:^|[^a-z0-9])1)passw(or)?d(?!less)|passphrase|secret|token(?!iz)|credential|(api|access|auth|private|shared|license|account|signing|encryption|integration)[_-]?key|service_key|(^|[_.-])(ingest(ion)?|insert|subscription|write)[_-]?key$|^(x-honeycomb-team|requirepass|masterauth)$|(^|[_.-])(pass|pwd)$)/i;
/** Endings of names that tell a secret's location, use or description, not its value. */
const NO_SECRET_NAME =
  /(^(proxy|fastcgi|grpc|uwsgi|scgi|memcached|on)_pass|^existing\w*secret\w*|[_.-]?(file|path|names?|dir|ttl|header|tokens|type|format|ref|endpoint|ur[il]|env|audiences?|issuer|pattern|regex|connector|selector|interval|retention|encryption|length|alg(o|orithm)?|method|region|namespace|rotation|replication|policy|expiration|lifetime|validity|timeout|stdin|field|changed|annotation|label|title|placeholder|hint|message|error|description|prompt|allowed|required|enabled|age|source|lookup|prefix|helper|strategy|iterations|scope|class|process|dialog|volumes?)|(secrets?|credentials?|passwords?)[_.-]*(store|backend|provider|manager)|(pull|existing|from|tls|ssl|serving|certs?|certificate|ca|vars|private[_.-]?key|credentials?|password)[_.-]?secrets?|password[_.-]*(secret)?[_.-]*key|(key|key[_.-]?id|passphrase)[_.-]?key|initial[_.-]cluster[_.-]token|[_.-](url|id)|credentials?id)$/i;
/** With such a name, a number may be the password itself; with `token` it is a count. */
const PASSWORD_NAME = /pass|pwd/i;
/**
 * A reference to an environment variable, a command's output, a Grafana file or variable such as `$__file{/etc/secret}`, a key of an
 * Argo CD Secret such as `$oidc.okta.clientSecret`, a template placeholder, Vector's secret store, a value encrypted for Datadog's agent
 * or by SOPS, a Vault path for Argo CD's plugin, a path or a file with the value.
 */
const REFERENCE =
  /^(\$\{[^}]*\}|\$\(|\$\d$|\$__\w+\{|\$\$?[A-Z_][A-Z0-9_]*$|\$[\w-]*(pass|secret|token|key|pwd)[\w-]*$|\$[a-z][\w-]*[.:][\w.-]+$|`|\{\{|\[\[|<%|%[({]|%\w+%$|%[sdqvr]$|:\w+$|\[\^|\\[SwW]|\(\?|\.[*+]|__\w+__$|<<?[^>]*>?>\W*$|SECRET\[[\w.]+\]$|ENC\[|<path:|\.{0,2}\/|@|!\w+ )/;
/** An address of the value in another store or file, without a secret itself. */
const ADDRESS =
  /^([a-z][\w+.-]*:\/\/[^@]*$|(alias|aws|projects)\/|stdin$|(arn|env|file|fd|vault|ssm|AWS_SECRET|AWS_PARAMETER_STORE):|ref\+)/;
/** The value is a program's variable or function: Alloy's, Terraform's, Python's, Node's or another's. */
const EXPRESSION =
  /^((os|process|sys|env|ENV|System|var|local|data|remote|convert|config|settings|input|record|req|request|self|this|module|random_password|secrets|vault)[.[]\w|[A-Za-z_][\w.]*\()/;
/** A placeholder to fill in. */
const FILL_IN = /^(\?|\*{3,}|x{3,}|\.{3}|replace[\w-]*|your[_-][\w-]+|\[?(redacted|filtered)\]?)$/i;
const SWITCH =
  /^([01]|on|off|true|false|yes|no|null|none|nil|undefined|~|enabled?|disabled?|allow|deny|required|optional|use_env|include|omit|same-origin|jwt|opaque|(string|str|text|boolean|integer|object)\b[!?,;]?)$/i;
const NUMBER = /^\d+[a-z]?$/i;
/** Several words of only letters. */
const PROSE = /^[\p{L}']+[,.:]?( [\p{L}']+[,.:!?]?)+$/u;
/** The value is on other lines. */
const NESTED = /^([|>](\d?[+-]?|[+-]\d)|[[{].*)$/;
/** A file with the value, or its key in a Secret. */
const FILE_NAME = /^[\w@-][\w.@-]*(\/[\w.@-]+)*\.(pem|key|crt|cer|p12|pfx|jks|json|ya?ml|txt|conf|env)$/;
/** Default value of an unset variable, in shell and Spring syntax. */
const BY_DEFAULT = /^\$\{(?:[A-Z_][A-Z0-9_.]*:(?![?+]|[-=]\})[-=]?|\w+:[-=])([^${}]+)\}$/;

/** Whether a value with this name is itself a password, key or token. */
export function isCredential(name: string, value: string): boolean {
  if (!NAME.test(name) || NO_SECRET_NAME.test(name)) return false;
  // JSON lines may end with a comma.
  const text = value.trim().replace(/,$/, "");
  const [, byDefault] = BY_DEFAULT.exec(text) ?? [];
  if (byDefault !== undefined) return isCredential(name, byDefault);
  if (text === "" || isReference(text) || SWITCH.test(text) || NESTED.test(text) || PROSE.test(text)) return false;
  if (isNameOfKey(name, text)) return false;
  return PASSWORD_NAME.test(name) || !NUMBER.test(text);
}

/** Whether a value is the credential's key in a Secret, as in `clientSecretKey: clientSecret`. */
function isNameOfKey(name: string, value: string): boolean {
  const [, what = ""] = /^(.+(?:[a-z][A-Z]|[_.-]).+?)[_.-]?(?:[Kk]ey|KEY)$/.exec(name) ?? [];
  const letters = (text: string) => text.replaceAll(/[_.-]/g, "").toLowerCase();
  return what !== "" && letters(what) === letters(value);
}

/** Whether a text refers to a value elsewhere, or is a placeholder. */
function isReference(text: string): boolean {
  return [REFERENCE, ADDRESS, EXPRESSION, FILL_IN, FILE_NAME].some((form) => form.test(text));
}

/** Kind of a credential that a text's own form reveals, whatever its name. */
export function credentialInText(text: string): string | undefined {
  if (holdsPrivateKey(text)) return "a private key";
  if (/\b(AKIA|ASIA)[0-9A-Z]{16}\b/.test(text)) return "an AWS access key";
  if (TOKEN.test(text)) return "a token";
  if (holdsRegistryLogin(text)) return "a registry's password";
  const inQuery = queryPairs(text).find(([name, value]) => isCredential(name, value));
  if (inQuery !== undefined) return `a literal ${inQuery[0]} in a URL`;
  const lower = text.toLowerCase();
  return PLACES.find(([place, _, part]) => lower.includes(part) && holdsValue(text, place))?.[1];
}

/** Patterns whose group is a credential, with its kind, and a text that is in each match in lower case: to look for it costs little. */
const PLACES: readonly (readonly [place: RegExp, what: string, part: string])[] = [
  [
    /[;"'](?:password|pwd|account_?key|shared_?access_?key)\s*=\s*([^;"'\s]+)/i,
    "a password in a connection string",
    "=",
  ],
  // Of PostgreSQL and Java clients: several names with values on one line.
  [
    /(?:^|\s)\w+\s*=\s*\S+\s(?:.{0,200}?\s)?password\s*=\s*["']?([^\s"';]+)/i,
    "a password in a connection string",
    "password",
  ],
  [/(?:^|[\s"'=])[\w.-]+:([^\s:@/"']+)@(?:tcp|unix)\(/, "a password in a connection string", "@"],
  [/(?<!\[):\/\/[^/\s:@"'[\]]*:([^/\s@"'\]]+)@/, "a password in a URL", "://"],
  // Numbers are a user and a group; Kubernetes' own users have names such as system:node:a.
  [
    /(?:^|\s)(?:-u|--(?:proxy-)?user)(?:\s+|=)?["']?(?!system:)[^\s:"'=+-][^\s:"']*:(?!\d+(?:["'\s]|$))([^\s"']+)/,
    "a password after -u or --user",
    ":",
  ],
  [
    /(?:^|\s)--?(?![\w-]*bypass)[\w-]*pass(?:word|wd|phrase)?[\s=]+["']?([^\s"'-][^\s"']*)/i,
    "a password in a command line",
    "pass",
  ],
  [
    /\bauthorization\b["']?\s*[:= ]\s*["']?(?:bearer|basic|splunk|apikey|api-token)\s+([^\s"']+)/i,
    "a literal Authorization",
    "authorization",
  ],
  [
    /^[^\S\n]*(?:machine\s+\S+|default)\s+login\s+\S+\s+(?:account\s+\S+\s+)?password\s+(\S+)/m,
    "a password of .netrc",
    "password",
  ],
  [/^[^\S\n]*machine\s+\S+\s+password\s+(\S+)\s*$/m, "a password of .netrc", "password"],
  [/^[^\S\n]*login\s+(?!and|or|with|by)\S+\s+password\s+(\S+)\s*$/m, "a password of .netrc", "password"],
  [/(?:^|[:\s])_(?:authToken|auth|password)\s*=\s*["']?([^\s"']+)/, "a credential of .npmrc", "_"],
  [/^[^\S\n]*[\w.*-]+:(?:\*|[1-9]\d{2,4}):[^:\s]+:[^:\s]+:(?!\d+$)([^:\s]+)\s*$/m, "a password of .pgpass", ":"],
  [/^[^\S\n]*user\s+\S+\s+on\s(?:.*\s)?>(\S+)/m, "a password of Redis", "user"],
  [/\binsecure-password\s+(\S+)/, "a password of HAProxy", "insecure-password"],
];

function holdsValue(text: string, place: RegExp): boolean {
  if (!place.test(text)) return false;
  const values = [...text.matchAll(new RegExp(place, `${place.flags}g`))].map(([, value = ""]) => value);
  return values.some((value) => !isReference(value) && !SWITCH.test(value));
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

/** Programs with a short option that takes a password. */
const CLIENTS = [
  /\b(?:mysql|mysqldump|mysqladmin|mysqlsh|mariadb|mariadb-dump)\b[^;|&]{0,2000}?\s-p(["']?)([^\s"']+)/,
  /\bsshpass\s+-p\s*(["']?)([^\s"']+)/,
  /\b(?:docker|podman|helm|registry|oras|az|skopeo|oc)\s+login\b[^;|&]{0,2000}?\s-p\s*(["']?)([^\s"']+)/,
  /\bredis-cli\b[^;|&]{0,2000}?\s-a\s*(["']?)([^\s"']+)/,
];
/** Tokens by form: GitHub's, GitLab's, Slack's, Vault's, npm's, PyPI's, Stripe's, Google's, SendGrid's, Docker's and signed ones. */
const TOKEN =
  /\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|hvs\.[\w-]{20,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{16,}|[rs]k_live_[A-Za-z0-9]{20,}|AIza[\w-]{35}|SG\.[\w-]{22}\.[\w-]{43}|dckr_pat_[\w-]{20,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,})|hooks\.slack\.com\/services\/T\w+\/B\w+\/\w{20,}/;

/** Kind of a credential in a shell command: in an assignment, an option, a header, a URL or a client's password option. */
export function credentialInCommand(command: string): string | undefined {
  const known = credentialInText(command);
  if (known !== undefined) return known;
  for (const client of CLIENTS) {
    const password = client.exec(command)?.[2];
    if (password !== undefined && !isReference(password)) return "a password in a command line";
  }
  const pairs = [
    ...command.matchAll(/(?:^|[\s;&|("'?])([A-Za-z_]\w*)=["']?([^\s;&|"']+)/g),
    ...command.matchAll(/(?:^|\s)--([\w-]+)[\s=]+["']?([^\s"'-][^\s"']*)/g),
    ...command.matchAll(/["'\s](x-api-key|x-auth-token|private-token)\s*:\s*([^\s"']+)/gi),
    ...command.matchAll(/(?:^|\s)(?:-H|--header)[\s=]*["']?([\w.-]+)\s*:\s*([^\s"']+)/g),
  ];
  // Shell expansions are not values.
  const credential = pairs.find(([, name = "", value = ""]) => !/^\$|`|\$\(/.test(value) && isCredential(name, value));
  return credential === undefined ? undefined : `the literal value of ${credential[1]}`;
}

/** A line with a credential. */
export interface Credential {
  /** From 1. */
  readonly line: number;
  readonly what: string;
}

/**
 * Lines of any program's configuration file with a literal password, key or token.
 * @param name The file's, which tells what a one-line text is.
 */
export function credentialsIn(text: string, name?: string): Credential[] {
  const lines = text.split("\n");
  const kinds = lines.map(
    (line, index) => credentialIn(line) ?? credentialBelow(line, lines.slice(index + 1, index + 3)),
  );
  for (const index of headerItems(lines)) kinds[index] ??= credentialInHeader(lines[index] ?? "");
  if (name !== undefined && lines.length === 1 && isCredential(name, text)) kinds[0] ??= `a literal ${name}`;
  for (const { line, what } of propertiesOfXml(text)) kinds[line - 1] ??= what;
  return kinds.flatMap((what, index) => (what === undefined ? [] : [{ line: index + 1, what }]));
}

function credentialIn(line: string): string | undefined {
  if (line.trim() === "") return undefined;
  if (/^\s*(#|;|\/\/(?![\w.-]+\/:_)|<!--)/.test(line)) return undefined;
  const known = credentialInText(line);
  if (known !== undefined) return known;
  const [name] = pairsIn(line).find((pair) => isCredential(...pair)) ?? [];
  return name === undefined ? undefined : `a literal ${name}`;
}

/** A one-word YAML block below its name: `password: |`. */
function credentialBelow(line: string, [next = "", after = ""]: readonly string[]): string | undefined {
  const [, indent = "", name] = /^(\s*)(?:-\s+)?["']?([\w.-]+)["']?:\s*[|>][+-]?\s*$/.exec(line) ?? [];
  const isBelow = (one: string) => one.trim() !== "" && one.search(/\S/) > indent.length;
  if (name === undefined || !isBelow(next) || isBelow(after) || /\s/.test(next.trim())) return undefined;
  return isCredential(name, next) ? `a literal ${name}` : undefined;
}

/** Line indices of the items of Fluent Bit's option `header`. */
function headerItems(lines: readonly string[]): number[] {
  let isBelow = false;
  return lines.flatMap((line, index) => {
    const isItem = isBelow && /^\s*-\s/.test(line);
    isBelow = isItem || /^\s*(?:-\s+)?header:\s*$/i.test(line);
    return isItem ? [index] : [];
  });
}

/** In an item with name and value. */
function credentialInHeader(item: string): string | undefined {
  const [, name = "", value = ""] = /^\s*-\s+["']?([\w.-]+)\s+([^"']+)/.exec(item) ?? [];
  return isCredential(name, value) ? `a literal ${name}` : undefined;
}

/** Patterns of a name and its value, each with a text that is in every match in lower case. */
const INLINE: readonly (readonly [part: string, form: RegExp])[] = [
  ['"', /"([\w.-]+)"\s*:\s*"([^"]*)"/g],
  ['"', /"([\w.-]+)"\s*:\s*(\d+)/g],
  [":", /(?<!\$)[{,]\s*([\w.-]+)\s*:\s+["']?((?:\$\{[^{}]*\}|[^\s"',{}])+)/g],
  ["define(", /\bdefine\(\s*['"](\w+)['"]\s*,\s*['"]([^'"]+)['"]/g],
  ["=>", /['":](\w+)['"]?\s*=>\s*['"]([^'"]+)['"]/g],
  ["=", /(?:\b(?:const|let|var)\s+|\$)(\w+)\s*=\s*["']([^"'$]+)["']/g],
  ["header", /^\s*(?:-\s+)?header(?::\s*|\s+)["']?([\w.-]+)\s+([^"']+)/gi],
];

/** Names and values in YAML, INI, one-line JSON, XML, program code or the words of a classic configuration. */
function pairsIn(line: string): [name: string, value: string][] {
  const lower = line.toLowerCase();
  const inline = INLINE.flatMap(([part, form]) => (lower.includes(part) ? [...line.matchAll(form)] : []));
  if (line.includes("<")) inline.push(...pairsInXml(line));
  const named = inline.map(([, name = "", value = ""]): [string, string] => [name, value]);
  const [, name, value] =
    /^\s*(?:-\s+|export\s+)?["']?([\w.-]+)["']?\s*(?::=|[:=])\s*["']?([^"'#;]+)/.exec(line) ?? wordsOf(line) ?? [];
  return name === undefined || value === undefined ? named : [...named, [name, value]];
}

/** The two words of a classic configuration line. `Password reset` and `secrets management` are headings. */
function wordsOf(line: string): RegExpExecArray | undefined {
  const words = /^\s*([\w.-]+)\s+["']?([^\s"';]+)["']?;?\s*$/.exec(line);
  const [, name = "", value = ""] = words ?? [];
  const isHeading = /^([A-Z][a-z]+|[a-z]+s)$/.test(name) && /^\p{L}+$/u.test(value);
  return isHeading ? undefined : (words ?? undefined);
}

/** Elements and attributes by name, and name and value in two attributes or in an attribute and the content. */
function pairsInXml(line: string): RegExpExecArray[] {
  return [
    ...line.matchAll(/<([\w:.-]+)(?:\s[^<>]*)?>([^<>]+)<\/\1\s*>/g),
    ...line.matchAll(/\s([\w:.-]+)\s*=\s*"([^"]*)"/g),
    ...line.matchAll(/\s(?:name|key)\s*=\s*"([^"]*)"\s+value\s*=\s*"([^"]*)"/g),
    ...line.matchAll(/<(?:property|prop|entry|param)\s(?:name|key)\s*=\s*"([^"]*)"[^<>]*>([^<>]+)</g),
  ];
}

/** Hadoop properties, with name and value on two lines. */
function propertiesOfXml(text: string): Credential[] {
  return [...text.matchAll(/<name>\s*([^<\s]+)\s*<\/name>\s*<value>([^<]*)<\/value>/g)].flatMap((property) => {
    const [whole, name = "", content = ""] = property;
    const value = content.trim();
    if (!isCredential(name, value) || isReference(value)) return [];
    const before = text.slice(0, property.index + whole.lastIndexOf("<value>"));
    return [{ line: before.split("\n").length, what: `a literal ${name}` }];
  });
}
