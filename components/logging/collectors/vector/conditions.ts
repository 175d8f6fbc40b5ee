import { LEVEL_KEYS, LEVELS, type Selection } from "../../routing/routes.ts";

/** Sets `word` to the level of a line: that of the first key that is there. */
const LEVEL = `word = ${LEVEL_KEYS.map((key) => `if exists(.fields.${key}) { .fields.${key} }`).join(" else ")} else { "" }
word = downcase(string(word) ?? "")
`;

/** The condition of a record that one of the routes takes, in VRL; undefined where all lines go there. */
export function routeCondition(selections: readonly Selection[]): string | undefined {
  if (selections.length === 0) return undefined;
  return `${beforeConditions(selections)}${selections.map((selection) => `(${conditions(selection, "%labels").join(" && ")})`).join(" || ")}`;
}

/** Statements that conditions of these selections need before them. */
export function beforeConditions(selections: readonly Selection[]): string {
  return selections.some(({ levels }) => levels !== undefined) ? LEVEL : "";
}

/** Conditions of a record, in VRL. @param labels Where the pod's labels are. */
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
