import { Field } from "../core/field.ts";
import type { Value } from "../core/value.ts";

/**
 * Statements of a policy document, as JSON text or as an object. None where the text is no document: AWS refuses that.
 * @throws {Undecided} where nobody knows how many there are.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export function statementsOf(field: Field): Field[] {
  const text = field.text();
  const document = text === undefined ? field : new Field(field.owner, field.path, parseQuietly(text));
  return oneOrMore(document.at("Statement"));
}

/** @throws {Undecided} */
export function allows(statement: Field): boolean {
  return statement.at("Effect").text() === "Allow";
}

/** What may stand alone or in a list. @throws {Undecided} */
export function oneOrMore(field: Field): Field[] {
  const items = field.items();
  return items.length > 0 ? items : [field].filter((one) => one.isSet && !Array.isArray(one.raw));
}

/** Texts of an element of a statement, such as its actions. @throws {Undecided} where one is unknown. */
export function textsOf(statement: Field, element: string): string[] {
  return oneOrMore(statement.at(element)).flatMap((one) => one.text() ?? []);
}

/** Whom a statement is about, of every kind. @throws {Undecided} */
export function principalsOf(statement: Field): string[] {
  const principal = statement.at("Principal");
  const kinds = principal.entries().map(([kind]) => kind);
  return kinds.length > 0 ? kinds.flatMap((kind) => textsOf(principal, kind)) : textsOf(statement, "Principal");
}

/** Keys of conditions that say how a request comes, and nothing of whose the resource or the caller is. */
const HOW = ["aws:securetransport", "aws:multifactorauthpresent", "aws:currenttime", "aws:epochtime", "aws:useragent"];

/** Whether a condition bounds what a statement reaches. One that takes any value bounds nothing. @throws {Undecided} */
export function isBounded(statement: Field): boolean {
  return statement
    .at("Condition")
    .entries()
    .flatMap(([operator, keys]) => keys.entries().map(([key, values]) => ({ operator, key, values })))
    .some(({ operator, key, values }) => {
      if (HOW.includes(key.toLowerCase()) || /^(ForAllValues:)?Null$|^ForAllValues:|IfExists$/i.test(operator))
        return false;
      // What is not known yet is a value.
      return values.isUnknown || !oneOrMore(values).some((value) => !value.isUnknown && value.text() === "*");
    });
}

function parseQuietly(text: string): Value | undefined {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
