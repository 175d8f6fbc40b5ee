import assert from "node:assert/strict";
import {
  CLIENTS,
  credentialInCommand,
  credentialInText,
  PLACES,
  TOKENS,
} from "../../../policies/readers/credentials/credential-forms.ts";
import { credentialsIn, PAIRS } from "../../../policies/readers/credentials/credential-lines.ts";
import {
  anyOf,
  CREDENTIAL_NAMES,
  DESCRIBING_NAMES,
  FILL_INS,
  isCredential,
  REFERENCES,
  SWITCHES,
  type TextKind,
} from "../../../policies/readers/credentials/credential-values.ts";

const TABLES: Readonly<Record<string, readonly TextKind[]>> = {
  CREDENTIAL_NAMES,
  DESCRIBING_NAMES,
  REFERENCES,
  FILL_INS,
  SWITCHES,
  TOKENS,
  PLACES,
  CLIENTS,
  PAIRS,
};

/** The kind's pattern, without the flag by which a search goes on where the last one ended. */
const patternOf = ({ form }: TextKind) => new RegExp(form.source, form.flags.replace("g", ""));

describe("the kinds of texts by which credentials are found", () => {
  for (const [table, kinds] of Object.entries(TABLES))
    for (const kind of kinds)
      it(`${table}: ${kind.what} (${kind.examples[0]})`, () => {
        assert.ok(kind.examples.length > 0);
        for (const text of kind.examples) assert.match(text, patternOf(kind));
        for (const text of kind.others ?? []) assert.doesNotMatch(text, patternOf(kind));
      });

  it("have the same flags in each table that is one pattern", () => {
    for (const kinds of [CREDENTIAL_NAMES, DESCRIBING_NAMES, REFERENCES, FILL_INS, SWITCHES, TOKENS]) {
      assert.deepEqual([...new Set(kinds.map(({ form }) => form.flags))], [kinds[0]?.form.flags]);
      for (const text of kinds.flatMap(({ examples }) => examples)) assert.match(text, anyOf(kinds));
    }
  });

  it("have their part in every example, or they would not be looked for", () => {
    for (const { part, examples } of [...PLACES, ...PAIRS])
      for (const text of examples) assert.ok(text.toLowerCase().includes(part), `${part} in ${text}`);
  });

  it("make a name's value a credential, unless the name or the value only describes it", () => {
    for (const name of CREDENTIAL_NAMES.flatMap(({ examples }) => examples))
      assert.ok(isCredential(name, "a-b1"), name);
    for (const name of DESCRIBING_NAMES.flatMap(({ examples }) => examples))
      assert.ok(!isCredential(name, "a-b1"), name);
    for (const value of [...REFERENCES, ...FILL_INS, ...SWITCHES].flatMap(({ examples }) => examples))
      for (const name of ["password", "token"]) assert.ok(!isCredential(name, value), `${name}: ${value}`);
  });

  it("make a text, a command or a line hold one", () => {
    for (const text of TOKENS.flatMap(({ examples }) => examples))
      assert.equal(credentialInText(text), "a token", text);
    for (const { what, examples } of PLACES)
      for (const text of examples) assert.equal(credentialInText(text), what, text);
    for (const text of CLIENTS.flatMap(({ examples }) => examples))
      assert.equal(credentialInCommand(text), "a password in a command line", text);
    for (const text of PAIRS.flatMap(({ examples }) => examples)) assert.equal(credentialsIn(text).length, 1, text);
  });
});
