import type { PlantedLine } from "./secrets.ts";

const [CARD, AMEX, KEY] = ["4111111111111111", "378282246310005", "0123456789abcdef0123"];
const [MASKED, MASKED_KEY] = ["[REDACTED:credit-card]", "[REDACTED:api-key]"];

/** Lines in which a secret stands so that a mask could break their JSON, or is easily overlooked: what every collector must make of them. */
export const ODD_SECRETS: readonly (PlantedLine & { readonly why: string })[] = [
  {
    why: "each number of a list",
    text: `{"a":[${CARD},1, -${CARD} ,${AMEX}],"b":[[${CARD}],[null,${CARD}]]}`,
    masked: `{"a":["${MASKED}",1, "${MASKED}" ,"${MASKED}"],"b":[["${MASKED}"],[null,"${MASKED}"]]}`,
  },
  {
    why: "a list that is the line, whose strings stay strings",
    text: `[${CARD},"[1,${CARD}]",{"n":${CARD}},"a\\"${CARD}"]`,
    masked: `["${MASKED}","[1,${MASKED}]",{"n":"${MASKED}"},"a\\"${MASKED}"]`,
  },
  {
    why: "a number over several lines, behind many blanks and behind a name that ends in a backslash",
    text: `{\n  "a":\n    ${CARD},\n  "b":       ${CARD}, "c\\\\":${CARD}\n}`,
    masked: `{\n  "a":\n    "${MASKED}",\n  "b":       "${MASKED}", "c\\\\":"${MASKED}"\n}`,
  },
  {
    why: "a number with a fraction",
    text: `{"a":${CARD}.0,"b":[1,${CARD}.50]}`,
    masked: `{"a":"${MASKED}.0","b":[1,"${MASKED}.50"]}`,
  },
  {
    why: "a key that is a number",
    text: `{"client_secret":1234567890123456,"api_key": 12345678901234567890}`,
    masked: `{"client_secret":"${MASKED_KEY}","api_key": "${MASKED_KEY}"}`,
  },
  {
    why: "a number in a text that begins like the end of a name",
    text: `{"m":": ${CARD}","n":[":${CARD}"],"o":":[${CARD}"}`,
    masked: `{"m":": ${MASKED}","n":[":${MASKED}"],"o":":[${MASKED}"}`,
  },
  {
    why: "a number of JSON behind a text, and the text",
    text: `2026-02-01 INFO ${CARD} paid {"n":${CARD},"a":[${CARD},${AMEX}]}`,
    masked: `2026-02-01 INFO ${MASKED} paid {"n":"${MASKED}","a":["${MASKED}","${MASKED}"]}`,
  },
  {
    why: "no text that only looks like JSON",
    text: `[info] paid ${CARD}, [${CARD}]: "n", ${CARD}`,
    masked: `[info] paid ${MASKED}, [${MASKED}]: "n", ${MASKED}`,
  },
  {
    why: "a key in the list of a header, and a hash of Ruby",
    text: `{"X-Api-Key":["${KEY}"],"m":"api_key => x, \\"api_key\\"=>\\"${KEY}\\""}`,
    masked: `{"X-Api-Key":["${MASKED_KEY}"],"m":"api_key => x, \\"api_key\\"=>\\"${MASKED_KEY}\\""}`,
  },
  {
    why: "a key in JSON in JSON in JSON",
    text: `{"m":"{\\"m\\":\\"{\\\\\\"api_key\\\\\\":\\\\\\"${KEY}\\\\\\"}\\"}"}`,
    masked: `{"m":"{\\"m\\":\\"{\\\\\\"api_key\\\\\\":\\\\\\"${MASKED_KEY}\\\\\\"}\\"}"}`,
  },
  {
    why: "a key behind a tab that JSON escapes, and none behind a line break",
    text: `{"m":"api_key:\\t${KEY}","n":"api_key:\\nabcdefghijklmnopqrstuvwxyz"}`,
    masked: `{"m":"api_key:\\t${MASKED_KEY}","n":"api_key:\\nabcdefghijklmnopqrstuvwxyz"}`,
  },
  {
    why: "what writers of JSON escape that need not",
    text: `{"url":"/x?api_key\\u003d${KEY}\\u0026x=1","api_key":"ab\\/cd\\/${KEY}\\/e\\u003d","m":"Bearer ab\\/${KEY}"}`,
    masked: `{"url":"/x?api_key\\u003d${MASKED_KEY}\\u0026x=1","api_key":"${MASKED_KEY}","m":"Bearer [REDACTED:bearer-token]"}`,
  },
  {
    why: "what an address escapes",
    text: `GET /x?next=%3Fapi_key%3D${KEY}%2Fe%26mail%3D1&mail=ada%40example.com HTTP/1.1`,
    masked: `GET /x?next=%3Fapi_key%3D${MASKED_KEY}%26mail%3D1&mail=[REDACTED:email] HTTP/1.1`,
  },
  {
    why: "a secret of AWS that PHP wrote",
    text: `{"aws_secret_access_key":"wJalrXUtnFEMI\\/K7MDENG\\/bPxRfiCYEXAMPLEKEY"}`,
    masked: `{"aws_secret_access_key":"[REDACTED:aws-access-key]"}`,
  },
  {
    why: "a private key that was cut off in JSON in JSON",
    text: `{"k":"{\\"k\\":\\"-----BEGIN RSA PRIVATE KEY-----\\\\nProc-Type: 4\\\\nabc\\"}","x":"y"}`,
    masked: `{"k":"{\\"k\\":\\"[REDACTED:private-key]\\"}","x":"y"}`,
  },
  {
    why: "what is written in color",
    text: `\u001b[31m${CARD}\u001b[0m \u001b[1;38;5;208m10.0.0.1 \u001b[36mapi_key\u001b[0m=\u001b[33m${KEY}\u001b[0m`,
    masked: `\u001b[31m${MASKED}\u001b[0m \u001b[1;38;5;208m[REDACTED:ipv4] \u001b[36mapi_key\u001b[0m=\u001b[33m${MASKED_KEY}\u001b[0m`,
  },
  {
    why: "what is written in color in JSON",
    text: `{"m":"\\u001b[36mAKIAABCDEFGHIJKLMNOP\\u001b[0m \\u001b[1mada@example.com"}`,
    masked: `{"m":"\\u001b[36m[REDACTED:aws-access-key]\\u001b[0m \\u001b[1m[REDACTED:email]"}`,
  },
];
