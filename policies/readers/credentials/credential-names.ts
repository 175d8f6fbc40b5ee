import { anyOf, ending, type TextKind } from "./text-kind.ts";

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
export function namesCredential(name: string): boolean {
  return IS_CREDENTIAL.test(name) && !IS_DESCRIPTION.test(name);
}

/** Whether a number with this name may be the credential itself: with `token` it is a count. */
export function namesPassword(name: string): boolean {
  return IS_PASSWORD.test(name);
}
