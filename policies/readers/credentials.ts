const NAME =
  /(passw(or)?d(?!less)|passphrase|secret|token(?!iz)|credential|(api|access|private|shared|license|account)[_-]?key|^(requirepass|masterauth)$|(^|[_.-])(pass|pwd)$)/i;
/** A name that ends so says where a secret stands or how it is used, not what it is. */
const NO_SECRET_NAME =
  /(^(proxy|fastcgi|grpc|uwsgi|scgi|memcached)_pass|[_.-]?(file|path|name|dir|ttl|header|tokens|type|format|ref|endpoint|ur[il]|env|audiences?|issuer|pattern|regex|connector|selector|interval|retention|encryption|length|algorithm|region|namespace|rotation|policy|expiration|lifetime|validity|timeout|stdin)|(secrets?|credentials?)[_.-]*(store|backend|provider|manager)|pull[_.-]?secrets?|[_.-](url|id))$/i;
/** Under such a name a number may be the password itself; under one such as `token` it is a count. */
const PASSWORD_NAME = /pass|pwd/i;
/**
 * A reference to an environment variable, what a command prints, a file or variable of Grafana, such as `$__file{/etc/secret}`, a key of
 * a Secret of Argo CD, such as `$oidc.okta.clientSecret`, a template's place, Vector's store of secrets, a path or a file that holds the
 * value.
 */
const REFERENCE =
  /^(\$\{[^}]*\}|\$\(|\$__\w+\{|\$[A-Z_][A-Z0-9_]*$|\$[a-z][\w-]*[.:][\w.-]+$|\{\{|%[({]|<[^>]*>$|SECRET\[[\w.]+\]$|\/|@)/;
const SWITCH = /^(on|off|true|false|yes|no|null|none|~)$/i;
const NUMBER = /^\d+[a-z]?$/i;
/** The value stands on other lines. */
const NESTED = /^([|>](\d?[+-]?|[+-]\d)|[[{].*)$/;

/** A line that holds a credential. */
export interface Credential {
  /** From 1. */
  readonly line: number;
  readonly what: string;
}

/** Whether a value of that name is a password, key or token itself. */
export function isCredential(name: string, value: string): boolean {
  if (!NAME.test(name) || NO_SECRET_NAME.test(name)) return false;
  const text = value.trim();
  if (text === "" || REFERENCE.test(text) || SWITCH.test(text) || NESTED.test(text)) return false;
  return PASSWORD_NAME.test(name) || !NUMBER.test(text);
}

/** What kind of credential a text holds that shows itself as one, whatever its name. */
export function credentialInText(text: string): string | undefined {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) return "a private key";
  if (/\b(AKIA|ASIA)[0-9A-Z]{16}\b/.test(text)) return "an AWS access key";
  if (TOKEN.test(text)) return "a token";
  const [, inConnection] = /[;"'](?:password|pwd)\s*=\s*([^;"'\s]+)/i.exec(text) ?? [];
  if (inConnection !== undefined && !REFERENCE.test(inConnection)) return "a password in a connection string";
  const [, inUrl] = /:\/\/[^/\s:@"']*:([^/\s@"']+)@/.exec(text) ?? [];
  if (inUrl !== undefined && !REFERENCE.test(inUrl)) return "a password in a URL";
  const inQuery = queryPairs(text).find(([name, value]) => isCredential(name, value));
  if (inQuery !== undefined) return `a literal ${inQuery[0]} in a URL`;
  const [, , inUser] =
    /(?:^|\s)(?:-u|--(?:proxy-)?user)(?:\s+|=)?(["']?)[^\s:"'=+-][^\s:"']*:([^\s"']+)/.exec(text) ?? [];
  // Numbers are a user and a group.
  if (inUser !== undefined && !REFERENCE.test(inUser) && !/^\d+$/.test(inUser)) return "a password after -u or --user";
  const [, , inOption] =
    /(?:^|\s)--?(?![\w-]*bypass)([\w-]*pass(?:word|wd|phrase)?)[\s=]+["']?([^\s"'-][^\s"']*)/i.exec(text) ?? [];
  if (inOption !== undefined && !REFERENCE.test(inOption)) return "a password in a command line";
  const [, inHeader] = /\bauthorization\b["']?\s*[:= ]\s*["']?(?:bearer|basic|splunk)\s+([^\s"']+)/i.exec(text) ?? [];
  return inHeader !== undefined && !REFERENCE.test(inHeader) ? "a literal Authorization" : undefined;
}

/** Names with their values in the queries of URLs, as far as a value is one and no pattern or variable. */
function queryPairs(text: string): [name: string, value: string][] {
  const queries = [...text.matchAll(/[\w./-]\?([^\s"'<>#]+)/g)].map(([, query = ""]) => query);
  return queries.flatMap((query) =>
    [...query.matchAll(/(?:^|[&;])([\w.-]+)=([\w.~%+/=:-]+)(?=[&;]|$)/g)].map(
      ([, name = "", value = ""]): [string, string] => [name, value],
    ),
  );
}

/** Programs with a short option that takes a password. */
const CLIENTS = [
  /\b(?:mysql|mysqldump|mysqladmin|mysqlsh|mariadb|mariadb-dump)\b[^;|&]*?\s-p(["']?)([^\s"']+)/,
  /\bsshpass\s+-p\s*(["']?)([^\s"']+)/,
  /\b(?:docker|podman|helm|registry|oras|az|skopeo|oc)\s+login\b[^;|&]*?\s-p\s*(["']?)([^\s"']+)/,
  /\bredis-cli\b[^;|&]*?\s-a\s*(["']?)([^\s"']+)/,
];
const TOKEN =
  /\b(?:gh[opsur]_[A-Za-z0-9]{36}|github_pat_\w{22,}|glpat-[\w-]{20}|xox[abprs]-[\w-]{10,}|hvs\.[\w-]{20,})/;

/** What kind of credential a shell command holds: in an assignment, an option, a header, a URL or the password option of a client. */
export function credentialInCommand(command: string): string | undefined {
  const known = credentialInText(command);
  if (known !== undefined) return known;
  for (const client of CLIENTS) {
    const password = client.exec(command)?.[2];
    if (password !== undefined && !REFERENCE.test(password)) return "a password in a command line";
  }
  const pairs = [
    ...command.matchAll(/(?:^|[\s;&|("'?])([A-Za-z_]\w*)=["']?([^\s;&|"']+)/g),
    ...command.matchAll(/(?:^|\s)--([\w-]+)[\s=]+["']?([^\s"'-][^\s"']*)/g),
    ...command.matchAll(/["'\s](x-api-key|x-auth-token|private-token)\s*:\s*([^\s"']+)/gi),
  ];
  // What the shell fills in is no value.
  const found = pairs.find(([, name = "", value = ""]) => !/^[$`]/.test(value) && isCredential(name, value));
  return found === undefined ? undefined : `the literal value of ${found[1]}`;
}

/** Lines of a configuration file, of any collector, that hold a password, key or token literally. */
export function credentialsIn(text: string): Credential[] {
  return text.split("\n").flatMap((line, index): Credential[] => {
    const what = credentialIn(line);
    return what === undefined ? [] : [{ line: index + 1, what }];
  });
}

function credentialIn(line: string): string | undefined {
  if (/^\s*(#|;|\/\/)/.test(line)) return undefined;
  const pairs = pairsIn(line);
  return (
    credentialInText(line) ??
    pairs.filter(([name, value]) => isCredential(name, value)).map(([name]) => `a literal ${name}`)[0]
  );
}

/** Names with their values, as YAML, INI, JSON on one line, or the words of a classic configuration write them. */
function pairsIn(line: string): [name: string, value: string][] {
  const json = [...line.matchAll(/"([\w.-]+)"\s*:\s*"([^"]*)"/g)];
  const [, name, value] =
    /^\s*(?:-\s+|export\s+)?["']?([\w.-]+)["']?\s*[:=]\s*["']?([^"'#;]+)/.exec(line) ??
    /^\s*([\w.-]+)\s+["']?([^\s"';]+)["']?;?\s*$/.exec(line) ??
    [];
  const pairs = json.map(([, key = "", text = ""]): [string, string] => [key, text]);
  return name === undefined || value === undefined ? pairs : [...pairs, [name, value]];
}
