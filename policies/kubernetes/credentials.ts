const NAME = /(passw(or)?d|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)/i;
/** A name that ends so says where a secret stands or how it is used, not what it is. */
const NO_SECRET_NAME = /[_.-]?(file|path|name|dir|ttl|header|tokens|type|format|ref)$/i;
/** A reference, a switch, a number, a path or a placeholder. */
const NO_SECRET_VALUE = /^(\$|\{\{|%|<|\/|@|on\b|off\b|true\b|false\b|yes\b|no\b|null\b|~$|\d+[a-z]?$|\||>|\[|\{)/i;

/** A line that holds a credential. */
export interface Credential {
  /** From 1. */
  readonly line: number;
  readonly what: string;
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
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(line)) return "a private key";
  if (/\bAKIA[0-9A-Z]{16}\b/.test(line)) return "an AWS access key";
  if (/:\/\/[^/\s:@]+:[^/\s:@${]+@/.test(line)) return "a password in a URL";
  const [, name = "", value = ""] =
    /^\s*-?\s*["']?([\w.-]+)["']?\s*[:=]\s*["']?([^"'#;]+)/.exec(line) ??
    /^\s*([\w.-]+)\s+["']?([^\s"';]+)["']?;?\s*$/.exec(line) ??
    [];
  const isSecret =
    NAME.test(name) && !NO_SECRET_NAME.test(name) && value.trim() !== "" && !NO_SECRET_VALUE.test(value.trim());
  return isSecret ? `a literal ${name}` : undefined;
}
