import assert from "node:assert/strict";
import { startOf } from "../../corefile/setups/starts.ts";
import { readExpression } from "../../corefile/syntax/go-expression.ts";

describe("an expression of view", () => {
  const problems: readonly (readonly [text: string, problem: string])[] = [
    ["name() == 'a.' name() == 'b.'", "name is not expected"],
    ["name() ==", "it ends too early"],
    ["type() == A", "A is not a function of a query, and a text needs quotes, as 'A'"],
    ["name == 'a.'", "== does not take a function and a text; a function needs parentheses, as name()"],
    ["port() == 53", "== does not take a text and a number"],
    ["port() in [53]", "in does not take a text and a list of numbers"],
    ["incidr(client_ip())", "incidr takes 2 arguments (found 1)"],
    ["incidr(client_ip(), '10.0.0.0/8') | incidr(client_ip(), '::/0')", "incidr takes 2 arguments (found 3)"],
    ["incidr(client_ip, '10.0.0.0/8')", "incidr takes a text, not a function; a function needs parentheses, as name()"],
    ["incidr(client_ip(), 10.0.0.0/8)", "10.0.0.0 is not a number"],
    ["(do()", ") is expected instead of the end"],
    ["not name()", "not takes a boolean, not a text"],
    ["name() = 'a'", "\"= 'a'\" is not understood"],
    ["name() matches '['", "'[' is not a regular expression in Go's syntax"],
    ["name() matches '^a\\.'", "'^a\\.' has \\., which is not an escape: write \\\\."],
    ["name() == 'a\\\\\\d'", "'a\\\\\\d' has \\d, which is not an escape: write \\\\d"],
    ["name().length > 3", "a text has no fields"],
    ["id() > 1e", "1e is not a number"],
    ["(name() | split('.')) == 'a'", "== does not take a list of texts and a text"],
    ["name() ? true : false", "? takes a boolean, not a text"],
    ["do() ? true", ": is expected instead of the end"],
    ["(do() ? ['A'] : [1]) == 1", "== does not take a list and a number"],
    ["let name = 'a'; true", "let name: the name is taken"],
    ["let x = 1; let x = 2; true", "let x: the name is taken"],
    ["let x = name(); x == 1", "== does not take a text and a number"],
    ["let x = 1; x()", "x is a number, not a function"],
    ["let 1 = 2; true", "let needs a name instead of 1"],
    ["let x == 1; true", "= is expected instead of =="],
    ["let x = 1", "; is expected instead of the end"],
    ["any(['a'], {let y = #; true}) and y == 'a'", "y is not a function of a query, and a text needs quotes, as 'A'"],
    ["any(['a'])", "any takes a list and a predicate"],
    ["any(client_ip(), true)", "any takes a list, not a text"],
    ["any(['a'], # == 1)", "== does not take a text and a number"],
    ["filter(['a'], #)", "the predicate of filter must be a boolean, not a text"],
    ["any(['a'], # == 'a'; true)", "a predicate of several expressions needs braces"],
    ["any([1], #index == 0)", "any has no #index"],
    ["# == 'a'", "# is not expected"],
    ["find(['a'], # != '') == 1", "== does not take a text and a number"],
    ["name()['a':] == 'a'", "[ ] takes a number, not a text"],
    ["split(name(), '.')['a'] == 'a'", "[ ] takes a number, not a text"],
    ["split(name(), '.')[0] == 1", "== does not take a text and a number"],
    ["id()[1:] == 1", "a number has no parts"],
    ["name()[0] == 'a'", "a text has no places"],
    ["name()[1:2:3] == 'a'", "] is expected instead of :"],
    ["toString(id()) == '1'", "toString is not a function of a query, and a text needs quotes, as 'A'"],
  ];
  for (const [text, problem] of problems)
    it(`is refused: ${text}`, () => assert.deepEqual(readExpression(text), { problem, isRead: true }));

  it("is a condition, or has another type", () => {
    const kinds = {
      "incidr(client_ip(), '10.0.0.0/8') || type() in ['A', 'AAAA'] and not do()": "boolean",
      "1 < id() < 9 and size() ** 2 >= -1.5 == true": "boolean",
      "'a' + name()": "text",
      "len(name()) * 2": "number",
      "name() | lower() | len()": "number",
      "split(name(), '.')": "list of texts",
      "1..3": "list of numbers",
      name: "function",
      nil: "any",
      "now().UTC().Hour() in 8..18 && now().Format('15:04') > '08:00'": "boolean",
      "(now() - date('2024-01-01')).Hours() > 3": "boolean",
      "max(1, id()) + max(1, 2) == 4": "boolean",
      "now() + duration('1h') * 2": "any",
      "name() + now().Format('2006')": "text",
      "name() | lower() | trim() endsWith 'x.' && type() == 'A'": "boolean",
      "1e-5 + .5 + 1. + 0x1e-5": "number",
      "[type()] == [1] and [] == ['a']": "boolean",
      "$env != nil": "boolean",
      "do() ? type() == 'A' : false": "boolean",
      "do() ? 'a' : 1": "any",
      "do() ?: true": "boolean",
      "let x = split(name(), '.'); len(x) > 3 && x[0] == 'a'": "boolean",
      "let x = name() | lower(); x[1:]": "text",
      "let x = do; x()": "any",
      "any(['a'], {let y = #; y == name()}) and all(1..3, # > 0);": "boolean",
      "any([['a']], any(#, # == 'a'))": "boolean",
      "split(name(), '.') | filter(# != '') | len() > 2": "boolean",
      "map(['a'], len(#))[0]": "number",
      "map(['a'], #index)": "list of numbers",
      "reduce(['a'], # + #acc, '',) == 1": "boolean",
      "sum(['a'], len(#)) + count([1]) + findIndex(['a'], # == 'a')": "number",
      "groupBy(['a'], #)['a'] == ['a']": "boolean",
      "name()[0:1] == 'a' and name()[:]  != name()[-1:]": "boolean",
      "split(name(), '.')[:2]": "list of texts",
      "first(['a']) + name() == 1": "boolean",
      "name() matches '^a\\\\.\\t' or name() matches `\\.`": "boolean",
    };
    for (const [text, kind] of Object.entries(kinds))
      assert.deepEqual(readExpression(text), { kind, isRead: true }, text);
  });

  it("is skipped if it uses more of the language", () => {
    for (const text of [
      "(".repeat(9999),
      "not ".repeat(9999),
      "2**".repeat(9999),
      "do()?true:".repeat(9999),
      "let x = [".repeat(9999),
      "any([1], {".repeat(9999),
      "type() in {'A': 1}",
      "now()?.Year() == 2026",
      "(name() ?? 'a') == 'a'",
      "if do() {true} else {false}",
      "true // yes",
    ])
      assert.deepEqual(readExpression(text), { isRead: false }, text);
    assert.ok(readExpression("name() == 'let; a ? b'").isRead);
  });

  it("is reported with its server block", () => {
    const of = (text: string) => startOf(`.:53 {\n    view a {\n        expr ${text}\n    }\n}\n`);
    assert.deepEqual(of("client_ip() == '10.0.0.1'"), { errors: [], warnings: [] });
    assert.deepEqual(of("name()").warnings, [
      ".:53: view: expr name(): is not a condition, so the block gets no queries",
    ]);
    // CoreDNS takes the quotes of a whole word off.
    assert.deepEqual(of('type() == "A"').errors, [
      ".:53: view: expr type() == A: A is not a function of a query, and a text needs quotes, as 'A'",
    ]);
    assert.deepEqual(of("if do() {true} else {false}").warnings, [".:53: view: its expression is not checked"]);
    assert.deepEqual(of("do() ? true : false"), { errors: [], warnings: [] });
    assert.deepEqual(of("{$CONDITION}").warnings, [".:53: view: its expression is not checked"]);
  });
});
