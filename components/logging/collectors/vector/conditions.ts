import { LEVEL_KEYS, LEVELS, type Selection } from "../../routing/routes.ts";

/** Sets `word` to a line's level: that of the first key that exists. */
const LEVEL = `word = ${LEVEL_KEYS.map((key) => `if exists(.fields.${key}) { .fields.${key} }`).join(" else ")} else { "" }
word = downcase(string(word) ?? "")
`;

/** VRL condition for records that match a route; undefined if all lines do. */
export function routeCondition(selections: readonly Selection[]): string | undefined {
  if (selections.length === 0) return undefined;
  return `${beforeConditions(selections)}${selections.map((selection) => `(${conditions(selection, "%labels").join(" && ")})`).join(" || ")}`;
}

/** Statements that these selections' conditions need before them. */
export function beforeConditions(selections: readonly Selection[]): string {
  return selections.some(({ levels }) => levels !== undefined) ? LEVEL : "";
}

/** Conditions on a record, in VRL. @param labels Path of the pod's labels. */
export function conditions({ namespaces, labels = {}, streams, levels }: Selection, labelsPath: string): string[] {
  const isOne = (values: readonly string[], path: string) => `includes(${JSON.stringify(values)}, ${path})`;
  const words = levels?.flatMap((level) => LEVELS[level]);
  return [
    ...(namespaces === undefined ? [] : [isOne(namespaces, ".kubernetes.namespace_name")]),
    ...Object.entries(labels).map(([key, value]) => `${labelsPath}.${JSON.stringify(key)} == ${JSON.stringify(value)}`),
    ...(streams === undefined ? [] : [isOne(streams, ".stream")]),
    ...(words === undefined ? [] : [isOne(words, "word")]),
  ];
}
