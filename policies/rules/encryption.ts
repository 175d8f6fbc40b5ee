import { type Field, Undecided } from "../core/field.ts";
import type { Stack } from "../core/stack.ts";

const KEYS = [
  "aws:kms/key:Key",
  "aws:kms/replicaKey:ReplicaKey",
  "aws:kms/externalKey:ExternalKey",
  "aws:kms/alias:Alias",
];

/**
 * Whether a field names a KMS key. The ARN of a key that the stack makes is unknown before; then what the resource waits for
 * tells.
 * @throws {Undecided} where it waits for no key, or nobody knows.
 */
export function isEncrypted(stack: Stack, key: Field): boolean {
  if (!key.isUnknown) return (key.text() ?? "") !== "";
  const dependencies = stack.dependenciesOf(key.owner) ?? [];
  if (dependencies.some(({ type }) => KEYS.includes(type))) return true;
  throw new Undecided(key);
}
