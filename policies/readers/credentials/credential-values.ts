/** One kind of text, which a pattern recognizes. */
export interface TextKind {
  /** What such a text is, for a reader of the table. */
  readonly what: string;
  readonly form: RegExp;
  /** Texts that the pattern matches; a test holds it to them. */
  readonly examples: readonly string[];
  /** Similar texts that it does not match. Default: none. */
  readonly others?: readonly string[];
}

/** A pattern that matches what one of the kinds matches. All have the same flags. */
export function anyOf(kinds: readonly TextKind[]): RegExp {
  return new RegExp(kinds.map(({ form }) => `(?:${form.source})`).join("|"), kinds[0]?.form.flags);
}

/** A kind of names that end with one of these words, in any case. */
function ending(what: string, words: string, ...examples: readonly string[]): TextKind {
  return { what, form: new RegExp(`(?:${words.replaceAll(" ", "|")})$`, "i"), examples };
}

/** A kind of texts that are one of these words, in any case. */
function equal(what: string, words: string): TextKind {
  return { what, form: new RegExp(`^(?:${words.replaceAll(" ", "|")})$`, "i"), examples: words.split(" ") };
}

/** Values that say where a credential is, or are a place for one. */
export const REFERENCES: readonly TextKind[] = [
  { what: "a variable, perhaps with a default", form: /^\$\{[^}]*\}/, examples: [`\${TOKEN}`, `\${env:TOKEN}`] },
  {
    what: "a variable of a shell, or of Kubernetes in an argument",
    form: /^\$\$?[A-Z_][A-Z0-9_]*$/,
    examples: ["$TOKEN", "$$DB_PASSWORD"],
    others: ["$ecret"],
  },
  { what: "an argument of a shell script", form: /^\$\d$/, examples: ["$1"], others: ["$1.2", "$12"] },
  { what: "a command's output", form: /^(?:\$\(|`)/, examples: ["$(cat /run/token)", "`cat /run/token`"] },
  {
    what: "a file or variable of Grafana",
    form: /^\$__\w+\{/,
    examples: ["$__file{/etc/secrets/oauth}"],
    others: ["$__file"],
  },
  {
    what: "a key of an Argo CD Secret",
    form: /^\$[a-z][\w-]*[.:][\w.-]+$/,
    examples: ["$oidc.okta.clientSecret", "$my-secret:client-id"],
    others: ["$e."],
  },
  {
    what: "a variable whose name tells that it has the credential",
    form: /^\$[\w-]*(?:pass|secret|token|key|pwd)[\w-]*$/,
    examples: ["$slack-token", "$db_password"],
  },
  { what: "a Windows variable", form: /^%\w+%$/, examples: ["%TOKEN%"] },
  { what: "a template's expression", form: /^(?:\{\{|\[\[|<%|%[({])/, examples: ["{{ .token }}", "<%= @token %>"] },
  { what: "a verb of printf", form: /^%[sdqvr]$/, examples: ["%s"] },
  { what: "a parameter of SQL", form: /^:\w+$/, examples: [":password"] },
  {
    what: "a pattern",
    form: /^(?:\[\^|\\[SwW]|\(\?|\.[*+])/,
    examples: ["[^&]+", "\\S+", "(?P<token>a)", ".*"],
  },
  { what: "a place that a script fills in", form: /^__\w+__$/, examples: ["__TOKEN__"] },
  {
    what: "a place in angle brackets, perhaps with a bracket or quote behind it",
    form: /^<<?[^>]*>?>\W*$/,
    examples: ["<token>", "<<LOGZIO_TOKEN>>", '<token>")'],
  },
  { what: "a value of Vector's secret store", form: /^SECRET\[[\w.]+\]$/, examples: ["SECRET[store.key]"] },
  { what: "a value encrypted by SOPS or for Datadog's agent", form: /^ENC\[/, examples: ["ENC[AES256_GCM,data:a]"] },
  { what: "a path of Vault for Argo CD's plugin", form: /^<path:/, examples: ["<path:kv/data/a#token | base64encode"] },
  { what: "a file", form: /^(?:\.{0,2}\/|@)/, examples: ["/run/token", "./token", "../token", "@token.txt"] },
  { what: "a value with a YAML tag", form: /^!\w+ /, examples: ["!vault a"] },
  {
    what: "a URL without a user, whose password would be found by itself",
    form: /^[a-z][\w+.-]*:\/\/[^@]*$/,
    examples: ["https://sso.example.com/token", "azurekms://a/b"],
    others: ["https://me:hunter2@example.com"],
  },
  {
    what: "a path in a cloud's key store",
    form: /^(?:alias|aws|projects)\//,
    examples: ["alias/logs", "projects/a/b"],
  },
  {
    what: "a store, and where in it",
    form: /^(?:arn|env|file|fd|vault|ssm|AWS_SECRET|AWS_PARAMETER_STORE):|^ref\+/,
    examples: ["arn:aws:kms:a", "env:TOKEN", "ref+vault://a"],
  },
  { what: "standard input", form: /^stdin$/, examples: ["stdin"] },
  {
    what: "a variable of a program: Alloy's, Terraform's, Python's, Node's or another's",
    form: /^(?:os|process|sys|env|ENV|System|var|local|data|remote|convert|config|settings|input|record|req|request|self|this|module|random_password|secrets|vault)[.[]\w/,
    examples: ["process.env.TOKEN", "var.db_password", "secrets[key]"],
  },
  { what: "a call of a function", form: /^[A-Za-z_][\w.]*\(/, examples: ['getenv("TOKEN")', "os.environ.get(name)"] },
  {
    what: "a file, by the ending of its name",
    form: /^[\w@-][\w.@-]*(?:\/[\w.@-]+)*\.(?:pem|key|crt|cer|p12|pfx|jks|json|ya?ml|txt|conf|env)$/,
    examples: ["client.key", "certs/localhost/key.pem"],
    others: ["hunter2.exe"],
  },
];

/** Values that are to be replaced, or were. */
export const FILL_INS: readonly TextKind[] = [
  { what: "marks", form: /^(?:\?|\*{3,}|x{3,}|\.{3})$/i, examples: ["?", "***", "xxxx", "..."], others: ["**", "xx"] },
  { what: "a request", form: /^(?:replace[\w-]*|your[_-][\w-]+)$/i, examples: ["REPLACE_ME", "your-token"] },
  { what: "a removed value", form: /^\[?(?:redacted|filtered)\]?$/i, examples: ["[REDACTED]", "filtered"] },
];

/** Values that turn something on, off, or choose how it works. */
export const SWITCHES: readonly TextKind[] = [
  equal("a Boolean", "0 1 on off true false yes no enable enabled disable disabled"),
  equal("no value", "null none nil undefined ~"),
  equal("who or what may", "allow deny required optional include omit same-origin use_env"),
  equal("a kind of token", "jwt opaque"),
  {
    what: "a type, in a description of data",
    form: /^(?:string|str|text|boolean|integer|object)\b[!?,;]?$/i,
    examples: ["string", "String!", "boolean;"],
  },
];

/** Values that are on other lines, sentences and counts. */
const NESTED = /^(?:[|>](?:\d?[+-]?|[+-]\d)|[[{].*)$/;
const PROSE = /^[\p{L}']+[,.:]?(?: [\p{L}']+[,.:!?]?)+$/u;
const NUMBER = /^\d+[a-z]?$/i;
/**
 * A variable with a default, which is used if it is unset: in capitals as Spring writes it (`${NAME:value}`) or as a shell does, otherwise
 * only as a shell does (`${name:-value}`, `${name:=value}`).
 */
const WITH_DEFAULT = /^\$\{(?:[A-Z_][A-Z0-9_.]*:(?![?+]|[-=]\})[-=]?|\w+:[-=])(?<value>[^${}]+)\}$/;
/** A name that ends with `key` behind another part: `clientSecretKey`, `client-secret-key`. */
const KEY_OF = /^(?<what>.+(?:[a-z][A-Z]|[_.-]).+?)[_.-]?(?:[Kk]ey|KEY)$/;

const IS_REFERENCE = anyOf(REFERENCES);
const IS_FILL_IN = anyOf(FILL_INS);
const IS_SWITCH = anyOf(SWITCHES);

/** Whether a value with this name is itself a password, key or token. */
export function isCredential(name: string, value: string): boolean {
  if (!namesCredential(name)) return false;
  // JSON lines may end with a comma.
  const text = value.trim().replace(/,$/, "");
  const byDefault = WITH_DEFAULT.exec(text)?.groups?.value;
  if (byDefault !== undefined) return isCredential(name, byDefault);
  if (text === "" || !isLiteral(text) || NESTED.test(text) || PROSE.test(text)) return false;
  if (isNameOfKey(name, text)) return false;
  return namesPassword(name) || !NUMBER.test(text);
}

/** Whether a value stands for itself: it neither refers to another, nor waits for one, nor only switches something. */
export function isLiteral(value: string): boolean {
  return !isReference(value) && !IS_SWITCH.test(value);
}

/** Whether a text refers to a value elsewhere, or is a placeholder. */
export function isReference(text: string): boolean {
  return IS_REFERENCE.test(text) || IS_FILL_IN.test(text);
}

/** Whether a value is the credential's key in a Secret, as in `clientSecretKey: clientSecret`. */
function isNameOfKey(name: string, value: string): boolean {
  const what = KEY_OF.exec(name)?.groups?.what;
  const letters = (text: string) => text.replaceAll(/[_.-]/g, "").toLowerCase();
  return what !== undefined && letters(what) === letters(value);
}

/** Names of settings, variables and options whose value may be a password, key or token. */
export const CREDENTIAL_NAMES: readonly TextKind[] = [
  {
    what: "a password, but neither of the program 1password nor the lack of one",
    form: /(?<!(?:^|[^a-z0-9])1)passw(?:or)?d(?!less)/i,
    examples: ["password", "DB_PASSWORD", "passwd", "smtp1password"],
    others: ["1password-connect", "passwordless"],
  },
  {
    what: "a token, but no tokenizer",
    form: /token(?!iz)/i,
    examples: ["token", "apiToken"],
    others: ["tokenizer"],
  },
  {
    what: "another word for a credential",
    form: /passphrase|secret|credential/i,
    examples: ["passphrase", "CLIENT_SECRET", "credentials"],
  },
  {
    what: "a key, by its use",
    form: /(?:api|access|auth|private|shared|license|account|signing|encryption|integration)[_-]?key/i,
    examples: ["apiKey", "AWS_ACCESS_KEY", "license-key"],
    others: ["key", "sortKey", "partition_key"],
  },
  { what: "a key of PagerDuty", form: /service_key/i, examples: ["service_key"], others: ["serviceKey"] },
  {
    what: "a key for writing, at the end",
    form: /(?:^|[_.-])(?:ingest(?:ion)?|insert|subscription|write)[_-]?key$/i,
    examples: ["ingestion-key", "X-Insert-Key", "azure.subscriptionKey"],
    others: ["overwriteKey", "write_keys"],
  },
  {
    what: "an abbreviation, at the end",
    form: /(?:^|[_.-])(?:pass|pwd)$/i,
    examples: ["pass", "DB_PASS", "mysql.pwd"],
    others: ["bypass", "pass_through"],
  },
  {
    what: "a name of Honeycomb or Redis",
    form: /^(?:x-honeycomb-team|requirepass|masterauth)$/i,
    examples: ["X-Honeycomb-Team", "requirepass", "masterauth"],
    others: ["team"],
  },
];

/** Names among them that tell where a credential is, how it is used or what it is like: the value is not the credential. */
export const DESCRIBING_NAMES: readonly TextKind[] = [
  ending(
    "where it is",
    "file path dir url uri endpoint ref source env stdin volume volumes helper connector lookup process region namespace",
    ...["password_file", "tokenURL", "secretEnv"],
  ),
  ending(
    "what it is called, and for whom it is",
    "name names header field label title annotation prefix class scope selector audience audiences issuer",
    ...["secretName", "token-audiences", "secretProviderClass"],
  ),
  ending(
    "what it looks like",
    "type format pattern regex length alg algo algorithm method encryption iterations",
    ...["token_type", "passwordPattern", "password.encoder.iterations"],
  ),
  ending(
    "how long it is valid",
    "ttl interval retention rotation expiration lifetime validity timeout age changed replication",
    ...["tokenTTL", "password_rotation_interval", "secretAge"],
  ),
  ending(
    "whether and how it is used",
    "policy strategy allowed required enabled tokens",
    ...["passwordRequired", "max_tokens", "SecretChangeDetectionStrategy"],
  ),
  ending(
    "what people read beside it",
    "placeholder hint message error description prompt dialog",
    ...["passwordHint", "SSLPassPhraseDialog"],
  ),
  {
    what: "an identifier or address of it",
    form: /(?:[_.-](?:url|id)|credentials?id)$/i,
    examples: ["secret_id", "token.url", "credentialsId"],
    others: ["secretid"],
  },
  {
    what: "a program or service that stores it",
    form: /(?:secrets?|credentials?|passwords?)[_.-]*(?:store|backend|provider|manager)$/i,
    examples: ["password-store", "secretsManager", "credentials_provider"],
  },
  {
    what: "the name of a Secret",
    form: /(?:pull|existing|from|tls|ssl|serving|certs?|certificate|ca|vars|private[_.-]?key|credentials?|password)[_.-]?secrets?$/i,
    examples: ["imagePullSecrets", "from_secret", "caCertsSecret", "passwordSecret"],
    others: ["clientSecret"],
  },
  {
    what: "the name of a Secret in a Helm chart's values",
    form: /^existing\w*secret\w*$/i,
    examples: ["existingSecret", "existingUserSecretKey"],
  },
  {
    what: "the name of a key in a Secret",
    form: /(?:password[_.-]*(?:secret)?|key|key[_.-]?id|passphrase)[_.-]?key$/i,
    examples: ["passwordKey", "userPasswordSecretKey", "accessKeyIdKey", "passphrase-key"],
    others: ["secretKey"],
  },
  {
    what: "the address to which nginx passes a request, a memcached or proxy option",
    form: /^(?:proxy|fastcgi|grpc|uwsgi|scgi|memcached|on)_pass$/i,
    examples: ["proxy_pass", "grpc_pass"],
    others: ["db_pass"],
  },
  {
    what: "the name of an etcd cluster",
    form: /initial[_.-]cluster[_.-]token$/i,
    examples: ["ETCD_INITIAL_CLUSTER_TOKEN", "initial-cluster-token"],
  },
];

const IS_CREDENTIAL = anyOf(CREDENTIAL_NAMES);
const IS_DESCRIPTION = anyOf(DESCRIBING_NAMES);
const IS_PASSWORD = /pass|pwd/i;

/** Whether a value with this name may be a credential. */
function namesCredential(name: string): boolean {
  return IS_CREDENTIAL.test(name) && !IS_DESCRIPTION.test(name);
}

/** Whether a number with this name may be the credential itself: with `token` it is a count. */
function namesPassword(name: string): boolean {
  return IS_PASSWORD.test(name);
}
