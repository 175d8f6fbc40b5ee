/** Functions of Go's templates, and those that CoreDNS adds. @see https://pkg.go.dev/text/template */
const FUNCTIONS: ReadonlySet<string> = new Set(
  "and call html index slice js len not or print printf println urlquery eq ge gt le lt ne parseInt".split(" "),
);
const KEYWORDS: ReadonlySet<string> = new Set(
  "if else end range with define block template break continue nil true false".split(" "),
);

/** An action between `{{` and `}}`. */
const ACTION =
  /\{\{(?:-\s)?(?:\/\*[\s\S]*?\*\/|((?:"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\.|[^'\\\n])*'|[^"`'])*?))(?:\s-)?\}\}/y;
const TOKEN =
  /\s+|"(?:\\.|[^"\\\n])*"|`[^`]*`|'(?:\\(?:[abfnrtv\\']|x[\da-fA-F]{2}|[0-7]{3}|u[\da-fA-F]{4}|U[\da-fA-F]{8})|[^'\\\n])'|:=|\$\w*|(?:\.[A-Za-z_]\w*)+|[+-]?(?:\d[\w.]*)|[A-Za-z_]\w*|\.|[()|,=]/uy;

/**
 * Why Go rejects a text as a template; undefined if it does not. Calls are parsed but not executed: a missing field only fails at a query.
 * @see https://pkg.go.dev/text/template
 */
export function templateProblem(text: string): string | undefined {
  const open: string[] = [];
  const variables: (readonly string[])[] = [["$"]];
  let position = 0;
  for (;;) {
    const start = text.indexOf("{{", position);
    if (start === -1) break;
    ACTION.lastIndex = start;
    const action = ACTION.exec(text);
    if (action === null) return "an action has no }}";
    position = ACTION.lastIndex;
    if (action[1] === undefined) continue;
    const problem = actionProblem(action[1], open, variables);
    if (problem !== undefined) return problem;
  }
  return open.length === 0 ? undefined : `${open.at(-1)} has no end`;
}

/** The tokens of each action in a template without a {@link templateProblem}. */
export function templateActions(text: string): readonly (readonly string[])[] {
  return [...text.matchAll(new RegExp(ACTION.source, "g"))].map(([, action = ""]) => tokensOf(action) ?? []);
}

/** Replaces each action of a template with a text. */
export function withoutActions(text: string, instead: string): string {
  return text.replaceAll(new RegExp(ACTION.source, "g"), instead);
}

function actionProblem(text: string, open: string[], variables: (readonly string[])[]): string | undefined {
  const tokens = tokensOf(text);
  if (tokens === undefined) return `{{${text}}} has a character that no action takes`;
  const [first, ...rest] = tokens;
  if (first === undefined) return "an action is empty";
  switch (first) {
    case "if":
    case "with":
    case "range":
      open.push(first);
      variables.push(variables.at(-1) ?? []);
      return pipelineProblem(rest, variables, first === "range" ? 2 : 1);
    case "else":
      return elseProblem(rest, open, variables);
    case "end":
      if (rest.length > 0) return "end takes no arguments";
      variables.pop();
      return open.pop() === undefined ? "end has no matching action" : undefined;
    case "define":
    case "block":
      if (open.length > 0 && first === "define") return "define is inside another action";
      open.push(first);
      variables.push(["$"]);
      return namedProblem(first, rest, variables);
    case "template":
      return namedProblem(first, rest, variables);
    case "break":
    case "continue":
      return open.some((action) => action.startsWith("range")) ? undefined : `${first} is outside range`;
    default:
      return pipelineProblem(tokens, variables);
  }
}

function elseProblem(rest: readonly string[], open: string[], variables: (readonly string[])[]): string | undefined {
  const inner = open.at(-1);
  const [word, ...pipeline] = rest;
  if (inner === undefined || !["if", "with", "range"].includes(inner)) return "else has no if";
  if (word === undefined) {
    open[open.length - 1] = `${inner} else`;
    return undefined;
  }
  if (word !== "if" && word !== "with") return "else takes only if or with";
  return word === inner ? pipelineProblem(pipeline, variables) : `else ${word} follows ${inner}`;
}

/** Checks an action that names a template, and the argument it passes. */
function namedProblem(
  action: "define" | "block" | "template",
  [name = "", ...given]: readonly string[],
  variables: (readonly string[])[],
): string | undefined {
  if (!/^["`]/.test(name)) return `${action} takes a name in quotes`;
  if (action === "define" || (action === "template" && given.length === 0)) return undefined;
  return pipelineProblem(given, variables);
}

function tokensOf(text: string): string[] | undefined {
  const found: string[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const token = TOKEN.exec(text);
    if (token === null) return undefined;
    if (token[0].trim() !== "") found.push(token[0]);
  }
  return found;
}

/** Checks `$x := OPERAND WORDS | FUNCTION WORDS`. @param maxNames Variables that it may declare; `range` has key and value. */
function pipelineProblem(
  tokens: readonly string[],
  variables: (readonly string[])[],
  maxNames = 1,
): string | undefined {
  const sign = tokens.findIndex((token) => token === ":=" || token === "=");
  const names = sign === -1 ? [] : tokens.slice(0, sign).filter((token) => token !== ",");
  if (names.some((name) => !/^\$\w+$/.test(name)) || names.length > maxNames) return "only a variable takes a value";
  const scope = [...(variables.at(-1) ?? []), ...names];
  variables[variables.length - 1] = scope;
  const commands = splitCommands(tokens.slice(sign + 1));
  if (typeof commands === "string") return commands;
  for (const [index, command] of commands.entries()) {
    const problem = commandProblem(command, scope, index > 0);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function splitCommands(tokens: readonly string[]): string[][] | string {
  const commands: string[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token === "(") depth += 1;
    if (token === ")") depth -= 1;
    if (depth < 0) return "a closing parenthesis has no opening one";
    if (token === "|" && depth === 0) commands.push([]);
    else commands.at(-1)?.push(token);
  }
  if (depth > 0) return "a parenthesis is not closed";
  return commands.some((command) => command.length === 0) ? "a value is missing" : commands;
}

function commandProblem(command: readonly string[], scope: readonly string[], isPiped: boolean): string | undefined {
  const [first = ""] = command;
  if (isPiped && /^(["`'+\-\d]|nil$|true$|false$|\.$)/.test(first))
    return `${first} comes after | but is not a function`;
  for (const token of command) {
    if (
      token === ":=" ||
      token === "=" ||
      token === "," ||
      (KEYWORDS.has(token) && !["nil", "true", "false"].includes(token))
    )
      return `unexpected ${token}`;
    if (/^[A-Za-z_]/.test(token) && !KEYWORDS.has(token) && !FUNCTIONS.has(token))
      return `function ${token} is not defined`;
    if (token.startsWith("$") && !scope.includes(token)) return `undefined variable ${token}`;
    if (/^[+-]?\d/.test(token) && !Number.isFinite(Number(token.replaceAll("_", "")))) return `bad number ${token}`;
  }
  return nestedProblem(command, scope);
}

/** Checks the parentheses of a command. */
function nestedProblem(command: readonly string[], scope: readonly string[]): string | undefined {
  for (let start = command.indexOf("("); start !== -1; start = command.indexOf("(", start + 1)) {
    let depth = 0;
    const end = command.findIndex((token, index) => {
      if (index >= start && token === "(") depth += 1;
      if (index >= start && token === ")") depth -= 1;
      return index > start && depth === 0;
    });
    const inner = splitCommands(command.slice(start + 1, end));
    if (typeof inner === "string") return inner;
    for (const [index, one] of inner.entries()) {
      const problem = commandProblem(one, scope, index > 0);
      if (problem !== undefined) return problem;
    }
    start = end;
  }
  return undefined;
}
