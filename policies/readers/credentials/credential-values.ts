import { namesCredential, namesPassword } from "./credential-names.ts";
import { anyOf, equal, type TextKind } from "./text-kind.ts";

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
