import type { Field } from "../core/field.ts";

/** A statement of an IAM policy, lists made of what may stand alone. */
export interface Statement {
  readonly allows: boolean;
  readonly actions: readonly string[];
  readonly notActions: readonly string[];
  readonly resources: readonly string[];
  readonly principals: readonly string[];
  readonly hasCondition: boolean;
}

/**
 * Statements of a policy document, as JSON text or as an object. None where the text is no document: AWS refuses that.
 * @throws {Undecided}
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function statementsOf(field: Field): Statement[] {
  const text = field.text();
  const document = text === undefined ? plainOf(field) : parseQuietly(text);
  return listOf(isGroup(document) ? document.Statement : undefined)
    .filter(isGroup)
    .map(statement);
}

function statement(raw: Group): Statement {
  const principal = raw.Principal;
  return {
    allows: raw.Effect === "Allow",
    actions: textsOf(raw.Action),
    notActions: textsOf(raw.NotAction),
    resources: textsOf(raw.Resource),
    principals: isGroup(principal) ? Object.values(principal).flatMap(textsOf) : textsOf(principal),
    hasCondition: isGroup(raw.Condition) && Object.keys(raw.Condition).length > 0,
  };
}

/** The value of a field, whole. @throws {Undecided} where a part of it is unknown. */
function plainOf(field: Field): unknown {
  const entries = field.entries();
  if (entries.length > 0) return Object.fromEntries(entries.map(([key, inner]) => [key, plainOf(inner)]));
  const items = field.items();
  return items.length > 0 ? items.map(plainOf) : (field.text() ?? field.flag() ?? field.number());
}

type Group = { readonly [key: string]: unknown };

function isGroup(value: unknown): value is Group {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function listOf(value: unknown): unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function textsOf(value: unknown): string[] {
  return listOf(value).filter((item) => typeof item === "string");
}

function parseQuietly(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
