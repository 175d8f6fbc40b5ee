// @ts-check
// Redacts and drops lines, in ECMAScript 5 for Filebeat's interpreter: its script processor runs this file before record.js.

/**
 * @typedef {object} Redaction
 * @property {string} pattern
 * @property {readonly (string | number)[]} replacement Text, and numbers of groups whose text stays.
 * @property {boolean} luhn Whether only numbers with a valid check digit, in the second group, are replaced.
 * @property {boolean} [bare] Whether it quotes the mask of a JSON number, which is its second group.
 *
 * @typedef {object} Thinning Drops lines that meet all its conditions, except a share.
 * @property {number} kept Thousandths that are kept.
 * @property {string} [pattern]
 * @property {readonly string[]} [namespaces]
 * @property {readonly string[]} [streams]
 * @property {readonly string[]} [words] Names of levels, in lower case.
 * @property {Readonly<Record<string, string>>} [labels]
 *
 * @typedef {object} Line
 * @property {string} log
 * @property {string} namespace
 * @property {string} stream
 * @property {Record<string, string>} labels
 * @property {*} fields
 * @property {number} thousandth From 0 to 999, the same when the line is read again.
 */

/** Replaces a line on which a custom pattern fails, since it is too long. */
var UNREADABLE = "[REDACTED]";
/** A line that begins as an object, begins and ends as a list, or ends as an object after other text. */
var JSON_LINE = /^(?:[ \t]*(?:\{|\[\s*(?:[["{0-9-]|true|false|null)[\s\S]*\]\s*$)|[^"{]*\{[ \t]*"[\s\S]*\}\s*$)/;

/** @param {readonly Redaction[]} rules @returns {(line: string) => string} */
function createRedactor(rules) {
  var compiled = rules.map(function (rule) {
    return { regex: new RegExp(rule.pattern, "g"), replace: rule.bare ? quoted : replacer(rule), bare: rule.bare };
  });
  return function (line) {
    try {
      return compiled.reduce(function (text, rule) {
        if (rule.bare && (text === line || !JSON_LINE.test(text))) return text;
        return text.replace(rule.regex, rule.replace);
      }, line);
    } catch (error) {
      return UNREADABLE;
    }
  };
}

/** @param {string} all @param {string | undefined} text A JSON string, or the text before JSON. @param {string | undefined} bare */
function quoted(all, text, bare) {
  return text || (bare ? ['"', bare, '"'].join("") : all);
}

/** @param {Redaction} rule @returns {(...groups: string[]) => string} */
function replacer(rule) {
  return function () {
    var groups = arguments;
    if (rule.luhn && !hasCheckDigit(groups[2])) return groups[0];
    return rule.replacement
      .map(function (part) {
        return typeof part === "string" ? part : groups[part] || "";
      })
      .join("");
  };
}

/** See https://en.wikipedia.org/wiki/Luhn_algorithm @param {string} text */
function hasCheckDigit(text) {
  var digits = text.replace(/[^0-9]/g, "").split("");
  var sum = digits.reduce(function (total, digit, at) {
    var value = Number(digit) * ((digits.length - at) % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

/** @param {readonly Thinning[]} rules @returns {(line: Line) => boolean} Whether a line is dropped. */
function createThinner(rules) {
  var compiled = rules.map(function (rule) {
    return { rule: rule, regex: rule.pattern === undefined ? null : new RegExp(rule.pattern) };
  });
  return function (line) {
    return compiled.some(function (each) {
      return (
        isSelected(each.rule, line) &&
        (each.regex === null || each.regex.test(line.log)) &&
        line.thousandth >= each.rule.kept
      );
    });
  };
}

/** @param {Thinning} rule @param {Line} line */
function isSelected(rule, line) {
  var labels = rule.labels || {};
  return (
    (!rule.namespaces || rule.namespaces.indexOf(line.namespace) >= 0) &&
    (!rule.streams || rule.streams.indexOf(line.stream) >= 0) &&
    Object.keys(labels).every(function (key) {
      return line.labels[key] === labels[key];
    }) &&
    (!rule.words || rule.words.indexOf(levelOf(line.fields)) >= 0)
  );
}

/** The level of a JSON line: that of the first key that exists. @param {*} fields @returns {string} */
function levelOf(fields) {
  if (!fields) return "";
  var word = fields.level === undefined ? fields.severity : fields.level;
  return typeof word === "string" ? word.toLowerCase() : "";
}

if (typeof module !== "undefined") module.exports = { createRedactor: createRedactor, createThinner: createThinner };
